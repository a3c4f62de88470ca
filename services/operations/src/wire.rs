//! Converts domain types to contract types.

use mesh::{Principal, wire::timestamp};
use prost::Message as _;
use proto::{
    event::v1::Event,
    operations::v1::{self as contract, ExceptionCount, ExceptionState, TimelineEntry},
    options,
};
use types::Fault;

use crate::{
    exception::{Exception, State},
    summary::summary,
    timeline::Entry,
};

/// An entry as the caller sees it: its summary says no more than the event that is shown.
pub(crate) fn entry(entry: &Entry, caller: &Principal) -> Result<TimelineEntry, Fault> {
    let unreadable = |_| Fault::internal(format!("entry {} of the timeline cannot be read", entry.entry_number));
    let event = chassis::shown(Event::decode(entry.body.as_slice()).map_err(unreadable)?, caller);
    let summary = summary(&event);
    Ok(TimelineEntry {
        entry_number: entry.entry_number,
        order_id: entry.order_id.to_string(),
        summary,
        event: Some(event),
        audience: options::v1::Audience::from(entry.audience).into(),
    })
}

pub(crate) fn exception(exception: &Exception) -> contract::Exception {
    contract::Exception {
        exception_id: exception.exception_id.to_string(),
        r#type: exception.exception_type.clone(),
        subject: exception.subject.clone(),
        order_id: exception.order_id.clone(),
        source: exception.source.clone(),
        state: ExceptionState::from(exception.state).into(),
        summary: exception.report.0.summary.clone(),
        facts: exception.report.0.facts.clone(),
        assignee: exception.assignee.clone(),
        resolution: exception.resolution.clone(),
        occurrences: i32::try_from(exception.occurrences).unwrap_or(i32::MAX),
        due_time: Some(timestamp(exception.due_time)),
        etag: exception.version.to_string(),
        open_time: Some(timestamp(exception.open_time)),
        close_time: exception.close_time.map(timestamp),
        supported_actions: exception.supported_actions().iter().map(|action| (*action).to_owned()).collect(),
    }
}

pub(crate) fn count((exception_type, state, count): (String, State, i64)) -> ExceptionCount {
    ExceptionCount { r#type: exception_type, state: ExceptionState::from(state).into(), count }
}
