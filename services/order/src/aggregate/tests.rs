mod invoicing;
mod laws;
mod properties;

use store::Proto;
use types::{BasisPoints, ShipmentId, line_amount, share_of_line};

use super::*;
use crate::{
    account::InvoicePolicy,
    item::{HandlingClass, ItemKind},
    node::DEFAULT_HANDLING,
    order::{FillPolicy, OrderState, OrderStatus},
    order_line::PricedLine,
    report::ReservationSnapshot,
};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

fn order(fill_policy: FillPolicy, invoice_policy: InvoicePolicy) -> Order {
    Order {
        order_id: "ord_1".parse().unwrap(),
        account_id: "acc_1".parse().unwrap(),
        customer_po: "PO-1".to_owned(),
        po_search_key: Vec::new(),
        unique_po: None,
        ship_to: Proto::default(),
        currency: "USD".parse().unwrap(),
        fill_policy,
        invoice_policy,
        requested_ship_time: None,
        ship_not_before: None,
        cancel_after: None,
        release_time: None,
        handling_micros: i64::try_from(DEFAULT_HANDLING.as_micros()).unwrap(),
        state: OrderState::Submitted,
        status: OrderStatus::Submitted,
        reason: String::new(),
        total_minor: 0,
        invoice_ready_minor: 0,
        credited_minor: 0,
        priority: None,
        group_count: 0,
        change_count: 0,
        proposed_change: None,
        requested_change: None,
        invoice_count: 0,
        credit_count: 0,
        to_invoice_lines: 0,
        mismatched_invoice: None,
        release_number: 0,
        hold_count: 0,
        open_holds: 0,
        order_holds: 0,
        payment_terms: None,
        counted_minor: None,
        credit_hold_number: None,
        credit_held_minor: None,
        credit_approved_minor: None,
        open_exceptions: 0,
        cancel_time: None,
        own_fields: None,
        line_count: 0,
        sums: Proto::default(),
        returnable: 0,
        size_bytes: 0,
        create_time: NOW,
        update_time: NOW,
        close_time: None,
        version: 1,
    }
}

fn line(line_number: i64, ordered: i64, unit_price_minor: i64, discount: i64) -> OrderLine {
    let discount = BasisPoints::new(discount).unwrap();
    let priced = PricedLine {
        line_number,
        sku: format!("SKU-{line_number}"),
        name: String::new(),
        uom: "EA".to_owned(),
        uom_quantity: ordered,
        decimal_quantity: None,
        ordered,
        unit_price_minor,
        expected_unit_price_minor: None,
        discount,
        amount_minor: line_amount(ordered, unit_price_minor, discount).unwrap(),
        item_kind: ItemKind::Goods,
        handling_class: HandlingClass::Ambient,
        ship_to_group: None,
        split_of: None,
        own_fields: None,
    };
    OrderLine::new(&order(FillPolicy::FillAll, InvoicePolicy::OnDelivery), priced)
}

fn service(line_number: i64, ordered: i64) -> OrderLine {
    OrderLine { item_kind: ItemKind::Service, ..line(line_number, ordered, 3_33, 250) }
}

fn aggregate(fill_policy: FillPolicy, invoice_policy: InvoicePolicy, ordered: &[i64]) -> OrderAggregate {
    let lines = (1..).zip(ordered).map(|(number, ordered)| line(number, *ordered, 1_05, 1_500)).collect();
    aggregate_of(fill_policy, invoice_policy, lines)
}

fn aggregate_of(fill_policy: FillPolicy, invoice_policy: InvoicePolicy, lines: Vec<OrderLine>) -> OrderAggregate {
    let mut order = order(fill_policy, invoice_policy);
    order.total_minor = lines.iter().map(|line| line.amount_minor).sum();
    order.sum_up(&lines);
    let (groups, shipments, pending) = (Vec::new(), Vec::new(), Vec::new());
    OrderAggregate(ChangingOrder {
        order,
        lines,
        groups,
        change: None,
        settled_change: None,
        shipments,
        standing: None,
        pending,
    })
}

fn usual(ordered: &[i64]) -> OrderAggregate {
    aggregate(FillPolicy::FillAvailableBackorder, InvoicePolicy::OnDelivery, ordered)
}

fn shipment() -> ShipmentId {
    "shm_1".parse().unwrap()
}

fn units(line_number: i64, quantity: i64) -> Vec<LineUnits> {
    vec![LineUnits { line_number, quantity }]
}

