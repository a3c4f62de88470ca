//! Between the wire and the domain.

use mesh::wire::timestamp;
use proto::{
    returns::v1::{
        CreditState as CreditStateWire, Disposition as DispositionWire, DispositionKind, Return, ReturnLine,
        ReturnQuantity, ReturnState,
    },
    types::v1::{LineQuantity, Money},
};

use crate::rma::{CreditState, Disposition, Line, Rma, State};

/// A return.
pub(crate) fn rma(rma: &Rma, lines: &[Line]) -> Return {
    let credit_state = match rma.credit_state {
        CreditState::Pending => CreditStateWire::Pending,
        CreditState::Proposed => CreditStateWire::Proposed,
        CreditState::NotRefundable => CreditStateWire::NotRefundable,
    };
    let credit = lines.iter().map(|line| line.credit_minor).sum();
    Return {
        return_id: rma.return_id.to_string(),
        order_id: rma.order_id.to_string(),
        account_id: rma.account_id.to_string(),
        state: state_number(rma.state).into(),
        lines: lines.iter().map(line).collect(),
        reason: rma.reason.clone(),
        node_id: rma.node_id.to_string(),
        credit_state: credit_state.into(),
        credit: Some(Money { currency: rma.currency.to_string(), minor_units: credit }),
        supported_actions: rma.supported_actions(lines).into_iter().map(str::to_owned).collect(),
        etag: rma.version.to_string(),
        create_time: Some(timestamp(rma.create_time)),
        update_time: Some(timestamp(rma.update_time)),
    }
}

fn line(line: &Line) -> ReturnLine {
    let dispositions = [
        (DispositionKind::Restock, line.restock),
        (DispositionKind::Quarantine, line.quarantine),
        (DispositionKind::Scrap, line.scrap),
        (DispositionKind::ReturnToVendor, line.to_vendor),
        (DispositionKind::ReturnToCustomer, line.to_customer),
    ];
    let some = dispositions.into_iter().filter(|(_, quantity)| *quantity > 0);
    ReturnLine {
        line_number: number(line.line_number),
        sku: line.sku.clone(),
        authorized: line.authorized,
        received: line.received,
        inspected: line.inspected(),
        dispositions: some.map(|(kind, quantity)| DispositionWire { kind: kind.into(), quantity }).collect(),
        credit_minor: line.credit_minor,
    }
}

/// A line number; at most 5,000.
pub(crate) fn number(line_number: i64) -> i32 {
    i32::try_from(line_number).unwrap_or(i32::MAX)
}

/// Units of a line of an item.
pub(crate) fn units(line: &Line, quantity: i64) -> LineQuantity {
    LineQuantity { line_number: number(line.line_number), sku: line.sku.clone(), quantity }
}

/// Units of a line.
pub(crate) fn quantity(line_number: i64, quantity: i64) -> ReturnQuantity {
    ReturnQuantity { line_number: number(line_number), quantity }
}

/// How far a return is; `None` when not said.
pub(crate) fn state(state: ReturnState) -> Option<State> {
    State::ALL.iter().copied().find(|known| state_number(*known) == state)
}

fn state_number(state: State) -> ReturnState {
    match state {
        State::Authorized => ReturnState::Authorized,
        State::PartiallyReceived => ReturnState::PartiallyReceived,
        State::Received => ReturnState::Received,
        State::Inspected => ReturnState::Inspected,
        State::Closed => ReturnState::Closed,
        State::Cancelled => ReturnState::Cancelled,
    }
}

/// What units are fit for; `None` when not said.
pub(crate) fn disposition(kind: DispositionKind) -> Option<Disposition> {
    match kind {
        DispositionKind::Unspecified => None,
        DispositionKind::Restock => Some(Disposition::Restock),
        DispositionKind::Quarantine => Some(Disposition::Quarantine),
        DispositionKind::Scrap => Some(Disposition::Scrap),
        DispositionKind::ReturnToVendor => Some(Disposition::ToVendor),
        DispositionKind::ReturnToCustomer => Some(Disposition::ToCustomer),
    }
}

/// What units are fit for, for the wire.
pub(crate) fn disposition_kind(disposition: Disposition) -> DispositionKind {
    match disposition {
        Disposition::Restock => DispositionKind::Restock,
        Disposition::Quarantine => DispositionKind::Quarantine,
        Disposition::Scrap => DispositionKind::Scrap,
        Disposition::ToVendor => DispositionKind::ReturnToVendor,
        Disposition::ToCustomer => DispositionKind::ReturnToCustomer,
    }
}
