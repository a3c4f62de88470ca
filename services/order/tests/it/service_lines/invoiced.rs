//! When services become ready to invoice, what takes that back, and that they do not come back.

use std::time::Duration;

use proto::{
    events::{FulfillmentEvent, ReturnsEvent},
    fulfillment::v1::{
        FulfillmentCancelled, MilestoneCode, Package, ProofOfDelivery, ProofOfDeliveryCaptured, Shipment,
        ShipmentDelivered, ShipmentShipped, ShipmentWrittenOff, WriteOffRemedy,
    },
    order::v1::{self as contract, InvoicePolicy, InvoicingStatus, OrderState},
    returns::v1::{Disposition, DispositionKind, Return, ReturnChanged, ReturnLine, ReturnReceived, ReturnState},
};
use testkit::{START, each};

use super::{furnished, units};
use crate::world::{World, account, address, counters, fulfillment_order, order_of, quantities};

async fn place(world: &World, policy: InvoicePolicy, lines: &[(&str, i64)]) -> contract::Order {
    world.create_account(contract::CreateAccountRequest { invoice_policy: policy.into(), ..account("acc_2") }).await;
    let request = contract::PlaceOrderRequest {
        account_id: "acc_2".to_owned(),
        ship_to_id: String::new(),
        ship_to_address: Some(address()),
        ..order_of("PO-1", lines)
    };
    world.place(request).await
}

/// What became ready: the reason, and units by line.
async fn ready(world: &World, order: &contract::Order) -> Vec<(String, Vec<(i32, i64)>)> {
    let request = contract::ListInvoiceReadinessRequest { order_id: order.order_id.clone(), ..Default::default() };
    let listed = world.orders.clone().list_invoice_readiness(request).await.unwrap().into_inner().readiness;
    let shown = listed.into_iter().map(|row| {
        let units = row.lines.iter().map(|line| (line.line_number, line.quantity)).collect();
        (row.reason, units)
    });
    shown.collect()
}

/// What was proposed to be credited: the reason, and units by line.
async fn credits(world: &World, order: &contract::Order) -> Vec<(String, Vec<(i32, i64)>)> {
    let request = contract::ListProposedCreditsRequest { order_id: order.order_id.clone(), ..Default::default() };
    let listed = world.orders.clone().list_proposed_credits(request).await.unwrap().into_inner().credits;
    let shown = listed.into_iter().map(|row| {
        let units = row.lines.iter().map(|line| (line.line_number, line.quantity)).collect();
        (row.reason, units)
    });
    shown.collect()
}

fn row(reason: &str, units: &[(i32, i64)]) -> (String, Vec<(i32, i64)>) {
    (reason.to_owned(), units.to_vec())
}

fn cancelled_at_node(order: &contract::Order, units: &[(i32, i64)]) -> FulfillmentEvent {
    FulfillmentEvent::FulfillmentCancelled(FulfillmentCancelled {
        fulfillment_order: fulfillment_order(order),
        lines: quantities(units),
        ..Default::default()
    })
}

#[tokio::test]
async fn with_invoices_on_shipment_a_service_is_ready_with_the_last_shipment_of_its_goods() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnShipment, &[("TEA", 3), ("INSTALL", 1)]).await;
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        world.ships(&order, "shm_2", &[(1, 1)]).await;
        assert_eq!(ready(&world, &order).await, [row("SHIPPED", &[(1, 2)]), row("SHIPPED", &[(1, 1), (2, 1)])]);
        let order = world.get(&order.order_id).await;
        assert_eq!((order.invoice_ready_total, order.wanted_total.clone()), (order.total.clone(), order.total));
    })
    .await;
}

#[tokio::test]
async fn with_invoices_on_delivery_a_service_is_ready_with_the_last_delivery_of_its_goods() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnDelivery, &[("TEA", 3), ("INSTALL", 1)]).await;
        world.ships(&order, "shm_1", &[(1, 3)]).await;
        world.delivers(&order, "shm_1", &[(1, 2)]).await;
        world.delivers(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(ready(&world, &order).await, [row("DELIVERED", &[(1, 2)]), row("DELIVERED", &[(1, 1), (2, 1)])]);
    })
    .await;
}

