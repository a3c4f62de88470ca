//! The destination of released units changes while nodes have them.

mod late;

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        AnswerShipToChangeRequest, CreateNodeRequest, FulfillmentOrder, FulfillmentShipToChange,
        FulfillmentShipToChangeSettled, ListShipmentsRequest, RecordLabelsRequest, RequestState, ServiceArea,
        ShipToChangeAnswer, Shipment, ShipmentState, ShipmentVoided,
    },
    types::v1::{Address, LineQuantity},
};
use testkit::{each, fault, wrong_fields};
use types::Reason;

use crate::{
    inventory::Outage,
    world::{ORDER, World, address, node, package, pick, routed_units, shipped},
};

/// Five units at a node that has accepted them.
async fn accepted(options: store::Options) -> World {
    let world = unanswered(options).await;
    world.accept(&world.fulfillment_order(ORDER).await).await;
    world
}

async fn unanswered(options: store::Options) -> World {
    routed_units(options, 5).await
}

impl World {
    /// The order's goods should go to another address, and the service does what follows.
    async fn change_ship_to(&self, change_number: i32, ship_to: Address) {
        self.request_ship_to(change_number, ship_to);
        self.drain().await;
    }

    async fn answer_ship_to(
        &self,
        change_number: i32,
        answer: ShipToChangeAnswer,
    ) -> Result<FulfillmentOrder, tonic::Status> {
        let order = self.fulfillment_orders(ORDER).await.remove(0);
        let answered = self.answer_ship_to_of(&order, change_number, answer).await;
        self.drain().await;
        answered
    }

    /// What became of the changes: number, accepted and rejected units, and the reason.
    async fn settled(&self) -> Vec<(i32, i64, i64, String)> {
        let events = self.events().await;
        let settled = events.payloads::<FulfillmentShipToChangeSettled>(EventType::FulfillmentShipToChangeSettled);
        let read = |one: FulfillmentShipToChangeSettled| {
            (one.change_number, sum(&one.accepted), sum(&one.rejected), one.reason)
        };
        settled.into_iter().map(read).collect()
    }

    async fn shipments(&self) -> Vec<Shipment> {
        let request = ListShipmentsRequest { order_id: ORDER.to_owned(), ..Default::default() };
        self.api().list_shipments(request).await.unwrap().into_inner().shipments
    }
}

fn sum(lines: &[LineQuantity]) -> i64 {
    lines.iter().map(|line| line.quantity).sum()
}

fn goes_to(address: Option<&Address>) -> &str {
    address.map_or("", |address| &address.name)
}

fn settles(number: i32, accepted: i64, rejected: i64, reason: &str) -> (i32, i64, i64, String) {
    (number, accepted, rejected, reason.to_owned())
}

async fn assert_quiet(world: &World) {
    assert_eq!(world.events().await.open_exceptions(), []);
    assert_eq!(world.workers.look().await, Ok(0));
}

