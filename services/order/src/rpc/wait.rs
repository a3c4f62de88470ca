//! Delays the answer to a placed order until its stock is decided.

use std::{sync::Arc, time::Duration};

use mesh::{CallInfo, Principal};
use proto::{event::v1::Event, order::v1 as contract};
use store::Db;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, timeout_at},
};
use types::{Fault, OrderId};

use crate::{Config, order::OrderState, store as reads};

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

/// Places an order, and returns it once it is no longer SUBMITTED, or as it was placed when that takes too long.
pub(super) async fn decided(
    db: &Db,
    info: &CallInfo,
    config: &Config,
    place: impl Future<Output = Result<contract::Order, Fault>>,
) -> Result<contract::Order, Fault> {
    let mut events = db.subscribe();
    let placed = place.await?;
    let until = until(info, config);
    let Ok(order_id) = placed.order_id.parse::<OrderId>() else { return Ok(placed) };
    while Instant::now() < until {
        match timeout_at(until, read_decided(db, &order_id)).await {
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
async fn read_decided(db: &Db, order_id: &OrderId) -> Option<contract::Order> {
    let read = async {
        match reads::state(db, order_id).await? {
            None | Some(OrderState::Submitted) => Ok(None),
            Some(_) => reads::order(db, order_id, &Principal::service(crate::NAME)).await,
        }
    };
    let read: Result<_, Fault> = read.await;
    let order = read.inspect_err(|fault| tracing::warn!(%fault, %order_id, "a placed order cannot be read"));
    order.ok()?.map(|order| order.to_contract())
}
