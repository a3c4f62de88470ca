//! A hold blocks an order, or some of its lines: no node is asked for anything new.
//!
//! 1. `order.hold_placed` and `order.hold_released` (`services/order/src/hold.rs`): [`RecordHold`] keeps the open holds with
//!    every release of the order. The order releases nothing that a hold blocks, so that a later release has no blocked line.
//! 2. Blocked units are not planned (`Release::awaits_plan`), whatever made them unrouted: a node rejected them or ran out of
//!    time, they are short, stock or nodes changed, or a person calls `RetryRouting`.
//! 3. A plan that was made before the hold is not settled ([`ReleaseAggregate::holds_plan`]): it stands, and its key keeps what
//!    inventory allocated.
//! 4. The last hold is released: the units are routed, and a standing plan is settled (`process/routing.rs`).
//! 5. An order that is cancelled waits for no hold (`process/cancellation.rs`).

use std::collections::BTreeSet;

use proto::order::v1::OrderHoldChanged;
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use super::routing;
use crate::{reactions::id, release::ReleaseAggregate};

/// What happened to a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldChange {
    /// It was placed.
    Placed,
    /// It was released.
    Released,
}

/// Records that a hold of an order was placed or released.
#[derive(Debug)]
struct RecordHold {
    order_id: OrderId,
    change: HoldChange,
    hold_number: i64,
    /// The lines that it blocks; all when empty.
    line_numbers: BTreeSet<i64>,
}

/// Reacts to a hold of an order.
pub(crate) fn hold_changed(payload: OrderHoldChanged, change: HoldChange) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let hold = payload.hold.ok_or_else(|| Fault::internal("an event about a hold has none"))?;
    Ok(vec![Box::new(RecordHold {
        order_id: id(&payload.order_id)?,
        change,
        hold_number: hold.hold_number.into(),
        line_numbers: hold.line_numbers.into_iter().map(i64::from).collect(),
    })])
}

impl Command for RecordHold {
    type Reply = ();
    const NAME: &'static str = "RecordHold";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for mut release in ReleaseAggregate::load_all(&self.order_id, rows)? {
            match self.change {
                HoldChange::Placed => release.place_hold(self.hold_number, self.line_numbers.clone()),
                HoldChange::Released => {
                    let stood = release.holds_plan();
                    release.release_hold(self.hold_number, cx.now());
                    if let Some(decision_id) = release.release().decision_id.as_ref().filter(|_| stood) {
                        routing::schedule_allocation(decision_id, release.release(), cx);
                    }
                }
            }
            release.save(rows, cx)?;
        }
        Ok(())
    }
}
