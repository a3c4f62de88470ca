//! What a line is promised, and what that follows from.
//!
//! A promise is made on a basis, such as stock or a scheduled supply, and it is made again only when its basis changes: it does not
//! move by itself. The steps are in `process/promise.rs`; the days are found by the functions below, which a quote uses too.

pub(crate) mod dates;
pub(crate) mod departure;
pub(crate) mod estimates;
pub(crate) mod lane;

use std::time::Duration;

use mesh::wire::timestamp;
use proto::order::v1::{self as contract, PromiseConfidence};
use types::Timestamp;

use crate::{
    order_line::OrderLine,
    promise::dates::{Dates, Source},
};

store::text_enum! {
    /// What the promise of a line follows from.
    pub(crate) enum PromiseBasis {
        /// Nothing yet: stock is not decided.
        Pending = "PENDING",
        /// What it followed from is not so any more. It stands until it is made again.
        Outdated = "OUTDATED",
        /// A hold blocks units: nothing is promised.
        Held = "HELD",
        /// It is not known when there is stock: nothing is promised.
        Backordered = "BACKORDERED",
        /// Stock that is expected at a time.
        Supply = "SUPPLY",
        /// Stock that is reserved, or units that some node has.
        Stock = "STOCK",
        /// The node that was asked to ship.
        Routed = "ROUTED",
        /// A departure that was later than promised.
        ShippedLate = "SHIPPED_LATE",
    }
}

store::text_enum! {
    /// Why a promise was set, changed or taken back.
    pub(crate) enum PromiseReason = contract::PromiseReason {
        /// Stock was decided for the first time.
        First = "FIRST",
        /// Units wait for stock.
        Backordered = "BACKORDERED",
        /// Stock that units wait for is expected at another time, or not any more.
        SupplyChanged = "SUPPLY_CHANGED",
        /// Units that waited have stock.
        StockArrived = "STOCK_ARRIVED",
        /// A node was asked to ship them.
        Routed = "ROUTED",
        /// A hold blocks units.
        Held = "HELD",
        /// No hold blocks units any more.
        HoldReleased = "HOLD_RELEASED",
        /// Units left later than promised.
        ShippedLate = "SHIPPED_LATE",
        /// The carrier has estimated the delivery.
        CarrierEstimate = "CARRIER_ESTIMATE",
        /// An estimate of the carrier was taken back.
        EstimateRetracted = "ESTIMATE_RETRACTED",
        /// The order was changed.
        OrderChanged = "ORDER_CHANGED",
        /// Units that left are to be shipped again, or did not leave after all.
        ShippedAgain = "SHIPPED_AGAIN",
    }
}

/// Times that differ by less are the same promise: a node that works all the time would otherwise be promised anew with every step.
const SAME: Duration = Duration::from_secs(60 * 60);

impl PromiseBasis {
    /// How far a promise on it can be relied on.
    pub(crate) fn confidence(self) -> PromiseConfidence {
        match self {
            Self::Pending | Self::Outdated | Self::Held | Self::Backordered => PromiseConfidence::Unknown,
            Self::Supply => PromiseConfidence::Expected,
            Self::Stock | Self::Routed | Self::ShippedLate => PromiseConfidence::Confirmed,
        }
    }

    /// Whether it promises units that are reserved, at nodes or on their way.
    pub(crate) fn has_units(self) -> bool {
        matches!(self, Self::Stock | Self::Routed | Self::ShippedLate)
    }
}

fn is_same(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.max(other).since(one.min(other)) < SAME,
        (one, other) => one == other,
    }
}

impl OrderLine {
    /// Whether it is promised nearly these dates, without the carrier's estimates.
    pub(crate) fn has_promised(&self, dates: &Dates) -> bool {
        is_same(self.promised_ship_time, Some(dates.ship)) && is_same(self.promised_delivery_time, dates.delivery)
    }

    /// Promises dates, without the carrier's estimates. Those that are nearly the same as before stay as they are.
    pub(crate) fn promise(&mut self, basis: PromiseBasis, reason: PromiseReason, dates: &Dates) {
        self.change_promise(reason, |line| {
            line.carrier_delivery_time = None;
            if !line.has_promised(dates) {
                (line.promised_ship_time, line.promised_delivery_time) = (Some(dates.ship), dates.delivery);
            }
        });
        self.promise_basis = basis;
        self.set_source(&dates.source);
    }

