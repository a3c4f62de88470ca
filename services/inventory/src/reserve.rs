//! Reserves units for the lines of an order.

use std::{sync::Arc, time::Duration};

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, OrderId};

use crate::{
    ledger::{Cause, Terms},
    process::reservation::ReservationEvent,
    quantity::RequestedLine,
    reservation::{LineKey, Reservation, ShortagePolicy},
    wire::reservations_of,
    working_set::{WorkingSet, loaded},
};

/// The longest time until reserved units expire: ten years.
const MAX_EXPIRE_AFTER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The total quantities that the lines of an order request.
pub(crate) struct Reserve {
    order_id: OrderId,
    account_id: AccountId,
    lines: Vec<RequestedLine>,
    terms: Terms,
}

impl Reserve {
    pub(crate) fn parse(request: &wire::ReserveRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let account_id = checks.id("account_id", &request.account_id);
        let lines = RequestedLine::read_all(&mut checks, &request.lines);
        let ship_to_country = match request.ship_to_country.as_str() {
            "" => Some(String::new()),
            country => checks.country("ship_to_country", country),
        };
        let shortage_policy = checks.optional_choice("shortage_policy", request.shortage_policy);
        let expire_after = checks.optional_duration("expire_after", request.expire_after.as_ref());
        if expire_after.flatten().is_some_and(|after| after > MAX_EXPIRE_AFTER) {
            checks.wrong("expire_after", "must be at most 3,650 days");
        }
        checks.done()?;
        // Shorter than a microsecond is a microsecond.
        let micros = |after: Duration| i64::try_from(after.as_micros()).unwrap_or(i64::MAX).max(1);
        let shortage_policy =
            ShortagePolicy::from_contract(checked(shortage_policy)?).unwrap_or(ShortagePolicy::Refuse);
        let expire_after = checked(expire_after)?.map(micros);
        let terms = Terms { ship_to_country: checked(ship_to_country)?, shortage_policy, expire_after };
        Ok(Self { order_id: checked(order_id)?, account_id: checked(account_id)?, lines, terms })
    }

    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines(self.keys());
        for (key, line) in self.keys().zip(&self.lines) {
            set.item(&line.sku);
            if loaded::<Reservation>(rows, &key).is_some_and(|present| line.quantity < present.requested) {
                set.units_become_free(rows, &line.sku);
            }
        }
        set
    }
}

impl Command for Reserve {
    type Reply = wire::ReserveResponse;
    const NAME: &'static str = "Reserve";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReserveResponse, Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("lines", self.lines.iter().map(|line| &line.sku))?;
        ledger.reserve(&self.order_id, &self.account_id, &self.lines, &self.terms)?;
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Reserved), rows, cx)?;
        Ok(wire::ReserveResponse { reservations: reservations_of(rows, self.keys())? })
    }
}
