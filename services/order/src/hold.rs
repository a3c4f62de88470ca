//! Holds: they block the release of an order, not the recording of reports about it.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp, limits::MAX_TEXT};

use crate::{aggregate::OrderAggregate, events::PendingEvent, order::Action};

store::record! {
    /// Something that blocks the release of an order. An order may have several.
    pub(crate) struct Hold in "order_holds" key (order_id: OrderId, hold_number: i64) {
        /// Why it was placed.
        reason: HoldReason,
        /// A note for people.
        note: String,
        /// Subject of the caller that placed it.
        placed_by: String,
        /// When it was placed.
        place_time: Timestamp,
        /// Subject of the caller that released it.
        released_by: Option<String>,
        /// When it was released; `None` while it blocks the release.
        release_time: Option<Timestamp>,
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
    }
}

/// Places a hold.
#[derive(Debug)]
pub(crate) struct PlaceHold {
    order_id: OrderId,
    etag: String,
    reason: HoldReason,
    note: String,
    caller: Arc<Principal>,
}

impl PlaceHold {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::PlaceHoldRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let reason = checks.choice("reason", request.reason).and_then(HoldReason::from_contract);
        let note = checks.optional_text("note", &request.note, MAX_TEXT);
        checks.done()?;
        let (order_id, reason, note) = (checked(order_id)?, checked(reason)?, checked(note)?);
        Ok(Self { order_id, etag: request.etag.clone(), reason, note, caller: caller.clone() })
    }
}

impl Command for PlaceHold {
    type Reply = contract::Order;

    const NAME: &'static str = "PlaceHold";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut aggregate =
            OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, Action::PlaceHold, rows)?;
        let hold = Hold {
            order_id: self.order_id.clone(),
            hold_number: aggregate.order.hold_count + 1,
            reason: self.reason,
            note: self.note.clone(),
            placed_by: self.caller.subject.clone(),
            place_time: cx.now(),
            released_by: None,
            release_time: None,
            version: 0,
        };
        aggregate.change(cx.now(), |aggregate| {
            aggregate.order.hold_count += 1;
            aggregate.order.open_holds += 1;
            aggregate.pending.push(PendingEvent::HoldPlaced(hold));
        });
        aggregate.save_and_show(rows, cx)
    }
}

/// Releases a hold.
#[derive(Debug)]
pub(crate) struct ReleaseHold {
    order_id: OrderId,
    etag: String,
    hold_number: i64,
    caller: Arc<Principal>,
}

impl ReleaseHold {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::ReleaseHoldRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        if request.hold_number < 1 {
            checks.wrong("hold_number", "must be at least 1");
        }
        checks.done()?;
        let (etag, hold_number) = (request.etag.clone(), request.hold_number.into());
        Ok(Self { order_id: checked(order_id)?, etag, hold_number, caller: caller.clone() })
    }
}

impl Command for ReleaseHold {
    type Reply = contract::Order;

    const NAME: &'static str = "ReleaseHold";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut aggregate =
            OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, Action::ReleaseHold, rows)?;
        let hold = rows.get::<Hold>(&(self.order_id.clone(), self.hold_number))?;
        let hold = hold.ok_or_else(|| Fault::not_found("hold", self.hold_number))?.clone();
        if hold.release_time.is_some() {
            return Err(Fault::not_supported(format!("hold {} is released already", self.hold_number)));
        }
        let (released_by, release_time) = (Some(self.caller.subject.clone()), Some(cx.now()));
        aggregate.change(cx.now(), |aggregate| {
            aggregate.order.open_holds -= 1;
            aggregate.pending.push(PendingEvent::HoldReleased(Hold { released_by, release_time, ..hold }));
        });
        aggregate.save_and_show(rows, cx)
    }
}
