//! Deallocates units of an order at locations.

use std::{collections::BTreeSet, sync::Arc};

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    ledger::{Cause, DeallocationPolicy},
    process::reservation::ReservationEvent,
    quantity::AllocationLine,
    reservation::LineKey,
    wire::reservations_of,
    working_set::WorkingSet,
};

/// Which units to deallocate where, and what is done with them.
pub(crate) struct Deallocate {
    order_id: OrderId,
    lines: Vec<AllocationLine>,
    policy: DeallocationPolicy,
    /// When a short pick occurred; now when absent.
    occur_time: Option<Timestamp>,
}

impl Deallocate {
    pub(crate) fn parse(request: &wire::DeallocateRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let lines = AllocationLine::read_all(&mut checks, &request.allocations);
        let policy = checks.choice("policy", request.policy).and_then(DeallocationPolicy::from_contract);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        let (order_id, policy) = (checked(order_id)?, checked(policy)?);
        Ok(Self { order_id, lines, policy, occur_time: checked(occur_time)? })
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_allocations(rows, &self.order_id, &self.lines);
        match self.policy {
            // The units stay the order's own, unless it has to get others.
            DeallocationPolicy::Reassign => {
                self.lines.iter().for_each(|line| set.units_leave(rows, &line.key(&self.order_id), &line.location_id));
            }
            DeallocationPolicy::Cancel | DeallocationPolicy::Short => set.all_units_become_free(rows),
        }
        set
    }
}

impl Command for Deallocate {
    type Reply = wire::DeallocateResponse;
    const NAME: &'static str = "Deallocate";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::DeallocateResponse, Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for line in &self.lines {
            ledger.deallocate(&self.order_id, line, self.policy, occur_time)?;
        }
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Deallocated), rows, cx)?;
        let lines: BTreeSet<LineKey> = self.lines.iter().map(|line| line.key(&self.order_id)).collect();
        Ok(wire::DeallocateResponse { reservations: reservations_of(rows, lines)? })
    }
}
