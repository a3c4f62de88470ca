//! Allocates reserved units of an order at locations.

use std::collections::BTreeSet;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Proto, Rows};
use types::{Fault, OrderId, Reason, Timestamp, Violation, limits::MAX_NAME};

use crate::{
    ledger::Cause,
    process::reservation::ReservationEvent,
    quantity::AllocationLine,
    reservation::LineKey,
    wire::{line_number, reservations_of},
    working_set::{WorkingSet, loaded},
};

store::record! {
    /// The first answer to an allocation key.
    pub(crate) struct AllocationKey in "allocation_keys" key (allocation_key: String) {
        order_id: OrderId,
        /// The allocations alone.
        answer: Proto<wire::AllocateResponse>,
        create_time: Timestamp,
    }
}

/// How many units to allocate where. A key has one answer, the first.
pub(crate) struct Allocate {
    allocation_key: String,
    order_id: OrderId,
    lines: Vec<AllocationLine>,
}

impl Allocate {
    pub(crate) fn parse(request: &wire::AllocateRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let allocation_key = checks.text("allocation_key", &request.allocation_key, MAX_NAME);
        let order_id = checks.id("order_id", &request.order_id);
        let lines = AllocationLine::read_all(&mut checks, &request.allocations);
        checks.done()?;
        Ok(Self { allocation_key: checked(allocation_key)?, order_id: checked(order_id)?, lines })
    }

    fn keys(&self) -> BTreeSet<LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id)).collect()
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        WorkingSet::of_allocations(rows, &self.order_id, &self.lines)
    }
}

impl Command for Allocate {
    type Reply = wire::AllocateResponse;
    const NAME: &'static str = "Allocate";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<AllocationKey>(&self.allocation_key);
        if let Some(first) = loaded::<AllocationKey>(rows, &self.allocation_key) {
            WorkingSet::of_lines(answered_lines(first)).request(rows, needs);
        }
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::AllocateResponse, Fault> {
        if let Some(first) = rows.get::<AllocationKey>(&self.allocation_key)? {
            if first.order_id != self.order_id {
                let message = "the allocation key was used before, for another order";
                return Err(Fault::new(Reason::RequestIdReused, message));
            }
            let keys = self.keys();
            let reservations = reservations_of(rows, keys.union(&answered_lines(first)).cloned())?;
            return Ok(wire::AllocateResponse { reservations, ..first.answer.0.clone() });
        }
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        let mut allocations = Vec::new();
        let mut violations = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if ledger.reservation(&line.key(&self.order_id)).is_none() {
                let field = format!("allocations[{index}].line_number");
                violations.push(Violation::new(field, "is not reserved"));
                continue;
            }
            let quantity = ledger.allocate(&self.order_id, line)?;
            if quantity > 0 {
                let (line_number, location_id) = (line_number(line.line_number), line.location_id.to_string());
                allocations.push(wire::AllocationRequest { line_number, location_id, quantity });
            }
        }
        if !violations.is_empty() {
            return Err(Fault::violations(violations));
        }
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Allocated), rows, cx)?;
        let answer = wire::AllocateResponse { allocations, reservations: Vec::new() };
        rows.put(AllocationKey {
            allocation_key: self.allocation_key.clone(),
            order_id: self.order_id.clone(),
            answer: Proto(answer.clone()),
            create_time: cx.now(),
            version: 0,
        });
        Ok(wire::AllocateResponse { reservations: reservations_of(rows, self.keys())?, ..answer })
    }
}

/// The lines that the first answer has allocations of.
fn answered_lines(first: &AllocationKey) -> BTreeSet<LineKey> {
    let allocations = first.answer.0.allocations.iter();
    allocations.map(|allocation| (first.order_id.clone(), i64::from(allocation.line_number))).collect()
}
