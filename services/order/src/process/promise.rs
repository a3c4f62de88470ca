//! A promise and its changes.
//!
//! 1. Every time an order is saved, [`ChangingOrder::renew_promises`] looks at what the promise of each open line is to follow
//!    from (`promise.rs`). Only where that is another basis than before, dates are found (`promise/dates.rs`): so a promise does
//!    not move by itself, and the calendar of a node counts for promises that are made after it was changed.
//!    - A hold blocks units, or nobody knows when there is stock: nothing is promised.
//!    - Units wait for stock that inventory expects at a time (`backorder_expect_time` of their reservation): from then on. All
//!      lines of a FILL_ALL order wait for the last one.
//!    - Units are reserved or at nodes: from the release on.
//! 2. `fulfillment.requested`: a node is asked, and it alone counts ([`News::Routed`]).
//! 3. `shipment.shipped`, later than promised: the delivery is counted from the departure ([`News::Shipped`]).
//! 4. `shipment.milestone_recorded` with an estimate: the carrier's word counts ([`News::Estimated`]). Of a line whose units are in
//!    several packages it only moves the promise to a later time.
//! 5. A changed order, place or time, and units that are to be shipped again, outdate the promise
//!    ([`OrderLine::promise_again`](crate::order_line::OrderLine::promise_again)): step 1.
//! 6. What is delivered or cancelled keeps its promise as it was.
//! 7. Dates that differ from those that are stored are emitted with their reasons: `order.promise_changed`, or `order.promise_set`
//!    where there were none. Those of an order that is confirmed are in `order.confirmed`.

use std::collections::HashMap;

use proto::{fulfillment::v1::Node, order::v1::PromiseChange};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    events::PendingEvent,
    item::HandlingClass,
    node::Nodes,
    order::FillPolicy,
    order_line::{LineUnits, OrderLine},
    promise::{
        PromiseBasis, PromiseReason,
        dates::{self, Dates},
        lane::Destination,
    },
    report::read_id,
    wire,
};

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
                        dates.source = format!("stock that is expected; {}", dates.source);
                    }
                    line.promise(target.basis, reason, &dates);
                }
            }
        }
        self.order.sum_up_promises(&self.lines);
    }

    /// Dates of a line's units that any node may be asked for at `request`.
    fn dates(&self, line: &OrderLine, nodes: &[Node], request: Timestamp) -> Dates {
        let to = self.destination(line);
        let serving = nodes.iter().filter(|node| crate::node::serves(node, &to.country, &[line.handling_class]));
        dates::dates(serving, &to, request, self.order.requested_ship_time)
    }

    fn destination(&self, line: &OrderLine) -> Destination {
        let ship_to = self.ship_to(line.ship_to_group);
        let address = ship_to.address.clone().unwrap_or_default();
        Destination::new(&address.country, &address.postal_code, &ship_to.time_zone)
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

    fn record_news(&mut self, news: &News, nodes: &[Node]) {
        for units in news.units() {
            let Some(line) = self.line(units.line_number) else { continue };
            let Some(promised) = self.after_news(line, units, news, nodes) else { continue };
            self.with_line(units.line_number, |line| *line = promised);
        }
    }

    /// The line with its new promise; `None` when it stays.
    fn after_news(&self, line: &OrderLine, units: &LineUnits, news: &News, nodes: &[Node]) -> Option<OrderLine> {
        if !news.concerns(line) {
            return None;
        }
        let node = |node_id: &str| nodes.iter().find(|node| node.node_id == node_id);
        let mut promised = line.clone();
        match news {
            News::Routed { node_id, request_time, .. } => {
                let to = self.destination(line);
                let mut dates =
                    dates::dates(std::iter::once(node(node_id)?), &to, *request_time, self.order.requested_ship_time);
                // Other units of it are at another node, and may be later.
                if units.quantity < line.released {
                    dates.ship = line.promised_ship_time.map_or(dates.ship, |other| other.max(dates.ship));
                    dates.delivery = line.promised_delivery_time.zip(dates.delivery).map(|(one, other)| one.max(other));
                }
                // Most orders go where they were promised from, and nothing is written.
                if line.has_promised(&dates) {
                    return None;
                }
                promised.promise(PromiseBasis::Routed, PromiseReason::Routed, &dates);
            }
            News::Shipped { node_id, ship_time, .. } => {
                let (at, source) = dates::delivery_after(node(node_id)?, &self.destination(line), *ship_time)?;
                if line.promised_delivery_time.is_some_and(|promised| promised >= at) {
                    return None;
                }
                promised.promise_delivery(PromiseBasis::ShippedLate, PromiseReason::ShippedLate, at, source);
            }
            News::Estimated { delivery_time, .. } => {
                let is_whole = units.quantity >= line.ordered + line.over_shipped - line.cancelled;
                if !is_whole && line.promised_delivery_time.is_some_and(|promised| promised >= *delivery_time) {
                    return None;
                }
                let source = "the carrier's estimate".to_owned();
                promised.promise_delivery(
                    PromiseBasis::Carrier,
                    PromiseReason::CarrierEstimate,
                    *delivery_time,
                    source,
                );
            }
        }
        Some(promised)
    }
}

