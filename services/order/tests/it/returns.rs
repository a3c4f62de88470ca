use proto::{
    events::{EventType, FulfillmentEvent, ReturnsEvent},
    fulfillment::v1::FulfillmentCancelled,
    order::v1::{self as contract, ListProposedCreditsRequest, OrderCreditRefused},
    returns::v1::{Disposition, DispositionKind, Return, ReturnChanged, ReturnLine, ReturnReceived, ReturnState},
};

use testkit::each;

use crate::world::{World, counters, order_of, quantities};

fn of(order_id: &str, version: i64, state: ReturnState, authorized: i64, received: i64) -> Return {
    Return {
        return_id: "rma_1".to_owned(),
        order_id: order_id.to_owned(),
        state: state.into(),
        lines: vec![ReturnLine { line_number: 1, authorized, received, ..Default::default() }],
        etag: version.to_string(),
        ..Default::default()
    }
}

async fn counted(world: &World, order_id: &str) -> (i64, i64) {
    world.drain().await;
    let units = counters(&world.get(order_id).await, 0);
    (units.return_authorized, units.return_received)
}

#[tokio::test]
async fn a_return_is_counted_once_however_often_it_is_reported() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        world.ships(&order, "shm_1", &[(1, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        assert_eq!(order.supported_actions, ["AuthorizeReturn"]);
        let id = order.order_id.as_str();
        let authorized = ReturnChanged { r#return: Some(of(id, 1, ReturnState::Authorized, 3, 0)) };
        let authorized = ReturnsEvent::ReturnAuthorized(authorized);
        world.returns_log.emit(id, &authorized);
        assert_eq!(counted(&world, id).await, (3, 0));
        let received =
            ReturnReceived { r#return: Some(of(id, 2, ReturnState::Received, 3, 4)), lines: quantities(&[(1, 4)]) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnReceived(received.clone()));
        world.returns_log.emit(id, &ReturnsEvent::ReturnOverReceived(received));
        world.returns_log.emit(id, &authorized);
        assert_eq!(counted(&world, id).await, (3, 4));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_return_is_authorized_no_more() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        world.ships(&order, "shm_1", &[(1, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        let id = order.order_id.as_str();
        let changed = |version, state| ReturnChanged { r#return: Some(of(id, version, state, 5, 0)) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnAuthorized(changed(1, ReturnState::Authorized)));
        world.returns_log.emit(id, &ReturnsEvent::ReturnCancelled(changed(2, ReturnState::Cancelled)));
        assert_eq!(counted(&world, id).await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn units_that_came_back_before_they_were_reported_shipped_are_counted_once_they_are() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let id = order.order_id.as_str();
        for (return_id, received) in [("rma_1", 3), ("rma_2", 1)] {
            let rma = Return { return_id: return_id.to_owned(), ..of(id, 2, ReturnState::Received, 3, received) };
            let payload = ReturnReceived { r#return: Some(rma), lines: quantities(&[(1, received)]) };
            world.returns_log.emit(id, &ReturnsEvent::ReturnReceived(payload));
        }
        assert_eq!(counted(&world, id).await, (6, 0));
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!(counted(&world, id).await, (6, 2));
        world.ships(&order, "shm_2", &[(1, 8)]).await;
        assert_eq!(counted(&world, id).await, (6, 4));
    })
    .await;
}

#[tokio::test]
async fn units_that_did_not_come_back_by_a_closed_return_can_be_returned_otherwise() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        world.ships(&order, "shm_1", &[(1, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        let id = order.order_id.as_str();
        let received = of(id, 2, ReturnState::PartiallyReceived, 5, 3);
        let payload = ReturnReceived { r#return: Some(received), lines: quantities(&[(1, 3)]) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnReceived(payload));
        assert_eq!(counted(&world, id).await, (5, 3));
        assert!(world.get(id).await.supported_actions.is_empty());

        let closed = ReturnChanged { r#return: Some(of(id, 3, ReturnState::Closed, 5, 3)) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnClosed(closed));
        assert_eq!(counted(&world, id).await, (3, 3));
        assert_eq!(world.get(id).await.supported_actions, ["AuthorizeReturn"]);

        let second = Return { return_id: "rma_2".to_owned(), ..of(id, 1, ReturnState::Authorized, 2, 0) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnAuthorized(ReturnChanged { r#return: Some(second) }));
        assert_eq!(counted(&world, id).await, (5, 3));
        assert!(world.get(id).await.supported_actions.is_empty());
    })
    .await;
}

/// Units of the first line came back with a return and were inspected: some to be sold again, some sent back to the customer.
async fn inspected(world: &World, order_id: &str, return_id: &str, fit: i64, sent_back: i64) -> contract::Order {
    let disposition = |kind: DispositionKind, quantity| Disposition { kind: kind.into(), quantity };
    let units = fit + sent_back;
    let mut rma = of(order_id, 3, ReturnState::Inspected, units, units);
    rma.return_id = return_id.to_owned();
    rma.lines[0].dispositions =
        vec![disposition(DispositionKind::Restock, fit), disposition(DispositionKind::ReturnToCustomer, sent_back)];
    world.returns_log.emit(order_id, &ReturnsEvent::ReturnInspected(ReturnChanged { r#return: Some(rma) }));
    world.drain().await;
    world.get(order_id).await
}

async fn credits(world: &World, order_id: &str) -> Vec<(String, i64, i64)> {
    let request = ListProposedCreditsRequest { order_id: order_id.to_owned(), ..Default::default() };
    let listed = world.orders.clone().list_proposed_credits(request).await.unwrap().into_inner().credits;
    let of = |credit: contract::ProposedCredit| {
        let quantity = credit.lines.iter().map(|line| line.quantity).sum();
        (credit.return_id, quantity, credit.amount.unwrap().minor_units)
    };
    listed.into_iter().map(of).collect()
}

/// The units of each return that were refused a credit.
async fn refused(world: &World, order_id: &str) -> Vec<(String, i64)> {
    let refused = world.events_of(order_id).await.payloads::<OrderCreditRefused>(EventType::OrderCreditRefused);
    let of = |refused: OrderCreditRefused| (refused.return_id, refused.lines.iter().map(|line| line.quantity).sum());
    refused.into_iter().map(of).collect()
}

#[tokio::test]
async fn units_that_were_never_to_be_paid_earn_no_credit_when_they_come_back() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let price = order.lines[0].amount_minor;
        world.ships(&order, "shm_1", &[(1, 100)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 100)]).await;
        assert_eq!((counters(&order, 0).over_shipped, order.lines[0].invoice_ready_minor), (90, price));

        // The customer keeps the ten that it ordered.
        let order = inspected(&world, &order.order_id, "rma_1", 90, 0).await;
        assert_eq!((counters(&order, 0).credited, credits(&world, &order.order_id).await), (0, Vec::new()));
        assert_eq!(refused(&world, &order.order_id).await, [("rma_1".to_owned(), 90)]);
        // And then sends five of them back.
        let order = inspected(&world, &order.order_id, "rma_2", 5, 0).await;
        assert_eq!((counters(&order, 0).credited, order.lines[0].credited_minor), (5, price / 2));
        assert_eq!(credits(&world, &order.order_id).await, [("rma_2".to_owned(), 5, price / 2)]);
        assert_eq!(refused(&world, &order.order_id).await, [("rma_1".to_owned(), 90)]);
        assert_eq!(order.credited_total.unwrap().minor_units, price / 2);
    })
    .await;
}

#[tokio::test]
async fn units_shipped_after_an_accepted_cancellation_earn_no_credit() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let order = world.cancel(&order.order_id).await.unwrap();
        let stopped =
            FulfillmentCancelled { fulfillment_order: None, lines: quantities(&[(1, 10)]), ..Default::default() };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(stopped)).await;
        world.ships_despite_cancellation(&order, "shm_1", &[(1, 10)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 10)]).await;
        assert_eq!(order.invoice_ready_total.as_ref().unwrap().minor_units, 0);
        let order = inspected(&world, &order.order_id, "rma_1", 10, 0).await;
        assert_eq!(
            (order.credited_total.unwrap().minor_units, credits(&world, &order.order_id).await),
            (0, Vec::new())
        );
        assert_eq!(refused(&world, &order.order_id).await, [("rma_1".to_owned(), 10)]);
    })
    .await;
}

#[tokio::test]
async fn what_is_inspected_twice_in_any_order_with_its_shipment_is_credited_once() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let price = order.lines[0].amount_minor;
        // The return is known before the shipment.
        inspected(&world, &order.order_id, "rma_1", 3, 1).await;
        inspected(&world, &order.order_id, "rma_1", 3, 1).await;
        assert_eq!(refused(&world, &order.order_id).await, [("rma_1".to_owned(), 3)]);
        world.ships(&order, "shm_1", &[(1, 10)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 10)]).await;
        let paid = order.lines[0].invoice_ready_minor - order.lines[0].credited_minor;
        assert_eq!((paid, counters(&order, 0).credited), (price / 10 * 7, 0), "what came back is never invoiced");
        let order = inspected(&world, &order.order_id, "rma_2", 7, 0).await;
        let paid = order.lines[0].invoice_ready_minor - order.lines[0].credited_minor;
        assert_eq!((paid, counters(&order, 0).credited), (0, 7));
    })
    .await;
}

#[tokio::test]
async fn with_invoices_on_delivery_only_delivered_units_are_credited() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        world.ships(&order, "shm_1", &[(1, 10)]).await;
        world.delivers(&order, "shm_1", &[(1, 4)]).await;
        let order = inspected(&world, &order.order_id, "rma_1", 4, 0).await;
        assert_eq!((counters(&order, 0).invoice_ready, counters(&order, 0).credited), (4, 4));
        let order = world.delivers(&order, "shm_1", &[(1, 6)]).await;
        assert_eq!((counters(&order, 0).invoice_ready, counters(&order, 0).credited), (10, 4));
    })
    .await;
}
