//! A promise and its changes.
//!
//! 1. Every time an order is saved, [`ChangingOrder::renew_promises`] looks at what the promise of each open line is to follow
//!    from (`promise.rs`). Only where that is another basis than before, dates are found (`promise/dates.rs`): so a promise does
//!    not move by itself, and the calendar of a node counts for promises that are made after it was changed.
//!    - A hold blocks units, or nobody knows when there is stock: nothing is promised.
//!    - Units wait for stock that inventory expects at a time (`backorder_expect_time` of their reservation): from then on. All
//!      lines of a FILL_ALL order wait for the last one.
//!    - Units are reserved or at nodes: from the release on.
//! 2. `fulfillment.requested`: a node is asked, and it alone counts ([`News::Routed`], `promise/news.rs`).
//! 3. `shipment.shipped`, later than promised: the delivery is counted from the departure ([`News::Shipped`]).
//! 4. `shipment.milestone_recorded` with an estimate: the line keeps the estimate of the package ([`News::Estimated`]). While units
//!    are under way, the estimates of its packages promise the delivery instead of our own date (`promise/estimates.rs`).
//!    `shipment.report_retracted`: the package has another estimate or none ([`News::EstimateRetracted`]), also when it is delivered.
//!    The estimate of a package that did not leave, or is written off, is dropped.
//! 5. A changed order, place or time, and units that are to be shipped again, outdate the promise
//!    ([`OrderLine::promise_again`](crate::order_line::OrderLine::promise_again)): step 1.
//! 6. What is delivered or cancelled keeps its promise as it was, unless the estimate that it follows from is taken back.
//! 7. Dates that differ from those that are stored are emitted with their reasons: `order.promise_changed`, or `order.promise_set`
//!    where there were none. Those of an order that is confirmed are in `order.confirmed`.

use std::collections::HashMap;

use proto::{
    fulfillment::v1::Node,
    order::v1::{PromiseChange, ShipTo},
};
use types::Timestamp;

pub(crate) use self::news::{EstimatedPackage, News, record_news};
use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    item::HandlingClass,
    order::FillPolicy,
    order_line::OrderLine,
    promise::{
        PromiseBasis, PromiseReason,
        dates::{self, Dates},
        lane::Destination,
    },
    wire,
};

mod news;

/// What the promise of a line is to follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    basis: PromiseBasis,
    /// When stock is expected.
    supply_time: Option<Timestamp>,
}

impl Target {
    fn waiting(supply_time: Option<Timestamp>) -> Self {
        let basis = if supply_time.is_some() { PromiseBasis::Supply } else { PromiseBasis::Backordered };
        Self { basis, supply_time }
    }
}

/// Why the promise of a line is made on another basis.
fn reason(line: &OrderLine, basis: PromiseBasis) -> PromiseReason {
    use PromiseBasis::{Backordered, Held, Outdated, Pending, Supply};
    match (line.promise_basis, basis) {
        (_, Held) => PromiseReason::Held,
        (Outdated, _) => line.promise_reason,
        (Held, _) => PromiseReason::HoldReleased,
        (Backordered | Supply, Backordered | Supply) => PromiseReason::SupplyChanged,
        (_, Backordered | Supply) => PromiseReason::Backordered,
        (Pending, _) => PromiseReason::First,
        _ => PromiseReason::StockArrived,
    }
}

