//! A node finds units after all that it had reported as not found.

use proto::{
    events::EventType,
    fulfillment::v1::{FulfillmentOrder, FulfillmentPickRetracted, RecordPickRequest, RetractPickRequest},
};
use store::Options;
use testkit::{each, reason, units, wrong_fields};
use tonic::Status;
use types::Reason;

use crate::{
    inventory::Outage,
    world::{ORDER, World, after, pick, routed},
};

fn found(order: &FulfillmentOrder, short: i64) -> RetractPickRequest {
    RetractPickRequest {
        fulfillment_order_id: order.fulfillment_order_id.clone(),
        short: vec![units(1, short)],
        reason: "behind the shelf".to_owned(),
        ..Default::default()
    }
}

async fn find(world: &World, request: RetractPickRequest) -> Result<FulfillmentOrder, Status> {
    world.partners().retract_pick(request).await.map(tonic::Response::into_inner)
}

/// Two of six units are not found, although the order's units were.
async fn short(options: Options) -> World {
    let world = routed(options).await;
    world.record_pick(pick(&world.fulfillment_order(ORDER).await, 4, 2)).await;
    world
}

fn at_a(quantity: i64) -> Vec<(String, i64)> {
    vec![("nod_a".to_owned(), quantity)]
}

#[tokio::test]
async fn units_found_before_they_were_deallocated_stay_with_the_node() {
    each(short, async |world| {
        let order = find(&world, found(&world.fulfillment_order(ORDER).await, 2)).await.unwrap();
        assert_eq!((order.lines[0].picked, order.lines[0].short), (4, 0));
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, at_a(6));
        assert_eq!(world.inventory.allocated("A", "nod_a"), 6, "they were deallocated, and allocated again");
        assert_eq!(world.inventory.reservation(ORDER, 1).reserved, 0);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn units_found_while_no_node_has_them_are_given_back() {
    each(short, async |world| {
        world.drain().await;
        assert_eq!(world.events().await.open_exceptions(), [("UNASSIGNED".to_owned(), ORDER.to_owned())]);
        let order = world.fulfillment_order(ORDER).await;
        find(&world, found(&order, 1)).await.unwrap();
        world.drain().await;
        assert_eq!((world.open_units(ORDER, 1).await, world.inventory.allocated("A", "nod_a")), (at_a(5), 5));
        find(&world, found(&order, 1)).await.unwrap();
        world.drain().await;
        assert_eq!((world.open_units(ORDER, 1).await, world.inventory.allocated("A", "nod_a")), (at_a(6), 6));
        assert!(world.events().await.open_exceptions().is_empty(), "every unit has a node");
        // No more than were short.
        let again = find(&world, found(&order, 5)).await.unwrap();
        assert_eq!((again.lines[0].short, world.count(EventType::FulfillmentPickRetracted).await), (0, 2));
    })
    .await;
}

#[tokio::test]
async fn a_pick_is_taken_back_with_its_picked_and_its_short_units() {
    each(short, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        let request = RetractPickRequest {
            request_id: "r1".to_owned(),
            picked: vec![units(1, 4)],
            occur_time: Some(after(-60)),
            ..found(&order, 2)
        };
        let first = find(&world, request.clone()).await.unwrap();
        assert_eq!((first.lines[0].picked, first.lines[0].short), (0, 0));
        world.record_pick(pick(&order, 6, 0)).await;
        assert_eq!(find(&world, request).await.unwrap(), first);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].picked, 6, "the repeat took nothing back");
        let events = world.events().await;
        let payload = events.payloads::<FulfillmentPickRetracted>(EventType::FulfillmentPickRetracted).remove(0);
        assert_eq!((payload.lines[0].quantity, payload.found[0].quantity), (4, 2));
        assert_eq!(events.of(EventType::FulfillmentPickRetracted)[0].occur_time, Some(after(-60)));
    })
    .await;
}

#[tokio::test]
async fn units_that_another_node_has_are_refused_and_the_node_is_named() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_a", 10);
        world.inventory.stock("A", "nod_b", 10);
        world.release(ORDER, 1, &[(1, "A", 6)]);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        world.record_pick(pick(&order, 4, 2)).await;
        world.drain().await;
        let other = world.fulfillment_orders(ORDER).await.remove(1);
        let refused = find(&world, found(&order, 2)).await.unwrap_err();
        let expected = format!("units of line 1 are with {} at nod_b", other.fulfillment_order_id);
        assert_eq!(refused.message(), expected);
        assert_eq!(reason::<()>(Err(refused)), Reason::ActionNotSupported);
        assert_eq!(world.fulfillment_orders(ORDER).await[0].lines[0].short, 2);
        assert_eq!(world.count(EventType::FulfillmentPickRetracted).await, 0);
    })
    .await;
}

#[tokio::test]
async fn units_that_the_order_waits_for_are_refused() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 6);
        world.release(ORDER, 1, &[(1, "A", 6)]);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        world.record_pick(pick(&order, 4, 2)).await;
        world.drain().await;
        let refused = find(&world, found(&order, 2)).await.unwrap_err();
        assert_eq!(refused.message(), "units of line 1 are with the order, which waits for stock");
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_to_ship_nothing_any_more_gets_no_units_back() {
    each(short, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.reject(&order).await;
        let refused = find(&world, found(&order, 2)).await;
        assert_eq!(reason(refused), Reason::ActionNotSupported);
        let nothing = find(&world, RetractPickRequest { short: Vec::new(), ..found(&order, 1) }).await;
        assert_eq!(wrong_fields(nothing), ["picked"]);
        let unknown = find(&world, RetractPickRequest { short: vec![units(7, 1)], ..found(&order, 1) }).await;
        assert_eq!(wrong_fields(unknown), ["short[0].line_number"]);
    })
    .await;
}

#[tokio::test]
async fn found_units_are_allocated_once_although_inventory_does_not_answer() {
    for method in ["ReceiveStock", "Allocate"] {
        for outage in [Outage::Before, Outage::After] {
            each(short, async |world| {
                world.drain().await;
                world.inventory.fail(method, outage);
                find(&world, found(&world.fulfillment_order(ORDER).await, 2)).await.unwrap();
                assert!(world.try_drain().await.is_err(), "inventory is down");
                world.drain().await;
                assert_eq!(world.inventory.allocated("A", "nod_a"), 6);
                let keys = world.inventory.calls("ReceiveStock");
                assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
            })
            .await;
        }
    }
}

#[tokio::test]
async fn found_units_are_on_hand_as_of_their_pick() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.record_pick(RecordPickRequest { occur_time: Some(after(-3_600)), ..pick(&order, 4, 2) }).await;
        find(&world, RetractPickRequest { occur_time: Some(after(-3_600)), ..found(&order, 2) }).await.unwrap();
        world.drain().await;
        assert_eq!(world.inventory.found(), [Some(after(-3_600))], "a count since has them already");
    })
    .await;
}
