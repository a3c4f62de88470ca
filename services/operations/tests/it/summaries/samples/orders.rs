//! Samples of the events of the order and returns services.

use proto::{
    events::{OrderEvent, ReturnsEvent},
    order::v1::{
        Account, AccountChanged, AccountCredit, AccountPricesChanged, AccountReceivablesRecorded, CreditedLine, Hold,
        HoldReason, Invoice, InvoiceLine, InvoiceReadiness, InvoiceReadyLine, ItemPrices, LineChange, LineChangeKind,
        LineCounters, LinePromise, Order, OrderBackordered, OrderCancelLost, OrderCancelRequested, OrderCancelled,
        OrderChange, OrderChangeConfirmed, OrderChangeEnded, OrderChangeProposed, OrderChangeState, OrderClosed,
        OrderConfirmed, OrderCreditProposed, OrderCreditRefused, OrderHoldChanged, OrderInvoiceReady, OrderInvoiced,
        OrderLine, OrderLinesCancelled, OrderPromiseChanged, OrderRejected, OrderReleaseSuperseded, OrderReleased,
        OrderShipToChangeRequested, OrderStatus, OrderSubmitted, OrderTimesChange, PriceListChanged, PromiseChange,
        PromiseReason, ProposedCredit, ReleasedLine, ShipTo, ShipToChange, ShipToChanged,
    },
    returns::v1::{DisposedLine, DispositionKind, Return, ReturnChanged, ReturnDisposed, ReturnLine, ReturnReceived},
    types::v1::{Address, ItemKind, Money},
};

use super::{Samples, line, lines, sample};

fn money(minor_units: i64) -> Option<Money> {
    Some(Money { currency: "USD".to_owned(), minor_units })
}

pub(super) fn add(samples: &mut Samples) {
    promised(samples);
    placed(samples);
    changed(samples);
    changes(samples);
    returned(samples);
}

fn agreed(samples: &mut Samples) {
    let (account_id, ship_to_id) = ("acc_ALFKI".to_owned(), "shp_1".to_owned());
    let ship_to =
        ShipToChanged { ship_to: Some(ShipTo { account_id: account_id.clone(), ship_to_id, ..Default::default() }) };
    sample(samples, OrderEvent::ShipToCreated(ship_to.clone()), "ship-to shp_1 of acc_ALFKI added");
    sample(samples, OrderEvent::ShipToUpdated(ship_to), "ship-to shp_1 of acc_ALFKI changed");
    let prices = vec![ItemPrices::default(); 2];
    let list = PriceListChanged { price_list_id: "prl_1".to_owned(), prices: prices.clone(), ..Default::default() };
    sample(samples, OrderEvent::PriceListCreated(list.clone()), "price list prl_1 added with prices of 2 items");
    sample(samples, OrderEvent::PriceListUpdated(list), "price list prl_1: prices of 2 items changed");
    let own = AccountPricesChanged { account_id: account_id.clone(), prices };
    sample(samples, OrderEvent::AccountPricesChanged(own), "own prices of 2 items of acc_ALFKI changed");
    let credit = AccountCredit { account_id, receivables: money(44_000), ..Default::default() };
    let recorded = AccountReceivablesRecorded { credit: Some(credit) };
    sample(samples, OrderEvent::AccountReceivablesRecorded(recorded), "acc_ALFKI owes 440.00 USD for its invoices");
}