fn snapshot(line_number: i64, version: i64, backordered: i64) -> ReservationSnapshot {
    ReservationSnapshot {
        line_number,
        version,
        requested: 1_000,
        backordered,
        released: 0,
        backorder_expect_time: None,
    }
}

fn apply(aggregate: &mut OrderAggregate, report: &OrderReport) {
    aggregate.change(NOW, |aggregate| aggregate.record(report, NOW));
    aggregate.0.renew_promises(Some(&[]), NOW);
}

fn in_stock(aggregate: &OrderAggregate) -> OrderReport {
    OrderReport::Reserved(aggregate.lines.iter().map(|line| snapshot(line.line_number, 1, 0)).collect())
}

fn shipped(line_number: i64, quantity: i64) -> OrderReport {
    shipped_beyond(line_number, quantity, 0)
}

/// Units left, some of which their node was no longer to ship.
fn shipped_beyond(line_number: i64, quantity: i64, beyond: i64) -> OrderReport {
    OrderReport::Shipped {
        shipment_id: shipment(),
        units: units(line_number, quantity),
        beyond: if beyond > 0 { units(line_number, beyond) } else { Vec::new() },
        cancellation_lost: false,
    }
}

fn delivered(line_number: i64, quantity: i64) -> OrderReport {
    OrderReport::Delivered { shipment_id: shipment(), units: units(line_number, quantity) }
}

#[test]
fn an_older_version_of_a_reservation_changes_nothing() {
    let mut aggregate = usual(&[10]);
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 5, 4)]));
    let known = aggregate.clone();
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 4, 10)]));
    assert_eq!(aggregate, known);
}

#[test]
fn stock_that_comes_is_released_with_the_next_number() {
    let mut aggregate = usual(&[10]);
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 1, 4)]));
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 2, 0)]));
    assert_eq!(
        aggregate.pending,
        [
            PendingEvent::Confirmed,
            PendingEvent::Backordered(units(1, 4)),
            PendingEvent::Released(None, 1, units(1, 6)),
            PendingEvent::Released(None, 2, units(1, 4)),
        ]
    );
    assert_eq!(aggregate.order.release_number, 2);
}

#[test]
fn fill_all_is_released_together() {
    let mut aggregate = aggregate(FillPolicy::FillAll, InvoicePolicy::OnDelivery, &[5, 5]);
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 1, 0), snapshot(2, 1, 1)]));
    assert_eq!(aggregate.order.release_number, 0);
    assert_eq!(aggregate.order.status, OrderStatus::PartiallyBackordered);
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(2, 2, 0)]));
    assert_eq!(aggregate.order.release_number, 1);
    assert_eq!(aggregate.lines.iter().map(|line| line.released).sum::<i64>(), 10);
}

#[test]
fn unfulfillable_units_wait_or_are_released_again_in_any_order_of_reports() {
    let mut aggregate = usual(&[10]);
    apply(&mut aggregate, &in_stock(&usual(&[10])));
    // Stock came for the units before the order heard that no node had them.
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 3, 0)]));
    apply(&mut aggregate, &OrderReport::Unfulfillable(units(1, 4), vec![snapshot(1, 2, 4)]));
    assert_eq!((aggregate.lines[0].released, aggregate.lines[0].backordered), (10, 0));
    assert_eq!(aggregate.order.release_number, 2);
}

#[test]
fn units_that_come_back_after_a_cancellation_are_cancelled() {
    let mut aggregate = usual(&[10]);
    apply(&mut aggregate, &in_stock(&usual(&[10])));
    aggregate.change(NOW, |aggregate| aggregate.cancel("changed their mind", NOW));
    assert_eq!(aggregate.pending.last(), Some(&PendingEvent::CancelRequested(Vec::new())));
    apply(&mut aggregate, &OrderReport::Unfulfillable(units(1, 4), vec![snapshot(1, 2, 4)]));
    apply(&mut aggregate, &OrderReport::Cancelled(units(1, 6)));
    assert_eq!(aggregate.order.state, OrderState::Cancelled);
    assert_eq!(aggregate.pending.last(), Some(&PendingEvent::Cancelled));
    assert_eq!(aggregate.order.release_number, 1);
}

