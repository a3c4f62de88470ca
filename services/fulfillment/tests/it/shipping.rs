//! Labels, shipments, and contradictions.

use proto::{
    event::v1::ExceptionOpened,
    events::EventType,
    fulfillment::v1::{
        ExecutionState, MilestoneCode, RequestState, ShipmentOverShipped, ShipmentShipped, ShipmentState,
    },
};

use testkit::each;

use crate::world::{ORDER, pick, routed, shipped};

#[tokio::test]
async fn a_printed_label_ships_nothing() {
    each(routed, async |world| {
        let shipment = world.label("", &[("T1", 6)]).await;
        assert_eq!((shipment.state(), shipment.ship_time), (ShipmentState::Labelled, None));
        world.label("", &[("T1", 6)]).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.lines[0].packed, order.lines[0].shipped), (6, 0));
        assert_eq!(order.execution_state(), ExecutionState::InProgress);
        assert_eq!(
            (world.count(EventType::ShipmentLabelled).await, world.count(EventType::ShipmentShipped).await),
            (1, 0)
        );

        let shipment = world.ship(shipped(&order, &[("T1", 6)])).await;
        assert_eq!((shipment.state(), shipment.packages.len()), (ShipmentState::Shipped, 1));
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].packed, 6);
    })
    .await;
}

#[tokio::test]
async fn a_late_report_downgrades_nothing_and_a_second_package_is_added() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 4)])).await;
        world.report_milestone("T1", MilestoneCode::Delivered, 10, "", "").await;
        let shipment = world.ship(shipped(&order, &[("T1", 4)])).await;
        assert_eq!(shipment.state(), ShipmentState::Delivered);
        assert_eq!(world.label("", &[("T1", 4)]).await.state(), ShipmentState::Delivered);
        assert_eq!(world.label("", &[("T3", 1)]).await.state(), ShipmentState::Delivered);

        let shipment = world.ship(shipped(&order, &[("T2", 2)])).await;
        assert_eq!(shipment.packages.len(), 3);
        assert_eq!(shipment.packages[0].status(), MilestoneCode::Delivered);
        assert_eq!(shipment.state(), ShipmentState::PartiallyDelivered);
        let payloads = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        assert_eq!(payloads.iter().map(|payload| payload.lines[0].quantity).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(world.fulfillment_order(ORDER).await.execution_state(), ExecutionState::Completed);
    })
    .await;
}

#[tokio::test]
async fn a_report_per_carton_before_the_answer_counts_each_carton_once() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        for number in ["T1", "T2", "T1", "T3", "T2"] {
            world.ship(shipped(&order, &[(number, 2)])).await;
        }
        // The same carton under another reference is the same carton.
        let mut again = shipped(&order, &[("T3", 2)]);
        again.shipment_reference = "S-2".to_owned();
        assert_eq!(world.ship(again).await.shipment_reference, "S-1");
        world.accept(&order).await;

        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.lines[0].shipped, order.request_state()), (6, RequestState::Accepted));
        assert_eq!(order.execution_state(), ExecutionState::Completed);
        let events = world.events().await;
        let count = |event_type: EventType| events.of(event_type).len();
        assert_eq!(
            (
                count(EventType::ShipmentShipped),
                count(EventType::FulfillmentAccepted),
                count(EventType::FulfillmentCompleted)
            ),
            (3, 1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn units_beyond_the_fulfillment_order_are_shipped_all_the_same() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 5), ("T2", 4)])).await;
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 9);
        let payloads = world.events().await.payloads::<ShipmentOverShipped>(EventType::ShipmentOverShipped);
        assert_eq!((payloads.len(), payloads[0].lines[0].quantity), (1, 3));
        assert_eq!(world.events().await.open_exceptions(), [], "the order knows whether it has too many");
    })
    .await;
}

#[tokio::test]
async fn rejected_units_that_ship_after_all_are_no_longer_routed() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.reject(&order).await;
        world.drain().await;
        assert_eq!(world.events().await.open_exceptions().len(), 1);
        world.ship(shipped(&order, &[("T1", 6)])).await;
        world.drain().await;
        assert!(world.events().await.open_exceptions().is_empty());
        world.node("nod_b", 0).await;
        world.inventory.stock("A", "nod_b", 10);
        world.node("nod_c", 0).await;
        world.drain().await;
        assert_eq!(world.fulfillment_orders(ORDER).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn units_that_ship_twice_from_two_nodes_are_too_many() {
    each(routed, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        let first = world.fulfillment_order(ORDER).await;
        world.reject(&first).await;
        world.drain().await;
        let second = world.fulfillment_orders(ORDER).await.remove(1);
        world.ship(shipped(&second, &[("T1", 6)])).await;
        world.ship(shipped(&first, &[("T2", 6)])).await;
        world.drain().await;
        assert_eq!(world.count(EventType::ShipmentOverShipped).await, 1);
        assert_eq!(world.count(EventType::FulfillmentCancellationRequested).await, 0, "nobody is left to be stopped");
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_with_short_units_ends_incomplete() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 4)])).await;
        assert_eq!(world.fulfillment_order(ORDER).await.execution_state(), ExecutionState::InProgress);
        world.record_pick(pick(&order, 0, 2)).await;
        assert_eq!(world.fulfillment_orders(ORDER).await[0].execution_state(), ExecutionState::Incomplete);
        assert_eq!(world.count(EventType::FulfillmentIncomplete).await, 1);
    })
    .await;
}

#[tokio::test]
async fn other_contents_than_a_package_left_with_open_an_exception_once_and_change_nothing() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.label("", &[("T1", 6)]).await;
        world.report_milestone("T1", MilestoneCode::Delivered, 10, "", "").await;
        let shipment = world.ship(shipped(&order, &[("T1", 6)])).await;
        assert_eq!(world.events().await.open_exceptions(), []);
        for quantity in [4, 4, 6] {
            world.ship(shipped(&order, &[("T1", quantity)])).await;
        }
        assert_eq!(
            world.events().await.open_exceptions(),
            [("CONTENTS_DIFFER".to_owned(), shipment.shipment_id.clone())]
        );
        let opened = world.events().await.payloads::<ExceptionOpened>(EventType::ExceptionOpened).remove(0);
        assert_eq!((opened.facts["recorded"].as_str(), opened.facts["reported"].as_str()), ("1: 6 A", "1: 4 A"));
        assert_eq!(opened.facts["tracking_number"], "T1");
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
        assert_eq!(world.count(EventType::ShipmentShipped).await, 1);
        world.ship(shipped(&order, &[("T1", 5)])).await;
        assert_eq!(world.count(EventType::ExceptionOpened).await, 2, "another report is another event");
    })
    .await;
}

#[tokio::test]
async fn an_inferred_departure_that_is_reported_with_other_contents_opens_an_exception() {
    each(routed, async |world| {
        world.label("", &[("T1", 6)]).await;
        world.report_milestone("T1", MilestoneCode::Delivered, 10, "", "").await;
        let shipment = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 4)])).await;
        assert!(!shipment.inferred);
        assert_eq!(world.events().await.open_exceptions(), [("CONTENTS_DIFFER".to_owned(), shipment.shipment_id)]);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
    })
    .await;
}

#[tokio::test]
async fn a_labelled_package_leaves_with_what_the_warehouse_reports() {
    each(routed, async |world| {
        world.label("", &[("T1", 6)]).await;
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 4)])).await;
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 4);
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}