impl ChangingOrder {
    /// The lines whose promise is to be made on another basis, by their place.
    fn due_promises(&self) -> Vec<(usize, Target)> {
        let waits_for_all = self.order.fill_policy == FillPolicy::FillAll;
        let waiting = self.lines.iter().filter(|line| waits_for_all && line.backordered > 0);
        // When the last of them has stock; `Some(None)` when that is not known.
        let shortage = waiting
            .map(|line| line.backorder_expect_time)
            .reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other)));
        let due = self.lines.iter().enumerate().filter_map(|(at, line)| {
            let target = self.target(line, shortage)?;
            let is_met = (line.promise_basis, line.promise_supply_time) == (target.basis, target.supply_time);
            (!is_met).then_some((at, target))
        });
        due.collect()
    }

    /// What the promise of a line is to follow from; `None` when it stays as it is.
    fn target(&self, line: &OrderLine, shortage: Option<Option<Timestamp>>) -> Option<Target> {
        let open = line.backordered + line.reserved + line.released - line.cancel_requested;
        // What is to be stopped is promised nothing anew.
        if open == 0 || line.unallocated > 0 || self.order.cancel_time.is_some() {
            return None;
        }
        let is_held = self.order.order_holds > 0 || line.open_holds > 0;
        let waits = line.reserved + line.backordered > 0;
        Some(if is_held && waits {
            Target { basis: PromiseBasis::Held, supply_time: None }
        } else if let Some(supply_time) = shortage.filter(|_| waits) {
            Target::waiting(supply_time)
        } else if line.backordered > 0 {
            Target::waiting(line.backorder_expect_time)
        } else if line.promise_basis.has_units() {
            return None;
        } else {
            Target { basis: PromiseBasis::Stock, supply_time: None }
        })
    }

    /// Makes the promises again that are made on another basis, except those that need dates while `nodes` are not known.
    pub(crate) fn renew_promises(&mut self, nodes: Option<&[Node]>, now: Timestamp) {
        let release = self.order.release_time.map_or(now, |release_time| release_time.max(now));
        let mut known: HashMap<(Option<i64>, HandlingClass, Timestamp), Dates> = HashMap::new();
        for (at, target) in self.due_promises() {
            let Some(line) = self.lines.get(at) else { continue };
            let reason = reason(line, target.basis);
            let dates = if matches!(target.basis, PromiseBasis::Supply | PromiseBasis::Stock) {
                let Some(nodes) = nodes else { continue };
                let request = target.supply_time.map_or(release, |expected| expected.max(release));
                let key = (line.ship_to_group, line.handling_class, request);
                Some(known.entry(key).or_insert_with(|| self.dates(line, nodes, request)).clone())
            } else {
                None
            };
            let Some(line) = self.lines.get_mut(at) else { continue };
            line.promise_supply_time = target.supply_time;
            match dates {
                None => line.promise_nothing(target.basis, reason),
                Some(mut dates) => {
                    if target.basis == PromiseBasis::Supply {
                        dates.source = dates.source.of_expected_stock();
                    }
                    line.promise(target.basis, reason, &dates);
                }
            }
        }
        self.lines.iter_mut().for_each(|line| line.follow_estimates(PromiseReason::CarrierEstimate));
        self.order.sum_up_promises(&self.lines);
    }

    /// Dates of a line's units that any node may be asked for at `request`.
    fn dates(&self, line: &OrderLine, nodes: &[Node], request: Timestamp) -> Dates {
        let wanted = self.order.requested_ship_time;
        dates::dates_of_any(nodes, line.handling_class, &self.destination(line), request, wanted)
    }

    fn destination(&self, line: &OrderLine) -> Destination {
        destination(self.ship_to(line.ship_to_group))
    }

    /// Emits the dates that differ from those that are stored.
    pub(crate) fn report_promises(&mut self, stored: &[&OrderLine]) {
        let mut had_dates = false;
        let changed = self.lines.iter().filter_map(|line| {
            let at = stored.binary_search_by_key(&line.line_number, |stored| stored.line_number);
            let before = at.ok().and_then(|at| stored.get(at));
            let times = before.map(|before| before.promised_times()).unwrap_or_default();
            if times == line.promised_times() {
                return None;
            }
            had_dates |= times.iter().any(Option::is_some);
            Some(PromiseChange {
                line_number: wire::small(line.line_number),
                sku: line.sku.clone(),
                before: before
                    .filter(|before| before.promise_basis != PromiseBasis::Pending)
                    .map(|before| before.line_promise()),
                after: Some(line.line_promise()),
                reason: proto::order::v1::PromiseReason::from(line.promise_reason).into(),
            })
        });
        let changed: Vec<_> = changed.collect();
        // The event of the confirmation has the lines.
        if changed.is_empty() || self.pending.contains(&PendingEvent::Confirmed) {
            return;
        }
        self.pending.push(if had_dates {
            PendingEvent::PromiseChanged(changed)
        } else {
            PendingEvent::PromiseSet(changed)
        });
    }
}

/// Where goods go, as far as it decides when they are there.
fn destination(ship_to: &ShipTo) -> Destination {
    let address = ship_to.address.clone().unwrap_or_default();
    Destination::new(&address.country, &address.postal_code, &ship_to.time_zone)
}