#[tokio::test]
async fn a_service_is_ready_by_itself_when_the_rest_of_its_goods_is_cancelled() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnDelivery, &[("TEA", 3), ("INSTALL", 1)]).await;
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        world.delivers(&order, "shm_1", &[(1, 2)]).await;
        let order = world.fulfillment_emits(&order, &cancelled_at_node(&order, &[(1, 1)])).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Closed, [0, 1, 1, 0]));
        assert_eq!(ready(&world, &order).await, [row("DELIVERED", &[(1, 2)]), row("PERFORMED", &[(2, 1)])]);
    })
    .await;
}

#[tokio::test]
async fn with_invoices_on_completion_a_service_is_ready_with_everything_else() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnCompletion, &[("TEA", 3), ("INSTALL", 1)]).await;
        world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(order.invoicing_status(), InvoicingStatus::Ready);
        assert_eq!(ready(&world, &order).await, [row("COMPLETED", &[(1, 3), (2, 1)])]);
    })
    .await;
}

/// A shipment of two packages of tea at one of its versions, so many of which are delivered, and signed for.
fn parcels(order: &contract::Order, version: i64, delivered: usize, signed: usize) -> Option<Shipment> {
    let package = |number: usize| {
        let time = Some(mesh::wire::timestamp(START.after(Duration::from_secs(60))));
        let proof = ProofOfDelivery { signed_by: "Ann".to_owned(), sign_time: time, ..Default::default() };
        let status = if number < delivered { MilestoneCode::Delivered } else { MilestoneCode::InTransit };
        Package {
            package_id: format!("pkg_{number}"),
            tracking_number: format!("T{number}"),
            lines: quantities(&[(1, 1)]),
            status: status.into(),
            status_time: (number < delivered).then_some(time).flatten(),
            ship_time: Some(mesh::wire::timestamp(START)),
            proof_of_delivery: (number < signed).then_some(proof),
            ..Default::default()
        }
    };
    Some(Shipment {
        shipment_id: "shm_1".to_owned(),
        order_id: order.order_id.clone(),
        etag: version.to_string(),
        packages: (0..2).map(package).collect(),
        ..Default::default()
    })
}

#[tokio::test]
async fn with_invoices_on_proof_of_delivery_a_service_is_ready_when_its_goods_are_proven() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnProofOfDelivery, &[("TEA", 2), ("INSTALL", 1)]).await;
        let lines = quantities(&[(1, 2)]);
        let shipped = ShipmentShipped { shipment: parcels(&order, 1, 0, 0), lines, ..Default::default() };
        world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentShipped(shipped)).await;
        let shipment = parcels(&order, 2, 2, 0);
        let delivered = ShipmentDelivered { shipment, lines: quantities(&[(1, 2)]), deliver_time: None };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentDelivered(delivered)).await;
        assert_eq!((order.invoicing_status(), units(&order, 1)), (InvoicingStatus::NotReady, [0, 1, 1, 0]));
        let captured = |version, signed| {
            let shipment = parcels(&order, version, 2, signed);
            FulfillmentEvent::ShipmentPodCaptured(ProofOfDeliveryCaptured { shipment, ..Default::default() })
        };
        world.fulfillment_emits(&order, &captured(3, 1)).await;
        assert_eq!(ready(&world, &order).await, [row("PROOF_OF_DELIVERY", &[(1, 1)])]);
        let order = world.fulfillment_emits(&order, &captured(4, 2)).await;
        assert_eq!(ready(&world, &order).await[1], row("PROOF_OF_DELIVERY", &[(1, 1), (2, 1)]));
        let request = contract::ListInvoiceReadinessRequest { order_id: order.order_id.clone(), ..Default::default() };
        let rows = world.orders.clone().list_invoice_readiness(request).await.unwrap().into_inner().readiness;
        assert_eq!(rows[1].evidence[0].packages[0].signed_by, "Ann");
        // The proof of one package is taken back: the service is not owed either.
        world.fulfillment_emits(&order, &captured(5, 1)).await;
        assert_eq!(credits(&world, &order).await, [row("CORRECTED", &[(1, 1), (2, 1)])]);
    })
    .await;
}

