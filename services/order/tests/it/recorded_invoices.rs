//! What the ERP has invoiced, in any order with what happens to the units.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{self as fulfillment, ShipmentWrittenOff, WriteOffRemedy},
    order::v1::{self as contract, InvoicingStatus, OrderState, OrderStatus},
};
use testkit::{each, fault};
use types::Reason;

use crate::world::{EACH, World, counters, credit_memo, invoice, left, order_of, quantities};

#[tokio::test]
async fn delivered_100_invoiced_90_and_10_returned_uninvoiced_leaves_nothing_to_bill() {
    each(World::furnished, async |world| {
        let order = world.delivered(100).await;
        assert_eq!((order.state(), order.invoicing_status()), (OrderState::Closed, InvoicingStatus::Ready));
        let order = world.record(invoice(&order, "INV-1", &[(1, 90, 90 * EACH)])).await;
        assert_eq!(
            (order.invoicing_status(), left(&order)),
            (InvoicingStatus::PartiallyInvoiced, [10, 10 * EACH, 0, 0])
        );
        assert_eq!(world.to_invoice().await, ["PO-1"]);

        let order = world.returned(&order, 10).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::Invoiced, [0; 4]));
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
        assert!(world.to_invoice().await.is_empty());
        let credits = world.credits(&order).await;
        let line = &credits[0].lines[0];
        assert_eq!((line.quantity, line.not_invoiced, line.not_invoiced_minor), (10, 10, 10 * EACH));
        assert_eq!(credits[0].not_invoiced, credits[0].amount, "no credit memo is due");
        assert!(world.open_exceptions(&order).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_units_that_come_back_some_are_left_off_the_invoice_and_the_others_credited() {
    each(World::furnished, async |world| {
        let order = world.delivered(100).await;
        let order = world.record(invoice(&order, "INV-1", &[(1, 90, 90 * EACH)])).await;
        let order = world.returned(&order, 15).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::OverInvoiced, [0, 0, 5, 5 * EACH]));
        let line = &world.credits(&order).await[0].lines[0];
        assert_eq!(
            (line.quantity, line.not_invoiced, line.amount_minor, line.not_invoiced_minor),
            (15, 10, 15 * EACH, 10 * EACH)
        );
        assert!(world.open_exceptions(&order).await.is_empty(), "the return calls for the credit memo");
        let order = world.record(credit_memo(&order, "CM-1", &[(1, 5, 5 * EACH)])).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::Invoiced, [0; 4]));
        assert_eq!(order.credit_posted_total.unwrap().minor_units, 5 * EACH);
        assert_eq!(order.invoiced_total.unwrap().minor_units, 90 * EACH);
    })
    .await;
}

#[tokio::test]
async fn an_invoice_differs_by_one_rounding_of_each_line_of_the_order_however_many_lines_it_has_itself() {
    each(World::furnished, async |world| {
        let order = world.delivered(4).await;
        let one_by_one = [(1, 1, EACH + 1), (1, 1, EACH), (1, 1, EACH), (1, 1, EACH)];
        assert_eq!(left(&world.record(invoice(&order, "INV-1", &one_by_one)).await), [0, 0, 0, 0]);
        let of_nothing = [(1, 0, 1); 9];
        let order = world.record(invoice(&order, "INV-2", &of_nothing)).await;
        assert_eq!(left(&order), [0, 0, 0, 10], "more than two invoices can round");
        assert_eq!(world.open_exceptions(&order).await, ["INVOICE_MISMATCH"]);
    })
    .await;
}

#[tokio::test]
async fn the_same_invoice_again_is_answered_as_the_first_and_other_content_is_refused() {
    each(World::furnished, async |world| {
        let order = world.delivered(4).await;
        let request = contract::RecordInvoiceRequest {
            request_id: "1".to_owned(),
            ..invoice(&order, "INV-1", &[(1, 4, 4 * EACH)])
        };
        let first = world.try_record(request.clone()).await.unwrap();
        assert_eq!((first.account_id.as_str(), first.currency.as_str()), ("acc_1", "USD"));
        assert_eq!(first.amount.as_ref().unwrap().minor_units, 4 * EACH);
        world.clock.advance(std::time::Duration::from_secs(30 * 24 * 3_600));
        for request_id in ["1", "2", ""] {
            let again = contract::RecordInvoiceRequest { request_id: request_id.to_owned(), ..request.clone() };
            assert_eq!(world.try_record(again).await.unwrap(), first);
        }
        let order = world.get(&order.order_id).await;
        assert_eq!((counters(&order, 0).invoiced, order.lines[0].invoiced_minor), (4, 4 * EACH));
        assert_eq!(world.events_of(&order.order_id).await.of(EventType::OrderInvoiced).len(), 1);

        let other = fault(world.try_record(invoice(&order, "INV-1", &[(1, 3, 3 * EACH)])).await);
        assert_eq!(other.reason, Reason::AlreadyExists);
        assert!(other.message.contains("INV-1"), "{}", other.message);
        assert_eq!(world.get(&order.order_id).await, order);
        // A credit memo has numbers of its own.
        world.record(credit_memo(&order, "INV-1", &[(1, 1, EACH)])).await;
    })
    .await;
}

