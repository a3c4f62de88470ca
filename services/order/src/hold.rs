//! Holds: they block the release of an order, not the recording of facts about it.

use std::sync::Arc;

use mesh::Principal;
use proto::order::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{advance, news::News, order::action};

store::record! {
    /// Something that blocks the release of an order. Several may stand at once.
    pub struct Hold in "order_holds" key (order_id: OrderId, hold_number: i64) {
        /// Why.
        reason: HoldReason,
        /// A note for people.
        note: String,
        /// Who placed it.
        placed_by: String,
        /// When.
        place_time: Timestamp,
        /// Who released it.
        released_by: Option<String>,
        /// When; a hold without stands.
        release_time: Option<Timestamp>,
    }
}

store::text_enum! {
    /// Why an order is held.
    pub enum HoldReason {
        /// Credit.
        Credit = "CREDIT",
        /// Suspected fraud.
        Fraud = "FRAUD",
        /// A person wants to look.
        Operator = "OPERATOR",
        /// The address can not be delivered to.
        AddressInvalid = "ADDRESS_INVALID",
        /// Price differs from what was agreed.
        PriceDiscrepancy = "PRICE_DISCREPANCY",
        /// The customer has to answer.
        AwaitingCustomer = "AWAITING_CUSTOMER",
        /// Export or licence.
        Compliance = "COMPLIANCE",
        /// An outside system asked for it.
        External = "EXTERNAL",
    }
}

/// Places a hold.
#[derive(Debug)]
pub struct PlaceHold {
    /// The order.
    pub order_id: OrderId,
    /// The etag that was read; any when empty.
    pub etag: String,
    /// Why.
    pub reason: HoldReason,
    /// A note for people.
    pub note: String,
    /// Who asks.
    pub caller: Arc<Principal>,
}

/// Releases a hold.
#[derive(Debug)]
pub struct ReleaseHold {
    /// The order.
    pub order_id: OrderId,
    /// The etag that was read; any when empty.
    pub etag: String,
    /// Which.
    pub hold_number: i64,
    /// Who asks.
    pub caller: Arc<Principal>,
}

impl Command for PlaceHold {
    type Reply = wire::Order;

    const NAME: &'static str = "PlaceHold";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        advance::needs_with_holds(&self.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Order, Fault> {
        let mut progress = advance::begin(rows, &self.order_id, &self.etag, &self.caller, action::PLACE_HOLD)?;
        progress.order.hold_count += 1;
        progress.order.open_holds += 1;
        let hold = rows.put(Hold {
            order_id: self.order_id.clone(),
            hold_number: progress.order.hold_count,
            reason: self.reason,
            note: self.note.clone(),
            placed_by: self.caller.subject.clone(),
            place_time: cx.now(),
            released_by: None,
            release_time: None,
            version: 0,
        });
        progress.news.push(News::HoldPlaced(hold));
        progress.holds_changed(cx.now());
        let progress = advance::save(progress, rows, cx)?;
        advance::answer(rows, &progress)
    }
}

impl Command for ReleaseHold {
    type Reply = wire::Order;

    const NAME: &'static str = "ReleaseHold";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        advance::needs_with_holds(&self.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Order, Fault> {
        let mut progress = advance::begin(rows, &self.order_id, &self.etag, &self.caller, action::RELEASE_HOLD)?;
        let key = (self.order_id.clone(), self.hold_number);
        let hold = rows.get::<Hold>(&key)?.ok_or_else(|| Fault::not_found("hold", self.hold_number))?;
        if hold.release_time.is_some() {
            return Err(Fault::not_supported(format!("hold {} is released already", self.hold_number)));
        }
        let (released_by, release_time) = (Some(self.caller.subject.clone()), Some(cx.now()));
        let hold = rows.put(Hold { released_by, release_time, ..hold.clone() });
        progress.order.open_holds -= 1;
        progress.news.push(News::HoldReleased(hold));
        progress.holds_changed(cx.now());
        let progress = advance::save(progress, rows, cx)?;
        advance::answer(rows, &progress)
    }
}