#[tokio::test]
async fn a_shipment_that_is_taken_back_opens_the_service_again() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnShipment, &[("TEA", 3), ("INSTALL", 2)]).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(units(&order, 1), [0, 2, 0, 0]);
        let lines = quantities(&[(1, 3)]);
        let retracted = ShipmentShipped { shipment: parcels(&order, 2, 0, 0), lines, ..Default::default() };
        let retracted = FulfillmentEvent::ShipmentDepartureRetracted(retracted);
        let order = world.fulfillment_emits(&order, &retracted).await;
        assert_eq!((units(&order, 0), units(&order, 1)), ([3, 0, 0, 0], [2, 0, 0, 0]));
        assert_eq!(credits(&world, &order).await, [row("CORRECTED", &[(1, 3), (2, 2)])]);
        let order = world.ships(&order, "shm_2", &[(1, 3)]).await;
        let order = world.delivers(&order, "shm_2", &[(1, 3)]).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Closed, [0, 2, 2, 0]));
        assert_eq!(order.to_invoice_total, order.total);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_taken_back_takes_the_service_with_it() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnDelivery, &[("TEA", 2), ("INSTALL", 1)]).await;
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        let shipment = parcels(&order, 3, 0, 0);
        let undelivered = ShipmentDelivered { shipment, lines: quantities(&[(1, 1)]), deliver_time: None };
        let undelivered = FulfillmentEvent::ShipmentDeliveryRetracted(undelivered);
        let order = world.fulfillment_emits(&order, &undelivered).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Confirmed, [0, 1, 0, 0]));
        assert_eq!(credits(&world, &order).await, [row("CORRECTED", &[(1, 1), (2, 1)])]);
    })
    .await;
}

#[tokio::test]
async fn a_service_whose_goods_are_all_written_off_is_cancelled_and_credited() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnShipment, &[("TEA", 2), ("INSTALL", 1)]).await;
        let order = world.ships(&order, "shm_1", &[(1, 2)]).await;
        let written_off = ShipmentWrittenOff {
            shipment: parcels(&order, 2, 0, 0),
            lines: quantities(&[(1, 2)]),
            remedy: WriteOffRemedy::Cancel.into(),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentWrittenOff(written_off)).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Cancelled, [0, 0, 0, 1]));
        assert_eq!(credits(&world, &order).await, [row("WRITTEN_OFF", &[(1, 2), (2, 1)])]);
    })
    .await;
}

#[tokio::test]
async fn a_service_does_not_come_back() {
    each(furnished, async |world| {
        let order = place(&world, InvoicePolicy::OnShipment, &[("TEA", 1), ("INSTALL", 1)]).await;
        world.ships(&order, "shm_1", &[(1, 1)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(order.supported_actions, ["AuthorizeReturn"]);
        // The goods may; whatever is reported of the service does not count.
        let line = |line_number| ReturnLine {
            line_number,
            authorized: 1,
            received: 1,
            dispositions: vec![Disposition { kind: DispositionKind::Restock.into(), quantity: 1 }],
            ..Default::default()
        };
        let rma = Return {
            return_id: "rma_1".to_owned(),
            order_id: order.order_id.clone(),
            state: ReturnState::Received.into(),
            lines: vec![line(1), line(2)],
            etag: "1".to_owned(),
            ..Default::default()
        };
        let received = ReturnReceived { r#return: Some(rma.clone()), lines: quantities(&[(1, 1), (2, 1)]) };
        world.returns_log.emit(&order.order_id, &ReturnsEvent::ReturnReceived(received));
        let inspected = ReturnChanged { r#return: Some(rma) };
        world.returns_log.emit(&order.order_id, &ReturnsEvent::ReturnInspected(inspected));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((counters(&order, 0).return_received, counters(&order, 1).return_received), (1, 0));
        assert_eq!(credits(&world, &order).await, [row("RETURNED", &[(1, 1)])]);
        assert!(order.supported_actions.is_empty(), "{:?}", order.supported_actions);
    })
    .await;
}
