//! What is promised can reach the customer: nodes ship to some countries, store some classes, and may be paused.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Node, NodeChanged, NodeState, ServiceArea},
    inventory::v1::{
        Availability, DeallocationPolicy, GetAvailabilityRequest, LineCountry, LocationReachChanged, Reservation,
        ReservationsChanged, ReserveRequest, ShortagePolicy, ShortfallDetected,
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

/// Reserves lines that go to several countries.
async fn reserve_lines(
    world: &World,
    order_id: &str,
    lines: &[(i32, &str, i64, &str)],
    policy: ShortagePolicy,
) -> Result<Vec<Reservation>, Status> {
    let quantities: Vec<_> = lines.iter().map(|(line, sku, quantity, _)| (*line, *sku, *quantity)).collect();
    let country =
        |&(line_number, _, _, country): &(i32, _, _, &str)| LineCountry { line_number, country: country.to_owned() };
    let elsewhere = lines.iter().filter(|(_, _, _, country)| *country != "US");
    let request = ReserveRequest {
        ship_to_country: "US".to_owned(),
        line_countries: elsewhere.map(country).collect(),
        shortage_policy: policy.into(),
        ..requested(order_id, &quantities)
    };
    Ok(world.client.clone().reserve(request).await?.into_inner().reservations)
}

/// Country, reserved and backordered units of each line.
fn by_country(lines: &[Reservation]) -> Vec<(&str, i64, i64)> {
    lines.iter().map(|line| (line.ship_to_country.as_str(), line.reserved, line.backordered)).collect()
}

#[tokio::test]
async fn each_line_of_an_order_gets_units_that_reach_its_own_country() {
    each(open, async |world| {
        world.receive("A", THERE, 3).await;
        let lines = [(1, "A", 4, "DE"), (2, "A", 10, "US")];
        let refused = reserve_lines(&world, "ord_1", &lines, ShortagePolicy::Refuse).await;
        assert_eq!(reason(refused), Reason::InsufficientStock);
        let reserved = reserve_lines(&world, "ord_1", &lines, ShortagePolicy::Backorder).await.unwrap();
        assert_eq!(by_country(&reserved), [("DE", 3, 1), ("US", 10, 0)]);
        // Said again without the countries, nothing changes; a new line goes where the call says.
        let again = world.reserve("ord_1", &[(1, "A", 4), (2, "A", 10), (3, "B", 1)]).await;
        assert_eq!(by_country(&again), [("DE", 3, 1), ("US", 10, 0), ("", 0, 1)]);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_line_that_goes_to_another_country_has_units_that_reach_it() {
    each(open, async |world| {
        world.receive("A", THERE, 4).await;
        assert_eq!(reserved(&world, "ord_1", "US", 12).await, 12);
        assert_eq!(reserved(&world, "ord_2", "US", 3).await, 2, "one waits");
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        let before = world.emitted(EventType::InventoryReserved).await.len();
        // Seven units are to go to Germany now: the four there can, and what was reserved of those here is free again.
        let moved = reserve(&world, "ord_1", "DE", 12, ShortagePolicy::Backorder).await.unwrap();
        assert_eq!((moved.requested, units(&moved)), (12, (4, 5, 0, 3, 0)));
        assert_eq!(units(&world.reservation("ord_2").await), (3, 0, 0, 0, 0));
        assert_eq!((available(&world, "US").await.0, available(&world, "DE").await.0), (2, 0));
        let told = world.payloads::<ReservationsChanged>(EventType::InventoryReserved).await.split_off(before);
        assert_eq!(told.iter().map(|told| told.order_id.as_str()).collect::<Vec<_>>(), ["ord_1", "ord_2"]);
        assert_eq!(told[0].reservations, [moved]);
        // Units arrive for it; and when its node gives units back, those that do not reach it are not its own any more.
        world.receive("A", THERE, 3).await;
        assert_eq!(units(&world.reservation("ord_1").await), (7, 5, 0, 0, 0));
        let back = world.deallocate("ord_1", &[(1, HERE, 5)], DeallocationPolicy::Reassign).await;
        assert_eq!(units(&back[0]), (7, 0, 0, 5, 0));
        assert_eq!(available(&world, "US").await.0, 7);
        assert!(world.emitted(EventType::InventoryShortfallDetected).await.is_empty());
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_country_that_stock_does_not_allow_is_refused_and_leaves_what_is_there() {
    each(open, async |world| {
        world.receive("A", THERE, 4).await;
        world.receive("B", HERE, 2).await;
        let lines = [(1, "A", 6, "US"), (2, "B", 2, "US")];
        reserve_lines(&world, "ord_1", &lines, ShortagePolicy::Refuse).await.unwrap();
        let before = (world.reservations("ord_1").await, available(&world, "US").await);
        // Neither may one line be left where it was while the other goes.
        for lines in [[(1, "A", 6, "DE"), (2, "B", 2, "US")], [(1, "A", 4, "DE"), (2, "B", 2, "DE")]] {
            let refused = reserve_lines(&world, "ord_1", &lines, ShortagePolicy::Refuse).await;
            assert_eq!(reason(refused), Reason::InsufficientStock);
        }
        assert_eq!((world.reservations("ord_1").await, available(&world, "US").await), before);
        // Fewer units can go.
        let fewer = [(1, "A", 4, "DE"), (2, "B", 2, "US")];
        let moved = reserve_lines(&world, "ord_1", &fewer, ShortagePolicy::Refuse).await.unwrap();
        assert_eq!(by_country(&moved), [("DE", 4, 0), ("US", 2, 0)]);
        world.check("A").await;
        world.check("B").await;
    })
    .await;
}

#[tokio::test]
async fn lines_that_change_places_do_not_stand_in_each_others_way() {
    each(open, async |world| {
        changed(&world, node(THERE, 2, &["DE"])).await;
        world.receive("A", THERE, 10).await;
        let (before, after) = ([(1, "A", 10, "US"), (2, "A", 10, "DE")], [(1, "A", 10, "DE"), (2, "A", 10, "US")]);
        reserve_lines(&world, "ord_1", &before, ShortagePolicy::Refuse).await.unwrap();
        assert_eq!(reserved(&world, "ord_2", "US", 3).await, 0, "another order waits");
        let swapped = reserve_lines(&world, "ord_1", &after, ShortagePolicy::Refuse).await.unwrap();
        assert_eq!(by_country(&swapped), [("DE", 10, 0), ("US", 10, 0)]);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn backordered_units_keep_their_place_when_they_go_elsewhere() {
    each(World::open, async |world| {
        for order_id in ["ord_1", "ord_2"] {
            reserved(&world, order_id, "US", 2).await;
        }
        reserve(&world, "ord_1", "DE", 2, ShortagePolicy::Refuse).await.unwrap();
        world.receive("A", HERE, 3).await;
        assert_eq!(units(&world.reservation("ord_1").await), (2, 0, 0, 0, 0));
        assert_eq!(units(&world.reservation("ord_2").await), (1, 0, 0, 1, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn countries_of_lines_name_a_line_of_the_call_once() {
    each(open, async |world| {
        let country = |line_number, country: &str| LineCountry { line_number, country: country.to_owned() };
        let line_countries = vec![country(1, "Germany"), country(2, "DE"), country(1, "DE")];
        let request = ReserveRequest { line_countries, ..requested("ord_1", &[(1, "A", 1)]) };
        let wrong = wrong_fields(world.client.clone().reserve(request).await);
        let at = ["line_countries[0].country", "line_countries[1].line_number", "line_countries[2].line_number"];
        assert_eq!(wrong, at);
    })
    .await;
}
