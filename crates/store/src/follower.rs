//! Follows another service's log: each event takes effect here exactly once.
//!
//! A transient failure holds the subscription at the event until it succeeds (pauses: `types::retry::follower`). Only
//! events that are refused for good are passed: they are parked until they are replayed (`park.rs`).

mod react;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use proto::{
    event::v1::{Event, FollowEventsRequest, FollowEventsResponse, event_service_client::EventServiceClient},
    events::{EventType, LogEvent},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    client::GrpcService,
    codegen::{Body as HttpBody, StdError},
};
use types::{
    Fault,
    retry::follower::{FIRST_PAUSE, LONGEST_PAUSE},
};

use crate::{
    command::AnyCommand,
    db::Db,
    instrument::{Instrumentation, in_span},
    value::Value,
    write_request::{Finishes, WriteRequest},
    writer::BATCH,
};

/// How far the saved position may stay behind when nothing of interest passes.
const SLACK: i64 = 1_000;

/// The largest message of a log that is taken: one event of an order of 5,000 lines needs about 2 MiB.
const LARGEST_MESSAGE: usize = 64 << 20;

/// A service's reactions to another's events.
#[async_trait]
pub trait Reactions: Send + Sync + 'static {
    /// Name of the subscription: never change it, the position is kept under it.
    fn name(&self) -> &'static str;

    /// The service whose log is followed.
    fn source(&self) -> &'static str;

    /// Which events; all when empty.
    fn event_types(&self) -> &'static [EventType];

    /// The commands the event calls for. They and the subscription's move past the event are one transaction.
    ///
    /// May call other services, repeatably: it runs again after a crash. Runs for one order's events in turn, for
    /// different orders side by side. A transient fault is tried again; any other parks the event and opens an exception,
    /// as does a command that is refused for good.
    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault>;
}

/// Which events of which log a service reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub name: &'static str,
    /// The service whose log is followed.
    pub source: &'static str,
    /// The events; all when empty.
    pub event_types: &'static [EventType],
}

/// The typed event of a log; a fault when it has another type or payload.
pub fn decode<E: LogEvent>(event: &Event) -> Result<E, Fault> {
    E::decode(event).map_err(|error| Fault::internal(format!("event {}: {error}", event.event_id)))
}

/// Implements [`Reactions`] for a type: which events of a log it reacts to, and how. Every event of the log is named, as one
/// that is reacted to or as one that is ignored, so that a new event does not build until each follower has decided on it.
///
/// The body of a reaction returns `Result<Vec<Box<dyn AnyCommand>>, Fault>` and may await.
#[macro_export]
macro_rules! reactions {
    // The arms are read one by one, because `ignored` could be the name of an event.
    (@arms $head:tt [$($arms:tt)*] ignored: $($ignored:ident),+ $(,)?) => {
        $crate::reactions!(@follower $head [$($arms)*] [$($ignored)+]);
    };
    (@arms $head:tt [$($arms:tt)*] $($variant:ident)|+ ($payload:pat) => $body:expr, $($rest:tt)*) => {
        $crate::reactions!(@arms $head [$($arms)* { [$($variant)+] [$payload] [$body] }] $($rest)*);
    };
    (
        @follower ($follower:ty, $name:literal, $log:ident, $this:ident, $event:ident)
        [$({ [$($variant:ident)+] [$payload:pat] [$body:expr] })+] [$($ignored:ident)+]
    ) => {
        #[::async_trait::async_trait]
        impl $crate::Reactions for $follower {
            fn name(&self) -> &'static str {
                $name
            }

            fn source(&self) -> &'static str {
                <$log as ::proto::events::LogEvent>::SOURCE
            }

            fn event_types(&self) -> &'static [::proto::events::EventType] {
                &[$($(::proto::events::EventType::$variant,)+)+]
            }

            async fn react(
                &self,
                $event: &::proto::event::v1::Event,
            ) -> Result<Vec<Box<dyn $crate::AnyCommand>>, ::types::Fault> {
                let $this = self;
                match $crate::decode::<$log>($event)? {
                    $($($log::$variant($payload))|+ => $body,)+
                    $($log::$ignored(_))|+ => Ok(Vec::new()),
                }
            }
        }
    };
    ($follower:ty, $name:literal, $log:ident, |$this:ident, $event:ident| { $($arms:tt)+ }) => {
        $crate::reactions!(@arms ($follower, $name, $log, $this, $event) [] $($arms)+);
    };
}

