//! Streams an order's timeline: the present entries, then new ones.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{Stream, stream};
use mesh::Principal;
use proto::operations::v1::FollowTimelineResponse;
use store::Db;
use tonic::Status;
use types::{Fault, OrderId};

use crate::{store as reads, timeline::Entry, wire};

/// How many of an order's entries a caller has seen, from a token; 0 from an empty one. A token is of the view it was made
/// for: customers are shown fewer entries.
pub(crate) fn resume(token: &str, caller: &Principal) -> Result<i64, Fault> {
    if token.is_empty() {
        return Ok(0);
    }
    let place = token.strip_prefix(view(caller)).and_then(|place| place.parse().ok());
    place.filter(|place| *place > 0).ok_or_else(wrong_token)
}

fn wrong_token() -> Fault {
    Fault::invalid("resume_token", "is not a token of this timeline")
}

fn view(caller: &Principal) -> char {
    if caller.is_staff() { 's' } else { 'c' }
}

/// An order's entries that the caller sees, as they become known.
///
/// Entry numbers are in commit order, so that no entry can appear before one that was returned. The workers may run in
/// another process, which cannot wake this one after a commit, so the timeline is read again every `poll`: one lookup in
/// an index.
pub(crate) struct Following {
    db: Db,
    order_id: OrderId,
    /// The number of the last entry seen, and how many were.
    after: i64,
    place: i64,
    caller: Arc<Principal>,
    poll: Duration,
    pending: VecDeque<Entry>,
}

impl Following {
    /// Follows after the entries that were seen.
    pub(crate) async fn after(
        db: Db,
        order_id: OrderId,
        place: i64,
        caller: Arc<Principal>,
        poll: Duration,
    ) -> Result<Self, Fault> {
        let after = match place {
            0 => 0,
            _ => reads::entry_at(&db, &order_id, &caller, place).await?.ok_or_else(wrong_token)?,
        };
        Ok(Self { db, order_id, after, place, caller, poll, pending: VecDeque::new() })
    }

    /// The entries, without end.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<FollowTimelineResponse, Status>> + Send {
        stream::try_unfold(self, |mut following| async move {
            let response = following.next().await.map_err(mesh::status)?;
            Ok(Some((response, following)))
        })
    }

    async fn next(&mut self) -> Result<FollowTimelineResponse, Fault> {
        loop {
            if let Some(entry) = self.pending.pop_front() {
                (self.after, self.place) = (entry.entry_number, self.place + 1);
                let resume_token = format!("{}{}", view(&self.caller), self.place);
                return Ok(FollowTimelineResponse { resume_token, entry: Some(wire::entry(&entry, &self.caller)?) });
            }
            self.pending = reads::entries_after(&self.db, &self.order_id, &self.caller, self.after).await?.into();
            if self.pending.is_empty() {
                tokio::time::sleep(self.poll).await;
            }
        }
    }
}
