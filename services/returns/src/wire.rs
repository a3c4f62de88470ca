//! Converts contract types to domain types and back.

use std::collections::BTreeSet;

use mesh::wire::{Checks, timestamp};
use proto::{
    returns::v1::{self as contract, DispositionKind, ReturnQuantity},
    types::v1::{LineQuantity, Money},
};
use types::{Fault, limits::MAX_LINES};

use crate::{
    return_line::ReturnLine,
    rma::{Action, Return},
};

/// Base units of a line: its number and how many.
pub(crate) type LineUnits = (i64, i64);

/// Reads the lines of a request, each line once.
pub(crate) fn read_lines(lines: &[ReturnQuantity], checks: &mut Checks) -> Vec<LineUnits> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        checks.wrong("lines", "must be 1 to 5,000 lines");
        return Vec::new();
    }
    let (mut read, mut seen) = (Vec::with_capacity(lines.len()), BTreeSet::new());
    for (index, line) in lines.iter().enumerate() {
        let number = read_line_number(index, line.line_number, &mut seen, checks);
        let quantity = checks.quantity(format!("lines[{index}].quantity"), line.quantity, 1);
        read.extend(number.zip(quantity));
    }
    read
}

/// Reads the number of the line at an index of a request; wrong when an earlier line has it.
pub(crate) fn read_line_number(
    index: usize,
    line_number: i32,
    seen: &mut BTreeSet<i32>,
    checks: &mut Checks,
) -> Option<i64> {
    let field = format!("lines[{index}].line_number");
    let number = checks.line_number(&field, line_number)?;
    if !seen.insert(number) {
        checks.wrong(field, "is the number of another line");
    }
    Some(number.into())
}

/// The refusal of the line at an index of a request, which the order or the return does not have.
pub(crate) fn unknown_line(index: usize, owner: &str) -> Fault {
    Fault::invalid(format!("lines[{index}].line_number"), format!("is not a line of the {owner}"))
}

/// A return with its lines.
pub(crate) fn rma<'a>(
    rma: &Return,
    lines: impl IntoIterator<Item = &'a ReturnLine, IntoIter: Clone>,
) -> contract::Return {
    let lines = lines.into_iter();
    let credit = lines.clone().map(|line| line.credit_minor).sum();
    let actions = rma.supported_actions(lines.clone()).into_iter().map(Action::name);
    contract::Return {
        return_id: rma.return_id.to_string(),
        order_id: rma.order_id.to_string(),
        account_id: rma.account_id.to_string(),
        state: contract::ReturnState::from(rma.state).into(),
        lines: lines.map(line).collect(),
        reason: rma.reason.clone(),
        node_id: rma.node_id.to_string(),
        credit_state: contract::CreditState::from(rma.credit_state).into(),
        credit: Some(Money { currency: rma.currency.to_string(), minor_units: credit }),
        supported_actions: actions.map(str::to_owned).collect(),
        etag: rma.version.to_string(),
        create_time: Some(timestamp(rma.create_time)),
        update_time: Some(timestamp(rma.update_time)),
        package_id: rma.package_id.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn line(line: &ReturnLine) -> contract::ReturnLine {
    let dispositions = line.dispositions().into_iter().filter(|(_, quantity)| *quantity > 0);
    let disposition = |(kind, quantity)| contract::Disposition { kind: DispositionKind::from(kind).into(), quantity };
    contract::ReturnLine {
        line_number: number(line.line_number),
        sku: line.sku.clone(),
        authorized: line.authorized,
        received: line.received,
        inspected: line.inspected(),
        dispositions: dispositions.map(disposition).collect(),
        credit_minor: line.credit_minor,
    }
}

/// A line number; at most 5,000.
pub(crate) fn number(line_number: i64) -> i32 {
    i32::try_from(line_number).unwrap_or(i32::MAX)
}

/// Units of a line; `None` when there are none.
pub(crate) fn some_units(line: &ReturnLine, quantity: i64) -> Option<LineQuantity> {
    let units = LineQuantity { line_number: number(line.line_number), sku: line.sku.clone(), quantity };
    (quantity > 0).then_some(units)
}