type Messages = BoxStream<'static, Result<FollowEventsResponse, tonic::Status>>;
type Source = Arc<dyn Fn(FollowEventsRequest) -> BoxFuture<'static, Result<Messages, tonic::Status>> + Send + Sync>;

/// Follows one log for one subscription. When several replicas do, one is faster and the others continue after it.
#[derive(Clone)]
pub struct Follower {
    db: Db,
    reactions: Arc<dyn Reactions>,
    source: Source,
    instrumentation: Instrumentation,
}

impl Follower {
    /// Follows the log behind `client`, with effects in `db`.
    pub fn new<T>(db: Db, client: EventServiceClient<T>, reactions: Arc<dyn Reactions>) -> Self
    where
        T: GrpcService<Body> + Clone + Send + Sync + 'static,
        T::Error: Into<StdError>,
        T::Future: Send,
        T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
        <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
    {
        let client = client.max_decoding_message_size(LARGEST_MESSAGE);
        let source = move |request: FollowEventsRequest| {
            let mut client = client.clone();
            async move { Ok(client.follow_events(request).await?.into_inner().boxed()) }.boxed()
        };
        Self { db, reactions, source: Arc::new(source), instrumentation: in_span }
    }

    /// Runs reactions with instrumentation that continues the event's trace.
    #[must_use]
    pub fn traced(self, instrumentation: Instrumentation) -> Self {
        Self { instrumentation, ..self }
    }

    /// Follows until `stop`. Faults are logged and tried again after a growing pause.
    pub async fn run(&self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let follow = self.follow(Until::Stopped);
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = follow => outcome,
            };
            match outcome {
                Ok(handled) if handled > 0 => pause = FIRST_PAUSE,
                Ok(_) => tracing::debug!(subscription = self.reactions.name(), "the source ended the stream"),
                // A source in the same process stops too.
                Err(_) if stop.is_cancelled() => return,
                Err((fault, handled)) => {
                    if handled > 0 {
                        pause = FIRST_PAUSE;
                    }
                    // Once is normal: connections are renewed, members restarted. Several in a row are not.
                    if pause == FIRST_PAUSE {
                        tracing::info!(%fault, subscription = self.reactions.name(), "following is interrupted");
                    } else {
                        tracing::warn!(%fault, subscription = self.reactions.name(), "following is still interrupted");
                    }
                }
            }
            let jittered = pause.mul_f64(rand::random_range(0.5..1.0));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(jittered) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    /// Handles all events up to the source's head; returns how many.
    pub async fn drain(&self) -> Result<usize, Fault> {
        self.follow(Until::Head).await.map_err(|(fault, _)| fault)
    }

    /// The position of the last event handled.
    pub async fn position(&self) -> Result<i64, Fault> {
        let rows = self.db.rows("SELECT position FROM subscriptions WHERE name = $1", self.name()).await?;
        match rows.first() {
            Some(row) => row.at(0),
            None => {
                let sql = "INSERT INTO subscriptions (name, position) VALUES ($1, 0) ON CONFLICT DO NOTHING \
                           RETURNING name";
                self.db.write(sql, self.name()).await.map(|_| 0)
            }
        }
    }

