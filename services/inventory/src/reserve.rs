//! Reserves units for the lines of an order.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, OrderId, limits::MAX_LINES};

use crate::{
    ledger::{Cause, Terms},
    process::reservation::ReservationEvent,
    quantity::{RequestedLine, check_once, read_priority},
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
        let line_countries = read_line_countries(&mut checks, &request.line_countries, &lines);
        let shortage_policy = checks.optional_choice("shortage_policy", request.shortage_policy);
        let expire_after = checks.optional_duration("expire_after", request.expire_after.as_ref());
        if expire_after.flatten().is_some_and(|after| after > MAX_EXPIRE_AFTER) {
            checks.wrong("expire_after", "must be at most 3,650 days");
        }
        let priority = read_priority(&mut checks, request.priority);
        let promise_time = checks.optional_time("promise_time", request.promise_time.as_ref());
        checks.done()?;
        // Shorter than a microsecond is a microsecond.
        let micros = |after: Duration| i64::try_from(after.as_micros()).unwrap_or(i64::MAX).max(1);
        let shortage_policy =
            ShortagePolicy::from_contract(checked(shortage_policy)?).unwrap_or(ShortagePolicy::Refuse);
        let expire_after = checked(expire_after)?.map(micros);
        let ship_to_country = checked(ship_to_country)?;
        let promise_time = checked(promise_time)?;
        let terms = Terms { ship_to_country, line_countries, shortage_policy, expire_after, priority, promise_time };
        Ok(Self { order_id: checked(order_id)?, account_id: checked(account_id)?, lines, terms })
    }

    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines(self.keys());
        for (key, line) in self.keys().zip(&self.lines) {
            set.item(&line.sku);
            let becomes_free = |present: &Reservation| {
                line.quantity < present.requested || self.terms.new_country_of(present).is_some()
            };
            if loaded::<Reservation>(rows, &key).is_some_and(becomes_free) {
                set.units_become_free(rows, &line.sku);
            }
        }
        set
    }
}

/// Reads the countries of lines that go elsewhere.
fn read_line_countries(
    checks: &mut Checks,
    countries: &[wire::LineCountry],
    lines: &[RequestedLine],
) -> BTreeMap<i64, String> {
    let known: HashSet<i64> = lines.iter().map(|line| line.line_number).collect();
    let mut seen = HashSet::new();
    let mut read = BTreeMap::new();
    if !checks.at_most("line_countries", countries.len(), MAX_LINES) {
        return read;
    }
    for (index, wire::LineCountry { line_number, country }) in countries.iter().enumerate() {
        let at = |field: &str| format!("line_countries[{index}].{field}");
        let line_number = i64::from(*line_number);
        if !known.contains(&line_number) {
            checks.wrong(at("line_number"), "is none of the lines");
        }
        check_once(checks, &mut seen, line_number, || at("line_number"));
        read.extend(checks.country(at("country"), country).map(|country| (line_number, country)));
    }
    read
}

impl Command for Reserve {
    type Reply = wire::ReserveResponse;
    const NAME: &'static str = "Reserve";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReserveResponse, Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("lines", self.lines.iter().map(|line| &line.sku))?;
        ledger.reserve(&self.order_id, &self.account_id, &self.lines, &self.terms)?;
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Reserved), rows, cx)?;
        Ok(wire::ReserveResponse { reservations: reservations_of(rows, self.keys())? })
    }
}