fn placed(samples: &mut Samples) {
    let account = Account { account_id: "acc_ALFKI".to_owned(), name: "Alfreds".to_owned(), ..Default::default() };
    let account = AccountChanged { account: Some(account) };
    sample(samples, OrderEvent::AccountCreated(account.clone()), "account Alfreds (acc_ALFKI) added");
    sample(samples, OrderEvent::AccountUpdated(account), "account Alfreds (acc_ALFKI) changed");
    agreed(samples);

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
    let performed = LineCounters { shipped: 2, ..Default::default() };
    let service = OrderLine { item_kind: ItemKind::Service.into(), ..counted(performed) };
    let goods = counted(LineCounters { reserved: 1, ..Default::default() });
    let confirmed = |lines: &[OrderLine]| {
        OrderEvent::OrderConfirmed(OrderConfirmed { order_id: "ord_1".to_owned(), lines: lines.to_vec() })
    };
    sample(samples, confirmed(&[goods, service.clone()]), "order confirmed: 1 unit reserved");
    sample(samples, confirmed(&[service]), "order confirmed: no goods to be reserved");
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

fn changes(samples: &mut Samples) {
    let line = |kind: LineChangeKind, sku: &str, quantity_before, quantity_after, substitutes| LineChange {
        kind: kind.into(),
        sku: sku.to_owned(),
        quantity_before,
        quantity_after,
        substitutes,
        ..Default::default()
    };
    let place = Address { postal_code: "28195".to_owned(), city: "Bremen".to_owned(), ..Default::default() };
    let ship_to_after = Some(ShipTo { address: Some(place), ..Default::default() });
    let change = OrderChange {
        change_number: 2,
        lines: vec![
            line(LineChangeKind::Changed, "NW-011", 12, 9, 0),
            line(LineChangeKind::Changed, "NW-042", 3, 3, 0),
            line(LineChangeKind::Removed, "NW-072", 5, 0, 0),
            line(LineChangeKind::Added, "NW-001", 0, 4, 0),
            line(LineChangeKind::Added, "NW-002", 0, 5, 3),
        ],
        ship_tos: vec![ShipToChange { ship_to_after, ..Default::default() }],
        times: Some(OrderTimesChange::default()),
        total_after: Some(Money { currency: "USD".to_owned(), minor_units: 12_345 }),
        ..Default::default()
    };
    let proposed = OrderChangeProposed { change: Some(change.clone()) };
    let text = "change 2 proposed: 9 NW-011 instead of 12, another price for NW-042, no NW-072, 4 NW-001 more, 5 NW-002 in place of line 3, \
         to 28195 Bremen, other times, now 123.45 USD";
    sample(samples, OrderEvent::OrderChangeProposed(proposed), text);
    let confirmed = OrderChangeConfirmed { change: Some(change.clone()), order: None };
    let text = "change 2 confirmed: 9 NW-011 instead of 12, another price for NW-042, no NW-072, 4 NW-001 more, 5 NW-002 in place of line 3, \
         to 28195 Bremen, other times, now 123.45 USD";
    sample(samples, OrderEvent::OrderChangeConfirmed(confirmed), text);
    let ended = OrderChange {
        state: OrderChangeState::PartiallyApplied.into(),
        end_reason: "the label is printed".to_owned(),
        ..change
    };
    let ended = OrderChangeEnded { change: Some(ended), order: None };
    let expected = "change 2 partially applied: the label is printed";
    sample(samples, OrderEvent::OrderChangeEnded(ended), expected);
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
    let requested = OrderCancelRequested { order_id: order_id(), reason: "too late".to_owned(), ..Default::default() };
    let expected = "cancellation of released units requested: too late";
    sample(samples, OrderEvent::OrderCancelRequested(requested.clone()), expected);
    let partly = OrderCancelRequested { lines: lines(), ..requested };
    let expected = "cancellation of 12 NW-011, 3 NW-042 requested: too late";
    sample(samples, OrderEvent::OrderCancelRequested(partly), expected);
    let address = Address { postal_code: "28195".to_owned(), city: "Bremen".to_owned(), ..Default::default() };
    let change = OrderShipToChangeRequested { ship_to: Some(address), ..Default::default() };
    let expected = "change of the destination to 28195 Bremen requested";
    sample(samples, OrderEvent::OrderShipToChangeRequested(change.clone()), expected);
    let of_group = OrderShipToChangeRequested { ship_to_group: 2, ..change };
    let expected = "change of the destination of group 2 to 28195 Bremen requested";
    sample(samples, OrderEvent::OrderShipToChangeRequested(of_group), expected);
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
    let invoice = Invoice {
        invoice_number: "INV-7".to_owned(),
        amount: money(16_800),
        lines: vec![InvoiceLine { line_number: 1, quantity: 12, amount_minor: 16_800 }],
        ..Default::default()
    };
    let invoiced = OrderInvoiced { invoice: Some(invoice), ..Default::default() };
    let expected = "168.00 USD invoiced for 12 units with INV-7";
    sample(samples, OrderEvent::OrderInvoiced(invoiced.clone()), expected);
    let expected = "168.00 USD credited for 12 units with INV-7";
    sample(samples, OrderEvent::OrderCreditPosted(invoiced), expected);
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

fn promised(samples: &mut Samples) {
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let change = |sku: &str, ship, delivery, reason: PromiseReason| PromiseChange {
        sku: sku.to_owned(),
        after: Some(LinePromise { promised_ship_time: ship, promised_delivery_time: delivery, ..Default::default() }),
        reason: reason.into(),
        ..Default::default()
    };
    let lines = vec![
        change("NW-011", at(1_780_000_000), at(1_780_086_400), PromiseReason::StockArrived),
        change("NW-012", at(1_780_000_000), None, PromiseReason::HoldReleased),
    ];
    let set = OrderPromiseChanged { lines, ..Default::default() };
    let text = "promised: NW-011 by 2026-05-29 20:26 UTC (stock arrived), NW-012 leaves by 2026-05-28 20:26 UTC (hold released)";
    sample(samples, OrderEvent::OrderPromiseSet(set), text);
    let lines = vec![change("NW-011", None, None, PromiseReason::Held)];
    let changed = OrderPromiseChanged { lines, ..Default::default() };
    sample(samples, OrderEvent::OrderPromiseChanged(changed), "promise changed: NW-011 without a date (held)");
}
