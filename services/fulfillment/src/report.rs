//! Facts that nodes and carriers report, and the wish to stop.
//!
//! A fact is never refused because it contradicts what was expected. It is refused only when it names something that does
//! not exist: work, or a line of it.

mod answer;
mod cancel;
mod cancel_order;
mod labels;
mod milestone;
mod packages;
mod pick;
mod proof;
mod shipment;
mod word;

pub use answer::{AcceptWork, RejectWork, TimeOutWork};
pub use cancel::{AnswerCancellation, RequestCancellation, Said};
pub use cancel_order::CancelOrder;
pub use labels::RecordLabels;
pub use milestone::RecordMilestone;
pub use packages::Report;
pub use pick::RecordPick;
pub use proof::RecordProof;
pub use shipment::RecordShipment;

use mesh::wire::Checks;
use proto::types::v1::LineQuantity;

use crate::fulfillment_order::Fulfillment;

/// Units with the items of the work's lines; notes those that name no line of it.
fn named(work: &Fulfillment, field: &str, units: &[LineQuantity], checks: &mut Checks) -> Vec<LineQuantity> {
    let mut named = Vec::with_capacity(units.len());
    for (at, unit) in units.iter().enumerate() {
        match work.lines.iter().find(|line| line.line_number == i64::from(unit.line_number)) {
            None => checks.wrong(format!("{field}[{at}].line_number"), "is not a line of this work"),
            Some(line) if !unit.sku.is_empty() && unit.sku != line.sku => {
                checks.wrong(format!("{field}[{at}].sku"), format!("the line's item is {}", line.sku));
            }
            Some(line) => named.push(line.units(unit.quantity)),
        }
    }
    named
}
