use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1 as fulfillment,
    order::v1::{self as contract, OrderStatus},
};

use testkit::each;

use crate::world::{World, account, address, order_of};

async fn readiness(world: &World, order_id: &str) -> Vec<contract::InvoiceReadiness> {
    let request = contract::ListInvoiceReadinessRequest { order_id: order_id.to_owned(), ..Default::default() };
    world.orders.clone().list_invoice_readiness(request).await.unwrap().into_inner().readiness
}

/// An order of an account that is invoiced with the shipment.
async fn invoiced_on_shipment(world: &World, lines: &[(&str, i64)]) -> contract::Order {
    let policy = contract::InvoicePolicy::OnShipment.into();
    world.create_account(contract::CreateAccountRequest { invoice_policy: policy, ..account("acc_2") }).await;
    let request = contract::PlaceOrderRequest {
        account_id: "acc_2".to_owned(),
        ship_to_id: String::new(),
        ship_to_address: Some(address()),
        ..order_of("PO-1", lines)
    };
    world.place(request).await
}

#[tokio::test]
async fn amounts_of_all_shipments_sum_to_the_line_to_the_cent() {
    each(World::furnished, async |world| {
        // 7 × 10.05 less 15 % is 59.7975, so 59.80; a third of it is no whole number of cents.
        let mut request = order_of("PO-1", &[("TEA", 7)]);
        request.lines[0].discount_basis_points = 1_500;
        let order = world.place(request).await;
        assert_eq!(order.total.as_ref().unwrap().minor_units, 5_980);
        let mut sum = 0;
        for (shipment, units) in [("shm_1", 2), ("shm_2", 3), ("shm_3", 2)] {
            world.ships(&order, shipment, &[(1, units)]).await;
            let order = world.delivers(&order, shipment, &[(1, units)]).await;
            let ready = readiness(&world, &order.order_id).await;
            let newest = ready.last().unwrap();
            assert_eq!((newest.shipment_id.as_str(), newest.reason.as_str()), (shipment, "DELIVERED"));
            assert_eq!(newest.lines[0].quantity, units);
            sum += newest.amount.as_ref().unwrap().minor_units;
            assert_eq!(order.invoice_ready_total.unwrap().minor_units, sum);
        }
        assert_eq!(sum, 5_980);
        let emitted: Vec<contract::OrderInvoiceReady> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderInvoiceReady);
        let listed = readiness(&world, &order.order_id).await;
        assert_eq!(emitted.into_iter().map(|ready| ready.readiness.unwrap()).collect::<Vec<_>>(), listed);
    })
    .await;
}

#[tokio::test]
async fn units_that_were_cancelled_are_not_invoiced() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 2);
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        world.cancel(&order.order_id).await.unwrap();
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!(order.status(), OrderStatus::Delivered);
        assert_eq!(order.invoice_ready_total.unwrap().minor_units, 2_010);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_invoiced_on_shipment_is_ready_then_and_not_again() {
    each(World::furnished, async |world| {
        let order = invoiced_on_shipment(&world, &[("TEA", 2), ("CHAI", 1)]).await;
        let order = world.ships(&order, "shm_1", &[(1, 2), (2, 1)]).await;
        assert_eq!(order.invoice_ready_total, order.total);
        world.delivers(&order, "shm_1", &[(1, 2), (2, 1)]).await;
        let ready = readiness(&world, &order.order_id).await;
        assert_eq!(ready.len(), 1);
        assert_eq!((ready[0].lines.len(), ready[0].reason.as_str()), (2, "SHIPPED"));
    })
    .await;
}

#[tokio::test]
async fn a_printed_label_is_not_a_shipment_and_makes_nothing_ready_to_invoice() {
    each(World::furnished, async |world| {
        let order = invoiced_on_shipment(&world, &[("TEA", 2)]).await;
        let labelled = fulfillment::ShipmentLabelled {
            shipment: Some(fulfillment::Shipment {
                shipment_id: "shm_1".to_owned(),
                order_id: order.order_id.clone(),
                state: fulfillment::ShipmentState::Labelled.into(),
                ..Default::default()
            }),
        };
        let after = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentLabelled(labelled)).await;
        assert_eq!(after, order);
        assert!(readiness(&world, &order.order_id).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn invoice_readiness_is_listed_oldest_first() {
    each(World::furnished, async |world| {
        let mut expected = Vec::new();
        for number in 1..=5 {
            let order = world.place(order_of(&format!("PO-{number}"), &[("TEA", 1)])).await;
            let shipment = format!("shm_{number}");
            world.ships(&order, &shipment, &[(1, 1)]).await;
            world.clock.advance(std::time::Duration::from_secs(1));
            world.delivers(&order, &shipment, &[(1, 1)]).await;
            expected.push(shipment);
        }
        let mut request = contract::ListInvoiceReadinessRequest {
            account_id: "acc_1".to_owned(),
            page_size: 2,
            ..Default::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = world.orders.clone().list_invoice_readiness(request.clone()).await.unwrap().into_inner();
            seen.extend(page.readiness.into_iter().map(|ready| ready.shipment_id));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen, expected);
    })
    .await;
}