#[tokio::test]
async fn an_invoice_may_come_before_the_shipment_is_reported() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 4)])).await;
        let order = world.record(invoice(&order, "INV-1", &[(1, 3, 3 * EACH)])).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::OverInvoiced, [0, 0, 3, 3 * EACH]));
        assert_eq!(world.open_exceptions(&order).await, ["INVOICE_MISMATCH"]);
        world.ships(&order, "shm_1", &[(1, 4)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 4)]).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::PartiallyInvoiced, [1, EACH, 0, 0]));
        assert!(world.open_exceptions(&order).await.is_empty(), "it fits now");
        let ready = world
            .events_of(&order.order_id)
            .await
            .payloads::<contract::OrderInvoiceReady>(EventType::OrderInvoiceReady);
        let line = &ready[0].readiness.as_ref().unwrap().lines[0];
        assert_eq!((line.quantity, line.already_invoiced, line.already_invoiced_minor), (4, 3, 3 * EACH));
    })
    .await;
}

#[tokio::test]
async fn more_than_is_owed_is_recorded_and_needs_a_person_until_it_is_credited() {
    each(World::furnished, async |world| {
        let order = world.delivered(4).await;
        let order = world.record(invoice(&order, "INV-1", &[(1, 5, 5 * EACH)])).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::OverInvoiced, [0, 0, 1, EACH]));
        assert_eq!(order.to_credit_total.as_ref().unwrap().minor_units, EACH);
        assert_eq!(world.open_exceptions(&order).await, ["INVOICE_MISMATCH"]);
        let order = world.record(credit_memo(&order, "CM-1", &[(1, 1, EACH)])).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::Invoiced, [0; 4]));
        assert!(world.open_exceptions(&order).await.is_empty());
        // More is given back than was ever demanded.
        let order = world.record(credit_memo(&order, "CM-2", &[(1, 5, 5 * EACH)])).await;
        assert_eq!(world.open_exceptions(&order).await, ["INVOICE_MISMATCH"]);
        assert_eq!(left(&order), [4, 4 * EACH, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn an_invoice_for_a_cancelled_order_is_recorded_and_needs_a_person() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 0);
        let order = world.place(order_of("PO-1", &[("TEA", 4)])).await;
        let order = world.cancel(&order.order_id).await.unwrap();
        assert_eq!(
            (order.state(), order.invoicing_status()),
            (OrderState::Cancelled, InvoicingStatus::NothingToInvoice)
        );
        let order = world.record(invoice(&order, "INV-1", &[(1, 4, 4 * EACH)])).await;
        assert_eq!((order.state(), order.invoicing_status()), (OrderState::Cancelled, InvoicingStatus::OverInvoiced));
        assert_eq!(left(&order), [0, 0, 4, 4 * EACH]);
        assert_eq!(world.open_exceptions(&order).await, ["INVOICE_MISMATCH"]);
        let order = world.record(credit_memo(&order, "CM-1", &[(1, 4, 4 * EACH)])).await;
        assert_eq!(order.invoicing_status(), InvoicingStatus::NothingToInvoice);
        assert!(world.open_exceptions(&order).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_return_after_the_full_invoice_and_a_write_off_after_it_call_for_credit_memos() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 6)])).await;
        world.ships(&order, "shm_1", &[(1, 6)]).await;
        world.delivers(&order, "shm_1", &[(1, 4)]).await;
        world.record(invoice(&order, "INV-1", &[(1, 4, 4 * EACH)])).await;
        let order = world.returned(&order, 1).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::OverInvoiced, [0, 0, 1, EACH]));
        // The delivery of two more is taken back after it was invoiced, and they are written off.
        world.delivers(&order, "shm_1", &[(1, 2)]).await;
        let order = world.record(invoice(&order, "INV-2", &[(1, 1, EACH)])).await;
        assert_eq!(left(&order), [0; 4]);
        let shipment = || {
            Some(fulfillment::Shipment {
                shipment_id: "shm_1".to_owned(),
                order_id: order.order_id.clone(),
                ..Default::default()
            })
        };
        let undelivered =
            fulfillment::ShipmentDelivered { shipment: shipment(), lines: quantities(&[(1, 2)]), deliver_time: None };
        let event = FulfillmentEvent::ShipmentDeliveryRetracted(undelivered);
        world.fulfillment_emits(&order, &event).await;
        let written_off = ShipmentWrittenOff {
            shipment: shipment(),
            lines: quantities(&[(1, 2)]),
            remedy: WriteOffRemedy::Cancel.into(),
            ..Default::default()
        };
        let event = FulfillmentEvent::ShipmentWrittenOff(written_off);
        let order = world.fulfillment_emits(&order, &event).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::OverInvoiced, [0, 0, 2, 2 * EACH]));
        let not_invoiced: i64 =
            world.credits(&order).await.iter().flat_map(|credit| &credit.lines).map(|line| line.not_invoiced).sum();
        assert_eq!(not_invoiced, 0);
        assert!(world.open_exceptions(&order).await.is_empty());
        let order = world.record(credit_memo(&order, "CM-1", &[(1, 2, 2 * EACH)])).await;
        assert_eq!(order.invoicing_status(), InvoicingStatus::Invoiced);
    })
    .await;
}

