//! Events that a reaction refused for good: they are parked, and their subscription passes them.
//!
//! 1. [`ParkEvent`] stores the event without its payload and opens an exception, REACTION_FAILED, which names the order.
//! 2. A person removes the cause and calls `WorkService.RetryWork` (`work_api.rs`), or a later look of the watchdog finds that the
//!    event never took effect (`watchdog.rs`). Both schedule the task of [`replay`].
//! 3. [`ReplayTask`] reads the event from its source's log and reacts to it. The commands are applied together with
//!    [`RecordReplay`], which resolves the exception. When the event is refused again, it is parked again.
//!
//! A reaction is repeatable, so an event that took effect already changes nothing when it is replayed.

use proto::event::v1::{Event, ExceptionType};
use types::{Fault, Timestamp};

use crate::{
    command::{AnyCommand, Command},
    context::Context,
    exception::Exception,
    follower::Follower,
    needs::Needs,
    rows::Rows,
    task::{Task, TaskHandler},
    value::Proto,
};

/// The kind of the task that replays an event. Its key is that of [`subject`].
pub(crate) const REPLAY: &str = "store.replay";

crate::record! {
    /// An event whose reaction was refused.
    pub(crate) struct ParkedEvent in "parked_events" key (subscription: String, event_id: String) {
        position: i64,
        event_type: String,
        /// The event without its payload.
        event: Proto<Event>,
        /// Why it was refused.
        reason: String,
        message: String,
        park_time: Timestamp,
        /// When it was applied after all.
        apply_time: Option<Timestamp>,
    }
}

/// Names an event of a subscription in an exception: `order.inventory:…`.
pub(crate) fn subject(subscription: &str, event_id: &str) -> String {
    format!("{subscription}:{event_id}")
}

/// The subscription and the event that [`subject`] names.
pub(crate) fn parse_subject(subject: &str) -> Option<(String, String)> {
    let (subscription, event_id) = subject.split_once(':')?;
    Some((subscription.to_owned(), event_id.to_owned()))
}

/// The task that replays an event, of which it needs no payload.
pub(crate) fn replay(subscription: &str, event: &Event, now: Timestamp) -> Task {
    Task::new(REPLAY, subject(subscription, &event.event_id), now)
        .payload(event)
        .order(&event.correlation_id, event.account_id.parse().ok().as_ref())
}

/// Parks an event and opens an exception.
pub(crate) struct ParkEvent {
    subscription: String,
    event: Event,
    fault: Fault,
}

impl ParkEvent {
    pub(crate) fn new(subscription: &str, event: &Event, fault: &Fault) -> Self {
        // The payload is in the source's log.
        let event = Event { payload: None, ..event.clone() };
        Self { subscription: subscription.to_owned(), event, fault: fault.clone() }
    }
}

impl Command for ParkEvent {
    type Reply = ();
    const NAME: &'static str = "ParkEvent";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ParkedEvent>(&(self.subscription.clone(), self.event.event_id.clone()));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Self { subscription, event, fault } = self;
        let (subscription, event_id) = (subscription.clone(), event.event_id.clone());
        let version =
            rows.get::<ParkedEvent>(&(subscription.clone(), event_id.clone()))?.map_or(0, |known| known.version);
        let parked = rows.put(ParkedEvent {
            subscription,
            event_id,
            position: event.position,
            event_type: event.r#type.clone(),
            event: Proto(event.clone()),
            reason: fault.reason.as_str().to_owned(),
            message: fault.message.clone(),
            park_time: cx.now(),
            apply_time: None,
            version,
        });
        let facts = [
            ("subscription", self.subscription.clone()),
            ("source", event.source.clone()),
            ("position", event.position.to_string()),
            ("event_id", event.event_id.clone()),
            ("event_type", event.r#type.clone()),
        ];
        let summary = format!("{} could not react to {} of {}", self.subscription, event.r#type, event.subject);
        parked.exception().open(cx, summary, with_reason(facts, fault));
        Ok(())
    }
}

/// Records that a parked event was applied after all, and resolves its exception. Does nothing for an event that was not parked.
struct RecordReplay {
    subscription: String,
    event: Event,
}

impl Command for RecordReplay {
    type Reply = ();
    const NAME: &'static str = "RecordReplay";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ParkedEvent>(&(self.subscription.clone(), self.event.event_id.clone()));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let parked = rows.get::<ParkedEvent>(&(self.subscription.clone(), self.event.event_id.clone()))?.cloned();
        if let Some(parked) = parked.filter(|parked| parked.apply_time.is_none()) {
            let applied = rows.put(ParkedEvent { apply_time: Some(cx.now()), ..parked });
            applied.exception().resolve(cx, "the event was applied");
        }
        Ok(())
    }
}

/// Replays events.
pub(crate) struct ReplayTask(pub(crate) Vec<Follower>);

#[async_trait::async_trait]
impl TaskHandler for ReplayTask {
    fn kind(&self) -> &'static str {
        REPLAY
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let header: Event = task.decode()?;
        let named = parse_subject(&task.key).map(|(subscription, _)| subscription).unwrap_or_default();
        let follower = self.0.iter().find(|follower| follower.subscription().name == named);
        let follower = follower.ok_or_else(|| Fault::internal(format!("nothing follows as {named}")))?;
        let mut commands = follower.replay(&header).await?;
        commands.push(Box::new(RecordReplay { subscription: named, event: header }));
        Ok(commands)
    }

    fn refused(&self, task: &Task, fault: &Fault) -> Box<dyn AnyCommand> {
        let named = parse_subject(&task.key);
        match (task.decode::<Event>(), named) {
            (Ok(event), Some((subscription, _))) => Box::new(ParkEvent::new(&subscription, &event, fault)),
            _ => Box::new(crate::task::failure::PostponeTask::new(task, fault)),
        }
    }
}

impl ParkedEvent {
    fn exception(&self) -> Exception {
        let Event { correlation_id, account_id, .. } = &self.event.0;
        Exception::new(ExceptionType::ReactionFailed, subject(&self.subscription, &self.event_id), self.version)
            .correlation(correlation_id)
            .account(account_id.parse().ok().as_ref())
    }
}

/// The facts of an exception, and why the command was refused.
pub(crate) fn with_reason<'f, const N: usize>(
    facts: [(&'f str, String); N],
    fault: &Fault,
) -> impl Iterator<Item = (&'f str, String)> + use<'f, N> {
    let reason = [("reason", fault.reason.as_str().to_owned()), ("message", fault.message.clone())];
    facts.into_iter().chain(reason)
}
