//! A node picks, or can not find what it should pick.

use mesh::wire::Checks;
use proto::{
    fulfillment::v1::{FulfillmentOrder, FulfillmentPicked},
    types::v1::LineQuantity,
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, Timestamp};

use super::named;
use crate::dossier::Dossier;

/// Units were picked, or could not be found.
#[derive(Debug)]
pub struct RecordPick {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// Units picked now.
    pub picked: Vec<LineQuantity>,
    /// Units not found now.
    pub short: Vec<LineQuantity>,
    /// When; now when absent.
    pub occur_time: Option<Timestamp>,
}

impl Command for RecordPick {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "RecordPick";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        let mut checks = Checks::new();
        let picked = named(&dossier.work, "picked", &self.picked, &mut checks);
        let short = named(&dossier.work, "short", &self.short, &mut checks);
        checks.done()?;

        let at = self.occur_time.unwrap_or_else(|| cx.now());
        let acceptance = dossier.work.work_on(at);
        dossier.work.pick(&picked);
        let short = dossier.work.short(&short);
        for unit in &short {
            dossier.exclude_item(&unit.sku);
        }
        dossier.save(rows, cx)?;
        dossier.tell_acceptance(acceptance, at, cx);
        let picked: Vec<_> = picked.into_iter().filter(|unit| unit.quantity > 0).collect();
        for (kind, lines) in [("fulfillment.picked", picked), ("fulfillment.short_picked", short)] {
            if !lines.is_empty() {
                let told = FulfillmentPicked { fulfillment_order: Some(dossier.image()), lines };
                cx.emit(dossier.fact(kind, at, &told));
            }
        }
        dossier.tell_end(at, cx);
        Ok(dossier.image())
    }
}
