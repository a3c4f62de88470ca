//! Laws of an order that hold after any steps.

mod steps;

use proptest::prelude::*;

use super::{
    laws::{assert_balanced, assert_conserved, assert_services_follow},
    *,
};
use steps::{SERVICE, step, take};

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
        services in prop::option::of(1_i64..=4),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let goods = (1..).zip(&ordered).map(|(number, ordered)| line(number, *ordered, 1_05, 1_500));
        let lines = goods.chain(services.map(|ordered| service(SERVICE, ordered))).collect();
        let mut aggregate = aggregate_of(fill, invoice, lines);
        for step in &steps {
            take(&mut aggregate, step);
            aggregate.lines.iter().for_each(assert_conserved);
            assert_services_follow(&aggregate);
            let totals = UnitTotals::of(&aggregate.lines);
            let leading = UnitTotals::leading(&aggregate.lines);
            prop_assert_eq!(aggregate.order.status, aggregate.order.derive_status(&leading));
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
