//! Following an order's timeline: what is there, then what comes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{Stream, stream};
use mesh::Principal;
use proto::operations::v1::FollowTimelineResponse;
use store::Db;
use types::{Fault, OrderId};

use crate::{store as reads, timeline::Entry, wire};

/// An order's entries after `after` that the caller is shown, without end.
///
/// Entry numbers are in commit order, so that none can turn up behind one that was told. The workers may run in another
/// process and tell nothing of their commits, so the timeline is looked at every `poll`: one lookup in an index.
pub(crate) fn follow(
    db: Db,
    order_id: OrderId,
    after: i64,
    caller: Arc<Principal>,
    poll: Duration,
) -> impl Stream<Item = Result<FollowTimelineResponse, Fault>> + Send {
    let following = Following { db, order_id, after, caller, poll, waiting: VecDeque::new() };
    stream::try_unfold(following, |mut following| async move {
        let entry = following.next().await?;
        let resume_token = entry.entry_number.to_string();
        let answer = FollowTimelineResponse { resume_token, entry: Some(wire::entry(&entry, &following.caller)?) };
        Ok(Some((answer, following)))
    })
}

/// Reads the number of the last entry seen out of a token; 0 out of none.
pub(crate) fn resume(token: &str) -> Result<i64, Fault> {
    if token.is_empty() {
        return Ok(0);
    }
    let wrong = || Fault::invalid("resume_token", "is not a token of a timeline");
    token.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)
}

struct Following {
    db: Db,
    order_id: OrderId,
    after: i64,
    caller: Arc<Principal>,
    poll: Duration,
    waiting: VecDeque<Entry>,
}

impl Following {
    async fn next(&mut self) -> Result<Entry, Fault> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                self.after = entry.entry_number;
                return Ok(entry);
            }
            self.waiting = reads::entries_after(&self.db, &self.order_id, &self.caller, self.after).await?.into();
            if self.waiting.is_empty() {
                tokio::time::sleep(self.poll).await;
            }
        }
    }
}
