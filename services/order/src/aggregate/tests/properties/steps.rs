//! What may happen to an order, in any order.

use proptest::prelude::*;
use proto::order::v1::OrderChangeState;

use super::super::{
    invoicing::{invoice, prove},
    *,
};
use crate::{
    change::OpenChange,
    hold::{HoldReason, LineNumbers},
    invoice::InvoiceKind,
    process::{returned_units::ReturnedUnits, settlement::Cause},
};

/// Something that happens to an order.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Report(OrderReport),
    Returned(ReturnedUnits),
    /// So many units of a line are in packages with a proof of delivery.
    Proven(i64, i64),
    /// The ERP invoices or credits units and an amount of a line.
    Invoiced(InvoiceKind, i64, i64, i64),
    Cancel,
    CancelUnits(Vec<LineUnits>),
    ProposeChange(Vec<Edit>),
    ConfirmChange,
    WithdrawChange,
    PlaceHold,
    ReleaseHold,
}

/// A part of a change: a line gets so many wanted units, or a price, or there is a new line.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Quantity(i64, i64),
    Price(i64, i64),
    Add(i64, i64),
}

/// The first of the lines that are services.
pub(super) const SERVICE: i64 = 7;

/// A line that an order begins with.
fn any_line() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![1, 2, 3, SERVICE])
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any_line(), 0_i64..=15).prop_map(|(line, units)| Edit::Quantity(line, units)),
        (any_line(), 0_i64..=5_00).prop_map(|(line, price)| Edit::Price(line, price)),
        (4_i64..=6, 1_i64..=9).prop_map(|(line, units)| Edit::Add(line, units)),
        (8_i64..=9, 1_i64..=9).prop_map(|(line, units)| Edit::Add(line, units)),
    ];
    prop::collection::vec(edit, 1..3)
}

/// A change as it is proposed; `None` when it names a line twice, or one that there is not.
fn change_of(aggregate: &OrderAggregate, edits: &[Edit]) -> Option<contract::OrderChange> {
    let (Edit::Quantity(first, _) | Edit::Price(first, _) | Edit::Add(first, _)) = edits.first()?;
    let is_first = |edit: &Edit| matches!(edit, Edit::Quantity(line, _) | Edit::Price(line, _) | Edit::Add(line, _) if line == first);
    if edits.iter().filter(|edit| is_first(edit)).count() > 1 {
        return None;
    }
    let mut change = contract::OrderChange { change_number: 1, ..Default::default() };
    for edit in edits {
        match *edit {
            Edit::Quantity(number, quantity_after) => {
                let before = crate::change::apply::before(aggregate.line(number)?);
                change.lines.push(contract::LineChange { quantity_after, ..before });
            }
            Edit::Price(number, unit_price_minor_after) => {
                let before = crate::change::apply::before(aggregate.line(number)?);
                change.lines.push(contract::LineChange { unit_price_minor_after, ..before });
            }
            Edit::Add(number, units) => {
                let added = if number < SERVICE { line(number, units, 77, 250) } else { service(number, units) };
                change.added_lines.push(crate::wire::line(&added));
            }
        }
    }
    Some(change)
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let some = (1_i64..=3, 1_i64..=12).prop_map(|(line_number, quantity)| units(line_number, quantity)).boxed();
    let snapshots = prop::collection::vec((1_i64..=3, 1_i64..=20, 0_i64..=12), 1..4)
        .prop_map(|snapshots| {
            snapshots.into_iter().map(|(line, version, short)| snapshot(line, version, short)).collect::<Vec<_>>()
        })
        .boxed();
    let lost = prop_oneof![3 => Just(false), 1 => Just(true)];
    prop_oneof![
        4 => snapshots.clone().prop_map(|snapshots| Step::Report(OrderReport::Reserved(snapshots))),
        1 => Just(Step::Report(OrderReport::ReservationRefused("too little".to_owned()))),
        2 => some.clone().prop_map(|units| Step::Report(OrderReport::Picked(units))),
        1 => some.clone().prop_map(|units| Step::Report(OrderReport::Short(units))),
        2 => (some.clone(), snapshots).prop_map(|(units, snapshots)| Step::Report(OrderReport::Unfulfillable(units, snapshots))),
        2 => some.clone().prop_map(|units| Step::Report(OrderReport::Cancelled(units))),
        4 => (some.clone(), lost, any::<bool>()).prop_map(|(units, cancellation_lost, unexpected)| {
            let beyond = if unexpected { units.clone() } else { Vec::new() };
            Step::Report(OrderReport::Shipped { shipment_id: shipment(), units, beyond, cancellation_lost })
        }),
        4 => some.prop_map(|units| Step::Report(OrderReport::Delivered { shipment_id: shipment(), units })),
        2 => (any_line(), 0_i64..=20, 0_i64..=20, 0_i64..=20).prop_map(|(line_number, authorized, received, fit)| {
            Step::Returned(ReturnedUnits { line_number, authorized, received, creditable: fit.min(received) })
        }),
        2 => (1_i64..=3, 0_i64..=12).prop_map(|(line, units)| Step::Proven(line, units)),
        2 => (any_line(), 0_i64..=8, 0_i64..=9_00).prop_map(|(line, units, minor)| Step::Invoiced(InvoiceKind::Invoice, line, units, minor)),
        1 => (1_i64..=3, 0_i64..=8, 0_i64..=9_00).prop_map(|(line, units, minor)| Step::Invoiced(InvoiceKind::CreditMemo, line, units, minor)),
        1 => Just(Step::Cancel),
        3 => (any_line(), 1_i64..=6).prop_map(|(line, quantity)| Step::CancelUnits(units(line, quantity))),
        2 => (1_i64..=3, 1_i64..=6).prop_map(|(line, quantity)| Step::Report(OrderReport::CancellationDeclined(units(line, quantity)))),
        3 => edits().prop_map(Step::ProposeChange),
        3 => Just(Step::ConfirmChange),
        1 => Just(Step::WithdrawChange),
        1 => Just(Step::PlaceHold),
        1 => Just(Step::ReleaseHold),
    ]
}

