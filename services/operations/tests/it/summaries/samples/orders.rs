//! Samples of the events of the order and returns services.

use proto::{
    events::{OrderEvent, ReturnsEvent},
    order::v1::{
        Account, AccountChanged, CreditedLine, Hold, HoldReason, InvoiceReadiness, InvoiceReadyLine, LineCounters,
        Order, OrderBackordered, OrderCancelLost, OrderCancelRequested, OrderCancelled, OrderClosed, OrderConfirmed,
        OrderCreditProposed, OrderCreditRefused, OrderHoldChanged, OrderInvoiceReady, OrderLine, OrderLinesCancelled,
        OrderRejected, OrderReleaseSuperseded, OrderReleased, OrderStatus, OrderSubmitted, ProposedCredit,
        ReleasedLine,
    },
    returns::v1::{DisposedLine, DispositionKind, Return, ReturnChanged, ReturnDisposed, ReturnLine, ReturnReceived},
    types::v1::Money,
};

use super::{Samples, line, lines, sample};

fn money(minor_units: i64) -> Option<Money> {
    Some(Money { currency: "USD".to_owned(), minor_units })
}

pub(super) fn add(samples: &mut Samples) {
    placed(samples);
    changed(samples);
    returned(samples);
}

fn placed(samples: &mut Samples) {
    let account = Account { account_id: "acc_ALFKI".to_owned(), name: "Alfreds".to_owned(), ..Default::default() };
    let account = AccountChanged { account: Some(account) };
    sample(samples, OrderEvent::AccountCreated(account.clone()), "account Alfreds (acc_ALFKI) added");
    sample(samples, OrderEvent::AccountUpdated(account), "account Alfreds (acc_ALFKI) changed");

    let counted = |counters: LineCounters| OrderLine { counters: Some(counters), ..Default::default() };
    let order = Order {
        account_id: "acc_ALFKI".to_owned(),
        customer_po: "PO-1".to_owned(),
        lines: vec![OrderLine::default(); 3],
        total: money(44_000),
        ..Default::default()
    };
    let submitted = OrderSubmitted { order: Some(order) };
    sample(samples, OrderEvent::OrderSubmitted(submitted), "order placed: 3 lines, 440.00 USD for acc_ALFKI PO-1");
    let confirmed = OrderConfirmed {
        order_id: "ord_1".to_owned(),
        lines: vec![
            counted(LineCounters { reserved: 12, ..Default::default() }),
            counted(LineCounters { released: 3, backordered: 1, ..Default::default() }),
        ],
    };
    sample(samples, OrderEvent::OrderConfirmed(confirmed), "order confirmed: 15 units reserved, 1 backordered");
    let rejected = OrderRejected { order_id: "ord_1".to_owned(), reason: "no stock".to_owned() };
    sample(samples, OrderEvent::OrderRejected(rejected), "order rejected: no stock");
    let backordered = OrderBackordered { order_id: "ord_1".to_owned(), lines: lines() };
    sample(samples, OrderEvent::OrderBackordered(backordered), "12 NW-011, 3 NW-042 backordered until there is stock");
    let released = |release_number| OrderReleased {
        release_number,
        lines: vec![ReleasedLine { sku: "NW-011".to_owned(), quantity: 12, ..Default::default() }],
        ..Default::default()
    };
    sample(samples, OrderEvent::OrderReleased(released(1)), "released 12 NW-011 to be fulfilled");
    sample(samples, OrderEvent::OrderReleased(released(2)), "released 12 NW-011 to be fulfilled (release 2)");
}

