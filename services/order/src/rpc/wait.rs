//! Delays the answer to a placed order until its stock is decided.
//!
//! The order as it was when a caller was first told the decision is kept beside the answer to the command, so that a repeat
//! is told the same, whatever has happened to the order since. A caller whose time was over first was told the order as
//! placed, which nothing contradicts; its repeat waits again.

use std::{sync::Arc, time::Duration};

use mesh::CallInfo;
use proto::{event::v1::Event, order::v1 as contract};
use store::{Call, Command, Context, Db, Needs, Rows};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, timeout_at},
};
use types::{Fault, OrderId};

use crate::{Config, aggregate::OrderAggregate, hold::Hold, order::OrderState, store as reads, wire};

/// How often the state is read again: commits of other replicas are not announced here.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long before the call's deadline the answer is sent.
const MARGIN: Duration = Duration::from_millis(250);

/// Until when the answer is delayed.
fn until(info: &CallInfo, config: &Config) -> Instant {
    let now = Instant::now();
    let longest = now + Duration::from_secs(config.wait_seconds.into());
    let by_deadline = info.deadline.map(|deadline| deadline.checked_sub(MARGIN).unwrap_or(now));
    by_deadline.map_or(longest, |by_deadline| by_deadline.min(longest))
}

/// The answer to a placed order that is waited for: the order once it is no longer SUBMITTED, or as it was placed when that
/// takes too long. `placed` is in `events`, or was before.
pub(super) async fn decided(
    db: &Db,
    mut events: Receiver<Arc<[Event]>>,
    info: &CallInfo,
    config: &Config,
    request: &contract::PlaceOrderRequest,
    placed: contract::Order,
) -> Result<contract::Order, Fault> {
    let until = until(info, config);
    let Ok(order_id) = placed.order_id.parse::<OrderId>() else { return Ok(placed) };
    // No caller's request id has this character.
    let answer_id = match request.request_id.as_str() {
        "" => String::new(),
        request_id => format!("{request_id}\u{1}decided"),
    };
    let keep = chassis::call(info).request(&answer_id, request);
    while Instant::now() < until {
        match timeout_at(until, answer(db, &order_id, keep.clone())).await {
            Ok(Some(order)) => return Ok(order),
            Ok(None) => {}
            Err(_) => break,
        }
        let poll = until.min(Instant::now() + POLL_INTERVAL);
        // After a timeout the state is read again too.
        if let Ok(Next::LogClosed) = timeout_at(poll, next_event(&mut events, &placed.order_id)).await {
            break;
        }
    }
    Ok(placed)
}

enum Next {
    OrderChanged,
    LogClosed,
}

/// Waits for an event of the order.
async fn next_event(events: &mut Receiver<Arc<[Event]>>, order_id: &str) -> Next {
    loop {
        match events.recv().await {
            // The first event of the order is that it was placed.
            Ok(batch) if batch.iter().any(|event| event.correlation_id == order_id && event.subject_version > 1) => {
                return Next::OrderChanged;
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Next::OrderChanged,
            Err(RecvError::Closed) => return Next::LogClosed,
        }
    }
}

/// The order, if its stock is decided. A failure to read is not the caller's: the order is stored, and answered as placed.
async fn answer(db: &Db, order_id: &OrderId, keep: Call) -> Option<contract::Order> {
    let read = async {
        match reads::state(db, order_id).await? {
            None | Some(OrderState::Submitted) => Ok(None),
            Some(_) => db.run(keep, AnswerDecided(order_id.clone())).await.map(Some),
        }
    };
    let read: Result<_, Fault> = read.await;
    let order = read.inspect_err(|fault| tracing::warn!(%fault, %order_id, "a placed order cannot be read"));
    order.ok()?
}

/// Returns an order whose stock is decided. Its reply is kept as the answer to the request that placed it.
struct AnswerDecided(OrderId);

impl Command for AnswerDecided {
    type Reply = contract::Order;

    const NAME: &'static str = "AnswerDecided";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.0, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let aggregate = OrderAggregate::load(&self.0, rows)?;
        Ok(wire::order(&aggregate.order, &aggregate.lines, &aggregate.groups, rows.under::<Hold>(&self.0)?))
    }
}
