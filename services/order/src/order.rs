//! An order: its state, and its status, which follows from the counters of its lines.

mod status;
pub(crate) mod sums;

use std::time::Duration;

use proto::order::v1 as contract;
use types::{AccountId, Currency, OrderId, Timestamp};

pub(crate) use status::{OrderStatus, UnitTotals};

use crate::{account::InvoicePolicy, own_fields};

/// The most that an order may come to, in minor units, so that sums over thousands of orders do not overflow.
pub(crate) const MAX_TOTAL: i64 = 1_000_000_000_000_000;

store::record! {
    /// An order. It is never split; its fulfillment is.
    pub(crate) struct Order in "orders" key (order_id: OrderId) {
        /// The account that ordered.
        account_id: AccountId,
        /// The customer's own number for it.
        customer_po: String,
        /// The same in small letters, as bytes ([`search_key`](crate::store::search_key)).
        po_search_key: Vec<u8>,
        /// `customer_po` where the account's policy refuses a second order with it, while the order is live.
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
        /// Its priority among orders that wait for the same items; `None` when none was given.
        priority: Option<i64>,
        /// Its ship-to groups; 0 when all of it goes to one place.
        group_count: i64,
        /// Number of the last change; 0 before the first.
        change_count: i64,
        /// The change that is proposed.
        proposed_change: Option<i64>,
        /// The change that was confirmed, and that nodes have not answered yet.
        requested_change: Option<i64>,
        /// Rows of invoice readiness.
        invoice_count: i64,
        /// Rows of proposed credits.
        credit_count: i64,
        /// Lines of which something is ready and not invoiced.
        to_invoice_lines: i64,
        /// Number of the last invoice that does not fit what the customer owes, while anything does not.
        mismatched_invoice: Option<String>,
        /// Number of the last release; 0 before the first.
        release_number: i64,
        /// Number of the last hold; 0 before the first.
        hold_count: i64,
        /// Holds that are not released.
        open_holds: i64,
        /// Of these, those that block the whole order.
        order_holds: i64,
        /// The account's payment terms when it was placed.
        payment_terms: Option<store::Proto<contract::PaymentTerms>>,
        /// What its account's credit has of it; `None` when it is not counted.
        counted_minor: Option<i64>,
        /// Number of the open hold that the credit check has placed.
        credit_hold_number: Option<i64>,
        /// The amount of the units that this hold keeps from being released; `None` without it.
        credit_held_minor: Option<i64>,
        /// The amount up to which a person has approved it.
        credit_approved_minor: Option<i64>,
        /// Open exceptions of it, whichever service opened them, as operations last said.
        open_exceptions: i64,
        /// When its cancellation was requested. From then on, units that return from nodes are cancelled.
        cancel_time: Option<Timestamp>,
        /// What the customer added in its own words.
        own_fields: own_fields::Column,
        /// Number of its lines.
        line_count: i64,
        /// An order with no more than what is derived from its lines: sums of counters and amounts, and how far it is invoiced.
        sums: store::Proto<contract::Order>,
        /// Units that were delivered and that no return is authorized for.
        returnable: i64,
        /// About how long its lines are when they are encoded.
        size_bytes: i64,
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
    ProposeChange,
    ConfirmChange,
    WithdrawChange,
    PlaceHold,
    ReleaseHold,
    AuthorizeReturn,
}

impl Action {
    /// Its name in the contract.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "CancelOrder",
            Self::ProposeChange => "ProposeOrderChange",
            Self::ConfirmChange => "ConfirmOrderChange",
            Self::WithdrawChange => "WithdrawOrderChange",
            Self::PlaceHold => "PlaceHold",
            Self::ReleaseHold => "ReleaseHold",
            Self::AuthorizeReturn => "AuthorizeReturn",
        }
    }
}

impl Order {
    /// The change that is proposed or waits for nodes.
    pub(crate) fn open_change(&self) -> Option<i64> {
        self.proposed_change.or(self.requested_change)
    }

    /// What became ready to invoice, less what credits were proposed for.
    pub(crate) fn settled_minor(&self) -> i64 {
        self.invoice_ready_minor - self.credited_minor
    }

    /// The account that counts what became ready to invoice until the recorded receivables include it.
    pub(crate) fn unposted_account_id(&self) -> Option<AccountId> {
        self.counted_minor.map(|_| self.account_id.clone())
    }

    /// How long nodes need to ship it.
    pub(crate) fn handling_time(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.handling_micros).unwrap_or_default())
    }

    /// Whether it counts for what its account has ordered: it was not rejected, nor cancelled before anything of it was shipped.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.state, OrderState::Rejected | OrderState::Cancelled)
    }

    /// The actions that it supports now.
    pub(crate) fn supported_actions(&self) -> Vec<Action> {
        let units = self.sums.0.units.unwrap_or_default();
        let open = units.unallocated + units.backordered + units.reserved + units.released > units.cancel_requested;
        let actions = [
            (Action::Cancel, self.state.is_open() && self.cancel_time.is_none() && open),
            (Action::ProposeChange, self.state.is_open() && self.cancel_time.is_none() && self.open_change().is_none()),
            (Action::ConfirmChange, self.proposed_change.is_some()),
            (Action::WithdrawChange, self.proposed_change.is_some()),
            (Action::PlaceHold, self.state.is_open()),
            (Action::ReleaseHold, self.open_holds > 0),
            (Action::AuthorizeReturn, self.returnable > 0),
        ];
        actions.into_iter().filter_map(|(action, supported)| supported.then_some(action)).collect()
    }
}
