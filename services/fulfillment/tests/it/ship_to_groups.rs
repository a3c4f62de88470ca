//! Units of an order that go to several destinations.

use proto::{
    events::EventType,
    fulfillment::v1::{
        FulfillmentShipToChangeSettled, ListFulfillmentOrdersRequest, ListShipmentsRequest, ShipToChangeAnswer,
    },
    types::v1::LineQuantity,
};
use testkit::{each, wrong_fields};

use crate::world::{ORDER, World, address, shipped};

const SETTLED: EventType = EventType::FulfillmentShipToChangeSettled;

/// Two groups of an order, each with a fulfillment order that its node has accepted.
async fn two_groups(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.inventory.stock("A", "nod_a", 10);
    world.inventory.reserve(ORDER, 1, "A", 5);
    for (number, quantity) in [(1, 2), (2, 3)] {
        world.release_to_group(ORDER, number, number, &[(1, "A", quantity)]);
    }
    world.drain().await;
    for order in world.fulfillment_orders(ORDER).await {
        world.accept(&order).await;
    }
    world
}

#[tokio::test]
async fn one_change_of_two_groups_is_asked_of_the_nodes_of_both_and_settled_for_each() {
    each(two_groups, async |world| {
        for (group, name) in [(1, "Branch"), (2, "Shop")] {
            world.request_ship_to_of_group(1, group, address(name, "DE"));
        }
        world.drain().await;
        let orders = world.fulfillment_orders(ORDER).await;
        let answers = [ShipToChangeAnswer::Accepted, ShipToChangeAnswer::Rejected];
        for (order, answer) in orders.iter().zip(answers) {
            world.answer_ship_to_of(order, 1, answer).await.unwrap();
        }
        let settled = world.events().await.payloads::<FulfillmentShipToChangeSettled>(SETTLED);
        let units = |lines: &[LineQuantity]| lines.iter().map(|line| line.quantity).sum::<i64>();
        let mut settled: Vec<_> =
            settled.iter().map(|one| (one.ship_to_group, units(&one.accepted), units(&one.rejected))).collect();
        settled.sort_unstable();
        let expected = orders
            .iter()
            .zip([(2, 0), (0, 3)])
            .map(|(order, (accepted, rejected))| (order.ship_to_group, accepted, rejected));
        assert_eq!(settled, expected.collect::<Vec<_>>());
        let orders = world.fulfillment_orders(ORDER).await;
        let goes_to: Vec<_> = orders.iter().map(|order| order.ship_to.clone().unwrap().name).collect();
        assert_eq!(goes_to, ["Branch", "Depot"]);
    })
    .await;
}

#[tokio::test]
async fn only_the_units_of_the_ship_to_group_go_elsewhere() {
    each(two_groups, async |world| {
        world.request_ship_to_of_group(1, 2, address("Branch", "DE"));
        world.drain().await;
        let of_group = async |ship_to_group| {
            let request =
                ListFulfillmentOrdersRequest { order_id: ORDER.to_owned(), ship_to_group, ..Default::default() };
            world.api().list_fulfillment_orders(request).await.unwrap().into_inner().fulfillment_orders
        };
        let all = of_group(0).await;
        assert_eq!(all.len(), 2, "{all:?}");
        let (first, second) = (of_group(1).await, of_group(2).await);
        assert_eq!((first.len(), second.len()), (1, 1), "{all:?}");
        assert_eq!((first.len(), first[0].ship_to_group, &first[0].ship_to_change), (1, 1, &None));
        assert_eq!((second.len(), second[0].ship_to_change.is_some()), (1, true));
        assert_eq!((of_group(0).await.len(), of_group(3).await.len()), (2, 0));

        world.ship(shipped(&second[0], &[("T2", 3)])).await;
        world.ship(shipped(&first[0], &[("T1", 2)])).await;
        let list = |ship_to_group| ListShipmentsRequest {
            order_id: ORDER.to_owned(),
            ship_to_group,
            ..ListShipmentsRequest::default()
        };
        let shipments = world.api().list_shipments(list(2)).await.unwrap().into_inner().shipments;
        assert_eq!((shipments.len(), shipments[0].packages[0].tracking_number.as_str()), (1, "T2"));
        assert_eq!(wrong_fields(world.api().list_shipments(list(-1)).await), ["ship_to_group"]);
        let without_order = ListShipmentsRequest { ship_to_group: 2, ..Default::default() };
        assert_eq!(wrong_fields(world.api().list_shipments(without_order).await), ["order_id"]);
        let without_order = ListFulfillmentOrdersRequest { ship_to_group: 2, ..Default::default() };
        assert_eq!(wrong_fields(world.api().list_fulfillment_orders(without_order).await), ["order_id"]);
    })
    .await;
}
