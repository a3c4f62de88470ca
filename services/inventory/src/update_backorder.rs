//! Changes the priority or the promise of a line.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    ledger::Cause,
    process::reservation::ReservationEvent,
    quantity::read_priority,
    reservation::{LineKey, Reservation},
    working_set::{WorkingSet, loaded},
};

/// What a line is compared by from now on; what is absent stays.
pub(crate) struct UpdateBackorder {
    order_id: OrderId,
    line_number: i64,
    priority: Option<i64>,
    promise_time: Option<Timestamp>,
}

impl UpdateBackorder {
    pub(crate) fn parse(request: &wire::UpdateBackorderRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let line_number = checks.line_number("line_number", request.line_number);
        let priority = read_priority(&mut checks, request.priority);
        let promise_time = checks.optional_time("promise_time", request.promise_time.as_ref());
        checks.done()?;
        Ok(Self {
            order_id: checked(order_id)?,
            line_number: checked(line_number)?.into(),
            priority,
            promise_time: checked(promise_time)?,
        })
    }

    fn key(&self) -> LineKey {
        (self.order_id.clone(), self.line_number)
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines([self.key()]);
        if let Some(present) = loaded::<Reservation>(rows, &self.key()) {
            set.item(&present.sku);
        }
        set
    }
}

impl Command for UpdateBackorder {
    type Reply = wire::Reservation;
    const NAME: &'static str = "UpdateBackorder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Reservation, Fault> {
        let missing = || Fault::not_found("reservation", format!("{} line {}", self.order_id, self.line_number));
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.reservation(&self.key()).ok_or_else(missing)?;
        ledger.prioritize(&self.key(), self.priority, self.promise_time)?;
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Updated), rows, cx)?;
        rows.get::<Reservation>(&self.key())?.map(crate::wire::reservation).ok_or_else(missing)
    }
}