    /// Reads an event of which the position and the id are known, and reacts to it outside of its order.
    pub(crate) async fn replay(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let request = FollowEventsRequest {
            after_position: event.position - 1,
            types: vec![event.r#type.clone()],
            until_head: true,
        };
        let unread = |status: tonic::Status| Fault::unavailable(format!("the source's log: {}", status.message()));
        let mut messages = (self.source)(request).await.map_err(unread)?;
        while let Some(message) = messages.try_next().await.map_err(unread)? {
            if let Some(found) = message.events.iter().find(|found| found.event_id == event.event_id) {
                return self.reactions.react(found).await;
            }
            if message.position >= event.position {
                break;
            }
        }
        Err(Fault::internal(format!("event {} is not at its position in the source's log", event.event_id)))
    }

    /// What is followed.
    pub(crate) fn subscription(&self) -> Subscription {
        Subscription {
            name: self.reactions.name(),
            source: self.reactions.source(),
            event_types: self.reactions.event_types(),
        }
    }

    fn name(&self) -> Vec<Value> {
        vec![Value::Text(self.reactions.name().to_owned())]
    }

    /// Reads one stream to its end; returns how many events were handled, also beside a fault.
    async fn follow(&self, until: Until) -> Result<usize, (Fault, usize)> {
        let mut handled = 0;
        let outcome = self.follow_counting(until, &mut handled).await;
        outcome.map(|()| handled).map_err(|fault| (fault, handled))
    }

    async fn follow_counting(&self, until: Until, handled: &mut usize) -> Result<(), Fault> {
        let mut saved = self.position().await?;
        let request = FollowEventsRequest {
            after_position: saved,
            types: self.reactions.event_types().iter().map(EventType::to_string).collect(),
            until_head: matches!(until, Until::Head),
        };
        let interrupted = |status: tonic::Status| Fault::unavailable(format!("the source's log: {}", status.message()));
        let mut messages = (self.source)(request).await.map_err(interrupted)?;
        while let Some(message) = messages.try_next().await.map_err(interrupted)? {
            let (message, failed) = gather(message, &mut messages);
            let FollowEventsResponse { events, position, head_position } = message;
            let events: Vec<Arc<Event>> = events.into_iter().map(Arc::new).collect();
            let mut rest = events.as_slice();
            while !rest.is_empty() {
                let (chunk, later) = rest.split_at(rest.len().min(BATCH));
                rest = later;
                let to = if later.is_empty() { position } else { chunk.last().map_or(position, |last| last.position) };
                saved = self.handle(chunk, saved, to).await?;
                *handled += chunk.len();
            }
            if position - saved >= SLACK {
                self.apply(Vec::new(), saved, position).await?;
                saved = position;
            }
            let labels = [("source", self.db.source()), ("subscription", self.reactions.name())];
            metrics::gauge!("store_subscription_lag", &labels).set((head_position - position) as f64);
            if let Some(failed) = failed {
                return Err(interrupted(failed));
            }
        }
        Ok(())
    }

    /// Reacts to some events and applies the commands, up to the first that has to be tried again.
    async fn handle(&self, events: &[Arc<Event>], from: i64, to: i64) -> Result<i64, Fault> {
        let (groups, failed) = react::all(&*self.reactions, self.instrumentation, &self.db, events).await;
        let Some((index, fault)) = failed else {
            self.apply(groups, from, to).await?;
            return Ok(to);
        };
        let before = events.get(index).map_or(from, |event| event.position - 1);
        if before > from {
            self.apply(groups, from, before).await?;
        }
        Err(fault)
    }

    async fn apply(&self, groups: Vec<crate::write_request::Group>, from: i64, to: i64) -> Result<(), Fault> {
        let finishes = Finishes::Subscription { name: self.reactions.name(), from, to };
        self.db.apply(WriteRequest { groups, finishes }).await
    }
}

/// Adds what has arrived meanwhile, so that it is committed together. Also what ended the stream, if something did.
fn gather(mut message: FollowEventsResponse, messages: &mut Messages) -> (FollowEventsResponse, Option<tonic::Status>) {
    while message.events.len() < BATCH {
        match messages.try_next().now_or_never() {
            Some(Ok(Some(more))) => {
                message.events.extend(more.events);
                message.position = more.position;
                message.head_position = more.head_position;
            }
            Some(Err(failed)) => return (message, Some(failed)),
            Some(Ok(None)) | None => break,
        }
    }
    (message, None)
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Head,
    Stopped,
}
