//! Labels, shipments, and what contradicts.

use proto::{
    event::v1::ExceptionOpened,
    fulfillment::v1::{
        ExecutionState, Milestone, MilestoneCode, RecordLabelsRequest, RecordMilestoneRequest, RecordPickRequest,
        RequestState, Shipment, ShipmentOverShipped, ShipmentShipped, ShipmentState,
    },
};

use testkit::{each, units};

use crate::world::{ORDER, World, after, package, shipped};

async fn routed(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.inventory.stock("A", "nod_a", 10);
    world.release(ORDER, 1, &[(1, "A", 6)]);
    world.drain().await;
    world
}

async fn delivered(world: &World, number: &str, seconds: i64) {
    let milestone = Milestone {
        tracking_number: number.to_owned(),
        code: MilestoneCode::Delivered.into(),
        occur_time: Some(after(seconds)),
        ..Milestone::default()
    };
    let request = RecordMilestoneRequest { milestone: Some(milestone), ..Default::default() };
    world.partners().record_milestone(request).await.unwrap();
}

async fn label(world: &World, numbers: &[(&str, i64)]) -> Shipment {
    let request = RecordLabelsRequest {
        fulfillment_order_id: world.order(ORDER).await.fulfillment_order_id,
        shipment_reference: "S-1".to_owned(),
        packages: numbers.iter().map(|(number, quantity)| package(number, *quantity)).collect(),
        ..Default::default()
    };
    world.partners().record_labels(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn case_32_a_printed_label_ships_nothing() {
    each(routed, async |world| {
        let shipment = label(&world, &[("T1", 6)]).await;
        assert_eq!((shipment.state(), shipment.ship_time), (ShipmentState::Labelled, None));
        label(&world, &[("T1", 6)]).await;
        let work = world.order(ORDER).await;
        assert_eq!((work.lines[0].packed, work.lines[0].shipped), (6, 0));
        assert_eq!(work.execution_state(), ExecutionState::InProgress);
        let kinds = world.event_types().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "shipment.labelled").count(), 1);
        assert!(!kinds.contains(&"shipment.shipped".to_owned()));

        let shipment = world.ship(shipped(&work, &[("T1", 6)])).await;
        assert_eq!((shipment.state(), shipment.packages.len()), (ShipmentState::Shipped, 1));
        assert_eq!(world.order(ORDER).await.lines[0].packed, 6);
    })
    .await;
}

#[tokio::test]
async fn case_40_a_late_report_downgrades_nothing_and_a_second_package_is_added() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        world.ship(shipped(&work, &[("T1", 4)])).await;
        delivered(&world, "T1", 10).await;
        let shipment = world.ship(shipped(&work, &[("T1", 4)])).await;
        assert_eq!(shipment.state(), ShipmentState::Delivered);
        assert_eq!(label(&world, &[("T1", 4)]).await.state(), ShipmentState::Delivered);
        assert_eq!(label(&world, &[("T3", 1)]).await.state(), ShipmentState::Delivered);

        let shipment = world.ship(shipped(&work, &[("T2", 2)])).await;
        assert_eq!(shipment.packages.len(), 3);
        assert_eq!(shipment.packages[0].status(), MilestoneCode::Delivered);
        assert_eq!(shipment.state(), ShipmentState::PartiallyDelivered);
        let told = world.events().await.payloads::<ShipmentShipped>("shipment.shipped");
        assert_eq!(told.iter().map(|told| told.lines[0].quantity).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(world.order(ORDER).await.execution_state(), ExecutionState::Completed);
    })
    .await;
}

#[tokio::test]
async fn case_43_a_report_per_carton_before_the_answer_counts_each_carton_once() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        for number in ["T1", "T2", "T1", "T3", "T2"] {
            world.ship(shipped(&work, &[(number, 2)])).await;
        }
        // The same carton under another reference is the same carton.
        let mut again = shipped(&work, &[("T3", 2)]);
        again.shipment_reference = "S-2".to_owned();
        assert_eq!(world.ship(again).await.shipment_reference, "S-1");
        world.accept(&work).await;

        let work = world.order(ORDER).await;
        assert_eq!((work.lines[0].shipped, work.request_state()), (6, RequestState::Accepted));
        assert_eq!(work.execution_state(), ExecutionState::Completed);
        let kinds = world.event_types().await;
        let count = |wanted: &str| kinds.iter().filter(|kind| *kind == wanted).count();
        assert_eq!(
            (count("shipment.shipped"), count("fulfillment.accepted"), count("fulfillment.completed")),
            (3, 1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn more_than_was_asked_for_is_shipped_and_told() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        let shipment = world.ship(shipped(&work, &[("T1", 5), ("T2", 4)])).await;
        assert_eq!(world.order(ORDER).await.lines[0].shipped, 9);
        let told = world.events().await.payloads::<ShipmentOverShipped>("shipment.over_shipped");
        assert_eq!((told.len(), told[0].lines[0].quantity), (1, 3));
        assert_eq!(world.events().await.open_exceptions(), [("OVER_SHIPPED".to_owned(), shipment.shipment_id)]);
    })
    .await;
}

