//! Streams an order's timeline: the present entries, then new ones.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{Stream, stream};
use mesh::Principal;
use proto::operations::v1::FollowTimelineResponse;
use store::Db;
use tonic::Status;
use types::{Fault, OrderId};

use crate::{store as reads, timeline::Entry, wire};

/// An order's entries after the entry number `after` that the caller sees, without end.
///
/// Entry numbers are in commit order, so that no entry can appear before one that was returned. The workers may run in
/// another process, which cannot wake this one after a commit, so the timeline is read again every `poll`: one lookup in
/// an index.
pub(crate) fn follow(
    db: Db,
    order_id: OrderId,
    after: i64,
    caller: Arc<Principal>,
    poll: Duration,
) -> impl Stream<Item = Result<FollowTimelineResponse, Status>> + Send {
    let following = Following { db, order_id, after, caller, poll, pending: VecDeque::new() };
    stream::try_unfold(following, |mut following| async move {
        let response = following.next().await.map_err(mesh::status)?;
        Ok(Some((response, following)))
    })
}

/// Reads the number of the last entry seen from a token; 0 from an empty one.
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
    pending: VecDeque<Entry>,
}

impl Following {
    async fn next(&mut self) -> Result<FollowTimelineResponse, Fault> {
        loop {
            if let Some(entry) = self.pending.pop_front() {
                self.after = entry.entry_number;
                let resume_token = entry.entry_number.to_string();
                return Ok(FollowTimelineResponse { resume_token, entry: Some(wire::entry(&entry, &self.caller)?) });
            }
            self.pending = reads::entries_after(&self.db, &self.order_id, &self.caller, self.after).await?.into();
            if self.pending.is_empty() {
                tokio::time::sleep(self.poll).await;
            }
        }
    }
}
