//! Serves the log over gRPC.

use std::{collections::HashSet, sync::Arc};

use prost::Message as _;
use proto::event::v1::{
    Event, FollowEventsRequest, FollowEventsResponse, ListEventsRequest, ListEventsResponse, VerifyLogRequest,
    VerifyLogResponse, event_service_server::EventService,
};
use proto::texts::Texts as _;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use types::{Fault, Reason};

use crate::{
    db::Db,
    log::{self, After, Filter},
};

/// How many positions one message of a stream covers.
const STEP: u16 = 256;

/// How large a message may get, in bytes; one event alone may be larger.
const MOST_BYTES: usize = 1 << 20;

/// How many messages are read ahead of the consumer.
const AHEAD: usize = 4;

/// The accounts whose events the caller of a request sees; `None` for every event.
pub type Viewer = fn(&tonic::Extensions) -> Option<HashSet<String>>;

/// Serves a database's log.
#[derive(Debug, Clone)]
pub struct EventApi {
    db: Db,
    viewer: Viewer,
}

impl EventApi {
    /// Serves the log of `db`, all of it to every caller.
    pub fn new(db: Db) -> Self {
        Self { db, viewer: |_| None }
    }

    /// Shows callers that are limited to some accounts the events of these accounts only: none that belongs to no account.
    #[must_use]
    pub fn seen_by(self, viewer: Viewer) -> Self {
        Self { viewer, ..self }
    }
}

/// Whether an event is of one of the accounts.
fn is_seen(accounts: Option<&HashSet<String>>, event: &Event) -> bool {
    accounts.is_none_or(|accounts| accounts.contains(&event.account_id))
}

/// Sends messages until the end, until the consumer is gone, or until the database closes.
///
/// A task of its own: were the reads part of the stream, a slow consumer would hold a connection.
struct Following {
    db: Db,
    position: i64,
    event_types: Vec<String>,
    accounts: Option<HashSet<String>>,
    /// Where to end.
    until: Option<i64>,
    written: watch::Receiver<i64>,
    messages: mpsc::Sender<Result<FollowEventsResponse, Status>>,
}

/// What is known of the log without the database.
enum Recently {
    /// The next message.
    Written(FollowEventsResponse),
    /// This process has written nothing since; another may have.
    Nothing,
    /// The database has to be asked.
    Unknown,
}

impl Following {
    async fn run(mut self) {
        // Another process may have written: the database is looked at first, and then from time to time.
        let mut look = true;
        loop {
            self.written.mark_unchanged();
            let message = match self.recent() {
                Recently::Written(message) => Ok(Some(message)),
                Recently::Nothing if !look => Ok(None),
                Recently::Nothing | Recently::Unknown => self.next().await,
            };
            let message = match message {
                Ok(Some(message)) => Ok(message),
                Ok(None) if self.until.is_some() => return,
                Ok(None) => {
                    tokio::select! {
                        () = self.db.stopping().cancelled() => return,
                        () = self.messages.closed() => return,
                        // The sender lives as long as the database; an error would only make this a poll.
                        _ = self.written.changed() => look = false,
                        () = tokio::time::sleep(self.db.poll()) => look = true,
                    }
                    continue;
                }
                Err(fault) => Err(status(fault)),
            };
            let failed = message.is_err();
            if self.messages.send(message).await.is_err() || failed {
                return;
            }
        }
    }

