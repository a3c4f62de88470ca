//! An order: its stored life, and what follows from the counters of its lines.

mod status;

use types::{AccountId, Currency, OrderId, Timestamp};

pub use status::{LineStatus, Status, Totals};

use crate::{account::InvoicePolicy, line::Line};

store::record! {
    /// An order. It is never split; the work for it is.
    pub struct Order in "orders" key (order_id: OrderId) {
        /// The account that ordered.
        account_id: AccountId,
        /// The customer's own number for it.
        customer_po: String,
        /// The same again where the account's policy refuses a second one.
        unique_po: Option<String>,
        /// Where it goes, as it was when the order was placed.
        ship_to: store::Proto<proto::order::v1::ShipTo>,
        /// Of all its prices.
        currency: Currency,
        /// What happens to what can not be filled at once.
        fill_policy: FillPolicy,
        /// When its goods become ready to invoice: the account's policy when it was placed.
        invoice_policy: InvoicePolicy,
        /// When the customer wants it shipped, if it said so.
        requested_ship_time: Option<Timestamp>,
        /// Where it is in its life.
        state: State,
        /// What to tell a person: kept beside the counters it follows from, so that lists can be filtered by it.
        status: Status,
        /// Why it was rejected or cancelled.
        reason: String,
        /// What the lines come to.
        total_minor: i64,
        /// How much of it may be invoiced.
        invoice_ready_minor: i64,
        /// How often something became ready to invoice.
        invoice_count: i64,
        /// How often units were released.
        release_number: i64,
        /// Holds ever placed.
        hold_count: i64,
        /// Holds that stand.
        open_holds: i64,
        /// Exceptions this service opened for it.
        exceptions: i64,
        /// When its cancellation was asked for: units that come back are cancelled from then on.
        cancel_time: Option<Timestamp>,
        /// When it was placed.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
        /// When it was closed, cancelled or rejected.
        close_time: Option<Timestamp>,
    }
}

store::text_enum! {
    /// Where an order is in its life.
    pub enum State {
        /// Stored; stock is being reserved.
        Submitted = "SUBMITTED",
        /// Stock was reserved or backordered; the work goes on.
        Confirmed = "CONFIRMED",
        /// Nothing is open, nothing is on its way.
        Closed = "CLOSED",
        /// Its fill policy could not be met.
        Rejected = "REJECTED",
        /// Everything of it was cancelled.
        Cancelled = "CANCELLED",
    }
}

store::text_enum! {
    /// What happens to what can not be filled at once.
    pub enum FillPolicy {
        /// Everything at once, or the order is rejected.
        FillOrKill = "FILL_OR_KILL",
        /// Everything together.
        FillAll = "FILL_ALL",
        /// What is there; the rest is backordered.
        FillAllAvailable = "FILL_ALL_AVAILABLE",
    }
}

impl State {
    /// Whether work for the order may still begin.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Submitted | Self::Confirmed)
    }
}

/// The names of actions, as in `supported_actions`.
pub mod action {
    /// Cancel what is open.
    pub const CANCEL: &str = "CancelOrder";
    /// Block the release.
    pub const PLACE_HOLD: &str = "PlaceHold";
    /// Lift a block.
    pub const RELEASE_HOLD: &str = "ReleaseHold";
    /// Let goods come back.
    pub const AUTHORIZE_RETURN: &str = "AuthorizeReturn";
}

impl Order {
    /// What may be asked of it now.
    pub fn supported_actions<'a>(&self, lines: impl IntoIterator<Item = &'a Line>) -> Vec<&'static str> {
        let (mut open, mut returnable) = (false, false);
        for line in lines {
            open |= line.unallocated + line.backordered + line.reserved + line.released > 0;
            returnable |= line.delivered > line.return_authorized;
        }
        let actions = [
            (action::CANCEL, self.state.is_open() && self.cancel_time.is_none() && open),
            (action::PLACE_HOLD, self.state.is_open()),
            (action::RELEASE_HOLD, self.open_holds > 0),
            (action::AUTHORIZE_RETURN, returnable),
        ];
        actions.into_iter().filter(|(_, supported)| *supported).map(|(action, _)| action).collect()
    }
}
