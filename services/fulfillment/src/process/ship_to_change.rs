//! The destination of released units changes.
//!
//! 1. The order service emits `order.ship_to_change_requested`; [`ChangeShipTo`] reacts to it, for the releases and fulfillment
//!    orders of the ship-to group.
//! 2. Every release of the group has the new address. When it is in another country, unrouted units are routed again, and what
//!    inventory allocates for a plan that stands is taken back when the plan is settled (`process/routing/allocate.rs`).
//! 3. A fulfillment order that its node has not accepted is withdrawn, `fulfillment.cancelled` with its units as `reassigned`: they
//!    are deallocated and routed again for the new address. Units that a node gave up before follow them there.
//! 4. A node that has accepted is asked, `fulfillment.ship_to_change_requested`, and the partner service sends it a message. What it
//!    ships before it answers stays with the old address. A hold does not delay it: it is asked not to do something.
//! 5. `AnswerShipToChange` ([`AnswerShipToChange`]). Accepted: `fulfillment.ship_to_change_accepted`, the fulfillment order has the new
//!    address, and labels of packages that have not left are void, `shipment.voided` (`aggregate/destination.rs`). Rejected:
//!    `fulfillment.ship_to_change_rejected`, and it keeps the old one.
//! 6. The request ends without an answer, as rejected: with a later change of the group, with the last unit of the fulfillment
//!    order, however it went, and after the node's time to accept, or a day ([`ExpiryTask`]). A node that accepts later ships to
//!    the new address all the same.
//!    While all nodes decline, the release goes back to the old address, so that what they give up later goes there too.
//! 7. Once no node is asked any more: `fulfillment.ship_to_change_settled` (`ship_to_change.rs`). Units that left stay with the old
//!    address, with the reason "already shipped".

use std::{sync::Arc, time::Duration};

use mesh::{
    Principal,
    wire::{Checks, checked, from_timestamp},
};
use proto::{
    event::v1::Event,
    fulfillment::v1::{self, AnswerShipToChangeRequest, ShipToChangeAnswer},
    order::v1::OrderShipToChangeRequested,
    types::v1::Address,
};
use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{AccountId, Fault, FulfillmentOrderId, Id as _, OrderId, Timestamp, limits::MAX_TEXT};

use super::cancellation::ORDER;
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{FulfillmentOrder, FulfillmentOrderHeader},
    node::Node,
    reactions::id,
    release::ReleaseAggregate,
    ship_to_change::ShipToChange,
    tracking_report::believed,
};

/// Why a node that has not accepted is not to ship, as it is told.
pub(crate) const CHANGED: &str = "the destination has changed";

/// Why units stay with the old address.
pub(crate) const ALREADY_SHIPPED: &str = "already shipped";

/// The kind of the task that ends a request. Its key is the id of the fulfillment order.
const EXPIRY: &str = "fulfillment.ship_to";

/// How long a node may take to answer that has no time to accept.
const ANSWER_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Has units of a ship-to group go to another address, as far as that can still be changed.
#[derive(Debug)]
struct ChangeShipTo {
    order_id: OrderId,
    account_id: AccountId,
    change_number: i64,
    ship_to_group: i64,
    ship_to: Address,
}

/// Reacts to a change of the destination.
pub(crate) fn change_ship_to(
    event: &Event,
    payload: OrderShipToChangeRequested,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let OrderShipToChangeRequested { order_id, change_number, ship_to_group, ship_to } = payload;
    Ok(vec![Box::new(ChangeShipTo {
        order_id: id(&order_id)?,
        account_id: id(&event.account_id)?,
        change_number: change_number.into(),
        ship_to_group: ship_to_group.into(),
        ship_to: ship_to.ok_or_else(|| Fault::internal("a change of the destination has no address"))?,
    })])
}

impl ChangeShipTo {
    fn fulfillment_orders(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderHeader>, Fault> {
        let headers = rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id)?.into_iter();
        Ok(headers.filter(|header| header.ship_to_group == self.ship_to_group).cloned().collect())
    }
}

