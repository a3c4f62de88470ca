//! Laws of an order that hold after any steps.

mod steps;

use proptest::prelude::*;

use super::*;
use steps::{step, take};

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
