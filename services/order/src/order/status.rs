//! What to tell a person, derived from the counters of all lines: never "some line, so the order".

use super::{Order, State};
use crate::line::Line;

store::text_enum! {
    /// What to tell a person about an order; the first that fits, from the bottom up.
    pub enum Status {
        /// Stored, stock is being reserved.
        Submitted = "SUBMITTED",
        /// Confirmed, and nothing more is known.
        Confirmed = "CONFIRMED",
        /// Stock is reserved for every open unit.
        Reserved = "RESERVED",
        /// Some units wait for stock.
        PartiallyBackordered = "PARTIALLY_BACKORDERED",
        /// Every open unit waits for stock.
        Backordered = "BACKORDERED",
        /// Given to nodes.
        Released = "RELEASED",
        /// Being picked and packed.
        InFulfillment = "IN_FULFILLMENT",
        /// Some units left.
        PartiallyShipped = "PARTIALLY_SHIPPED",
        /// All units that are to leave left.
        Shipped = "SHIPPED",
        /// Some units arrived.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All units that are to arrive arrived.
        Delivered = "DELIVERED",
        /// Waits for a person.
        Exception = "EXCEPTION",
        /// A hold blocks the release.
        OnHold = "ON_HOLD",
        /// Rejected.
        Rejected = "REJECTED",
        /// Cancelled.
        Cancelled = "CANCELLED",
    }
}

/// What to tell a person about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStatus {
    /// Stock is not decided yet.
    Pending,
    /// Stock is reserved.
    Reserved,
    /// Waits for stock.
    Backordered,
    /// Given to nodes.
    Released,
    /// Being picked.
    InProcess,
    /// Some units left.
    PartiallyShipped,
    /// All units that are to leave left.
    Shipped,
    /// Some units arrived.
    PartiallyDelivered,
    /// All units that are to arrive arrived.
    Delivered,
    /// Cancelled.
    Cancelled,
}

/// Sums of counters: of one line, or of all lines of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
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

impl Totals {
    /// The sums over some lines.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        lines.into_iter().fold(Self::default(), |sum, line| Self {
            ordered: sum.ordered + line.ordered,
            cancelled: sum.cancelled + line.cancelled,
            unallocated: sum.unallocated + line.unallocated,
            backordered: sum.backordered + line.backordered,
            reserved: sum.reserved + line.reserved,
            released: sum.released + line.released,
            picked: sum.picked + line.picked,
            shipped: sum.shipped + line.shipped,
            delivered: sum.delivered + line.delivered,
        })
    }

    /// Units that are not cancelled and did not leave.
    pub fn open(&self) -> i64 {
        self.unallocated + self.backordered + self.reserved + self.released
    }

    /// Everything was cancelled, and nothing left all the same.
    pub fn all_cancelled(&self) -> bool {
        self.cancelled == self.ordered && self.shipped == 0
    }

    /// Nothing is open, and all that left arrived.
    pub fn all_arrived(&self) -> bool {
        self.open() == 0 && self.shipped > 0 && self.delivered == self.shipped
    }

    fn line_status(&self) -> LineStatus {
        match () {
            () if self.all_cancelled() => LineStatus::Cancelled,
            () if self.all_arrived() => LineStatus::Delivered,
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

    /// The status of an order of which nothing but the counters matters any more.
    fn status(&self) -> Status {
        match self.line_status() {
            LineStatus::Cancelled => Status::Cancelled,
            LineStatus::Delivered => Status::Delivered,
            LineStatus::PartiallyDelivered => Status::PartiallyDelivered,
            LineStatus::Shipped => Status::Shipped,
            LineStatus::PartiallyShipped => Status::PartiallyShipped,
            LineStatus::InProcess => Status::InFulfillment,
            LineStatus::Released => Status::Released,
            LineStatus::Backordered if self.backordered == self.open() => Status::Backordered,
            LineStatus::Backordered => Status::PartiallyBackordered,
            LineStatus::Reserved if self.reserved == self.open() => Status::Reserved,
            LineStatus::Reserved | LineStatus::Pending => Status::Confirmed,
        }
    }
}

impl Line {
    /// What to tell a person about the line.
    pub fn status(&self) -> LineStatus {
        Totals::of([self]).line_status()
    }
}

impl Order {
    /// What to tell a person about the order, given the sums over all its lines.
    ///
    /// An exception shows as long as the order is under way; once everything arrived the facts are told again, and the
    /// case stays with those who decide it.
    pub fn derive_status(&self, totals: &Totals) -> Status {
        match self.state {
            State::Cancelled => Status::Cancelled,
            State::Rejected => Status::Rejected,
            State::Submitted | State::Confirmed if self.open_holds > 0 => Status::OnHold,
            State::Confirmed if self.exceptions > 0 => Status::Exception,
            State::Submitted => Status::Submitted,
            State::Confirmed | State::Closed => totals.status(),
        }
    }
}