    /// What this process knows without the database.
    fn recent(&mut self) -> Recently {
        if self.until.is_some() {
            return Recently::Unknown;
        }
        let recent = match self.db.listeners().recent.after(self.position, STEP.into()) {
            After::Events(events) => events,
            After::Nothing => return Recently::Nothing,
            After::Unknown => return Recently::Unknown,
        };
        let mut through = recent.last().map_or(self.position, |last| last.position);
        let wanted = |event: &&Arc<Event>| {
            (self.event_types.is_empty() || self.event_types.contains(&event.r#type))
                && is_seen(self.accounts.as_ref(), event)
        };
        let mut events: Vec<Event> = recent.iter().filter(wanted).map(|event| event.as_ref().clone()).collect();
        if let Some(last) = cut(&mut events) {
            through = last;
        }
        self.position = through;
        let head_position = through.max(*self.written.borrow());
        Recently::Written(FollowEventsResponse { events, position: through, head_position })
    }

    /// The next message; `None` when all was read.
    async fn next(&mut self) -> Result<Option<FollowEventsResponse>, Fault> {
        let head = log::head(&self.db).await?;
        let mut through = self.until.unwrap_or(head).min(self.position.saturating_add(STEP.into()));
        if self.position >= through {
            return Ok(None);
        }
        let filter = Filter {
            after: self.position,
            through,
            event_types: self.event_types.clone(),
            limit: STEP.into(),
            ..Filter::default()
        };
        let mut events = log::events(&self.db, &filter).await?;
        events.retain(|event| is_seen(self.accounts.as_ref(), event));
        if let Some(last) = cut(&mut events) {
            through = last;
        }
        self.position = through;
        Ok(Some(FollowEventsResponse { events, position: through, head_position: head }))
    }
}

#[tonic::async_trait]
impl EventService for EventApi {
    type FollowEventsStream = ReceiverStream<Result<FollowEventsResponse, Status>>;

    async fn follow_events(
        &self,
        request: Request<FollowEventsRequest>,
    ) -> Result<Response<Self::FollowEventsStream>, Status> {
        let accounts = (self.viewer)(request.extensions());
        let mut request = request.into_inner();
        request.each_text(types::text::normalize);
        let position = not_negative(request.after_position)?;
        let until = if request.until_head { Some(log::head(&self.db).await.map_err(status)?) } else { None };
        let written = self.db.listeners().head.subscribe();
        let (messages, stream) = mpsc::channel(AHEAD);
        let following =
            Following { db: self.db.clone(), position, event_types: request.types, accounts, until, written, messages };
        // Ends with the stream or when the database stops, so that nothing waits for it.
        tokio::spawn(following.run().in_current_span());
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn list_events(&self, request: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        let accounts = (self.viewer)(request.extensions());
        let mut request = request.into_inner();
        if let Some(field) = request.blank(types::text::is_blank_text) {
            return Err(Status::invalid_argument(format!("{field}: is blank")));
        }
        request.each_text(types::text::normalize);
        let after = not_negative(request.after_position)?;
        let limit = match request.page_size {
            0 => 100,
            size if size > 0 => i64::from(size.min(1_000)),
            _ => return Err(Status::invalid_argument("page_size: must not be negative")),
        };
        let head_position = log::head(&self.db).await.map_err(status)?;
        let filter = Filter {
            after,
            through: head_position,
            event_types: request.types,
            correlation_id: request.correlation_id,
            limit,
        };
        let mut events = log::events(&self.db, &filter).await.map_err(status)?;
        let all_read = i64::try_from(events.len()).is_ok_and(|read| read < limit);
        let last = events.last().map_or(after, |event| event.position);
        events.retain(|event| is_seen(accounts.as_ref(), event));
        let position = cut(&mut events).unwrap_or(if all_read { head_position.max(after) } else { last });
        Ok(Response::new(ListEventsResponse { events, head_position, position }))
    }

    async fn verify_log(&self, _: Request<VerifyLogRequest>) -> Result<Response<VerifyLogResponse>, Status> {
        let found = log::verify(&self.db).await.map_err(status)?;
        let (first_bad_position, problem) = found.first_bad.unwrap_or_default();
        Ok(Response::new(VerifyLogResponse {
            checked_count: found.checked,
            head_position: found.head_position,
            first_bad_position,
            problem,
            head_hash: found.head_hash,
        }))
    }
}

/// Keeps the first events that fit a message, and returns the position of the last one when any had to go.
fn cut(events: &mut Vec<Event>) -> Option<i64> {
    let mut bytes = 0;
    let fitting = events.iter().take_while(|event| {
        bytes += event.encoded_len();
        bytes <= MOST_BYTES
    });
    let kept = fitting.count().max(1);
    if kept >= events.len() {
        return None;
    }
    events.truncate(kept);
    events.last().map(|event| event.position)
}

fn not_negative(position: i64) -> Result<i64, Status> {
    if position < 0 {
        return Err(Status::invalid_argument("after_position: must not be negative"));
    }
    Ok(position)
}

pub(crate) fn status(fault: Fault) -> Status {
    if fault.is_transient() {
        return Status::unavailable(fault.message);
    }
    if fault.reason == Reason::InvalidArgument {
        return Status::invalid_argument(fault.message);
    }
    tracing::error!(%fault, "the database cannot be read");
    Status::internal("internal error")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(sizes: &[usize]) -> Vec<Event> {
        let event = |(position, size): (i64, &usize)| Event { position, actor: "x".repeat(*size), ..Event::default() };
        (1..).zip(sizes).map(event).collect()
    }

    #[test]
    fn a_message_holds_what_fits_and_says_how_far_it_reads() {
        let mut many = events(&[400_000, 400_000, 400_000, 10]);
        assert_eq!(cut(&mut many), Some(2));
        assert_eq!(many.len(), 2);
    }

    #[test]
    fn an_event_that_is_larger_than_a_message_goes_alone() {
        let mut large = events(&[5_000_000, 10]);
        assert_eq!(cut(&mut large), Some(1));
        assert_eq!(cut(&mut events(&[5_000_000])), None);
    }
}