/// A hold of the whole order.
fn hold() -> Hold {
    Hold {
        order_id: "ord_1".parse().unwrap(),
        hold_number: 1,
        reason: HoldReason::Operator,
        line_numbers: LineNumbers::default(),
        fulfillment_order_id: None,
        note: String::new(),
        placed_by: String::new(),
        place_time: NOW,
        expire_time: None,
        released_by: None,
        release_time: None,
        credit_account_id: None,
        version: 0,
    }
}

fn propose(aggregate: &mut OrderAggregate, edits: &[Edit]) {
    let supported = aggregate.order.supported_actions().contains(&Action::ProposeChange);
    let Some(change) = change_of(aggregate, edits).filter(|_| supported) else { return };
    let Ok(mut change) = aggregate.preview(&change, NOW) else { return };
    change.set_state(OrderChangeState::Proposed);
    let hold = Hold { hold_number: aggregate.order.hold_count + 1, ..hold() };
    aggregate.change(NOW, |aggregate| aggregate.propose_change(change, hold));
    settle_stored(aggregate);
}

/// Confirms the proposed change, which does exactly what it is shown to do.
fn confirm(aggregate: &mut OrderAggregate) {
    let Some(open) = aggregate.change.clone().filter(|_| aggregate.order.proposed_change.is_some()) else { return };
    let shown = aggregate.preview(&open.change.change.0, NOW).unwrap();
    let mut outcome = Ok(());
    let stored = aggregate.clone();
    aggregate.change(NOW, |aggregate| outcome = aggregate.confirm_change("", NOW));
    assert_eq!(outcome, Ok(()), "{stored:?}");
    let done = &aggregate.change.as_ref().unwrap().change.change.0;
    assert_eq!((&done.lines, done.total_before.as_ref()), (&shown.lines, shown.total_before.as_ref()));
    assert_eq!(done.total_after, shown.total_after);
    for line in &shown.lines {
        let after = aggregate.line(line.line_number.into()).unwrap();
        let shown = (line.quantity_after, line.unit_price_minor_after, line.amount_minor_after);
        // What does not wait for stock is cancelled by the fill policy only.
        if aggregate.order.fill_policy == FillPolicy::FillAvailableBackorder {
            assert_eq!((after.wanted(), after.unit_price_minor, after.wanted_minor()), shown);
        }
    }
    settle_stored(aggregate);
}

/// What saving and loading an order does to its open change.
fn settle_stored(aggregate: &mut OrderAggregate) {
    let is_open = aggregate.order.open_change().is_some();
    aggregate.0.change = aggregate.0.change.take().filter(|_| is_open).map(|open| OpenChange { is_new: false, ..open });
}

pub(super) fn take(aggregate: &mut OrderAggregate, step: &Step) {
    take_step(aggregate, step);
    settle_stored(aggregate);
}

fn take_step(aggregate: &mut OrderAggregate, step: &Step) {
    match step {
        Step::Report(report) => apply(aggregate, report),
        Step::Returned(units) => aggregate.change(NOW, |aggregate| {
            aggregate.count_returns(&[*units]);
            aggregate.settle(Cause::Return(&"rma_1".parse().unwrap()), NOW);
        }),
        Step::Proven(line_number, units) => prove(aggregate, *line_number, *units),
        Step::Invoiced(kind, line_number, quantity, amount_minor) => {
            let invoice = invoice(*kind, &[(*line_number, *quantity, *amount_minor)]);
            aggregate.change(NOW, |aggregate| aggregate.record_invoice(invoice));
        }
        Step::Cancel if aggregate.order.supported_actions().contains(&Action::Cancel) => {
            aggregate.change(NOW, |aggregate| aggregate.cancel("changed their mind", NOW));
        }
        Step::CancelUnits(units) => {
            let supported = aggregate.order.supported_actions().contains(&Action::Cancel);
            if supported {
                aggregate.change(NOW, |aggregate| aggregate.cancel_lines(units, "too many"));
            }
        }
        Step::ProposeChange(edits) => propose(aggregate, edits),
        Step::ConfirmChange => confirm(aggregate),
        Step::WithdrawChange if aggregate.order.proposed_change.is_some() => {
            aggregate.change(NOW, |aggregate| aggregate.drop_change(OrderChangeState::Withdrawn, "", NOW));
            settle_stored(aggregate);
        }
        Step::WithdrawChange => {}
        Step::PlaceHold if aggregate.order.state.is_open() => {
            aggregate.change(NOW, |aggregate| aggregate.place_hold(hold()));
        }
        Step::ReleaseHold if aggregate.order.open_holds > 0 => {
            aggregate.change(NOW, |aggregate| aggregate.release_hold(hold(), None, NOW));
        }
        Step::Cancel | Step::PlaceHold | Step::ReleaseHold => {}
    }
}
