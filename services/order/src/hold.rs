//! Holds: they block the release of an order or of some of its lines, not the recording of reports about it.

mod place;
mod release;

use proto::order::v1 as contract;
use store::{Column, Kind, Value};
use types::{AccountId, FulfillmentOrderId, OrderId, Timestamp};

pub(crate) use place::PlaceHold;
pub(crate) use release::{EXPIRE, ReleaseHold};

use crate::{aggregate::ChangingOrder, events::PendingEvent, order_line::OrderLine};

store::record! {
    /// Something that blocks an order or some of its lines. An order may have several.
    pub(crate) struct Hold in "order_holds" key (order_id: OrderId, hold_number: i64) {
        /// Why it was placed.
        reason: HoldReason,
        /// The lines that it blocks.
        line_numbers: LineNumbers,
        /// The fulfillment order that it was placed on.
        fulfillment_order_id: Option<FulfillmentOrderId>,
        /// A note for people.
        note: String,
        /// Subject of the caller that placed it.
        placed_by: String,
        /// When it was placed.
        place_time: Timestamp,
        /// When it is released by itself.
        expire_time: Option<Timestamp>,
        /// Subject of the caller that released it; `None` when it expired.
        released_by: Option<String>,
        /// When it was released; `None` while it blocks.
        release_time: Option<Timestamp>,
        /// The account whose credit check placed it; `None` once it is released.
        credit_account_id: Option<AccountId>,
    }
}

store::text_enum! {
    /// Why a hold is placed.
    pub(crate) enum HoldReason = contract::HoldReason {
        /// Credit.
        Credit = "CREDIT",
        /// Suspected fraud.
        Fraud = "FRAUD",
        /// A person wants to look at the order.
        Operator = "OPERATOR",
        /// Goods cannot be delivered to the address.
        AddressInvalid = "ADDRESS_INVALID",
        /// The price differs from the agreed one.
        PriceDiscrepancy = "PRICE_DISCREPANCY",
        /// The customer has to answer a question.
        AwaitingCustomer = "AWAITING_CUSTOMER",
        /// Export or licence.
        Compliance = "COMPLIANCE",
        /// An outside system requested it.
        External = "EXTERNAL",
        /// Less stock is there than was promised.
        StockShortfall = "STOCK_SHORTFALL",
        /// A change of the order is being agreed with the customer.
        AwaitingAmendment = "AWAITING_AMENDMENT",
        /// A number of an outside system is not mapped to one of the distributor's.
        MissingMapping = "MISSING_MAPPING",
    }
}

/// The lines that a hold blocks, all when empty. Stored as `1,2`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LineNumbers(pub(crate) Vec<i64>);

impl Column for LineNumbers {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        let numbers = text.split(',').filter(|number| !number.is_empty());
        numbers.map(|number| number.parse().ok()).collect::<Option<_>>().map(Self)
    }
}

impl ChangingOrder {
    /// Places a hold.
    pub(crate) fn place_hold(&mut self, hold: Hold) {
        self.order.hold_count += 1;
        self.count_hold(&hold, 1);
        self.pending.push(PendingEvent::HoldPlaced(hold));
    }

    /// Releases an open hold; without a subject it expired.
    pub(crate) fn release_hold(&mut self, hold: Hold, released_by: Option<String>, now: Timestamp) {
        if hold.credit_account_id.is_some() {
            self.approve_credit();
        }
        self.end_hold(hold, released_by, now);
    }

    /// Ends an open hold.
    pub(crate) fn end_hold(&mut self, hold: Hold, released_by: Option<String>, now: Timestamp) {
        self.count_hold(&hold, -1);
        // A change does not end its hold once more.
        if let Some(open) = self.change.as_mut()
            && open.hold.as_ref().is_some_and(|of_change| of_change.hold_number == hold.hold_number)
        {
            open.hold = None;
        }
        if self.order.credit_hold_number == Some(hold.hold_number) {
            self.order.credit_hold_number = None;
        }
        let ended = Hold { released_by, release_time: Some(now), credit_account_id: None, ..hold };
        self.pending.push(PendingEvent::HoldReleased(ended));
    }

    /// A hold that this service itself is to place.
    pub(crate) fn new_hold(&self, reason: HoldReason, line_numbers: LineNumbers, now: Timestamp) -> Hold {
        Hold {
            order_id: self.order.order_id.clone(),
            hold_number: self.order.hold_count + 1,
            reason,
            line_numbers,
            fulfillment_order_id: None,
            note: String::new(),
            placed_by: crate::NAME.to_owned(),
            place_time: now,
            expire_time: None,
            released_by: None,
            release_time: None,
            credit_account_id: None,
            version: 0,
        }
    }

    fn count_hold(&mut self, hold: &Hold, by: i64) {
        self.order.open_holds += by;
        if hold.line_numbers.0.is_empty() {
            self.order.order_holds += by;
        }
        for line_number in &hold.line_numbers.0 {
            self.with_line(*line_number, |line| line.open_holds += by);
        }
    }

    /// Whether a hold blocks a line, by itself or with the whole order.
    pub(crate) fn is_held(&self, line: &OrderLine) -> bool {
        self.order.order_holds > 0 || line.open_holds > 0
    }
}
