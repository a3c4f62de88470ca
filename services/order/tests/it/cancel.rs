use proto::{
    event::v1::ExceptionOpened,
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{FulfillmentCancelled, FulfillmentOrderChanged, FulfillmentPicked},
    order::v1::{self as contract, OrderState, OrderStatus},
};
use testkit::{each, fault, reason};
use types::Reason;

use crate::world::{Mood, World, counters, fulfillment_order, order_of, quantities};

#[tokio::test]
async fn units_that_are_not_at_nodes_are_cancelled_at_once_and_their_stock_released() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 0);
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        assert_eq!(order.status(), OrderStatus::Backordered);
        let cancelled = world.cancel(&order.order_id).await.unwrap();
        assert_eq!((cancelled.state(), cancelled.reason.as_str()), (OrderState::Cancelled, "changed their mind"));
        assert_eq!(counters(&cancelled, 0).cancelled, 3);
        world.drain().await;
        let released = world.inventory.released();
        assert_eq!(released.len(), 1);
        assert_eq!((released[0].lines[0].sku.as_str(), released[0].lines[0].quantity), ("TEA", 3));
        let types = world.events_of(&order.order_id).await.types();
        assert_eq!(types[3..], [EventType::OrderLineCancelled, EventType::OrderCancelled]);
        assert_eq!(reason(world.cancel(&order.order_id).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn an_order_cancelled_before_its_stock_was_decided_releases_what_is_reserved() {
    each(World::furnished, async |world| {
        world.inventory.set(Mood::Down);
        let placed = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        let cancelled = world.cancel(&placed.order_id).await.unwrap();
        assert_eq!(cancelled.status(), OrderStatus::Cancelled);
        world.inventory.set(Mood::Up);
        world.drain().await;
        assert_eq!((world.inventory.reserved().len(), world.inventory.released().len()), (1, 1));
        let order = world.get(&placed.order_id).await;
        assert_eq!((order.status(), counters(&order, 0).cancelled), (OrderStatus::Cancelled, 3));
    })
    .await;
}

#[tokio::test]
async fn units_at_nodes_are_cancelled_when_the_nodes_confirm_it() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 2);
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.cancel(&order.order_id).await.unwrap();
        assert_eq!(order.state(), OrderState::Confirmed);
        assert_eq!((counters(&order, 0).cancelled, counters(&order, 0).released), (1, 2));
        assert_eq!(order.supported_actions, ["PlaceHold"]);
        assert_eq!(world.events_of(&order.order_id).await.types().last().unwrap(), &EventType::OrderCancelRequested);
        let stopped = FulfillmentCancelled {
            fulfillment_order: fulfillment_order(&order),
            lines: quantities(&[(1, 1)]),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(stopped)).await;
        assert_eq!((order.state(), counters(&order, 0).released), (OrderState::Confirmed, 1));
        // No node had been found for the last one.
        let unrouted =
            FulfillmentCancelled { fulfillment_order: None, lines: quantities(&[(1, 1)]), ..Default::default() };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(unrouted)).await;
        assert_eq!((order.state(), order.status()), (OrderState::Cancelled, OrderStatus::Cancelled));
        assert_eq!(world.events_of(&order.order_id).await.types().last().unwrap(), &EventType::OrderCancelled);
    })
    .await;
}

