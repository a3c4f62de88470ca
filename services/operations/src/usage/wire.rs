//! Converts usage to contract types and back.

use mesh::wire::{Checks, timestamp};
use proto::operations::v1::{CallOutcome, CountedCalls, DayUsage, MethodUsage, RecordUsageRequest};
use types::{Fault, limits::MAX_REQUEST_ID};

use super::{Count, Outcome, Usage, days::Day, deprecated::deprecated};

/// The most counts of one report.
pub(super) const MAX_COUNTS: usize = 1_000;

/// The most characters of each text.
pub(super) const MAX_CLIENT: usize = 300;
pub(super) const MAX_METHOD: usize = 300;
const MAX_MEMBER: usize = 100;

pub(super) fn counts(request: &RecordUsageRequest) -> Result<Vec<Count>, Fault> {
    let mut checks = Checks::new();
    // Unlike those of other commands, it is required.
    checks.text("request_id", &request.request_id, MAX_REQUEST_ID);
    checks.text("member", &request.member, MAX_MEMBER);
    let counts = if checks.at_most("counts", request.counts.len(), MAX_COUNTS) { &*request.counts } else { &[] };
    let counts: Vec<_> =
        counts.iter().enumerate().filter_map(|(index, counted)| count(&mut checks, index, counted)).collect();
    checks.done()?;
    Ok(counts)
}

fn count(checks: &mut Checks, index: usize, counted: &CountedCalls) -> Option<Count> {
    let at = |field: &str| format!("counts[{index}].{field}");
    let client = checks.text(at("client"), &counted.client, MAX_CLIENT);
    let method = checks.text(at("method"), &counted.method, MAX_METHOD);
    let outcome = checks.choice(at("outcome"), counted.outcome).and_then(Outcome::from_contract);
    let last_seen = checks.time(at("last_seen_time"), counted.last_seen_time.as_ref());
    if counted.calls < 1 {
        checks.wrong(at("calls"), "must be at least 1");
        return None;
    }
    Some(Count { client: client?, method: method?, outcome: outcome?, calls: counted.calls, last_seen: last_seen? })
}

pub(super) fn usage(usage: &Usage, first: Day, last: Day) -> MethodUsage {
    let days: Vec<_> = usage.days.within(first, last).collect();
    MethodUsage {
        client: usage.client.clone(),
        method: usage.method.clone(),
        deprecated: deprecated().contains(&usage.method),
        outcome: CallOutcome::from(usage.outcome).into(),
        calls: days.iter().fold(0, |sum, (_, calls)| sum.saturating_add(*calls)),
        last_seen_time: Some(timestamp(usage.last_seen_time)),
        days: days.into_iter().map(|(day, calls)| DayUsage { day: day.to_string(), calls }).collect(),
    }
}

/// The calls that a member counted, for its report.
pub(super) fn counted(counted: &mesh::Counted) -> CountedCalls {
    let outcome = match counted.outcome {
        mesh::Outcome::Answered => CallOutcome::Answered,
        mesh::Outcome::Refused => CallOutcome::Refused,
        mesh::Outcome::Limited => CallOutcome::Limited,
        mesh::Outcome::Failed => CallOutcome::Failed,
    };
    CountedCalls {
        client: counted.client.clone(),
        method: counted.method.clone(),
        outcome: outcome.into(),
        calls: i64::try_from(counted.calls).unwrap_or(i64::MAX),
        last_seen_time: Some(timestamp(counted.last_seen)),
    }
}