    /// Promises another delivery of units that left later than promised.
    pub(crate) fn promise_later(&mut self, at: Timestamp, source: &Source) {
        if !is_same(self.promised_delivery_time, Some(at)) {
            self.change_promise(PromiseReason::ShippedLate, |line| line.promised_delivery_time = Some(at));
        }
        self.promise_basis = PromiseBasis::ShippedLate;
        self.set_source(source);
    }

    fn set_source(&mut self, source: &Source) {
        self.promise_source.clone_from(&source.text);
        self.promise_node_ids = source.node_ids.join(" ");
    }

    /// Makes a change, for a reason that is kept when it changes the dates.
    fn change_promise(&mut self, reason: PromiseReason, change: impl FnOnce(&mut Self)) {
        let before = self.promised_times();
        change(self);
        if self.promised_times() != before {
            self.promise_reason = reason;
        }
    }

    /// Whether any change of the line may call for new dates, so that the nodes are loaded with it.
    pub(crate) fn awaits_promise(&self) -> bool {
        let is_replaced = self.replaced_early > 0;
        (is_replaced || !self.promise_basis.has_units())
            && self.unallocated + self.backordered + self.reserved + self.released > 0
    }

    /// Promises nothing.
    pub(crate) fn promise_nothing(&mut self, basis: PromiseBasis, reason: PromiseReason) {
        (self.promised_ship_time, self.promised_delivery_time, self.carrier_delivery_time) = (None, None, None);
        (self.promise_basis, self.promise_reason) = (basis, reason);
        self.set_source(&Source::default());
    }

    /// The promise does not hold any more, and is made again. Its dates stand until then.
    pub(crate) fn promise_again(&mut self, reason: PromiseReason) {
        if self.promise_basis != PromiseBasis::Pending {
            self.promised_delivery_time = self.delivery_promised();
            self.carrier_delivery_time = None;
            (self.promise_basis, self.promise_reason) = (PromiseBasis::Outdated, reason);
        }
    }

    /// When the last of its units is promised to be delivered.
    pub(crate) fn delivery_promised(&self) -> Option<Timestamp> {
        self.carrier_delivery_time.or(self.promised_delivery_time)
    }

    /// Both dates.
    pub(crate) fn promised_times(&self) -> [Option<Timestamp>; 2] {
        [self.promised_ship_time, self.delivery_promised()]
    }

    /// How far the promise can be relied on.
    pub(crate) fn promise_confidence(&self) -> PromiseConfidence {
        match self.carrier_delivery_time {
            Some(_) => PromiseConfidence::Carrier,
            None => self.promise_basis.confidence(),
        }
    }

    /// What the promise follows from, for people.
    pub(crate) fn promise_source(&self) -> &str {
        match self.carrier_delivery_time {
            Some(_) => "the carrier's estimate",
            None => &self.promise_source,
        }
    }

    /// The nodes that our own dates follow from.
    pub(crate) fn promise_node_ids(&self) -> Vec<String> {
        self.promise_node_ids.split_whitespace().map(str::to_owned).collect()
    }

    /// The promise as the contract has it.
    pub(crate) fn line_promise(&self) -> contract::LinePromise {
        contract::LinePromise {
            promised_ship_time: self.promised_ship_time.map(timestamp),
            promised_delivery_time: self.delivery_promised().map(timestamp),
            confidence: self.promise_confidence().into(),
            source: self.promise_source().to_owned(),
            node_ids: self.promise_node_ids(),
        }
    }
}

/// When an order is promised to be delivered, and whether that is so of some of its lines only. Lines without units that are
/// wanted or shipped do not count.
pub(crate) fn promised_delivery(lines: &[OrderLine]) -> (Option<Timestamp>, bool) {
    let counts = |line: &&OrderLine| line.ordered + line.over_shipped > line.cancelled;
    let (mut earliest, mut latest, mut is_partial) = (None::<Timestamp>, None, false);
    for line in lines.iter().filter(counts) {
        match line.delivery_promised() {
            None => is_partial = true,
            Some(at) => {
                earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
                latest = latest.max(Some(at));
            }
        }
    }
    if is_partial { (earliest, earliest.is_some()) } else { (latest, false) }
}

#[cfg(test)]
mod tests;
