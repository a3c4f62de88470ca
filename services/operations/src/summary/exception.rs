//! What any service tells a person has to decide, and what persons did about it.

use proto::{
    event::v1::{Event, ExceptionOpened, ExceptionResolved},
    operations::v1::Exception,
};
use store::payload;

use super::words::{because, one_line};

pub(super) fn line(event: &Event) -> Option<String> {
    Some(match event.r#type.as_str() {
        "exception.opened" => {
            let fact: ExceptionOpened = payload(event)?;
            format!("needs a person, {}{}", fact.r#type, because(&fact.summary))
        }
        "exception.resolved" => {
            let fact: ExceptionResolved = payload(event)?;
            format!("no longer needs a person, {}{}", fact.r#type, because(&fact.summary))
        }
        "exception.assigned" => {
            let case: Exception = payload(event)?;
            format!("{} given to {}", case.r#type, one_line(&case.assignee))
        }
        "exception.closed" => {
            let case: Exception = payload(event)?;
            format!("{} resolved by {}{}", case.r#type, person(event), because(&case.resolution))
        }
        "exception.dismissed" => {
            let case: Exception = payload(event)?;
            format!("{} dismissed by {}{}", case.r#type, person(event), because(&case.resolution))
        }
        _ => return None,
    })
}

/// Who did it, without what kind of principal that is.
fn person(event: &Event) -> &str {
    event.actor.split_once(':').map_or(&event.actor, |(_, subject)| subject)
}
