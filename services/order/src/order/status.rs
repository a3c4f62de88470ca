//! The status of an order for people, derived from the counters of all its lines.

use proto::order::v1 as contract;

use super::{Order, OrderState};
use crate::order_line::OrderLine;

store::text_enum! {
    /// What an order shows to a person: of the values that fit, the last one.
    pub(crate) enum OrderStatus = contract::OrderStatus {
        /// Stored; stock is being reserved.
        Submitted = "SUBMITTED",
        /// Confirmed; nothing more is known.
        Confirmed = "CONFIRMED",
        /// Stock is reserved for every open unit.
        Reserved = "RESERVED",
        /// Some units wait for stock.
        PartiallyBackordered = "PARTIALLY_BACKORDERED",
        /// Every open unit waits for stock.
        Backordered = "BACKORDERED",
        /// Units are at nodes.
        Released = "RELEASED",
        /// Units are picked.
        InFulfillment = "IN_FULFILLMENT",
        /// Some units are shipped.
        PartiallyShipped = "PARTIALLY_SHIPPED",
        /// All units that are not cancelled are shipped.
        Shipped = "SHIPPED",
        /// Some units are delivered.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All units that are not cancelled are delivered.
        Delivered = "DELIVERED",
        /// A person has to decide something: an exception is open.
        Exception = "EXCEPTION",
        /// A hold blocks the order or some of its lines.
        OnHold = "ON_HOLD",
        /// Rejected.
        Rejected = "REJECTED",
        /// Cancelled.
        Cancelled = "CANCELLED",
    }
}

store::text_enum! {
    /// What a line shows to a person.
    pub(crate) enum LineStatus = contract::LineStatus {
        /// Stock is not decided yet.
        Pending = "PENDING",
        /// Stock is reserved.
        Reserved = "RESERVED",
        /// Units wait for stock.
        Backordered = "BACKORDERED",
        /// Units are at nodes.
        Released = "RELEASED",
        /// Units are picked.
        InProcess = "IN_PROCESS",
        /// Some units are shipped.
        PartiallyShipped = "PARTIALLY_SHIPPED",
        /// All units that are not cancelled are shipped.
        Shipped = "SHIPPED",
        /// Some units are delivered.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All units that are not cancelled are delivered.
        Delivered = "DELIVERED",
        /// Every unit is cancelled.
        Cancelled = "CANCELLED",
    }
}

/// Sums of counters: of one line, or of all lines of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UnitTotals {
    ordered: i64,
    cancelled: i64,
    pub(crate) unallocated: i64,
    pub(crate) backordered: i64,
    reserved: i64,
    pub(crate) released: i64,
    picked: i64,
    shipped: i64,
    delivered: i64,
}

impl UnitTotals {
    /// The sums over some lines.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a OrderLine>) -> Self {
        lines.into_iter().fold(Self::default(), |sum, line| sum.and(line))
    }

    /// The sums over the goods of some lines.
    pub(crate) fn of_goods<'a>(lines: impl IntoIterator<Item = &'a OrderLine>) -> Self {
        Self::of(lines.into_iter().filter(|line| !line.is_service()))
    }

    /// The sums over what decides how far some lines are: over the goods, which services follow; over all when there are none.
    pub(crate) fn leading<'a>(lines: impl IntoIterator<Item = &'a OrderLine> + Clone) -> Self {
        let goods = Self::of_goods(lines.clone());
        if goods.is_empty() { Self::of(lines) } else { goods }
    }

    /// The sums with one more line.
    pub(crate) fn and(self, line: &OrderLine) -> Self {
        Self {
            ordered: self.ordered + line.ordered,
            cancelled: self.cancelled + line.cancelled,
            unallocated: self.unallocated + line.unallocated,
            backordered: self.backordered + line.backordered,
            reserved: self.reserved + line.reserved,
            released: self.released + line.released,
            picked: self.picked + line.picked,
            shipped: self.shipped + line.shipped,
            delivered: self.delivered + line.delivered,
        }
    }

    /// Whether they are sums over no line.
    pub(crate) fn is_empty(&self) -> bool {
        self.ordered == 0
    }

    /// Units that are neither cancelled nor shipped.
    pub(crate) fn open(&self) -> i64 {
        self.unallocated + self.backordered + self.reserved + self.released
    }

    /// Whether every unit is cancelled, and none was shipped all the same.
    pub(crate) fn all_cancelled(&self) -> bool {
        self.cancelled == self.ordered && self.shipped == 0
    }

    /// Whether no unit is open, and all shipped units are delivered.
    pub(crate) fn all_delivered(&self) -> bool {
        self.open() == 0 && self.shipped > 0 && self.delivered == self.shipped
    }

    /// What the lines show together.
    pub(crate) fn line_status(&self) -> LineStatus {
        match () {
            () if self.all_cancelled() => LineStatus::Cancelled,
            () if self.all_delivered() => LineStatus::Delivered,
            () if self.delivered > 0 => LineStatus::PartiallyDelivered,
            () if self.shipped > 0 && self.open() == 0 => LineStatus::Shipped,
            () if self.shipped > 0 => LineStatus::PartiallyShipped,
            () if self.released > 0 && self.picked > 0 => LineStatus::InProcess,
            () if self.released > 0 => LineStatus::Released,
            () if self.backordered > 0 => LineStatus::Backordered,
            () if self.reserved > 0 => LineStatus::Reserved,
            () => LineStatus::Pending,
        }
    }

    /// The status of an order that only its counters decide.
    fn status(&self) -> OrderStatus {
        match self.line_status() {
            LineStatus::Cancelled => OrderStatus::Cancelled,
            LineStatus::Delivered => OrderStatus::Delivered,
            LineStatus::PartiallyDelivered => OrderStatus::PartiallyDelivered,
            LineStatus::Shipped => OrderStatus::Shipped,
            LineStatus::PartiallyShipped => OrderStatus::PartiallyShipped,
            LineStatus::InProcess => OrderStatus::InFulfillment,
            LineStatus::Released => OrderStatus::Released,
            LineStatus::Backordered if self.backordered == self.open() => OrderStatus::Backordered,
            LineStatus::Backordered => OrderStatus::PartiallyBackordered,
            LineStatus::Reserved if self.reserved == self.open() => OrderStatus::Reserved,
            LineStatus::Reserved | LineStatus::Pending => OrderStatus::Confirmed,
        }
    }
}

impl OrderLine {
    /// What the line shows to a person.
    pub(crate) fn status(&self) -> LineStatus {
        UnitTotals::of([self]).line_status()
    }
}

impl Order {
    /// What the order shows to a person, given the sums over its leading lines.
    ///
    /// An open exception shows whichever service opened it, also after everything is delivered: a person has to act.
    pub(crate) fn derive_status(&self, totals: &UnitTotals) -> OrderStatus {
        match self.state {
            OrderState::Cancelled => OrderStatus::Cancelled,
            OrderState::Rejected => OrderStatus::Rejected,
            OrderState::Submitted | OrderState::Confirmed if self.open_holds > 0 => OrderStatus::OnHold,
            OrderState::Submitted | OrderState::Confirmed | OrderState::Closed if self.open_exceptions > 0 => {
                OrderStatus::Exception
            }
            OrderState::Submitted => OrderStatus::Submitted,
            OrderState::Confirmed | OrderState::Closed => totals.status(),
        }
    }
}
