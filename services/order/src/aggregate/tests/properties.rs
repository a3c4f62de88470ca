use proptest::prelude::*;
use proto::order::v1::OrderChangeState;

use super::{
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
enum Step {
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
enum Edit {
    Quantity(i64, i64),
    Price(i64, i64),
    Add(i64, i64),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (1_i64..=3, 0_i64..=15).prop_map(|(line, units)| Edit::Quantity(line, units)),
        (1_i64..=3, 0_i64..=5_00).prop_map(|(line, price)| Edit::Price(line, price)),
        (4_i64..=6, 1_i64..=9).prop_map(|(line, units)| Edit::Add(line, units)),
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
            Edit::Add(number, units) => change.added_lines.push(crate::wire::line(&line(number, units, 77, 250))),
        }
    }
    Some(change)
}

fn step() -> impl Strategy<Value = Step> {
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
        2 => (1_i64..=3, 0_i64..=20, 0_i64..=20, 0_i64..=20).prop_map(|(line_number, authorized, received, fit)| {
            Step::Returned(ReturnedUnits { line_number, authorized, received, creditable: fit.min(received) })
        }),
        2 => (1_i64..=3, 0_i64..=12).prop_map(|(line, units)| Step::Proven(line, units)),
        2 => (1_i64..=3, 0_i64..=8, 0_i64..=9_00).prop_map(|(line, units, minor)| Step::Invoiced(InvoiceKind::Invoice, line, units, minor)),
        1 => (1_i64..=3, 0_i64..=8, 0_i64..=9_00).prop_map(|(line, units, minor)| Step::Invoiced(InvoiceKind::CreditMemo, line, units, minor)),
        1 => Just(Step::Cancel),
        3 => (1_i64..=3, 1_i64..=6).prop_map(|(line, quantity)| Step::CancelUnits(units(line, quantity))),
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

fn take(aggregate: &mut OrderAggregate, step: &Step) {
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

fn assert_conserved(line: &OrderLine) {
    let buckets = line.cancelled + line.unallocated + line.backordered + line.reserved + line.released + line.shipped;
    assert_eq!(line.ordered + line.over_shipped, buckets, "{line:?}");
    let counters = [
        line.cancelled,
        line.unallocated,
        line.backordered,
        line.reserved,
        line.released,
        line.picked,
        line.shipped,
        line.delivered,
        line.delivered_early,
        line.replaced_early,
        line.short,
        line.over_shipped,
        line.invoice_ready,
        line.invoice_ready_minor,
        line.creditable,
        line.credited,
        line.credited_minor,
        line.return_authorized,
        line.return_received,
    ];
    assert!(counters.iter().all(|counter| *counter >= 0), "{line:?}");
    assert!(line.delivered <= line.shipped && line.return_received <= line.shipped, "{line:?}");
    assert!(line.cancelled <= line.ordered, "{line:?}");
    assert!((0..=line.released).contains(&line.cancel_requested), "{line:?}");
    let owed = line.invoice_ready - line.credited;
    assert!((0..=line.shipped - line.over_shipped).contains(&owed), "{line:?}");
    assert!(line.credited_minor <= line.invoice_ready_minor, "{line:?}");
    assert_eq!(
        line.invoice_ready_minor - line.credited_minor,
        share_of_line(line.amount_minor, line.ordered, owed),
        "{line:?}"
    );
    let settled_minor = line.invoice_ready_minor - line.credited_minor;
    assert!((0..=line.amount_minor).contains(&(line.open_minor() + settled_minor)), "{line:?}");
    assert!((0..=line.open_minor()).contains(&line.unreleased_minor()), "{line:?}");
}

/// What is left to invoice and to credit follows from what is owed and invoiced, whatever came first.
fn assert_balanced(aggregate: &OrderAggregate) {
    for line in &aggregate.lines {
        let balance = line.balance();
        let demanded = (line.invoiced - line.credit_posted).max(0);
        assert_eq!(line.owed_now().0, demanded + balance.to_invoice - balance.to_credit, "{line:?}");
        assert!(balance.to_invoice == 0 || balance.to_credit == 0, "{line:?}");
        let demanded = (line.invoiced_minor - line.credit_posted_minor).max(0);
        let apart = line.owed_now().1 - (demanded + balance.to_invoice_minor - balance.to_credit_minor);
        assert!(apart.abs() <= line.invoice_lines, "{line:?}");
        assert!(line.balance().to_invoice_minor <= line.owed_now().1, "{line:?}");
    }
    let open = aggregate.lines.iter().filter(|line| line.balance().is_to_invoice()).count();
    assert_eq!(usize::try_from(aggregate.order.to_invoice_lines), Ok(open));
    if aggregate.order.mismatched_invoice.is_some() {
        let fits = |line: &OrderLine| !line.balance().is_to_credit() && !line.is_over_credited();
        assert!(!aggregate.lines.iter().all(fits), "an exception is open for nothing");
    }
}

fn fill_policy() -> impl Strategy<Value = FillPolicy> {
    prop_oneof![
        Just(FillPolicy::FillOrKill),
        Just(FillPolicy::FillAll),
        Just(FillPolicy::FillAllAvailable),
        Just(FillPolicy::FillAvailableBackorder),
    ]
}

fn invoice_policy() -> impl Strategy<Value = InvoicePolicy> {
    prop::sample::select(InvoicePolicy::ALL)
}

/// Units of a line that is invoiced on shipment, of which none is too many.
fn units_owed(line: &OrderLine) -> i64 {
    line.shipped - line.creditable
}

proptest! {
    #[test]
    fn units_add_up_whatever_happens_in_whatever_order(
        fill in fill_policy(),
        invoice in invoice_policy(),
        ordered in prop::collection::vec(1_i64..=10, 3),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut aggregate = aggregate(fill, invoice, &ordered);
        for step in &steps {
            take(&mut aggregate, step);
            aggregate.lines.iter().for_each(assert_conserved);
            let totals = UnitTotals::of(&aggregate.lines);
            prop_assert_eq!(aggregate.order.status, aggregate.order.derive_status(&totals));
            assert_balanced(&aggregate);
            let ready: i64 = aggregate.lines.iter().map(|line| line.invoice_ready_minor).sum();
            prop_assert_eq!(aggregate.order.invoice_ready_minor, ready);
            prop_assert_eq!(aggregate.order.state == OrderState::Cancelled, totals.all_cancelled()
                && aggregate.order.state != OrderState::Rejected);
            prop_assert_eq!(aggregate.order.close_time.is_none(), aggregate.order.state.is_open());
        }
    }

    #[test]
    fn nothing_is_released_while_there_is_an_open_hold(steps in prop::collection::vec(step(), 0..40)) {
        let mut aggregate = usual(&[4, 5, 6]);
        for step in &steps {
            let before = (aggregate.order.open_holds, aggregate.order.release_number);
            take(&mut aggregate, step);
            if before.0 > 0 && aggregate.order.open_holds > 0 {
                prop_assert_eq!(aggregate.order.release_number, before.1);
            }
        }
    }

    #[test]
    fn a_line_split_in_two_does_not_change_the_status(
        ordered in 2_i64..=10,
        waiting in 0_i64..=10,
        left in 0_i64..=10,
        arrived in 0_i64..=10,
    ) {
        let waiting = waiting.min(ordered - 1);
        let left = left.min(ordered - waiting);
        let arrived = arrived.min(left);
        let reports = |line_number, [waiting, left, arrived]: [i64; 3]| {
            [
                OrderReport::Reserved(vec![snapshot(line_number, 1, waiting)]),
                shipped(line_number, left),
                delivered(line_number, arrived),
            ]
        };
        let mut one = usual(&[ordered]);
        for report in reports(1, [waiting, left, arrived]) {
            apply(&mut one, &report);
        }
        let apart: Vec<i64> = [ordered - waiting, waiting].into_iter().filter(|units| *units > 0).collect();
        let mut two = usual(&apart);
        for report in [reports(1, [0, left, arrived]), reports(2, [waiting, 0, 0])].iter().flatten() {
            apply(&mut two, report);
        }
        prop_assert_eq!(one.order.status, two.order.status);
    }

    #[test]
    fn a_delivery_reported_before_its_shipment_comes_to_the_same(parts in prop::collection::vec(1_i64..=4, 1..5)) {
        let ordered = parts.iter().sum();
        let (mut in_order, mut reversed) = (usual(&[ordered]), usual(&[ordered]));
        let reserved = in_stock(&in_order);
        apply(&mut in_order, &reserved);
        apply(&mut reversed, &reserved);
        for part in &parts {
            apply(&mut in_order, &shipped(1, *part));
            apply(&mut in_order, &delivered(1, *part));
            apply(&mut reversed, &delivered(1, *part));
        }
        for part in &parts {
            apply(&mut reversed, &shipped(1, *part));
        }
        prop_assert_eq!(&in_order.lines, &reversed.lines);
        prop_assert_eq!(in_order.order.state, OrderState::Closed);
        prop_assert_eq!(in_order.order.status, reversed.order.status);
    }

    #[test]
    fn the_amounts_of_any_parts_sum_to_the_line(
        parts in prop::collection::vec(1_i64..=1_000, 1..8),
        unit_price_minor in 0_i64..=1_000_000,
        discount in 0_i64..=10_000,
    ) {
        let mut line = line(1, parts.iter().sum(), unit_price_minor, discount);
        line.apply_reservation(&snapshot(1, 1, 0));
        line.release();
        let mut amount = 0;
        for part in parts {
            line.ship(part, 0);
            amount += line.settle(units_owed(&line), false).unwrap().amount_minor;
        }
        prop_assert_eq!(amount, line.amount_minor);
    }

    #[test]
    fn what_is_credited_unit_by_unit_sums_to_the_line(ordered in 1_i64..=60, unit_price_minor in 0_i64..=1_000_000) {
        let mut line = line(1, ordered, unit_price_minor, 333);
        line.apply_reservation(&snapshot(1, 1, 0));
        line.release();
        line.ship(ordered, 0);
        let mut amount = line.settle(units_owed(&line), false).unwrap().amount_minor;
        for returned in 1..=ordered {
            line.set_returned(returned, returned, returned);
            let credited = line.settle(units_owed(&line), false).unwrap().amount_minor;
            prop_assert!(credited <= 0);
            amount += credited;
        }
        prop_assert_eq!((amount, line.credited_minor, line.invoice_ready), (0, line.amount_minor, ordered));
    }
}