#[tokio::test]
async fn units_that_ship_after_all_are_taken_from_those_that_wait_for_a_node() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        world.reject(&work).await;
        world.drain().await;
        assert_eq!(world.events().await.open_exceptions().len(), 1);
        world.ship(shipped(&work, &[("T1", 6)])).await;
        world.drain().await;
        assert!(world.events().await.open_exceptions().is_empty());
        world.node("nod_b", 0).await;
        world.inventory.stock("A", "nod_b", 10);
        world.node("nod_c", 0).await;
        world.drain().await;
        assert_eq!(world.orders(ORDER).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn units_that_ship_twice_from_two_nodes_are_too_many() {
    each(routed, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        let first = world.order(ORDER).await;
        world.reject(&first).await;
        world.drain().await;
        let second = world.orders(ORDER).await.remove(1);
        world.ship(shipped(&second, &[("T1", 6)])).await;
        let shipment = world.ship(shipped(&first, &[("T2", 6)])).await;
        assert_eq!(world.events().await.open_exceptions(), [("OVER_SHIPPED".to_owned(), shipment.shipment_id)]);
    })
    .await;
}

#[tokio::test]
async fn work_with_something_short_ends_incomplete() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        world.ship(shipped(&work, &[("T1", 4)])).await;
        assert_eq!(world.order(ORDER).await.execution_state(), ExecutionState::InProgress);
        let request = RecordPickRequest {
            fulfillment_order_id: work.fulfillment_order_id.clone(),
            short: vec![units(1, 2)],
            ..Default::default()
        };
        world.partners().record_pick(request).await.unwrap();
        assert_eq!(world.orders(ORDER).await[0].execution_state(), ExecutionState::Incomplete);
        let kinds = world.event_types().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "fulfillment.incomplete").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn other_contents_than_a_package_left_with_are_told_once_and_change_nothing() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        label(&world, &[("T1", 6)]).await;
        delivered(&world, "T1", 10).await;
        let shipment = world.ship(shipped(&work, &[("T1", 6)])).await;
        assert_eq!(world.events().await.open_exceptions(), []);
        for quantity in [4, 4, 6] {
            world.ship(shipped(&work, &[("T1", quantity)])).await;
        }
        assert_eq!(
            world.events().await.open_exceptions(),
            [("CONTENTS_DIFFER".to_owned(), shipment.shipment_id.clone())]
        );
        let opened = world.events().await.payloads::<ExceptionOpened>("exception.opened").remove(0);
        assert_eq!((opened.facts["recorded"].as_str(), opened.facts["reported"].as_str()), ("1: 6 A", "1: 4 A"));
        assert_eq!(opened.facts["tracking_number"], "T1");
        assert_eq!(world.order(ORDER).await.lines[0].shipped, 6);
        assert_eq!(world.events().await.payloads::<ShipmentShipped>("shipment.shipped").len(), 1);
        world.ship(shipped(&work, &[("T1", 5)])).await;
        assert_eq!(
            world.events().await.payloads::<ExceptionOpened>("exception.opened").len(),
            2,
            "another report is another fact"
        );
    })
    .await;
}

#[tokio::test]
async fn an_inferred_departure_that_is_reported_with_other_contents_is_told() {
    each(routed, async |world| {
        label(&world, &[("T1", 6)]).await;
        delivered(&world, "T1", 10).await;
        let shipment = world.ship(shipped(&world.order(ORDER).await, &[("T1", 4)])).await;
        assert!(!shipment.inferred);
        assert_eq!(world.events().await.open_exceptions(), [("CONTENTS_DIFFER".to_owned(), shipment.shipment_id)]);
        assert_eq!(world.order(ORDER).await.lines[0].shipped, 6);
    })
    .await;
}

#[tokio::test]
async fn a_labelled_package_leaves_with_what_the_warehouse_reports() {
    each(routed, async |world| {
        label(&world, &[("T1", 6)]).await;
        world.ship(shipped(&world.order(ORDER).await, &[("T1", 4)])).await;
        assert_eq!(world.order(ORDER).await.lines[0].shipped, 4);
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}
