//! An order: its state, and its status, which follows from the counters of its lines.

mod status;

use std::time::Duration;

use proto::order::v1 as contract;
use types::{AccountId, Currency, OrderId, Timestamp};

pub(crate) use status::{OrderStatus, UnitTotals};

use crate::{account::InvoicePolicy, order_line::OrderLine};

store::record! {
    /// An order. It is never split; its fulfillment is.
    pub(crate) struct Order in "orders" key (order_id: OrderId) {
        /// The account that ordered.
        account_id: AccountId,
        /// The customer's own number for it.
        customer_po: String,
        /// `customer_po` where the account's policy refuses a second order with it.
        unique_po: Option<String>,
        /// Where it goes, as it was when the order was placed.
        ship_to: store::Proto<contract::ShipTo>,
        /// Of all its prices.
        currency: Currency,
        /// What happens to units that cannot be filled at once.
        fill_policy: FillPolicy,
        /// When its units become ready to invoice: the account's policy when it was placed.
        invoice_policy: InvoicePolicy,
        /// When the customer wants it shipped, if it is named.
        requested_ship_time: Option<Timestamp>,
        /// When its units may be released, however early it is wanted.
        ship_not_before: Option<Timestamp>,
        /// When what is open is cancelled.
        cancel_after: Option<Timestamp>,
        /// When its units may be released; `None` when they might be at once.
        release_time: Option<Timestamp>,
        /// Microseconds that nodes need to ship it, as it was known when it was placed.
        handling_micros: i64,
        /// How far it is.
        state: OrderState,
        /// What it shows to a person. Stored beside the counters that it follows from, so that lists are filtered by it.
        status: OrderStatus,
        /// Why it was rejected or cancelled.
        reason: String,
        /// Sum of the lines' amounts.
        total_minor: i64,
        /// Amount that became ready to invoice.
        invoice_ready_minor: i64,
        /// Amount that credits were proposed for.
        credited_minor: i64,
        /// Rows of invoice readiness.
        invoice_count: i64,
        /// Rows of proposed credits.
        credit_count: i64,
        /// Number of the last release; 0 before the first.
        release_number: i64,
        /// Number of the last hold; 0 before the first.
        hold_count: i64,
        /// Holds that are not released.
        open_holds: i64,
        /// Of these, those that block the whole order.
        order_holds: i64,
        /// Open exceptions of it, whichever service opened them, as operations last said.
        open_exceptions: i64,
        /// When its cancellation was requested. From then on, units that return from nodes are cancelled.
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
    /// How far an order is.
    pub(crate) enum OrderState = contract::OrderState {
        /// Stored; stock is being reserved.
        Submitted = "SUBMITTED",
        /// Stock is reserved or backordered for every line.
        Confirmed = "CONFIRMED",
        /// Nothing is open, and everything shipped is delivered.
        Closed = "CLOSED",
        /// Its fill policy could not be met.
        Rejected = "REJECTED",
        /// Every unit is cancelled.
        Cancelled = "CANCELLED",
    }
}

store::text_enum! {
    /// What happens to units that cannot be filled at once.
    #[expect(clippy::enum_variant_names, reason = "the names are the contract's")]
    pub(crate) enum FillPolicy = contract::FillPolicy {
        /// The order is rejected, or later cancelled as far as possible.
        FillOrKill = "FILL_OR_KILL",
        /// The others wait for them.
        FillAll = "FILL_ALL",
        /// They are cancelled, and the others are released.
        FillAllAvailable = "FILL_ALL_AVAILABLE",
        /// They are backordered, and the others are released.
        FillAvailableBackorder = "FILL_AVAILABLE_BACKORDER",
    }
}

impl OrderState {
    /// Whether units of the order may still be released.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Submitted | Self::Confirmed)
    }
}

/// An action on an order, as `supported_actions` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Cancel,
    PlaceHold,
    ReleaseHold,
    AuthorizeReturn,
}

impl Action {
    /// Its name in the contract.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "CancelOrder",
            Self::PlaceHold => "PlaceHold",
            Self::ReleaseHold => "ReleaseHold",
            Self::AuthorizeReturn => "AuthorizeReturn",
        }
    }
}

impl Order {
    /// How long nodes need to ship it.
    pub(crate) fn handling_time(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.handling_micros).unwrap_or_default())
    }

    /// The actions that it supports now.
    pub(crate) fn supported_actions<'a>(&self, lines: impl IntoIterator<Item = &'a OrderLine>) -> Vec<Action> {
        let (mut open, mut returnable) = (false, false);
        for line in lines {
            open |= line.unallocated + line.backordered + line.reserved + line.released > 0;
            returnable |= line.delivered > line.return_authorized;
        }
        let actions = [
            (Action::Cancel, self.state.is_open() && self.cancel_time.is_none() && open),
            (Action::PlaceHold, self.state.is_open()),
            (Action::ReleaseHold, self.open_holds > 0),
            (Action::AuthorizeReturn, returnable),
        ];
        actions.into_iter().filter_map(|(action, supported)| supported.then_some(action)).collect()
    }
}
