//! The facts of a return.

use std::collections::BTreeMap;

use prost::{Message, Name};
use proto::{
    event::v1::ExceptionOpened,
    returns::v1::{DisposedLine, ReturnChanged, ReturnDisposed, ReturnReceived},
    types::v1::LineQuantity,
};
use store::NewEvent;

use crate::{
    rma::{Line, Rma},
    wire,
};

/// The return changed.
pub(crate) fn changed(kind: &'static str, rma: &Rma, lines: &[Line]) -> NewEvent {
    draft(kind, rma, &ReturnChanged { r#return: Some(wire::rma(rma, lines)) })
}

/// Units came back.
pub(crate) fn received(kind: &'static str, rma: &Rma, lines: &[Line], units: Vec<LineQuantity>) -> NewEvent {
    draft(kind, rma, &ReturnReceived { r#return: Some(wire::rma(rma, lines)), lines: units })
}

/// It was decided what units are fit for.
pub(crate) fn disposed(rma: &Rma, lines: &[Line], units: Vec<DisposedLine>) -> NewEvent {
    draft("return.disposed", rma, &ReturnDisposed { r#return: Some(wire::rma(rma, lines)), lines: units })
}

/// More came back than was authorized; a person decides.
pub(crate) fn over_received(rma: &Rma, units: &[LineQuantity]) -> NewEvent {
    let facts: BTreeMap<_, _> =
        units.iter().map(|line| (format!("line_{}", line.line_number), line.quantity.to_string())).collect();
    let total: i64 = units.iter().map(|line| line.quantity).sum();
    let fact = ExceptionOpened {
        r#type: "OVER_RECEIVED".to_owned(),
        subject: rma.return_id.to_string(),
        order_id: rma.order_id.to_string(),
        summary: format!("{total} units came back that were not authorized by {}", rma.return_id),
        facts: facts.into_iter().collect(),
    };
    draft("exception.opened", rma, &fact)
}

fn draft<M: Message + Name>(kind: &'static str, rma: &Rma, fact: &M) -> NewEvent {
    NewEvent::untyped(kind, &rma.return_id, rma.version, rma.version, fact)
        .order(&rma.order_id)
        .account(&rma.account_id)
}
