//! The log of another service, written by the test.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{Stream, stream};
use mesh::{Channel, Server};
use proto::{
    event::v1::{
        Event, FollowEventsRequest, FollowEventsResponse, ListEventsRequest, ListEventsResponse, VerifyLogRequest,
        VerifyLogResponse,
        event_service_server::{EventService, EventServiceServer},
    },
    events::EventPayload,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use crate::{START, peer};

/// A log that holds what the test appends. Clones are the same log.
#[derive(Debug, Clone)]
pub struct Log {
    source: &'static str,
    state: Arc<Mutex<State>>,
    verification_requested: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<Event>,
    verification: Verification,
    redelivers: bool,
}

/// How a log answers when it is asked to verify itself.
#[derive(Debug, Clone, Copy, Default)]
pub enum Verification {
    /// No event was changed.
    #[default]
    Whole,
    /// The event at this position was changed.
    TamperedAt(i64),
    /// It never answers.
    Hangs,
}

/// An event about an order that occurred at [`START`], for [`Log::append`].
pub fn event(order_id: &str, payload: &impl EventPayload) -> Event {
    let time = Some(mesh::wire::timestamp(START));
    Event {
        r#type: payload.event_type().to_string(),
        subject: order_id.to_owned(),
        correlation_id: order_id.to_owned(),
        occur_time: time,
        record_time: time,
        payload: Some(payload.to_any()),
        ..Event::default()
    }
}

impl Log {
    /// The empty log of a service.
    pub fn new(source: &'static str) -> Self {
        Self { source, state: Arc::default(), verification_requested: Arc::default() }
    }

    /// Appends an event about an order.
    pub fn emit(&self, order_id: &str, payload: &impl EventPayload) {
        self.append(event(order_id, payload));
    }

    /// Appends an event at the next position. As in the log of a service, one whose id is there already is left out; one
    /// without an id gets a new one.
    pub fn append(&self, mut event: Event) {
        let mut state = self.state();
        event.position = state.head() + 1;
        self.source.clone_into(&mut event.source);
        if event.event_id.is_empty() {
            event.event_id = format!("{}-{}", self.source, event.position);
        }
        if state.events.iter().all(|earlier| earlier.event_id != event.event_id) {
            state.events.push(event);
        }
    }

    /// The position of the last event.
    pub fn head(&self) -> i64 {
        self.state().head()
    }

    /// Delivers every event once more to the next follower that asks, whatever position it asks for.
    pub fn redeliver(&self) {
        self.state().redelivers = true;
    }

    /// Sets how it answers when it is asked to verify itself.
    pub fn set_verification(&self, verification: Verification) {
        self.state().verification = verification;
    }

    /// Waits until it is asked to verify itself.
    pub async fn verification_requested(&self) {
        self.verification_requested.notified().await;
    }

    /// A server that serves the log, for a fake of the service to be added.
    pub fn server(&self) -> Server {
        peer(self.source).add_service(EventServiceServer::new(self.clone()))
    }

    /// A channel to a server that serves only the log.
    pub fn channel(&self) -> Channel {
        self.server().into_channel().unwrap()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn head(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap()
    }
}

#[tonic::async_trait]
impl EventService for Log {
    type FollowEventsStream = Pin<Box<dyn Stream<Item = Result<FollowEventsResponse, Status>> + Send>>;

    /// Ends at the head, whatever is asked for.
    async fn follow_events(
        &self,
        request: Request<FollowEventsRequest>,
    ) -> Result<Response<Self::FollowEventsStream>, Status> {
        let FollowEventsRequest { after_position, types, .. } = request.into_inner();
        let mut state = self.state();
        let after_position = if std::mem::take(&mut state.redelivers) { 0 } else { after_position };
        let wanted =
            |event: &&Event| event.position > after_position && (types.is_empty() || types.contains(&event.r#type));
        let events = state.events.iter().filter(wanted).cloned().collect();
        let answer = FollowEventsResponse { events, position: state.head(), head_position: state.head() };
        Ok(Response::new(Box::pin(stream::iter([Ok(answer)]))))
    }

    /// Answers only the head.
    async fn list_events(&self, _: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        let head_position = self.head();
        Ok(Response::new(ListEventsResponse { events: Vec::new(), head_position, position: head_position }))
    }

    async fn verify_log(&self, _: Request<VerifyLogRequest>) -> Result<Response<VerifyLogResponse>, Status> {
        self.verification_requested.notify_one();
        let head = self.head();
        let whole = VerifyLogResponse {
            checked_count: head,
            head_position: head,
            head_hash: "ab".to_owned(),
            ..VerifyLogResponse::default()
        };
        let verification = self.state().verification;
        match verification {
            Verification::Whole => Ok(Response::new(whole)),
            Verification::TamperedAt(first_bad_position) => Ok(Response::new(VerifyLogResponse {
                first_bad_position,
                problem: "the hash does not fit the event and the one before it".to_owned(),
                ..whole
            })),
            Verification::Hangs => std::future::pending().await,
        }
    }
}
