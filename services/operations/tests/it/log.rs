//! A log that holds what the test puts there.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{Stream, stream};
use mesh::{Channel, Server};
use prost::{Message, Name};
use prost_types::Any;
use proto::event::v1::{
    Event, FollowEventsRequest, FollowEventsResponse, ListEventsRequest, ListEventsResponse, VerifyLogRequest,
    VerifyLogResponse,
    event_service_server::{EventService, EventServiceServer},
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};
use types::Timestamp;

/// What a log says when it is asked to check itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Check {
    #[default]
    Whole,
    TamperedAt(i64),
    NoAnswer,
}

/// A log that holds what the test puts there. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) source: &'static str,
    events: Arc<Mutex<Vec<Event>>>,
    check: Arc<Mutex<Check>>,
    asked: Arc<Notify>,
    forgetful: Arc<AtomicBool>,
}

pub(crate) fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: message.encode_to_vec() }
}

impl Log {
    pub(crate) fn of(source: &'static str) -> Self {
        Self { source, ..Self::default() }
    }

    /// Appends a fact about an order that happened at a second.
    pub(crate) fn tell<M: Message + Name>(&self, kind: &str, order_id: &str, second: i64, payload: &M) {
        let mut events = self.events.lock().unwrap();
        let position = i64::try_from(events.len()).unwrap() + 1;
        let time = |second| Some(mesh::wire::timestamp(Timestamp::from_micros(second * 1_000_000)));
        events.push(Event {
            event_id: format!("{}-{position}", self.source),
            r#type: kind.to_owned(),
            source: self.source.to_owned(),
            subject: order_id.to_owned(),
            position,
            occur_time: time(second),
            record_time: time(1_000_000 + position),
            correlation_id: order_id.to_owned(),
            payload: Some(any(payload)),
            ..Event::default()
        });
    }

    pub(crate) fn set_check(&self, check: Check) {
        *self.check.lock().unwrap() = check;
    }

    /// Waits until it is asked to check itself.
    pub(crate) async fn is_asked(&self) {
        self.asked.notified().await;
    }

    /// Delivers every event again from now on, whatever position is asked for.
    pub(crate) fn deliver_again(&self) {
        self.forgetful.store(true, Ordering::SeqCst);
    }

    pub(crate) fn channel(&self) -> Channel {
        let server = Server::new(self.source, &mesh::Config::default(), proto::pool());
        server.add_service(EventServiceServer::new(self.clone())).into_channel().unwrap()
    }

    fn head(&self) -> i64 {
        i64::try_from(self.events.lock().unwrap().len()).unwrap()
    }
}

#[tonic::async_trait]
impl EventService for Log {
    type FollowEventsStream = Pin<Box<dyn Stream<Item = Result<FollowEventsResponse, Status>> + Send>>;

    async fn follow_events(
        &self,
        request: Request<FollowEventsRequest>,
    ) -> Result<Response<Self::FollowEventsStream>, Status> {
        let after = if self.forgetful.load(Ordering::SeqCst) { 0 } else { request.get_ref().after_position };
        let events = self.events.lock().unwrap().iter().filter(|event| event.position > after).cloned().collect();
        let head = self.head();
        let answer = FollowEventsResponse { events, position: head, head_position: head };
        Ok(Response::new(Box::pin(stream::iter([Ok(answer)]))))
    }

    async fn list_events(&self, _: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        Ok(Response::new(ListEventsResponse { events: Vec::new(), head_position: self.head() }))
    }

    async fn verify_log(&self, _: Request<VerifyLogRequest>) -> Result<Response<VerifyLogResponse>, Status> {
        self.asked.notify_one();
        let check = *self.check.lock().unwrap();
        let whole = VerifyLogResponse {
            checked_count: self.head(),
            head_position: self.head(),
            head_hash: "ab".to_owned(),
            ..VerifyLogResponse::default()
        };
        match check {
            Check::Whole => Ok(Response::new(whole)),
            Check::TamperedAt(first_bad_position) => Ok(Response::new(VerifyLogResponse {
                first_bad_position,
                problem: "the hash does not fit the event and the one before it".to_owned(),
                ..whole
            })),
            Check::NoAnswer => std::future::pending().await,
        }
    }
}