impl Command for ChangeShipTo {
    type Reply = ();
    const NAME: &'static str = "ChangeShipTo";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<ShipToChange>(&(self.order_id.clone(), self.change_number, self.ship_to_group));
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
        needs.by::<FulfillmentOrderHeader>(ORDER, &self.order_id);
        for header in self.fulfillment_orders(rows).into_iter().flatten() {
            FulfillmentOrderAggregate::needs(&header.fulfillment_order_id, rows, needs);
            needs.row::<Node>(&header.node_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let key = (self.order_id.clone(), self.change_number, self.ship_to_group);
        if rows.get::<ShipToChange>(&key)?.is_some() {
            return Ok(());
        }
        let (account_id, ship_to) = (self.account_id.clone(), self.ship_to.clone());
        let mut change = ShipToChange::new(key, account_id, ship_to, cx.now());
        for mut release in ReleaseAggregate::load_all(&self.order_id, rows)? {
            if release.release().ship_to_group == self.ship_to_group {
                change.accept(release.redirect(self.change_number, &self.ship_to));
                release.save(rows, cx)?;
            }
        }
        for header in self.fulfillment_orders(rows)? {
            let within = rows.get::<Node>(&header.node_id)?.and_then(Node::accept_within).unwrap_or(ANSWER_WITHIN);
            let mut aggregate = FulfillmentOrderAggregate::load(&header.fulfillment_order_id, rows)?;
            aggregate.change_ship_to(&mut change, cx.now().after(within), cx.now());
            aggregate.save(rows, cx)?;
        }
        change.save(rows, cx)
    }
}

/// Records what a node answered when it was asked to ship to another address.
#[derive(Debug)]
pub(crate) struct AnswerShipToChange {
    fulfillment_order_id: FulfillmentOrderId,
    change_number: i64,
    answer: ShipToChangeAnswer,
    /// Why, for people.
    reason: String,
    /// When the node answered; now when absent.
    occur_time: Option<Timestamp>,
}

impl AnswerShipToChange {
    /// Reads the request.
    pub(crate) fn parse(request: &AnswerShipToChangeRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        if request.change_number < 1 {
            checks.wrong("change_number", "must be at least 1");
        }
        let answer = checks.choice("answer", request.answer);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        Ok(Self {
            fulfillment_order_id: checked(id)?,
            change_number: request.change_number.into(),
            answer: checked(answer)?,
            reason: checked(reason)?,
            occur_time: checked(occur_time)?,
        })
    }

    /// The change that is answered, if the node was asked for it.
    fn change(&self, aggregate: &FulfillmentOrderAggregate, rows: &Rows) -> Result<ShipToChange, Fault> {
        let header = &aggregate.order().header;
        let change = rows.get::<ShipToChange>(&(header.order_id.clone(), self.change_number, header.ship_to_group))?;
        change
            .cloned()
            .ok_or_else(|| aggregate.refreshed(Fault::not_supported("the node was not asked for this change")))
    }
}

impl Command for AnswerShipToChange {
    type Reply = v1::FulfillmentOrder;
    const NAME: &'static str = "AnswerShipToChange";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
        if let Ok(Some(header)) = rows.get::<FulfillmentOrderHeader>(&self.fulfillment_order_id) {
            needs.row::<ShipToChange>(&(header.order_id.clone(), self.change_number, header.ship_to_group));
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        let mut change = self.change(&aggregate, rows)?;
        let at = believed(self.occur_time, cx.now());
        match self.answer {
            ShipToChangeAnswer::Accepted => {
                aggregate.accept_ship_to(&mut change, at);
                let snapshot = aggregate.save(rows, cx)?.snapshot();
                change.save(rows, cx)?;
                return Ok(snapshot);
            }
            ShipToChangeAnswer::Rejected | ShipToChangeAnswer::Unspecified => {
                if aggregate.order().ship_to_asked() == self.change_number {
                    let reason = if self.reason.is_empty() { "the node cannot change it" } else { &self.reason };
                    aggregate.reject_ship_to(reason, at);
                }
            }
        }
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}

/// Schedules the end of a request that begins, and drops that of one that ended.
pub(crate) fn follow_request(loaded: &FulfillmentOrder, order: &FulfillmentOrder, cx: &mut Context<'_>) {
    let id = &order.header.fulfillment_order_id;
    if loaded.ship_to_asked() == order.ship_to_asked() {
        return;
    }
    match &order.header.ship_to_change {
        Some(_) => schedule_expiry(&order.header, cx),
        None => cx.unschedule(EXPIRY, id.as_str()),
    }
}

/// Schedules the end of the request that a fulfillment order has.
pub(crate) fn schedule_expiry(header: &FulfillmentOrderHeader, cx: &mut Context<'_>) {
    let due = header.ship_to_change.as_ref().and_then(|change| from_timestamp(change.0.expire_time.as_ref()?));
    let task = Task::new(EXPIRY, &header.fulfillment_order_id, due.unwrap_or_else(|| cx.now()));
    cx.schedule(task.order(&header.order_id, &header.account_id));
}

/// Runs the task that ends a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpiryTask;

#[async_trait::async_trait]
impl TaskHandler for ExpiryTask {
    fn kind(&self) -> &'static str {
        EXPIRY
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let malformed = |_| Fault::internal(format!("{:?} is not the id of a fulfillment order", task.key));
        Ok(vec![Box::new(ExpireShipToChange(task.key.parse().map_err(malformed)?))])
    }
}

/// Ends the request for another destination that a node did not answer.
#[derive(Debug)]
struct ExpireShipToChange(FulfillmentOrderId);

impl Command for ExpireShipToChange {
    type Reply = ();
    const NAME: &'static str = "ExpireShipToChange";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.0, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0, rows)?;
        let change = aggregate.order().header.ship_to_change.as_ref();
        let expire_time = change.and_then(|change| from_timestamp(change.0.expire_time.as_ref()?));
        // A later change may have begun since the task was taken.
        if expire_time.is_some_and(|expire_time| expire_time <= cx.now()) {
            aggregate.reject_ship_to("the node did not answer in time", cx.now());
            aggregate.save(rows, cx)?;
        }
        Ok(())
    }
}
