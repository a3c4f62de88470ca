//! Between the contract and usage.

use mesh::wire::{Checks, timestamp};
use proto::operations::v1::{CallOutcome, CountedCalls, DayUsage, ListUsageRequest, MethodUsage, RecordUsageRequest};
use types::Fault;

use super::{Count, Outcome, Usage, days::Day, deprecated::deprecated, read::Wanted};

/// The most counts of one report.
pub(super) const MOST_COUNTS: usize = 1_000;

/// The longest names that are kept.
const LONGEST_CONSUMER: usize = 300;
const LONGEST_METHOD: usize = 300;
const LONGEST_MEMBER: usize = 100;
const LONGEST_REQUEST_ID: usize = 200;

pub(super) fn counts(request: &RecordUsageRequest) -> Result<Vec<Count>, Fault> {
    let mut checks = Checks::new();
    checks.text("request_id", &request.request_id, LONGEST_REQUEST_ID);
    checks.text("member", &request.member, LONGEST_MEMBER);
    if request.counts.len() > MOST_COUNTS {
        checks.wrong("counts", "must be at most 1,000");
        checks.done()?;
        return Ok(Vec::new());
    }
    let counts = request.counts.iter().enumerate();
    let counts: Vec<_> = counts.filter_map(|(index, counted)| count(&mut checks, index, counted)).collect();
    checks.done()?;
    Ok(counts)
}

fn count(checks: &mut Checks, index: usize, counted: &CountedCalls) -> Option<Count> {
    let at = |field: &str| format!("counts[{index}].{field}");
    let consumer = checks.text(at("consumer"), &counted.consumer, LONGEST_CONSUMER);
    let method = checks.text(at("method"), &counted.method, LONGEST_METHOD);
    let outcome = checks.choice(at("outcome"), counted.outcome).and_then(from_outcome);
    let last_seen = checks.time(at("last_seen_time"), counted.last_seen_time.as_ref());
    if counted.calls < 1 {
        checks.wrong(at("calls"), "must be at least 1");
        return None;
    }
    Some(Count { consumer: consumer?, method: method?, outcome: outcome?, calls: counted.calls, last_seen: last_seen? })
}

pub(super) fn wanted(request: ListUsageRequest) -> Result<Wanted, Fault> {
    let mut checks = Checks::new();
    checks.optional_text("consumer", &request.consumer, LONGEST_CONSUMER);
    checks.optional_text("method", &request.method, LONGEST_METHOD);
    let mut day = |field, text: &str| {
        let day = (!text.is_empty()).then(|| text.parse::<Day>());
        if day == Some(Err(())) {
            checks.wrong(field, "must be a day like 2026-11-25");
        }
        day.and_then(Result::ok)
    };
    let (from, to) = (day("from_day", &request.from_day), day("to_day", &request.to_day));
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        checks.wrong("to_day", "must not be before from_day");
    }
    checks.done()?;
    Ok(Wanted {
        consumer: request.consumer,
        method: request.method,
        deprecated_only: request.deprecated_only,
        from,
        to,
        page_size: request.page_size,
        page_token: request.page_token,
    })
}

pub(super) fn usage(usage: &Usage, first: Day, last: Day) -> MethodUsage {
    let days: Vec<_> = usage.days.within(first, last).collect();
    MethodUsage {
        consumer: usage.consumer.clone(),
        method: usage.method.clone(),
        deprecated: deprecated().contains(&usage.method),
        outcome: outcome(usage.outcome).into(),
        calls: days.iter().fold(0, |sum, (_, calls)| sum.saturating_add(*calls)),
        last_seen_time: Some(timestamp(usage.last_seen_time)),
        days: days.into_iter().map(|(day, calls)| DayUsage { day: day.to_string(), calls }).collect(),
    }
}

fn outcome(outcome: Outcome) -> CallOutcome {
    match outcome {
        Outcome::Answered => CallOutcome::Answered,
        Outcome::Refused => CallOutcome::Refused,
        Outcome::Limited => CallOutcome::Limited,
        Outcome::Failed => CallOutcome::Failed,
    }
}

fn from_outcome(outcome: CallOutcome) -> Option<Outcome> {
    match outcome {
        CallOutcome::Unspecified => None,
        CallOutcome::Answered => Some(Outcome::Answered),
        CallOutcome::Refused => Some(Outcome::Refused),
        CallOutcome::Limited => Some(Outcome::Limited),
        CallOutcome::Failed => Some(Outcome::Failed),
    }
}

/// What a member counted, as it reports it.
pub(super) fn counted(counted: &mesh::Counted) -> CountedCalls {
    let outcome = match counted.outcome {
        mesh::Outcome::Answered => CallOutcome::Answered,
        mesh::Outcome::Refused => CallOutcome::Refused,
        mesh::Outcome::Limited => CallOutcome::Limited,
        mesh::Outcome::Failed => CallOutcome::Failed,
    };
    CountedCalls {
        consumer: counted.client.clone(),
        method: counted.method.clone(),
        outcome: outcome.into(),
        calls: i64::try_from(counted.calls).unwrap_or(i64::MAX),
        last_seen_time: Some(timestamp(counted.last_seen)),
    }
}
