//! An event log that holds what a test puts into it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, stream};
use prost::{Message, Name};
use proto::event::v1::{
    Event, FollowEventsRequest, FollowEventsResponse, ListEventsRequest, ListEventsResponse, VerifyLogRequest,
    VerifyLogResponse, event_service_server::EventService,
};
use tonic::{Request, Response, Status};

/// A log. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    /// Appends a fact.
    pub(crate) fn tell<M: Message + Name>(&self, kind: &str, correlation: &str, payload: &M) {
        let mut events = self.0.lock().unwrap();
        let position = i64::try_from(events.len()).unwrap() + 1;
        events.push(Event {
            event_id: format!("{kind}-{position}"),
            r#type: kind.to_owned(),
            subject: correlation.to_owned(),
            position,
            correlation_id: correlation.to_owned(),
            payload: Some(prost_types::Any {
                type_url: format!("type.googleapis.com/{}", M::full_name()),
                value: payload.encode_to_vec(),
            }),
            ..Event::default()
        });
    }
}

#[tonic::async_trait]
impl EventService for Log {
    type FollowEventsStream = Pin<Box<dyn Stream<Item = Result<FollowEventsResponse, Status>> + Send>>;

    async fn follow_events(
        &self,
        request: Request<FollowEventsRequest>,
    ) -> Result<Response<Self::FollowEventsStream>, Status> {
        let request = request.into_inner();
        let events = self.0.lock().unwrap();
        let head_position = i64::try_from(events.len()).unwrap();
        let wanted = events.iter().filter(|event| event.position > request.after_position);
        let wanted = wanted.filter(|event| request.types.contains(&event.r#type)).cloned().collect();
        let message = FollowEventsResponse { events: wanted, position: head_position, head_position };
        Ok(Response::new(Box::pin(stream::iter([Ok(message)]))))
    }

    async fn list_events(&self, _: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn verify_log(&self, _: Request<VerifyLogRequest>) -> Result<Response<VerifyLogResponse>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }
}
