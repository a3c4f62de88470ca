//! What is promised can reach the customer: nodes ship to some countries, store some classes, and may be paused.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Node, NodeChanged, NodeState, ServiceArea},
    inventory::v1::{
        Availability, DeallocationPolicy, GetAvailabilityRequest, LocationReachChanged, Reservation, ReserveRequest,
        ShortagePolicy, ShortfallDetected,
    },
    types::v1::HandlingClass,
};
use testkit::{each, reason, wrong_fields};
use tonic::Status;
use types::Reason;

use crate::world::{HERE, THERE, World, requested, units};

/// An active node that stores ambient goods.
pub(crate) fn node(location_id: &str, version: i64, countries: &[&str]) -> Node {
    let countries = countries.iter().map(|country| (*country).to_owned()).collect();
    Node {
        node_id: location_id.to_owned(),
        etag: version.to_string(),
        state: NodeState::Active.into(),
        handling_classes: vec![HandlingClass::Ambient.into()],
        service_areas: vec![ServiceArea { countries, rank: 0 }],
        ..Default::default()
    }
}

/// Fulfillment reports that a node changed.
async fn changed(world: &World, node: Node) {
    let event = FulfillmentEvent::NodeUpdated(NodeChanged { node: Some(node) });
    world.fulfillment.emit("", &event);
    world.drain().await;
}

/// Ten units here, which serves the United States only, and none there, which serves every country.
async fn open(options: store::Options) -> World {
    let world = World::open(options).await;
    changed(&world, node(HERE, 1, &["US"])).await;
    changed(&world, node(THERE, 1, &["*"])).await;
    world.receive("A", HERE, 10).await;
    world
}

async fn reserve(
    world: &World,
    order_id: &str,
    country: &str,
    quantity: i64,
    policy: ShortagePolicy,
) -> Result<Reservation, Status> {
    let request = ReserveRequest {
        ship_to_country: country.to_owned(),
        shortage_policy: policy.into(),
        ..requested(order_id, &[(1, "A", quantity)])
    };
    let answer = world.client.clone().reserve(request).await?;
    Ok(answer.into_inner().reservations.remove(0))
}

/// Reserves what there is, and backorders the others; returns how many are reserved.
async fn reserved(world: &World, order_id: &str, country: &str, quantity: i64) -> i64 {
    reserve(world, order_id, country, quantity, ShortagePolicy::Backorder).await.unwrap().reserved
}

async fn availability(world: &World, country: &str) -> Availability {
    let request = GetAvailabilityRequest { skus: vec!["A".to_owned()], ship_to_country: country.to_owned() };
    world.client.clone().get_availability(request).await.unwrap().into_inner().availability.remove(0)
}

/// What is available to promise, and at each location.
async fn available(world: &World, country: &str) -> (i64, Vec<(String, i64)>) {
    let found = availability(world, country).await;
    (found.atp, found.levels.into_iter().map(|level| (level.location_id, level.available)).collect())
}

fn at(levels: &[(&str, i64)]) -> Vec<(String, i64)> {
    levels.iter().map(|(location_id, units)| ((*location_id).to_owned(), *units)).collect()
}

