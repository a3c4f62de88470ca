//! Between the contract and the domain.

use mesh::{
    Principal,
    wire::{Checks, MAX_CHOICES, timestamp},
};
use prost::Message as _;
use proto::{
    event::v1::Event,
    operations::v1::{Exception, ExceptionCount, ExceptionState, ListExceptionsRequest, TimelineEntry},
};
use types::{ExceptionId, Fault, OrderId};

use crate::{
    audience::Audience,
    case::{AssignCase, Case, DismissCase, Ending, ResolveCase, State},
    store::Cases,
    summary::summary,
    timeline::Entry,
};

/// The longest name of a person.
const LONGEST_ASSIGNEE: usize = 200;

/// The longest word on how a case ended.
const LONGEST_RESOLUTION: usize = 2_000;

/// The longest type of a case that can be asked for.
const LONGEST_TYPE: usize = 100;

/// An entry as the caller is shown it: who recorded an event and what caused it is for the distributor's own people.
pub(crate) fn entry(entry: &Entry, caller: &Principal) -> Result<TimelineEntry, Fault> {
    let unreadable = |_| Fault::internal(format!("entry {} of the timeline can not be read", entry.entry_number));
    let mut event = Event::decode(entry.body.as_slice()).map_err(unreadable)?;
    let summary = summary(&event);
    if !caller.is_staff() {
        event.actor.clear();
        event.causation_id.clear();
        event.trace_parent.clear();
    }
    let audience = match entry.audience {
        Audience::Staff => proto::options::v1::Audience::Staff,
        Audience::Customer => proto::options::v1::Audience::Customer,
    };
    Ok(TimelineEntry {
        entry_number: entry.entry_number,
        order_id: entry.order_id.to_string(),
        summary,
        event: Some(event),
        audience: audience.into(),
    })
}

pub(crate) fn case(case: &Case) -> Exception {
    Exception {
        exception_id: case.exception_id.to_string(),
        r#type: case.kind.clone(),
        subject: case.subject.clone(),
        order_id: case.order_id.clone(),
        source: case.source.clone(),
        state: state(case.state).into(),
        summary: case.report.0.summary.clone(),
        facts: case.report.0.facts.clone(),
        assignee: case.assignee.clone(),
        resolution: case.resolution.clone(),
        occurrences: i32::try_from(case.occurrences).unwrap_or(i32::MAX),
        due_time: Some(timestamp(case.due_time)),
        etag: case.etag(),
        open_time: Some(timestamp(case.open_time)),
        close_time: case.close_time.map(timestamp),
    }
}

pub(crate) fn count((kind, at, count): (String, State, i64)) -> ExceptionCount {
    ExceptionCount { r#type: kind, state: state(at).into(), count }
}

fn state(at: State) -> ExceptionState {
    match at {
        State::Open => ExceptionState::Open,
        State::Assigned => ExceptionState::Assigned,
        State::Resolved => ExceptionState::Resolved,
        State::Dismissed => ExceptionState::Dismissed,
        State::AutoResolved => ExceptionState::AutoResolved,
    }
}

fn from_state(state: ExceptionState) -> Option<State> {
    match state {
        ExceptionState::Unspecified => None,
        ExceptionState::Open => Some(State::Open),
        ExceptionState::Assigned => Some(State::Assigned),
        ExceptionState::Resolved => Some(State::Resolved),
        ExceptionState::Dismissed => Some(State::Dismissed),
        ExceptionState::AutoResolved => Some(State::AutoResolved),
    }
}

pub(crate) fn order_id(text: &str) -> Result<OrderId, Fault> {
    let mut checks = Checks::new();
    let order_id = checks.id("order_id", text);
    checked(checks, order_id)
}

pub(crate) fn exception_id(text: &str) -> Result<ExceptionId, Fault> {
    let mut checks = Checks::new();
    let exception_id = checks.id("exception_id", text);
    checked(checks, exception_id)
}

pub(crate) fn cases(request: ListExceptionsRequest) -> Result<Cases, Fault> {
    let mut checks = Checks::new();
    let kind = checks.optional_text("type", &request.r#type, LONGEST_TYPE);
    let order_id = checks.optional_id("order_id", &request.order_id);
    let mut states = Vec::new();
    checks.at_most("states", request.states.len(), MAX_CHOICES);
    for (index, number) in request.states.iter().enumerate().take(MAX_CHOICES) {
        states.extend(checks.choice(format!("states[{index}]"), *number).and_then(from_state));
    }
    let cases = kind.zip(order_id).map(|(kind, order_id)| Cases {
        kind,
        states,
        order_id,
        page_size: request.page_size,
        page_token: request.page_token,
    });
    checked(checks, cases)
}

pub(crate) fn request_id(text: &str) -> Result<(), Fault> {
    let mut checks = Checks::new();
    checks.request_id(text);
    checks.done()
}

pub(crate) fn assign(exception_id: &str, assignee: &str, etag: &str) -> Result<AssignCase, Fault> {
    let mut checks = Checks::new();
    let exception_id = checks.id("exception_id", exception_id);
    let assignee = checks.text("assignee", assignee, LONGEST_ASSIGNEE);
    let etag = etag.to_owned();
    checked(
        checks,
        exception_id.zip(assignee).map(|(exception_id, assignee)| AssignCase { exception_id, assignee, etag }),
    )
}

pub(crate) fn resolve(exception_id: &str, resolution: &str, etag: &str) -> Result<ResolveCase, Fault> {
    ending(exception_id, resolution, etag).map(ResolveCase)
}

pub(crate) fn dismiss(exception_id: &str, resolution: &str, etag: &str) -> Result<DismissCase, Fault> {
    ending(exception_id, resolution, etag).map(DismissCase)
}

fn ending(exception_id: &str, resolution: &str, etag: &str) -> Result<Ending, Fault> {
    let mut checks = Checks::new();
    let exception_id = checks.id("exception_id", exception_id);
    let resolution = checks.text("resolution", resolution, LONGEST_RESOLUTION);
    let etag = etag.to_owned();
    checked(
        checks,
        exception_id.zip(resolution).map(|(exception_id, resolution)| Ending { exception_id, resolution, etag }),
    )
}

fn checked<T>(checks: Checks, value: Option<T>) -> Result<T, Fault> {
    checks.done()?;
    // A value is only missing when a check has said why.
    value.ok_or_else(|| Fault::internal("a check refused a field without saying why"))
}
