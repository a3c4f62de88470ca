mod properties;

use store::Proto;
use types::{BasisPoints, ShipmentId, line_amount};

use super::*;
use crate::{
    account::InvoicePolicy,
    fact::Image,
    item::HandlingClass,
    line::Wanted,
    order::{LineStatus, Status},
};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

fn order(fill_policy: FillPolicy, invoice_policy: InvoicePolicy) -> Order {
    Order {
        order_id: "ord_1".parse().unwrap(),
        account_id: "acc_1".parse().unwrap(),
        customer_po: "PO-1".to_owned(),
        unique_po: None,
        ship_to: Proto::default(),
        currency: "USD".parse().unwrap(),
        fill_policy,
        invoice_policy,
        requested_ship_time: None,
        state: State::Submitted,
        status: Status::Submitted,
        reason: String::new(),
        total_minor: 0,
        invoice_ready_minor: 0,
        invoice_count: 0,
        release_number: 0,
        hold_count: 0,
        open_holds: 0,
        exceptions: 0,
        cancel_time: None,
        create_time: NOW,
        update_time: NOW,
        close_time: None,
        version: 0,
    }
}

fn line(line_number: i64, ordered: i64, unit_price_minor: i64, discount: i64) -> Line {
    let discount = BasisPoints::new(discount).unwrap();
    let wanted = Wanted {
        line_number,
        sku: format!("SKU-{line_number}"),
        name: String::new(),
        uom: "EA".to_owned(),
        uom_quantity: ordered,
        ordered,
        unit_price_minor,
        discount,
        amount_minor: line_amount(ordered, unit_price_minor, discount).unwrap(),
        handling_class: HandlingClass::Ambient,
    };
    Line::new("ord_1".parse().unwrap(), wanted)
}

fn progress(fill_policy: FillPolicy, invoice_policy: InvoicePolicy, ordered: &[i64]) -> Progress {
    let lines: Vec<Line> = (1..).zip(ordered).map(|(number, ordered)| line(number, *ordered, 1_05, 1_500)).collect();
    let mut order = order(fill_policy, invoice_policy);
    order.total_minor = lines.iter().map(|line| line.amount_minor).sum();
    Progress::new(order, lines)
}

fn usual(ordered: &[i64]) -> Progress {
    progress(FillPolicy::FillAllAvailable, InvoicePolicy::OnDelivery, ordered)
}

fn shipment() -> ShipmentId {
    "shm_1".parse().unwrap()
}

fn units(line_number: i64, quantity: i64) -> Vec<Units> {
    vec![Units { line_number, quantity }]
}

fn image(line_number: i64, version: i64, backordered: i64) -> Image {
    Image { line_number, version, backordered }
}

fn in_stock(progress: &Progress) -> Fact {
    Fact::Reserved(progress.lines.iter().map(|line| image(line.line_number, 1, 0)).collect())
}

fn shipped(line_number: i64, quantity: i64) -> Fact {
    Fact::Shipped { shipment_id: shipment(), units: units(line_number, quantity), stop: Stop::NotAsked }
}

fn delivered(line_number: i64, quantity: i64) -> Fact {
    Fact::Delivered { shipment_id: shipment(), units: units(line_number, quantity) }
}

#[test]
fn an_older_image_of_a_reservation_changes_nothing() {
    let mut progress = usual(&[10]);
    progress.apply(&Fact::Reserved(vec![image(1, 5, 4)]), NOW);
    let known = progress.clone();
    progress.apply(&Fact::Reserved(vec![image(1, 4, 10)]), NOW);
    assert_eq!(progress, known);
}

#[test]
fn stock_that_comes_is_released_with_the_next_number() {
    let mut progress = usual(&[10]);
    progress.apply(&Fact::Reserved(vec![image(1, 1, 4)]), NOW);
    progress.apply(&Fact::Reserved(vec![image(1, 2, 0)]), NOW);
    assert_eq!(
        progress.news,
        [News::Confirmed, News::Backordered(units(1, 4)), News::Released(units(1, 6)), News::Released(units(1, 4)),]
    );
    assert_eq!(progress.order.release_number, 2);
}

