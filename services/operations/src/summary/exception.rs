//! Lines of the operations service's events, and of exceptions in every log.

use proto::{
    event::v1::{ExceptionOpened, ExceptionResolved},
    events::OperationsEvent,
    operations::v1::{Exception, ExceptionChanged, OrderExceptionsChanged},
};

use super::format::{colon, one_line};

pub(super) fn line(event: OperationsEvent, actor: &str) -> Option<String> {
    Some(match event {
        OperationsEvent::ExceptionAssigned(ExceptionChanged { exception }) => {
            let Exception { r#type, assignee, .. } = exception?;
            format!("{type} assigned to {}", one_line(&assignee))
        }
        OperationsEvent::ExceptionClosed(ExceptionChanged { exception }) => closed("resolved", &exception?, actor),
        OperationsEvent::ExceptionDismissed(ExceptionChanged { exception }) => closed("dismissed", &exception?, actor),
        OperationsEvent::ExceptionRetried(ExceptionChanged { exception }) => {
            format!("{} tried again by {}", exception?.r#type, person(actor))
        }
        OperationsEvent::ExceptionOrderChanged(OrderExceptionsChanged { open_exceptions: 0, .. }) => {
            "no exception of the order is open any more".to_owned()
        }
        OperationsEvent::ExceptionOrderChanged(_) => "the order has an open exception".to_owned(),
        OperationsEvent::ExceptionOpened(payload) => opened(&payload),
        OperationsEvent::ExceptionResolved(payload) => resolved(&payload),
    })
}

pub(super) fn opened(payload: &ExceptionOpened) -> String {
    format!("needs a person, {}{}", payload.r#type, colon(&payload.summary))
}

pub(super) fn resolved(payload: &ExceptionResolved) -> String {
    format!("no longer needs a person, {}{}", payload.r#type, colon(&payload.summary))
}

fn closed(how: &str, exception: &Exception, actor: &str) -> String {
    format!("{} {how} by {}{}", exception.r#type, person(actor), colon(&exception.resolution))
}

/// The actor is named without its kind.
fn person(actor: &str) -> &str {
    actor.split_once(':').map_or(actor, |(_, subject)| subject)
}