fn changed(samples: &mut Samples) {
    let order_id = || "ord_1".to_owned();
    let hold = |note: &str, open_holds| OrderHoldChanged {
        hold: Some(Hold { reason: HoldReason::AddressInvalid.into(), note: note.to_owned(), ..Default::default() }),
        open_holds,
        ..Default::default()
    };
    sample(
        samples,
        OrderEvent::OrderHoldPlaced(hold("no such street", 1)),
        "put on hold: address invalid, no such street",
    );
    sample(samples, OrderEvent::OrderHoldReleased(hold("", 1)), "hold released: address invalid; 1 hold remains");
    sample(samples, OrderEvent::OrderHoldReleased(hold("", 0)), "hold released: address invalid");
    let cancelled = OrderLinesCancelled { order_id: order_id(), lines: lines(), reason: "too late".to_owned() };
    let expected = "cancelled 12 NW-011, 3 NW-042 before their release: too late";
    sample(samples, OrderEvent::OrderLineCancelled(cancelled), expected);
    let requested = OrderCancelRequested { order_id: order_id(), reason: "too late".to_owned() };
    let expected = "cancellation of released units requested: too late";
    sample(samples, OrderEvent::OrderCancelRequested(requested), expected);
    let cancelled = OrderCancelled { order_id: order_id(), reason: "too late".to_owned() };
    sample(samples, OrderEvent::OrderCancelled(cancelled), "order cancelled: too late");
    let lost =
        OrderCancelLost { order_id: order_id(), shipment_id: "shm_1".to_owned(), lines: vec![line("NW-011", 2)] };
    let again = OrderReleaseSuperseded {
        order_id: order_id(),
        shipment_id: "shm_1".to_owned(),
        lines: vec![line("NW-011", 2)],
    };
    sample(samples, OrderEvent::OrderReleaseSuperseded(again), "2 NW-011 of shm_1 are not to be shipped again");
    sample(samples, OrderEvent::OrderCancelLost(lost), "cancellation came too late: shm_1 had shipped 2 NW-011");
    let ready = InvoiceReadiness {
        amount: money(16_800),
        lines: vec![InvoiceReadyLine { sku: "NW-011".to_owned(), quantity: 12, ..Default::default() }],
        reason: "SHIPPED".to_owned(),
        ..Default::default()
    };
    let ready = OrderInvoiceReady { readiness: Some(ready) };
    sample(samples, OrderEvent::OrderInvoiceReady(ready), "168.00 USD ready to invoice for 12 NW-011: SHIPPED");
    let credit = ProposedCredit {
        amount: money(2_800),
        lines: vec![CreditedLine { sku: "NW-011".to_owned(), quantity: 2, ..Default::default() }],
        reason: "RETURNED".to_owned(),
        ..Default::default()
    };
    sample(
        samples,
        OrderEvent::OrderCreditProposed(OrderCreditProposed { credit: Some(credit) }),
        "credit of 28.00 USD proposed for 2 NW-011: RETURNED",
    );
    let refused = OrderCreditRefused { lines: vec![line("NW-011", 90)], ..Default::default() };
    sample(samples, OrderEvent::OrderCreditRefused(refused), "no credit for 90 NW-011: they were not to be paid");
    let closed = OrderClosed { order_id: order_id(), status: OrderStatus::PartiallyDelivered.into() };
    sample(samples, OrderEvent::OrderClosed(closed), "order closed: partially delivered");
}

fn returned(samples: &mut Samples) {
    let it = || Return {
        return_id: "rma_1".to_owned(),
        reason: "wrong colour".to_owned(),
        lines: vec![ReturnLine { sku: "NW-011".to_owned(), authorized: 3, inspected: 2, ..Default::default() }],
        credit: money(1_250),
        ..Default::default()
    };
    let changed = ReturnChanged { r#return: Some(it()) };
    let expected = "rma_1 authorized: 3 NW-011 may come back: wrong colour";
    sample(samples, ReturnsEvent::ReturnAuthorized(changed.clone()), expected);
    sample(samples, ReturnsEvent::ReturnCancelled(changed.clone()), "rma_1 cancelled");
    sample(samples, ReturnsEvent::ReturnInspected(changed.clone()), "rma_1 inspected: 2 NW-011");
    sample(samples, ReturnsEvent::ReturnCreditProposed(changed.clone()), "credit of 12.50 USD proposed for rma_1");
    sample(samples, ReturnsEvent::ReturnClosed(changed), "rma_1 closed");
    let received = ReturnReceived { r#return: Some(it()), lines: vec![line("NW-011", 2)] };
    let expected = "2 NW-011 did not come back with rma_1 after all";
    sample(samples, ReturnsEvent::ReturnReceiptRetracted(received.clone()), expected);
    sample(samples, ReturnsEvent::ReturnReceived(received.clone()), "2 NW-011 came back with rma_1");
    let expected = "2 NW-011 came back with rma_1, more than was authorized";
    sample(samples, ReturnsEvent::ReturnOverReceived(received), expected);
    let line = |kind: DispositionKind, quantity| DisposedLine {
        sku: "NW-011".to_owned(),
        kind: kind.into(),
        quantity,
        ..Default::default()
    };
    let disposed = ReturnDisposed {
        r#return: Some(it()),
        lines: vec![line(DispositionKind::Scrap, 1), line(DispositionKind::Restock, 2)],
    };
    sample(samples, ReturnsEvent::ReturnDisposed(disposed), "returned goods: 2 NW-011 back on hand; 1 NW-011 scrapped");
}