#[tokio::test]
async fn case_33_a_label_is_printed_and_the_address_changes_so_it_is_void_and_another_is_printed() {
    each(accepted, async |world| {
        world.label("par_c", &[("T1", 5)]).await;
        world.change_ship_to(1, address("Branch", "DE")).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((goes_to(order.ship_to.as_ref()), world.settled().await), ("Depot", vec![]));
        let asked = order.ship_to_change.unwrap();
        assert_eq!((asked.change_number, goes_to(asked.ship_to.as_ref())), (1, "Branch"));
        assert!(order.supported_actions.contains(&"AnswerShipToChange".to_owned()));

        for _ in 0..2 {
            world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        }
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((goes_to(order.ship_to.as_ref()), &order.ship_to_change), ("Branch", &None));
        assert_eq!(order.lines[0].packed, 0);
        let voided = world.events().await.payloads::<ShipmentVoided>(EventType::ShipmentVoided);
        assert_eq!(voided.iter().map(|voided| sum(&voided.lines)).collect::<Vec<_>>(), [5]);
        assert_eq!(world.settled().await, [settles(1, 5, 0, "")]);

        world.label("par_c", &[("T2", 5)]).await;
        world.ship(shipped(&order, &[("T2", 5)])).await;
        let shipment = world.shipments().await.remove(0);
        let places: Vec<_> = shipment.packages.iter().map(|one| goes_to(one.ship_to.as_ref())).collect();
        assert_eq!((goes_to(shipment.ship_to.as_ref()), places), ("Branch", vec!["Depot", ""]));
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn case_33_a_label_is_printed_and_the_node_refuses_the_new_address_with_the_reason() {
    each(accepted, async |world| {
        world.label("par_c", &[("T1", 5)]).await;
        world.change_ship_to(1, address("Branch", "DE")).await;
        for _ in 0..2 {
            world.answer_ship_to(1, ShipToChangeAnswer::Rejected).await.unwrap();
        }
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((goes_to(order.ship_to.as_ref()), order.ship_to_change), ("Depot", None));
        assert_eq!(world.shipments().await[0].state(), ShipmentState::Labelled);
        assert_eq!(world.settled().await, [settles(1, 0, 5, "the truck is loaded")]);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn what_has_left_stays_with_the_old_address_and_what_is_open_is_asked_of_the_node() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 2)])).await;
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.ship(shipped(&order, &[("T2", 1)])).await;
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        assert_eq!(world.settled().await, [settles(1, 2, 3, "already shipped")]);
        world.ship(shipped(&order, &[("T3", 2)])).await;
        let shipment = world.shipments().await.remove(0);
        let mut places: Vec<_> =
            shipment.packages.iter().map(|one| (one.tracking_number.as_str(), goes_to(one.ship_to.as_ref()))).collect();
        places.sort_unstable();
        assert_eq!(goes_to(shipment.ship_to.as_ref()), "Depot");
        assert_eq!(places, [("T1", ""), ("T2", ""), ("T3", "Branch")]);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_ships_everything_before_it_answers_has_answered() {
    each(accepted, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        assert_eq!(world.settled().await, [settles(1, 0, 5, "already shipped")]);
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((goes_to(order.ship_to.as_ref()), order.ship_to_change), ("Depot", None));
        assert_eq!(world.settled().await.len(), 1);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_that_was_not_accepted_is_routed_again_for_the_new_address() {
    each(unanswered, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        let orders = world.fulfillment_orders(ORDER).await;
        assert_eq!(orders[0].request_state(), RequestState::CancellationAccepted);
        assert_eq!((goes_to(orders[1].ship_to.as_ref()), orders[1].lines[0].quantity), ("Branch", 5));
        assert_eq!(world.inventory.allocated("A", "nod_a"), 5);
        assert_eq!(world.settled().await, [settles(1, 5, 0, "")]);
        assert_quiet(&world).await;
    })
    .await;
}

/// A node in Germany that has accepted nothing, and one that ships to Austria.
async fn two_countries(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    let to_austria = vec![ServiceArea { countries: vec!["AT".to_owned()], rank: 0 }];
    world.create(CreateNodeRequest { service_areas: to_austria, ..node("nod_b", 0) }).await;
    for at in ["nod_a", "nod_b"] {
        world.inventory.stock("A", at, 5);
    }
    world
}

#[tokio::test]
async fn units_go_to_a_node_that_ships_to_the_other_country() {
    each(two_countries, async |world| {
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.change_ship_to(1, address("Wien", "AT")).await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 5)]);
        assert_eq!((world.inventory.allocated("A", "nod_a"), world.inventory.allocated("A", "nod_b")), (0, 5));
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_plan_for_the_old_country_reaches_no_node() {
    each(two_countries, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        assert_eq!(world.inventory.allocated("A", "nod_a"), 5);
        world.change_ship_to(1, address("Wien", "AT")).await;
        assert_eq!(world.settled().await, [settles(1, 5, 0, "")]);
        world.clock.advance(Duration::from_secs(60));
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 5)]);
        assert_eq!(world.count(EventType::FulfillmentRequested).await, 1);
        assert_eq!((world.inventory.allocated("A", "nod_a"), world.inventory.allocated("A", "nod_b")), (0, 5));
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn units_without_a_node_are_routed_to_the_other_country() {
    each(two_countries, async |world| {
        world.inventory.fail("GetAvailability", Outage::Before);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.change_ship_to(1, address("Wien", "AT")).await;
        world.clock.advance(Duration::from_secs(60));
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.node_id.as_str(), goes_to(order.ship_to.as_ref())), ("nod_b", "Wien"));
        assert_eq!(world.settled().await, [settles(1, 5, 0, "")]);
    })
    .await;
}