#[tokio::test]
async fn units_that_serve_another_country_are_neither_promised_nor_shown_as_available() {
    each(open, async |world| {
        assert_eq!(available(&world, "DE").await, (0, at(&[(HERE, 0)])));
        assert_eq!(available(&world, "US").await, (10, at(&[(HERE, 10)])));
        assert_eq!(available(&world, "").await, (10, at(&[(HERE, 10)])));
        let refused = reserve(&world, "ord_1", "DE", 1, ShortagePolicy::Refuse).await;
        assert_eq!(reason(refused), Reason::InsufficientStock);
        assert_eq!(reserved(&world, "ord_1", "DE", 4).await, 0);
        assert_eq!(reserved(&world, "ord_2", "US", 10).await, 10, "what waits elsewhere takes nothing");
        // Units for the order that waits arrive where they can reach it.
        world.receive("A", HERE, 5).await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 0, 4, 0));
        world.receive("A", THERE, 3).await;
        assert_eq!(units(&world.reservation("ord_1").await), (3, 0, 0, 1, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn two_destinations_that_compete_for_the_same_units_are_promised_them_once() {
    each(open, async |world| {
        world.receive("A", THERE, 10).await;
        assert_eq!(available(&world, "DE").await, (10, at(&[(HERE, 0), (THERE, 10)])));
        assert_eq!(available(&world, "US").await, (20, at(&[(HERE, 10), (THERE, 10)])));
        assert_eq!(reserved(&world, "ord_us", "US", 13).await, 13);
        assert_eq!(available(&world, "DE").await.0, 7, "three of the others go to the United States");
        assert_eq!(reserved(&world, "ord_de", "DE", 9).await, 7);
        assert_eq!((available(&world, "US").await.0, available(&world, "DE").await.0), (0, 0));
        // The order may not have more there than leaves the other one its own.
        let answer = world.allocate("key-us", "ord_us", &[(1, THERE, 10)]).await;
        assert_eq!(answer.allocations[0].quantity, 3);
        let answer = world.allocate("key-us-2", "ord_us", &[(1, HERE, 10)]).await;
        assert_eq!(answer.allocations[0].quantity, 10);
        let answer = world.allocate("key-de", "ord_de", &[(1, HERE, 2), (1, THERE, 7)]).await;
        let allocated: Vec<_> = answer.allocations.iter().map(|one| (one.location_id.as_str(), one.quantity)).collect();
        assert_eq!(allocated, [(THERE, 7)]);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn availability_for_a_destination_answers_what_a_reservation_gets() {
    each(open, async |world| {
        world.receive("A", THERE, 6).await;
        for (number, (country, quantity)) in [("US", 12), ("DE", 3), ("US", 1), ("DE", 2), ("", 9)].iter().enumerate() {
            let promised = available(&world, country).await.0;
            let answer = reserved(&world, &format!("ord_{number}"), country, *quantity).await;
            assert_eq!(answer, promised.min(*quantity), "{country:?} {quantity}");
        }
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn the_stock_of_a_paused_node_is_not_offered_until_it_is_active_again() {
    each(open, async |world| {
        let paused = Node { state: NodeState::Paused.into(), ..node(HERE, 2, &["US"]) };
        changed(&world, paused.clone()).await;
        assert_eq!(available(&world, "US").await, (0, at(&[(HERE, 0)])));
        assert_eq!(reserved(&world, "ord_1", "US", 4).await, 0);
        // An older version of the node changes nothing.
        changed(&world, node(HERE, 1, &["US"])).await;
        assert_eq!(available(&world, "US").await.0, 0);
        changed(&world, node(HERE, 3, &["US"])).await;
        assert_eq!(units(&world.reservation("ord_1").await), (4, 0, 0, 0, 0), "what waited is reserved");
        assert_eq!(available(&world, "US").await.0, 6);
        let told: Vec<LocationReachChanged> = world.payloads(EventType::LocationReachChanged).await;
        assert_eq!(told.iter().map(|told| told.node_version).collect::<Vec<_>>(), [1, 1, 2, 3]);
        assert!(world.emitted(EventType::ExceptionOpened).await.is_empty());
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn the_stock_of_a_node_that_may_not_store_the_item_is_not_offered() {
    each(open, async |world| {
        let cold = Node { handling_classes: vec![HandlingClass::Frozen.into()], ..node(HERE, 2, &["*"]) };
        changed(&world, cold).await;
        assert_eq!(available(&world, "US").await.0, 0);
        assert_eq!(reason(reserve(&world, "ord_1", "US", 1, ShortagePolicy::Refuse).await), Reason::InsufficientStock);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_units_at_one_node_does_not_grab_units_at_another() {
    each(open, async |world| {
        world.receive("A", THERE, 10).await;
        for (order_id, country, location_id) in [("ord_us", "US", HERE), ("ord_de", "DE", THERE)] {
            assert_eq!(reserved(&world, order_id, country, 8).await, 8);
            world.allocate(order_id, order_id, &[(1, location_id, 8)]).await;
        }
        // Here only three are left; there nothing changed.
        world.count("A", 3, Duration::ZERO).await;
        let named: Vec<ShortfallDetected> = world.payloads(EventType::InventoryShortfallDetected).await;
        assert_eq!((named[0].location_id.as_str(), named[0].shortfall), (HERE, 5));
        assert_eq!((named.len(), named[0].order_ids.as_slice()), (1, ["ord_us".to_owned()].as_slice()));
        assert_eq!(units(&world.reservation("ord_de").await), (0, 8, 0, 0, 0));
        assert_eq!(available(&world, "DE").await.0, 2, "the other node's units are still offered");
        assert_eq!(reserved(&world, "ord_2", "DE", 2).await, 2);
        // Nor does a hold, or the time of an order, move anything at the other node.
        crate::reactions::hold(&world, "ord_us", 1).await;
        let paused = Node { state: NodeState::Paused.into(), ..node(HERE, 2, &["US"]) };
        changed(&world, paused).await;
        assert_eq!(units(&world.reservation("ord_de").await), (0, 8, 0, 0, 0));
        assert_eq!(units(&world.reservation("ord_2").await), (2, 0, 0, 0, 0));
        assert_eq!(world.emitted(EventType::ExceptionOpened).await.len(), 1);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_count_below_what_is_reserved_for_its_destination_names_the_orders_that_lose() {
    each(open, async |world| {
        world.receive("A", THERE, 10).await;
        assert_eq!(reserved(&world, "ord_de", "DE", 10).await, 10);
        assert_eq!(reserved(&world, "ord_us", "US", 7).await, 7);
        world.count("A", 4, Duration::ZERO).await;
        let named: Vec<ShortfallDetected> = world.payloads(EventType::InventoryShortfallDetected).await;
        assert_eq!((named[0].location_id.as_str(), named[0].shortfall), ("", 3));
        assert!(named[0].order_ids.contains(&"ord_us".to_owned()));
        world.receive("A", HERE, 3).await;
        assert_eq!(world.emitted(EventType::ExceptionResolved).await.len(), 1);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_short_pick_gets_units_of_another_node_only_if_they_reach_its_customer() {
    each(open, async |world| {
        world.receive("A", THERE, 5).await;
        for (order_id, country) in [("ord_de", "DE"), ("ord_us", "US")] {
            assert_eq!(reserved(&world, order_id, country, 4).await, 4);
        }
        world.allocate("de", "ord_de", &[(1, THERE, 4)]).await;
        world.allocate("us", "ord_us", &[(1, HERE, 4)]).await;
        let german = world.deallocate("ord_de", &[(1, THERE, 3)], DeallocationPolicy::Short).await;
        assert_eq!(units(&german[0]), (1, 1, 0, 2, 0), "one more is there, and ten elsewhere do not reach it");
        let american = world.deallocate("ord_us", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
        assert_eq!(units(&american[0]), (2, 2, 0, 0, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_location_without_a_known_node_is_restricted_in_nothing() {
    each(World::open, async |world| {
        world.receive("A", HERE, 2).await;
        assert_eq!(available(&world, "DE").await, (2, at(&[(HERE, 2)])));
        assert_eq!(reserved(&world, "ord_1", "DE", 3).await, 2);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_destination_that_is_no_country_is_refused() {
    each(open, async |world| {
        let refused = reserve(&world, "ord_1", "Germany", 1, ShortagePolicy::Refuse).await;
        assert_eq!(wrong_fields(refused), ["ship_to_country"]);
        let request = GetAvailabilityRequest { skus: vec!["A".to_owned()], ship_to_country: "de".to_owned() };
        assert_eq!(wrong_fields(world.client.clone().get_availability(request).await), ["ship_to_country"]);
    })
    .await;
}
