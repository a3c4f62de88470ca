//! A hold blocks an order, or some of its lines: no node is asked for anything new.
//!
//! 1. `order.hold_placed` and `order.hold_released` (`services/order/src/hold.rs`): [`RecordHold`] keeps the open holds with
//!    every release of the order. The order releases nothing that a hold blocks, so that a later release has no blocked line.
//! 2. Blocked units are not planned (`Release::awaits_plan`), whatever made them unrouted: a node rejected them or ran out of
//!    time, they are short, stock or nodes changed, or a person calls `RetryRouting`.
//! 3. A plan that was made before the hold is settled all the same, because inventory may have allocated it: what nothing blocks is
//!    requested, and what a hold blocks gets a fulfillment order of its own that shows it (`process/routing/allocate.rs`).
//! 4. A fulfillment order shows the holds that block lines of it: `fulfillment.hold_placed`,
//!    `fulfillment.hold_released`. A request that was not sent waits
//!    (`services/partner/src/process/outbound_message.rs`), and the time to accept does not run
//!    (`process/acceptance_timeout.rs`). What the node does all the same, it does: it may have been asked before the hold.
//! 5. The last hold is released: the units are routed (`process/routing.rs`), requests are sent, and a node that has not answered
//!    has the whole time to accept again.
//! 6. A cancellation waits for no hold (`process/cancellation.rs`, `process/partial_cancellation.rs`).

use proto::order::v1::OrderHoldChanged;
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId, Timestamp};

use super::{acceptance_timeout, cancellation::ORDER};
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{FulfillmentOrder, FulfillmentOrderHeader, RequestState},
    node::Node,
    reactions::id,
    release::{OpenHold, ReleaseAggregate},
};

/// What happened to a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldChange {
    /// It was placed.
    Placed,
    /// It was released.
    Released,
}

/// Records that a hold of an order was placed or released.
#[derive(Debug)]
struct RecordHold {
    order_id: OrderId,
    change: HoldChange,
    hold_number: i64,
    hold: OpenHold,
}

/// Reacts to a hold of an order.
pub(crate) fn hold_changed(payload: OrderHoldChanged, change: HoldChange) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let hold = payload.hold.ok_or_else(|| Fault::internal("an event about a hold has none"))?;
    Ok(vec![Box::new(RecordHold {
        order_id: id(&payload.order_id)?,
        change,
        hold_number: hold.hold_number.into(),
        hold: OpenHold::read(&hold),
    })])
}

impl RecordHold {
    /// The fulfillment orders that it may concern: those that have not ended, and those that have the hold.
    fn fulfillment_orders(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
        let headers = rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id)?.into_iter();
        let concerned = headers.filter(|header| match self.change {
            HoldChange::Placed => header.execution_state.is_open(),
            HoldChange::Released => header.holds.0.contains_key(&self.hold_number),
        });
        Ok(concerned.map(|header| header.fulfillment_order_id.clone()).collect())
    }

    fn change_release(&self, release: &mut ReleaseAggregate, now: Timestamp) {
        match self.change {
            HoldChange::Placed => release.place_hold(self.hold_number, self.hold.clone()),
            HoldChange::Released => release.release_hold(self.hold_number, now),
        }
    }

    /// The time to accept ends with the first hold, and begins again after the last one.
    fn change_time_to_accept(order: &FulfillmentOrder, rows: &Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let header = &order.header;
        if header.request_state != RequestState::Submitted || order.ended() {
            return Ok(());
        }
        let accept_within = rows.get::<Node>(&header.node_id)?.and_then(Node::accept_within);
        match accept_within {
            Some(accept_within) if !order.is_held() => acceptance_timeout::schedule(header, accept_within, cx),
            _ => acceptance_timeout::cancel(&header.fulfillment_order_id, cx),
        }
        Ok(())
    }
}

impl Command for RecordHold {
    type Reply = ();
    const NAME: &'static str = "RecordHold";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
        needs.by::<FulfillmentOrderHeader>(ORDER, &self.order_id);
        for id in self.fulfillment_orders(rows).into_iter().flatten() {
            FulfillmentOrderAggregate::needs(&id, rows, needs);
            if let Ok(Some(header)) = rows.get::<FulfillmentOrderHeader>(&id) {
                needs.row::<Node>(&header.node_id);
            }
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for mut release in ReleaseAggregate::load_all(&self.order_id, rows)? {
            self.change_release(&mut release, cx.now());
            release.save(rows, cx)?;
        }
        for id in self.fulfillment_orders(rows)? {
            let mut aggregate = FulfillmentOrderAggregate::load(&id, rows)?;
            let was_held = aggregate.order().is_held();
            match self.change {
                HoldChange::Placed => aggregate.place_hold(self.hold_number, &self.hold, cx.now()),
                HoldChange::Released => aggregate.release_hold(self.hold_number, cx.now()),
            }
            if was_held != aggregate.order().is_held() {
                Self::change_time_to_accept(aggregate.order(), rows, cx)?;
            }
            aggregate.save(rows, cx)?;
        }
        Ok(())
    }
}
