use proptest::prelude::*;

use super::*;

/// Something that happens to an order.
#[derive(Debug, Clone)]
enum Step {
    Fact(Fact),
    Cancel,
    PlaceHold,
    ReleaseHold,
}

fn step() -> impl Strategy<Value = Step> {
    let some = (1_i64..=3, 1_i64..=12).prop_map(|(line_number, quantity)| units(line_number, quantity)).boxed();
    let images = prop::collection::vec((1_i64..=3, 1_i64..=20, 0_i64..=12), 1..4)
        .prop_map(|images| {
            images.into_iter().map(|(line, version, short)| image(line, version, short)).collect::<Vec<_>>()
        })
        .boxed();
    let stop = prop_oneof![3 => Just(Stop::NotAsked), 1 => Just(Stop::Ignored)];
    prop_oneof![
        4 => images.clone().prop_map(|images| Step::Fact(Fact::Reserved(images))),
        1 => Just(Step::Fact(Fact::Refused("too little".to_owned()))),
        2 => some.clone().prop_map(|units| Step::Fact(Fact::Picked(units))),
        1 => some.clone().prop_map(|units| Step::Fact(Fact::Short(units))),
        2 => (some.clone(), images).prop_map(|(units, images)| Step::Fact(Fact::Unfulfillable(units, images))),
        2 => some.clone().prop_map(|units| Step::Fact(Fact::Cancelled(units))),
        4 => (some.clone(), stop).prop_map(|(units, stop)| {
            Step::Fact(Fact::Shipped { shipment_id: shipment(), units, stop })
        }),
        4 => some.prop_map(|units| Step::Fact(Fact::Delivered { shipment_id: shipment(), units })),
        1 => (1_i64..=3, 0_i64..=20, 0_i64..=20).prop_map(|(line_number, authorized, received)| {
            Step::Fact(Fact::Returned(vec![Returned { line_number, authorized, received }]))
        }),
        1 => Just(Step::Cancel),
        1 => Just(Step::PlaceHold),
        1 => Just(Step::ReleaseHold),
    ]
}

fn take(progress: &mut Progress, step: &Step) {
    match step {
        Step::Fact(fact) => progress.apply(fact, NOW),
        Step::Cancel if progress.order.supported_actions(&progress.lines).contains(&"CancelOrder") => {
            progress.cancel("changed their mind", NOW);
        }
        Step::PlaceHold if progress.order.state.is_open() => {
            progress.order.open_holds += 1;
            progress.holds_changed(NOW);
        }
        Step::ReleaseHold if progress.order.open_holds > 0 => {
            progress.order.open_holds -= 1;
            progress.holds_changed(NOW);
        }
        Step::Cancel | Step::PlaceHold | Step::ReleaseHold => {}
    }
}

fn assert_conserved(line: &Line) {
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
        line.short,
        line.over_shipped,
        line.invoice_ready,
        line.invoice_ready_minor,
        line.return_authorized,
        line.return_received,
    ];
    assert!(counters.iter().all(|counter| *counter >= 0), "{line:?}");
    assert!(line.delivered <= line.shipped && line.return_received <= line.shipped, "{line:?}");
    assert!(line.invoice_ready <= line.shipped && line.cancelled <= line.ordered, "{line:?}");
    assert!(line.invoice_ready_minor <= line.amount_minor, "{line:?}");
    assert_eq!(line.invoice_ready_minor, line.amount_of(line.invoice_ready), "{line:?}");
}

fn fill_policy() -> impl Strategy<Value = FillPolicy> {
    prop_oneof![Just(FillPolicy::FillOrKill), Just(FillPolicy::FillAll), Just(FillPolicy::FillAllAvailable)]
}

fn invoice_policy() -> impl Strategy<Value = InvoicePolicy> {
    prop_oneof![Just(InvoicePolicy::OnShipment), Just(InvoicePolicy::OnDelivery)]
}

proptest! {
    #[test]
    fn units_add_up_whatever_happens_in_whatever_order(
        fill in fill_policy(),
        invoice in invoice_policy(),
        ordered in prop::collection::vec(1_i64..=10, 3),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut progress = progress(fill, invoice, &ordered);
        for step in &steps {
            take(&mut progress, step);
            progress.lines.iter().for_each(assert_conserved);
            let totals = Totals::of(&progress.lines);
            prop_assert_eq!(progress.order.status, progress.order.derive_status(&totals));
            let ready: i64 = progress.lines.iter().map(|line| line.invoice_ready_minor).sum();
            prop_assert_eq!(progress.order.invoice_ready_minor, ready);
            prop_assert_eq!(progress.order.state == State::Cancelled, totals.all_cancelled()
                && progress.order.state != State::Rejected);
            prop_assert_eq!(progress.order.close_time.is_none(), progress.order.state.is_open());
        }
    }

    #[test]
    fn nothing_is_released_while_a_hold_stands(steps in prop::collection::vec(step(), 0..40)) {
        let mut progress = usual(&[4, 5, 6]);
        for step in &steps {
            let before = (progress.order.open_holds, progress.order.release_number);
            take(&mut progress, step);
            if before.0 > 0 && progress.order.open_holds > 0 {
                prop_assert_eq!(progress.order.release_number, before.1);
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
        let facts = |line_number, [waiting, left, arrived]: [i64; 3]| {
            [
                Fact::Reserved(vec![image(line_number, 1, waiting)]),
                shipped(line_number, left),
                delivered(line_number, arrived),
            ]
        };
        let mut one = usual(&[ordered]);
        for fact in facts(1, [waiting, left, arrived]) {
            one.apply(&fact, NOW);
        }
        let apart: Vec<i64> = [ordered - waiting, waiting].into_iter().filter(|units| *units > 0).collect();
        let mut two = usual(&apart);
        for fact in [facts(1, [0, left, arrived]), facts(2, [waiting, 0, 0])].iter().flatten() {
            two.apply(fact, NOW);
        }
        prop_assert_eq!(one.order.status, two.order.status);
    }

    #[test]
    fn arrival_told_before_departure_comes_to_the_same(parts in prop::collection::vec(1_i64..=4, 1..5)) {
        let ordered = parts.iter().sum();
        let (mut in_order, mut reversed) = (usual(&[ordered]), usual(&[ordered]));
        let reserved = in_stock(&in_order);
        in_order.apply(&reserved, NOW);
        reversed.apply(&reserved, NOW);
        for part in &parts {
            in_order.apply(&shipped(1, *part), NOW);
            in_order.apply(&delivered(1, *part), NOW);
            reversed.apply(&delivered(1, *part), NOW);
        }
        for part in &parts {
            reversed.apply(&shipped(1, *part), NOW);
        }
        prop_assert_eq!(&in_order.lines, &reversed.lines);
        prop_assert_eq!(in_order.order.state, State::Closed);
        prop_assert_eq!(in_order.order.status, reversed.order.status);
    }

    #[test]
    fn the_amounts_of_any_parts_sum_to_the_line(
        parts in prop::collection::vec(1_i64..=1_000, 1..8),
        unit_price_minor in 0_i64..=1_000_000,
        discount in 0_i64..=10_000,
    ) {
        let mut line = line(1, parts.iter().sum(), unit_price_minor, discount);
        line.apply_reservation(1, 0);
        line.release();
        let mut amount = 0;
        for part in parts {
            line.ship(part);
            amount += line.make_ready(InvoicePolicy::OnShipment).unwrap().amount_minor;
        }
        prop_assert_eq!(amount, line.amount_minor);
    }
}