#[test]
fn fill_all_is_released_together() {
    let mut progress = progress(FillPolicy::FillAll, InvoicePolicy::OnDelivery, &[5, 5]);
    progress.apply(&Fact::Reserved(vec![image(1, 1, 0), image(2, 1, 1)]), NOW);
    assert_eq!(progress.order.release_number, 0);
    assert_eq!(progress.order.status, Status::PartiallyBackordered);
    progress.apply(&Fact::Reserved(vec![image(2, 2, 0)]), NOW);
    assert_eq!(progress.order.release_number, 1);
    assert_eq!(progress.lines.iter().map(|line| line.released).sum::<i64>(), 10);
}

#[test]
fn units_no_node_has_wait_or_go_out_again_however_the_news_come() {
    let mut progress = usual(&[10]);
    progress.apply(&in_stock(&usual(&[10])), NOW);
    // Stock came for the units before the order heard that no node had them.
    progress.apply(&Fact::Reserved(vec![image(1, 3, 0)]), NOW);
    progress.apply(&Fact::Unfulfillable(units(1, 4), vec![image(1, 2, 4)]), NOW);
    assert_eq!((progress.lines[0].released, progress.lines[0].backordered), (10, 0));
    assert_eq!(progress.order.release_number, 2);
}

#[test]
fn units_that_come_back_after_a_cancellation_are_cancelled() {
    let mut progress = usual(&[10]);
    progress.apply(&in_stock(&usual(&[10])), NOW);
    progress.cancel("changed their mind", NOW);
    assert_eq!(progress.news.last(), Some(&News::CancelRequested));
    progress.apply(&Fact::Unfulfillable(units(1, 4), vec![image(1, 2, 4)]), NOW);
    progress.apply(&Fact::Cancelled(units(1, 6)), NOW);
    assert_eq!(progress.order.state, State::Cancelled);
    assert_eq!(progress.news.last(), Some(&News::Cancelled));
    assert_eq!(progress.order.release_number, 1);
}

#[test]
fn what_leaves_after_everything_was_cancelled_is_shipped_and_reopens_the_order() {
    let mut progress = usual(&[5]);
    progress.apply(&in_stock(&usual(&[5])), NOW);
    progress.cancel("changed their mind", NOW);
    progress.apply(&Fact::Cancelled(units(1, 5)), NOW);
    assert_eq!(progress.order.status, Status::Cancelled);
    progress.apply(&shipped(1, 5), NOW);
    assert_eq!(progress.order.status, Status::Exception);
    assert_eq!((progress.lines[0].shipped, progress.lines[0].over_shipped), (5, 5));
    progress.apply(&delivered(1, 5), NOW);
    assert_eq!((progress.order.state, progress.order.status), (State::Closed, Status::Delivered));
    assert_eq!(progress.order.invoice_ready_minor, 0, "a person decides about it");
}

#[test]
fn a_promise_is_made_when_no_unit_waits() {
    let mut progress = usual(&[10]);
    progress.apply(&Fact::Reserved(vec![image(1, 1, 4)]), NOW);
    assert_eq!(progress.lines[0].promised_ship_time, None);
    progress.apply(&Fact::Reserved(vec![image(1, 2, 0)]), NOW);
    assert_eq!(progress.lines[0].promised_ship_time, Some(NOW.after(HANDLING)));
}

#[test]
fn the_status_follows_the_units_of_all_lines() {
    let mut progress = usual(&[2, 2]);
    let mut seen = vec![progress.order.status];
    let facts = [
        in_stock(&progress.clone()),
        Fact::Picked(units(1, 2)),
        shipped(1, 1),
        shipped(1, 1),
        shipped(2, 2),
        delivered(1, 2),
        delivered(2, 2),
    ];
    for fact in &facts {
        progress.apply(fact, NOW);
        seen.push(progress.order.status);
    }
    use Status::{Delivered, InFulfillment, PartiallyDelivered, PartiallyShipped, Released, Shipped, Submitted};
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
    assert!(progress.lines.iter().all(|line| line.status() == LineStatus::Delivered));
}

#[test]
fn shares_of_a_line_are_those_that_returns_credit() {
    let thirds = Line { amount_minor: 100, ..line(1, 3, 0, 0) };
    // 2 × 1.00 less 49.70 % is 1.006.
    let halves = line(1, 2, 100, 4_970);
    assert_eq!([0, 1, 2, 3].map(|units| thirds.amount_of(units)), [0, 33, 67, 100]);
    assert_eq!([0, 1, 2].map(|units| halves.amount_of(units)), [0, 51, 101]);
}
