//! Holding the answer to a placed order until stock is decided.

use std::{sync::Arc, time::Duration};

use mesh::{Accounts, CallInfo};
use proto::{event::v1::Event, order::v1 as wire};
use store::Db;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, timeout_at},
};
use types::OrderId;

use super::orders::whole;
use crate::{Config, order::State};

/// How often the state is read again: other replicas' commits are not announced here.
const AGAIN: Duration = Duration::from_secs(1);

/// How long before the call's deadline the answer leaves.
const MARGIN: Duration = Duration::from_millis(250);

/// Until when the answer is held.
pub(super) fn until(info: &CallInfo, config: &Config) -> Instant {
    let now = Instant::now();
    let longest = now + Duration::from_secs(config.wait_seconds.into());
    let told = info.deadline.map(|deadline| deadline.checked_sub(MARGIN).unwrap_or(now));
    told.map_or(longest, |told| told.min(longest))
}

/// The order once it is no longer SUBMITTED, or as it was placed when that takes too long. `events` were subscribed to
/// before it was placed.
pub(super) async fn decided(
    db: &Db,
    mut events: Receiver<Arc<[Event]>>,
    placed: wire::Order,
    until: Instant,
) -> wire::Order {
    let Ok(order_id) = placed.order_id.parse::<OrderId>() else { return placed };
    while Instant::now() < until {
        match timeout_at(until, read_decided(db, &order_id)).await {
            Ok(Some(order)) => return order,
            Ok(None) => {}
            Err(_) => break,
        }
        let again = until.min(Instant::now() + AGAIN);
        // A timeout is a reason to look as well.
        if let Ok(Heard::NothingMore) = timeout_at(again, heard(&mut events, &placed.order_id)).await {
            break;
        }
    }
    placed
}

enum Heard {
    Something,
    NothingMore,
}

/// Waits for an event of the order.
async fn heard(events: &mut Receiver<Arc<[Event]>>, order_id: &str) -> Heard {
    loop {
        match events.recv().await {
            // The order's own first event is no news.
            Ok(told) if told.iter().any(|event| event.correlation_id == order_id && event.subject_version > 1) => {
                return Heard::Something;
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Heard::Something,
            Err(RecvError::Closed) => return Heard::NothingMore,
        }
    }
}

/// The order, if stock is decided. What is stored stays stored when it can not be read: the caller has its answer.
async fn read_decided(db: &Db, order_id: &OrderId) -> Option<wire::Order> {
    let read = async {
        match crate::store::state(db, order_id).await? {
            None | Some(State::Submitted) => Ok(None),
            Some(_) => crate::store::order(db, order_id, &Accounts::All).await,
        }
    };
    read.await
        .inspect_err(|fault: &types::Fault| tracing::warn!(%fault, "a placed order can not be read"))
        .ok()?
        .as_ref()
        .map(whole)
}
