//! The pending events of a return: collected while it changes, emitted when it is saved.

use proto::{
    event::v1::ExceptionType,
    events::ReturnsEvent,
    returns::v1::{self as contract, DisposedLine, ReturnChanged, ReturnDisposed, ReturnReceived},
    types::v1::LineQuantity,
};
use store::{Context, Exception, NewEvent};
use types::Timestamp;

use crate::rma::Return;

/// An event that waits until its return is saved. It carries the return as saved.
#[derive(Debug)]
pub(crate) enum PendingEvent {
    /// Units may come back.
    Authorized,
    /// Authorized units came back at a time.
    Received(Vec<LineQuantity>, Timestamp),
    /// Units came back at a time that were not authorized; opens an exception.
    OverReceived(Vec<LineQuantity>, Timestamp),
    /// Units did not come back after all.
    ReceiptRetracted(Vec<LineQuantity>),
    /// Units were inspected.
    Inspected,
    /// Inspected units are fit for something.
    Disposed(Vec<DisposedLine>),
    /// A credit is proposed, or a higher one.
    CreditProposed,
    /// Nothing more is expected.
    Closed,
    /// It was cancelled before anything came back.
    Cancelled,
}

impl PendingEvent {
    /// Emits the event of a return that was saved.
    pub(crate) fn emit(self, rma: &Return, saved: &contract::Return, cx: &mut Context<'_>) {
        let r#return = Some(saved.clone());
        let mut occur_time = cx.now();
        let payload = match self {
            Self::Authorized => ReturnsEvent::ReturnAuthorized(ReturnChanged { r#return }),
            Self::Received(lines, time) => {
                occur_time = time;
                ReturnsEvent::ReturnReceived(ReturnReceived { r#return, lines })
            }
            Self::OverReceived(lines, time) => {
                open_over_received(rma, &lines, cx);
                occur_time = time;
                ReturnsEvent::ReturnOverReceived(ReturnReceived { r#return, lines })
            }
            Self::ReceiptRetracted(lines) => ReturnsEvent::ReturnReceiptRetracted(ReturnReceived { r#return, lines }),
            Self::Inspected => ReturnsEvent::ReturnInspected(ReturnChanged { r#return }),
            Self::Disposed(lines) => ReturnsEvent::ReturnDisposed(ReturnDisposed { r#return, lines }),
            Self::CreditProposed => ReturnsEvent::ReturnCreditProposed(ReturnChanged { r#return }),
            Self::Closed => ReturnsEvent::ReturnClosed(ReturnChanged { r#return }),
            Self::Cancelled => ReturnsEvent::ReturnCancelled(ReturnChanged { r#return }),
        };
        let event = NewEvent::new(payload, &rma.return_id, rma.version, rma.version);
        cx.emit(event.order(&rma.order_id).account(&rma.account_id).occurred(occur_time, 0));
    }
}

/// A person decides about units that were not authorized.
fn open_over_received(rma: &Return, lines: &[LineQuantity], cx: &mut Context<'_>) {
    let total: i64 = lines.iter().map(|line| line.quantity).sum();
    let summary = format!("{total} units came back that were not authorized by {}", rma.return_id);
    let facts: Vec<_> =
        lines.iter().map(|line| (format!("line_{}", line.line_number), line.quantity.to_string())).collect();
    Exception::new(ExceptionType::OverReceived, &rma.return_id, rma.version)
        .version(rma.version)
        .order(&rma.order_id)
        .account(&rma.account_id)
        .open(cx, summary, facts.iter().map(|(name, units)| (name.as_str(), units.clone())));
}