#[tokio::test]
async fn the_cents_of_three_partial_invoices_add_up_to_the_line() {
    each(World::furnished, async |world| {
        let mut request = order_of("PO-1", &[("TEA", 7)]);
        request.lines[0].discount_basis_points = 1_500;
        let order = world.place(request).await;
        world.ships(&order, "shm_1", &[(1, 7)]).await;
        let mut order = order;
        let mut sum = 0;
        for (number, units) in [("INV-1", 2), ("INV-2", 3), ("INV-3", 2)] {
            order = world.delivers(&order, "shm_1", &[(1, units)]).await;
            let [to_invoice, minor, ..] = left(&order);
            assert_eq!(to_invoice, units);
            sum += minor;
            order = world.record(invoice(&order, number, &[(1, units, minor)])).await;
            assert_eq!(left(&order), [0; 4]);
        }
        assert_eq!((sum, order.invoiced_total.as_ref().unwrap().minor_units), (5_980, 5_980));
        assert_eq!(order.invoicing_status(), InvoicingStatus::Invoiced);
    })
    .await;
}

#[tokio::test]
async fn an_invoice_at_the_old_price_leaves_the_difference_to_invoice_or_to_credit() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 4), ("CHAI", 1)])).await;
        world.ships(&order, "shm_1", &[(1, 4)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 4)]).await;
        world.record(invoice(&order, "INV-1", &[(1, 4, 4 * EACH)])).await;
        let order = repriced(&world, &order, EACH + 100).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::PartiallyInvoiced, [0, 400, 0, 0]));
        let order = world.record(invoice(&order, "INV-2", &[(1, 0, 400)])).await;
        assert_eq!(left(&order), [0; 4]);
        let order = repriced(&world, &order, EACH).await;
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::OverInvoiced, [0, 0, 0, 400]));
        assert!(world.open_exceptions(&order).await.is_empty());
        let order = world.record(credit_memo(&order, "CM-1", &[(1, 0, 400)])).await;
        assert_eq!(left(&order), [0; 4]);
    })
    .await;
}

/// The first line gets another price.
async fn repriced(world: &World, order: &contract::Order, unit_price_minor: i64) -> contract::Order {
    let edit = contract::LineEdit { line_number: 1, unit_price_minor: Some(unit_price_minor), ..Default::default() };
    let request = contract::ProposeOrderChangeRequest {
        order_id: order.order_id.clone(),
        lines: vec![edit],
        ..Default::default()
    };
    let change = world.orders.clone().propose_order_change(request).await.unwrap().into_inner();
    let request = contract::ConfirmOrderChangeRequest {
        order_id: order.order_id.clone(),
        change_number: change.change_number,
        etag: change.order_etag,
        ..Default::default()
    };
    world.orders.clone().confirm_order_change(request).await.unwrap();
    world.drain().await;
    world.get(&order.order_id).await
}

#[tokio::test]
async fn an_order_without_recorded_invoices_is_settled_as_ever() {
    each(World::furnished, async |world| {
        let order = world.delivered(4).await;
        let order = world.returned(&order, 1).await;
        let credit = &world.credits(&order).await[0];
        assert_eq!((credit.lines[0].quantity, credit.amount.as_ref().unwrap().minor_units), (1, EACH));
        assert_eq!(credit.not_invoiced, credit.amount);
        assert_eq!((order.invoicing_status(), left(&order)), (InvoicingStatus::Ready, [3, 3 * EACH, 0, 0]));
        let summary = world.orders.clone().summarize_orders(contract::SummarizeOrdersRequest::default()).await;
        let units = summary.unwrap().into_inner().units.unwrap();
        assert_eq!((units.to_invoice, units.invoiced, units.to_credit), (3, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_summary_counts_what_is_left_of_open_and_of_closed_orders() {
    each(World::furnished, async |world| {
        let closed = world.delivered(4).await;
        world.record(invoice(&closed, "INV-1", &[(1, 3, 3 * EACH)])).await;
        let open = world.place(order_of("PO-2", &[("TEA", 4)])).await;
        world.ships(&open, "shm_2", &[(1, 4)]).await;
        world.delivers(&open, "shm_2", &[(1, 3)]).await;
        world.record(invoice(&open, "INV-2", &[(1, 1, EACH)])).await;
        let early = world.place(order_of("PO-3", &[("TEA", 4)])).await;
        world.record(invoice(&early, "INV-3", &[(1, 2, 2 * EACH)])).await;
        let summary = world.orders.clone().summarize_orders(contract::SummarizeOrdersRequest::default()).await;
        let units = summary.unwrap().into_inner().units.unwrap();
        assert_eq!((units.invoiced, units.to_invoice, units.to_credit), (6, 3, 2));
        assert_eq!(world.to_invoice().await, ["PO-2", "PO-1"]);
    })
    .await;
}