#[test]
fn a_shipment_after_everything_was_cancelled_is_counted_and_reopens_the_order() {
    let mut aggregate = usual(&[5]);
    apply(&mut aggregate, &in_stock(&usual(&[5])));
    aggregate.change(NOW, |aggregate| aggregate.cancel("changed their mind", NOW));
    apply(&mut aggregate, &OrderReport::Cancelled(units(1, 5)));
    assert_eq!(aggregate.order.status, OrderStatus::Cancelled);
    apply(&mut aggregate, &shipped(1, 5));
    assert_eq!(aggregate.order.state, OrderState::Confirmed);
    assert_eq!((aggregate.lines[0].shipped, aggregate.lines[0].over_shipped), (5, 5));
    apply(&mut aggregate, &delivered(1, 5));
    assert_eq!((aggregate.order.state, aggregate.order.status), (OrderState::Closed, OrderStatus::Delivered));
    assert_eq!(aggregate.order.invoice_ready_minor, 0, "a person decides about it");
}

#[test]
fn released_units_that_another_node_shipped_are_superseded_and_units_that_wait_are_not() {
    let superseded = |aggregate: &OrderAggregate| {
        let mut superseded = Vec::new();
        for event in &aggregate.pending {
            if let PendingEvent::ReleaseSuperseded(_, units) = event {
                superseded.extend(units.clone());
            }
        }
        superseded
    };
    let mut at_nodes = usual(&[10]);
    apply(&mut at_nodes, &OrderReport::Reserved(vec![snapshot(1, 1, 4)]));
    let mut waiting = at_nodes.clone();
    // Six are released. The node ships those, and two more that were never asked of it.
    apply(&mut waiting, &shipped_beyond(1, 8, 2));
    assert_eq!((superseded(&waiting), waiting.lines[0].backordered), (vec![], 2));
    // The same, after the others were released too.
    apply(&mut at_nodes, &OrderReport::Reserved(vec![snapshot(1, 2, 0)]));
    apply(&mut at_nodes, &shipped_beyond(1, 8, 2));
    assert_eq!((superseded(&at_nodes), at_nodes.lines[0].released), (units(1, 2), 2));
    // What it ships beyond everything is asked of nobody.
    apply(&mut at_nodes, &shipped_beyond(1, 5, 5));
    assert_eq!(superseded(&at_nodes), [units(1, 2), units(1, 2)].concat());
    assert_eq!(at_nodes.lines[0].over_shipped, 3);
}

#[test]
fn a_ship_time_is_promised_when_no_unit_waits() {
    let mut aggregate = usual(&[10]);
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 1, 4)]));
    assert_eq!(aggregate.lines[0].promised_ship_time, None);
    apply(&mut aggregate, &OrderReport::Reserved(vec![snapshot(1, 2, 0)]));
    assert_eq!(aggregate.lines[0].promised_ship_time, Some(NOW.after(DEFAULT_HANDLING)));
}

#[test]
fn the_status_follows_the_units_of_all_lines() {
    let mut aggregate = usual(&[2, 2]);
    let mut seen = vec![aggregate.order.status];
    let reports = [
        in_stock(&aggregate.clone()),
        OrderReport::Picked(units(1, 2)),
        shipped(1, 1),
        shipped(1, 1),
        shipped(2, 2),
        delivered(1, 2),
        delivered(2, 2),
    ];
    for report in &reports {
        apply(&mut aggregate, report);
        seen.push(aggregate.order.status);
    }
    use OrderStatus::{Delivered, InFulfillment, PartiallyDelivered, PartiallyShipped, Released, Shipped, Submitted};
    let expected = [
        Submitted,
        Released,
        InFulfillment,
        PartiallyShipped,
        PartiallyShipped,
        Shipped,
        PartiallyDelivered,
        Delivered,
    ];
    assert_eq!(seen, expected);
    assert!(
        aggregate.lines.iter().all(|line| contract::LineStatus::from(line.status()) == contract::LineStatus::Delivered)
    );
}

#[test]
fn shares_of_a_line_are_those_that_returns_credit() {
    let thirds = OrderLine { amount_minor: 100, ..line(1, 3, 0, 0) };
    // 2 × 1.00 less 49.70 % is 1.006.
    let halves = line(1, 2, 100, 4_970);
    assert_eq!([0, 1, 2, 3].map(|units| share_of_line(thirds.amount_minor, thirds.ordered, units)), [0, 33, 67, 100]);
    assert_eq!([0, 1, 2].map(|units| share_of_line(halves.amount_minor, halves.ordered, units)), [0, 51, 101]);
}
