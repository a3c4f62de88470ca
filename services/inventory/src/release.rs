//! Releases units of an order that are not allocated.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Violation};

use crate::{
    ledger::Cause,
    process::reservation::ReservationEvent,
    quantity::RequestedLine,
    reservation::{LineKey, Reservation},
    wire::reservations_of,
    working_set::{WorkingSet, loaded},
};

/// Units of order lines that are no longer wanted. Lines without a reservation have none.
pub(crate) struct Release {
    order_id: OrderId,
    lines: Vec<RequestedLine>,
}

impl Release {
    pub(crate) fn parse(request: &wire::ReleaseRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let lines = RequestedLine::read_all(&mut checks, &request.lines);
        checks.done()?;
        Ok(Self { order_id: checked(order_id)?, lines })
    }

    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines(self.keys());
        for (key, line) in self.keys().zip(&self.lines) {
            let Some(present) = loaded::<Reservation>(rows, &key) else { continue };
            set.item(&present.sku);
            if present.backordered < line.quantity {
                set.units_become_free(rows, &present.sku);
            }
        }
        set
    }
}

impl Command for Release {
    type Reply = wire::ReleaseResponse;
    const NAME: &'static str = "Release";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReleaseResponse, Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        let mut violations = Vec::new();
        for (index, (key, line)) in self.keys().zip(&self.lines).enumerate() {
            if let Some(other) = ledger.reservation(&key).filter(|present| present.sku != line.sku) {
                let description = format!("the line is reserved for {}", other.sku);
                violations.push(Violation::new(format!("lines[{index}].sku"), description));
                continue;
            }
            ledger.release(&key, line.quantity)?;
        }
        if !violations.is_empty() {
            return Err(Fault::violations(violations));
        }
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Released), rows, cx)?;
        Ok(wire::ReleaseResponse { reservations: reservations_of(rows, self.keys())? })
    }
}
