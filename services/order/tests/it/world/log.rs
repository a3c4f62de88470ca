//! Another service's log, written by the test.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, stream};
use proto::event::v1::{
    Event, FollowEventsRequest, FollowEventsResponse, ListEventsRequest, ListEventsResponse, VerifyLogRequest,
    VerifyLogResponse, event_service_server::EventService,
};
use tonic::{Request, Response, Status};

#[derive(Clone)]
pub(crate) struct Log {
    source: &'static str,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Log {
    pub(crate) fn new(source: &'static str) -> Self {
        Self { source, events: Arc::default() }
    }

    /// Appends an event.
    pub(crate) fn tell<M: prost::Message + prost::Name>(&self, kind: &str, order_id: &str, payload: &M) {
        let mut events = self.events.lock().unwrap();
        let position = i64::try_from(events.len()).unwrap() + 1;
        events.push(Event {
            event_id: format!("{}-{position}", self.source),
            r#type: kind.to_owned(),
            source: self.source.to_owned(),
            position,
            correlation_id: order_id.to_owned(),
            payload: Some(prost_types::Any {
                type_url: format!("type.googleapis.com/{}", M::full_name()),
                value: payload.encode_to_vec(),
            }),
            ..Default::default()
        });
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
        let request = request.into_inner();
        let known = self.events.lock().unwrap().clone();
        let head_position = i64::try_from(known.len()).unwrap();
        let wanted = |event: &Event| event.position > request.after_position && request.types.contains(&event.r#type);
        let events = known.into_iter().filter(wanted).collect();
        let message = FollowEventsResponse { events, position: head_position, head_position };
        Ok(Response::new(Box::pin(stream::iter([Ok(message)]))))
    }

    async fn list_events(&self, _: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn verify_log(&self, _: Request<VerifyLogRequest>) -> Result<Response<VerifyLogResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
}