#[tokio::test]
async fn units_shipped_after_their_cancellation_was_requested_are_shipped_and_the_cancellation_is_lost() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.cancel(&order.order_id).await.unwrap();
        let order = world.ships_despite_cancellation(&order, "shm_1", &[(1, 3)]).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.cancelled, units.over_shipped), (3, 0, 0));
        let lost: Vec<contract::OrderCancelLost> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderCancelLost);
        assert_eq!((lost[0].shipment_id.as_str(), lost[0].lines[0].quantity), ("shm_1", 3));
        let opened: Vec<ExceptionOpened> = world.events_of(&order.order_id).await.payloads(EventType::ExceptionOpened);
        assert_eq!((opened[0].r#type.as_str(), opened[0].subject.as_str()), ("CANCEL_LOST", order.order_id.as_str()));
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(order.status(), OrderStatus::Delivered);
        assert!(order.supported_actions.contains(&"AuthorizeReturn".to_owned()));
        assert_eq!(order.invoice_ready_total, order.total);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_refuses_to_cancel_a_partly_picked_order_ships_it_and_it_may_come_back() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let picked = FulfillmentPicked { fulfillment_order: fulfillment_order(&order), lines: quantities(&[(1, 2)]) };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentPicked(picked)).await;
        assert_eq!(order.status(), OrderStatus::InFulfillment);
        let order = world.cancel(&order.order_id).await.unwrap();
        assert_eq!((counters(&order, 0).released, counters(&order, 0).cancelled), (3, 0));

        let refused = FulfillmentOrderChanged { fulfillment_order: fulfillment_order(&order), lines: Vec::new() };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancellationRejected(refused)).await;
        assert_eq!(order.status(), OrderStatus::InFulfillment);
        // The request to the node was over when these were shipped, but the customer had cancelled all of them.
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        let order = world.ships(&order, "shm_2", &[(1, 1)]).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.cancelled, units.over_shipped), (3, 0, 0));
        let lost: Vec<contract::OrderCancelLost> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderCancelLost);
        assert_eq!(lost.iter().map(|lost| lost.lines[0].quantity).collect::<Vec<_>>(), [2, 1]);
        let opened: Vec<ExceptionOpened> = world.events_of(&order.order_id).await.payloads(EventType::ExceptionOpened);
        assert!(opened.iter().all(|opened| opened.r#type == "CANCEL_LOST" && opened.subject == order.order_id));

        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert!(order.supported_actions.contains(&"AuthorizeReturn".to_owned()));
        let order = world.delivers(&order, "shm_2", &[(1, 1)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
    })
    .await;
}

#[tokio::test]
async fn what_is_shipped_after_it_was_cancelled_is_shipped_too() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.cancel(&order.order_id).await.unwrap();
        let stopped = FulfillmentCancelled {
            fulfillment_order: fulfillment_order(&order),
            lines: quantities(&[(1, 3)]),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(stopped)).await;
        assert_eq!(order.state(), OrderState::Cancelled);
        let order = world.ships_despite_cancellation(&order, "shm_1", &[(1, 2)]).await;
        let units = counters(&order, 0);
        assert_eq!((units.cancelled, units.shipped, units.over_shipped), (3, 2, 2));
        assert_eq!(order.state(), OrderState::Confirmed);
        assert_eq!(order.close_time, None);
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_changed_since_it_was_read_is_not_cancelled() {
    each(World::furnished, async |world| {
        let placed = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        world.drain().await;
        let request =
            contract::CancelOrderRequest { order_id: placed.order_id.clone(), etag: placed.etag, ..Default::default() };
        let refused = fault(world.orders.clone().cancel_order(request).await);
        let present = world.get(&placed.order_id).await;
        let now = [("etag", present.etag.clone()), ("supported_actions", present.supported_actions.join(","))];
        assert_eq!((refused.reason, refused.facts.as_slice()), (Reason::EtagMismatch, now.as_slice()));
        let etag = present.etag;
        let request = contract::CancelOrderRequest { order_id: placed.order_id, etag, ..Default::default() };
        world.orders.clone().cancel_order(request).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn units_beyond_a_cancelled_order_are_lost_only_as_far_as_they_were_ordered() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.cancel(&order.order_id).await.unwrap();
        let order = world.ships_despite_cancellation(&order, "shm_1", &[(1, 5)]).await;
        let opened: Vec<ExceptionOpened> = world.events_of(&order.order_id).await.payloads(EventType::ExceptionOpened);
        let opened: Vec<_> =
            opened.iter().map(|one| (one.r#type.as_str(), one.facts["units_by_line"].as_str())).collect();
        assert_eq!(opened, [("CANCEL_LOST", "1:3"), ("OVER_SHIPPED", "1:2")]);
    })
    .await;
}