#[tokio::test]
async fn a_later_change_takes_the_place_of_one_that_is_not_answered() {
    each(accepted, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.change_ship_to(2, address("Shop", "DE")).await;
        let superseded = "superseded by change 2 of the destination";
        assert_eq!(world.settled().await, [settles(1, 0, 5, superseded)]);
        world.answer_ship_to(2, ShipToChangeAnswer::Accepted).await.unwrap();
        // The answer to the first one was under way, and is older than what the node accepted.
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((goes_to(order.ship_to.as_ref()), order.ship_to_change), ("Shop", None));
        assert_eq!(world.settled().await[1..], [settles(2, 5, 0, "")]);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_the_node_gives_up_go_to_the_new_address_from_another_node() {
    each(accepted, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        let order = world.fulfillment_order(ORDER).await;
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.record_pick(pick(&order, 0, 2)).await;
        world.reject(&order).await;
        world.drain().await;
        let orders = world.fulfillment_orders(ORDER).await;
        assert!(orders[1..].iter().all(|order| goes_to(order.ship_to.as_ref()) == "Branch"), "{orders:?}");
        assert_eq!(world.open_units(ORDER, 1).await.iter().map(|(_, units)| units).sum::<i64>(), 5);
        let ended =
            world.events().await.payloads::<FulfillmentShipToChange>(EventType::FulfillmentShipToChangeRejected);
        assert_eq!(ended[0].reason, "the fulfillment order has ended");
        assert_eq!(world.settled().await, [settles(1, 5, 0, "")]);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn cancelled_units_go_nowhere() {
    each(accepted, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.cancel(ORDER);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        world.answer_cancellation(&order, proto::fulfillment::v1::CancellationAnswer::Accepted).await;
        assert_eq!(world.settled().await, [settles(1, 0, 0, "")]);
        assert_eq!(world.fulfillment_order(ORDER).await.ship_to_change, None);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_does_not_delay_the_request() {
    each(accepted, async |world| {
        world.hold(ORDER, 1, &[]);
        world.change_ship_to(1, address("Branch", "DE")).await;
        assert!(world.fulfillment_order(ORDER).await.ship_to_change.is_some());
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        assert_eq!(world.settled().await, [settles(1, 5, 0, "")]);
    })
    .await;
}

#[tokio::test]
async fn an_order_without_released_units_settles_the_change_at_once() {
    each(World::open, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        assert_eq!(world.settled().await, [settles(1, 0, 0, "")]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_what_was_never_asked_is_refused_with_what_is_supported() {
    each(accepted, async |world| {
        let refused = fault(world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await);
        assert_eq!(refused.reason, Reason::ActionNotSupported);
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(refused.facts[0], ("etag", order.etag));
        assert_eq!(refused.facts[1], ("supported_actions", order.supported_actions.join(",")));
        let wrong = world.partners().answer_ship_to_change(AnswerShipToChangeRequest::default()).await;
        assert_eq!(wrong_fields(wrong), ["fulfillment_order_id", "change_number", "answer"]);
    })
    .await;
}

#[tokio::test]
async fn a_label_of_a_shipment_that_is_under_way_goes_to_the_new_address() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.label("par_c", &[("T1", 3)]).await;
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        // The void label is used all the same: a person is told, and the package goes to the old address.
        world.ship(shipped(&order, &[("T1", 3)])).await;
        let request = RecordLabelsRequest {
            fulfillment_order_id: order.fulfillment_order_id,
            shipment_reference: "S-2".to_owned(),
            packages: vec![package("T2", 2)],
            ..Default::default()
        };
        let labelled = world.partners().record_labels(request).await.unwrap().into_inner();
        assert_eq!(goes_to(labelled.ship_to.as_ref()), "Branch");
        let mut shipments = world.shipments().await.into_iter();
        let first = shipments.find(|shipment| shipment.shipment_reference == "S-1").unwrap();
        assert_eq!(goes_to(first.packages[0].ship_to.as_ref()), "Depot");
        assert_eq!(world.events().await.open_exceptions().len(), 1);
    })
    .await;
}
