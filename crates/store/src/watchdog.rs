//! Finds by query what nobody would find: rows in a state in which something has to happen, and nothing is on its way to them.
//!
//! Each service lists its [`Check`]s in its `watchdog.rs`. They are looked at when the service starts and every ten minutes. What
//! is found is set going again, logged, and counted in `store_stranded`, which should stay 0: every find is an error elsewhere.

use std::time::Duration;

use prost::Message as _;
use proto::{MessageBytes as _, event::v1::Event};
use tokio_util::sync::CancellationToken;
use types::{Actor, Fault};

use crate::{
    command::{AnyCommand, Call, Command},
    context::Context,
    db::Db,
    needs::Needs,
    park::replay,
    row::Row,
    rows::Rows,
    value::Value,
};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(600);

/// The most finds of a check in one look.
const MOST: i64 = 500;

/// A state that should not be.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What is found, such as `release without its routing task`.
    pub name: &'static str,
    /// The query that finds it, without its LIMIT.
    pub find: &'static str,
    /// `$1` of the query is the time so long ago.
    pub unchanged_for: Option<Duration>,
    /// How it goes on.
    pub heal: Heal,
}

/// How something that was found goes on.
#[derive(Debug, Clone, Copy)]
pub enum Heal {
    /// By a command for a row of the query; it replies whether anything had to be done.
    Command(fn(&Row) -> Result<Box<dyn AnyCommand>, Fault>),
    /// By replaying events `e` of the service's own log, which this subscription of the service has passed. The query begins at
    /// its FROM and ends in a condition.
    Replay(&'static str),
}

/// Looks at a database.
#[derive(Debug, Clone)]
pub(crate) struct Watchdog {
    pub(crate) db: Db,
    pub(crate) checks: &'static [Check],
}

impl Watchdog {
    /// Looks from time to time, until `stop`.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        loop {
            if let Err(fault) = self.look().await {
                tracing::warn!(%fault, "what is stranded could not be looked for");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Makes each check once; returns how much was stranded.
    pub(crate) async fn look(&self) -> Result<usize, Fault> {
        let mut all = 0;
        for check in self.checks {
            let mut found = 0;
            for command in self.find(check).await? {
                let name = command.name();
                let call = Call::new(Actor::service(self.db.source())).caused_by("watchdog");
                let healed = bool::from_bytes(self.db.run_any(call, command).await?);
                if healed
                    .map_err(|_| Fault::internal(format!("{name} does not say whether anything had to be done")))?
                {
                    found += 1;
                    tracing::error!(source = self.db.source(), check = check.name, "something was stranded");
                }
            }
            metrics::gauge!("store_stranded", "source" => self.db.source(), "check" => check.name).set(found as f64);
            all += found;
        }
        Ok(all)
    }

    async fn find(&self, check: &Check) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let mut args = Vec::new();
        if let Some(unchanged_for) = check.unchanged_for {
            let age = i64::try_from(unchanged_for.as_micros()).unwrap_or(i64::MAX);
            args.push(Value::Integer(self.db.clock().now().as_micros().saturating_sub(age)));
        }
        match check.heal {
            Heal::Command(heal) => {
                let rows = self.db.query(format!("{} LIMIT {MOST}", check.find), args).await?;
                rows.iter().map(heal).collect()
            }
            Heal::Replay(subscription) => {
                args.push(Value::Text(subscription.to_owned()));
                let name = args.len();
                let sql = format!(
                    "SELECT e.position, e.body {} \
                     AND e.position <= (SELECT position FROM subscriptions WHERE name = ${name}) \
                     AND NOT EXISTS (SELECT 1 FROM parked_events AS p WHERE p.subscription = ${name} \
                     AND p.event_id = e.event_id AND p.apply_time IS NULL) LIMIT {MOST}",
                    check.find
                );
                let rows = self.db.query(sql, args).await?;
                rows.iter().map(|row| ReplayEvent::of(subscription, row)).collect()
            }
        }
    }
}

/// Schedules the replay of an event that has passed without its effect.
struct ReplayEvent {
    subscription: &'static str,
    event: Event,
}

impl ReplayEvent {
    fn of(subscription: &'static str, row: &Row) -> Result<Box<dyn AnyCommand>, Fault> {
        let (position, body): (i64, Vec<u8>) = (row.at(0)?, row.at(1)?);
        let unreadable = |_| Fault::internal(format!("the event at position {position} cannot be read"));
        let event = Event::decode(body.as_slice()).map_err(unreadable)?;
        Ok(Box::new(Self { subscription, event: Event { position, payload: None, ..event } }))
    }
}

impl Command for ReplayEvent {
    type Reply = bool;
    const NAME: &'static str = "ReplayEvent";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let task = replay(self.subscription, &self.event, cx.now());
        cx.schedule(task);
        Ok(true)
    }
}