/// What moves promises of units that are not in the order's hands any more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    /// A node was asked to ship.
    Routed {
        /// The node.
        node_id: String,
        /// When it was asked.
        request_time: Timestamp,
        /// What it was asked for.
        units: Vec<LineUnits>,
    },
    /// Units left a node.
    Shipped {
        /// The node.
        node_id: String,
        /// When they left.
        ship_time: Timestamp,
        /// The units.
        units: Vec<LineUnits>,
    },
    /// A carrier has estimated the delivery of a package.
    Estimated {
        /// When it is to be delivered.
        delivery_time: Timestamp,
        /// Its contents.
        units: Vec<LineUnits>,
    },
}

impl News {
    fn units(&self) -> &[LineUnits] {
        match self {
            Self::Routed { units, .. } | Self::Shipped { units, .. } | Self::Estimated { units, .. } => units,
        }
    }

    /// Whether it may move the promise of a line.
    fn concerns(&self, line: &OrderLine) -> bool {
        let basis = line.promise_basis;
        match self {
            Self::Routed { .. } => line.released > 0 && matches!(basis, PromiseBasis::Stock | PromiseBasis::Routed),
            Self::Shipped { ship_time, .. } => {
                matches!(basis, PromiseBasis::Stock | PromiseBasis::Routed | PromiseBasis::ShippedLate)
                    && line.promised_ship_time.is_some_and(|promised| promised < *ship_time)
            }
            // What is delivered needs no estimate. Units that wait are later than any package.
            Self::Estimated { .. } => {
                basis.has_units() && line.shipped > line.delivered && line.reserved + line.backordered == 0
            }
        }
    }
}

/// Records news that may move promises.
#[derive(Debug)]
pub(crate) struct RecordNews {
    order_id: OrderId,
    news: News,
}

/// The command that records news about an order, if it is about any units.
pub(crate) fn record_news(order_id: &str, news: News) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    if news.units().is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Box::new(RecordNews { order_id: read_id(order_id)?, news })])
}

impl Command for RecordNews {
    type Reply = ();

    const NAME: &'static str = "RecordNews";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
        let Ok(lines) = rows.under::<OrderLine>(&self.order_id) else { return };
        if lines.iter().any(|line| self.news.concerns(line)) {
            needs.row::<Nodes>(&Nodes::key());
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        if !aggregate.lines.iter().any(|line| self.news.concerns(line)) {
            return Ok(());
        }
        let nodes = rows.get::<Nodes>(&Nodes::key())?.map_or(&[][..], Nodes::all);
        aggregate.change(cx.now(), |order| order.record_news(&self.news, nodes));
        aggregate.save(rows, cx).map(|_| ())
    }
}
