//! Usage: the calls of each client per method and day.

mod days;
mod deprecated;
mod list;
mod purge;
mod report;
mod rpc;
mod wire;

use std::time::Duration;

use sha2::{Digest, Sha256};
use store::{Command, Context, Needs, Rows, Task};
use types::{Fault, Timestamp};

pub use report::UsageReporter;

pub(crate) use purge::Purge;
pub(crate) use rpc::Rpc;

use days::{Day, Days};

/// The kind of the task that drops days past their retention. Never change it: tasks are kept under it.
const PURGE: &str = "usage.purge";

store::text_enum! {
    /// How calls ended.
    pub(crate) enum Outcome = proto::operations::v1::CallOutcome {
        /// Answered.
        Answered = "ANSWERED",
        /// Refused because of the request.
        Refused = "REFUSED",
        /// Refused because of a quota or an overload.
        Limited = "LIMITED",
        /// Failed because of the mesh.
        Failed = "FAILED",
    }
}

store::record! {
    /// The calls of one client to one method with one outcome. Without a client and a method when no day is left.
    pub(crate) struct Usage in "usages" key (usage_id: String) {
        /// The client.
        client: String,
        /// Full name of the method.
        method: String,
        /// How they ended.
        outcome: Outcome,
        /// The first day that is kept.
        first_day: Day,
        /// The last day with calls.
        last_day: Day,
        /// Time of the last call.
        last_seen_time: Timestamp,
        /// The number of calls of each day.
        days: Days,
    }
}

/// The calls of one client, method and outcome that a member counted on one day.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) client: String,
    pub(crate) method: String,
    pub(crate) outcome: Outcome,
    pub(crate) calls: i64,
    pub(crate) last_seen: Timestamp,
}

impl Count {
    fn usage_id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.client, &self.method, self.outcome.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Adds what a member counted.
pub(crate) struct RecordUsage {
    pub(crate) counts: Vec<Count>,
    /// How many days are kept.
    pub(crate) retention: i64,
}

impl Command for RecordUsage {
    type Reply = proto::operations::v1::RecordUsageResponse;
    const NAME: &'static str = "RecordUsage";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        for count in &self.counts {
            needs.row::<Usage>(&count.usage_id());
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let today = Day::of(cx.now());
        let mut new_day = false;
        for count in &self.counts {
            // A member's clock may be ahead of ours.
            let last_seen = count.last_seen.min(cx.now());
            let day = Day::of(last_seen);
            if day < today.before(self.retention) {
                continue;
            }
            let known = rows.get::<Usage>(&count.usage_id())?.cloned();
            new_day |= known.as_ref().is_none_or(|known| known.days.is_empty() || known.last_day < day);
            rows.put(match known {
                Some(known) if !known.days.is_empty() => known.with(count, day, last_seen),
                known => Usage::first(count, day, last_seen, known.map_or(0, |known| known.version)),
            });
        }
        if new_day {
            schedule_purge(cx, today);
        }
        Ok(Self::Reply {})
    }
}

impl Usage {
    fn first(count: &Count, day: Day, last_seen: Timestamp, version: i64) -> Self {
        Self {
            usage_id: count.usage_id(),
            client: count.client.clone(),
            method: count.method.clone(),
            outcome: count.outcome,
            first_day: day,
            last_day: day,
            last_seen_time: last_seen,
            days: Days::of(day, count.calls),
            version,
        }
    }

    /// Drops the days before `oldest`; with the last day it drops the client and the method too.
    fn drop_before(mut self, oldest: Day) -> Self {
        match self.days.drop_before(oldest) {
            Some(first_day) => self.first_day = first_day,
            None => {
                self.client.clear();
                self.method.clear();
                // Neither a list nor the next purge reads days this late.
                (self.first_day, self.last_day) = (Day::NEVER, Day::NEVER);
            }
        }
        self
    }

    fn with(mut self, count: &Count, day: Day, last_seen: Timestamp) -> Self {
        self.days.add(day, count.calls);
        self.first_day = self.first_day.min(day);
        self.last_day = self.last_day.max(day);
        self.last_seen_time = self.last_seen_time.max(last_seen);
        self
    }
}

/// Schedules the purge of tomorrow. Each day has a task of its own, so that a report of today does not postpone today's
/// purge.
fn schedule_purge(cx: &mut Context<'_>, today: Day) {
    let tomorrow = today.after(1);
    cx.schedule(Task::new(PURGE, tomorrow, tomorrow.begin().after(Duration::from_secs(60))));
}
