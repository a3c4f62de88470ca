//! What a node reports is never recorded as of a time in the future, nor packages long before it was asked to ship.

use std::time::Duration;

use proto::{
    event::v1::Event,
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, AnswerCancellationRequest, CancellationAnswer, MilestoneCode,
        RecordLabelsRequest, RecordPickRequest, RecordShipmentRequest, RejectFulfillmentOrderRequest,
        RequestCancellationRequest, RetractPickRequest, RetractShipmentRequest, ShipmentState, VoidLabelsRequest,
    },
};
use testkit::{each, units};

use crate::{
    tracking::shipment,
    world::{ORDER, World, after, pick, routed, shipped},
};

const DAY: i64 = 24 * 60 * 60;

/// A minute is the difference of two clocks, two hours are not.
const AHEAD: [i64; 2] = [60, 7_200];

async fn nothing_is_in_the_future(world: &World) {
    let seconds = |event: &Event| event.occur_time.map(|at| (at.seconds, at.nanos));
    let now = (after(0).seconds, after(0).nanos);
    for event in world.events().await.iter() {
        assert!(seconds(event).is_some_and(|at| at <= now), "{event:?}");
    }
}

#[tokio::test]
async fn an_acceptance_a_pick_labels_and_a_shipment_of_the_future_occurred_by_now() {
    for ahead in AHEAD {
        each(routed, async |world| {
            let (order, at) = (world.fulfillment_order(ORDER).await, Some(after(ahead)));
            let id = order.fulfillment_order_id.clone();
            let accept = AcceptFulfillmentOrderRequest {
                fulfillment_order_id: id.clone(),
                occur_time: at,
                ..Default::default()
            };
            world.partners().accept_fulfillment_order(accept).await.unwrap();
            world.record_pick(RecordPickRequest { occur_time: at, ..pick(&order, 6, 0) }).await;
            let unpick = RetractPickRequest {
                fulfillment_order_id: id.clone(),
                picked: vec![units(1, 1)],
                reason: "one less".to_owned(),
                occur_time: at,
                ..Default::default()
            };
            world.partners().retract_pick(unpick).await.unwrap();
            let left = RecordShipmentRequest { occur_time: at, ..shipped(&order, &[("T1", 5)]) };
            let labelled = RecordLabelsRequest {
                fulfillment_order_id: id.clone(),
                shipment_reference: left.shipment_reference.clone(),
                packages: left.packages.clone(),
                occur_time: at,
                ..Default::default()
            };
            world.partners().record_labels(labelled).await.unwrap();
            let void = VoidLabelsRequest {
                fulfillment_order_id: id,
                shipment_reference: left.shipment_reference.clone(),
                reason: "another box".to_owned(),
                occur_time: at,
                ..Default::default()
            };
            world.partners().void_labels(void).await.unwrap();
            assert_eq!(world.ship(left).await.ship_time, Some(after(0)));
            nothing_is_in_the_future(&world).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_rejection_and_an_answer_to_a_cancellation_of_the_future_occurred_by_now() {
    for ahead in AHEAD {
        for answer in [CancellationAnswer::Accepted, CancellationAnswer::Rejected] {
            each(routed, async |world| {
                let (order, at) = (world.fulfillment_order(ORDER).await, Some(after(ahead)));
                let id = order.fulfillment_order_id.clone();
                world.accept(&order).await;
                let ask = RequestCancellationRequest {
                    fulfillment_order_id: id.clone(),
                    reason: "not wanted".to_owned(),
                    ..Default::default()
                };
                world.api().request_cancellation(ask).await.unwrap();
                let answer = AnswerCancellationRequest {
                    fulfillment_order_id: id.clone(),
                    answer: answer.into(),
                    reason: "too late".to_owned(),
                    occur_time: at,
                    ..Default::default()
                };
                world.partners().answer_cancellation(answer).await.unwrap();
                nothing_is_in_the_future(&world).await;
            })
            .await;
        }
        each(routed, async |world| {
            let reject = RejectFulfillmentOrderRequest {
                fulfillment_order_id: world.fulfillment_order(ORDER).await.fulfillment_order_id,
                reason: "full".to_owned(),
                occur_time: Some(after(ahead)),
                ..Default::default()
            };
            world.partners().reject_fulfillment_order(reject).await.unwrap();
            nothing_is_in_the_future(&world).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_clock_that_is_a_little_ahead_opens_no_exception() {
    each(routed, async |world| {
        let left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)]);
        world.ship(RecordShipmentRequest { occur_time: Some(after(299)), ..left }).await;
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

/// Labels or a departure of the package `T1`.
async fn report_package(world: &World, is_label: bool, seconds: i64) {
    let left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)]);
    let left = RecordShipmentRequest { occur_time: Some(after(seconds)), ..left };
    if !is_label {
        world.ship(left).await;
        return;
    }
    let labelled = RecordLabelsRequest {
        fulfillment_order_id: left.fulfillment_order_id,
        shipment_reference: left.shipment_reference,
        carrier_id: left.carrier_id,
        packages: left.packages,
        occur_time: left.occur_time,
        ..Default::default()
    };
    world.partners().record_labels(labelled).await.unwrap();
}

async fn deliver(world: &World, seconds: i64) -> ShipmentState {
    world.report_milestone("T1", MilestoneCode::Delivered, seconds, "par_carrier", "par_carrier").await;
    shipment(world).await.state()
}

#[tokio::test]
async fn labels_and_a_departure_long_before_the_request_are_of_the_time_of_their_record() {
    for is_label in [true, false] {
        for days in [-8, -200, -365] {
            each(routed, async |world| {
                report_package(&world, is_label, days * DAY).await;
                let shipment = shipment(&world).await;
                assert_eq!(shipment.ship_time, (!is_label).then(|| after(0)));
                let opened = ("IMPLAUSIBLE_TIME".to_owned(), shipment.shipment_id);
                assert_eq!(world.events().await.open_exceptions(), [opened]);
                assert_eq!(deliver(&world, 60).await, ShipmentState::Delivered);
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_departure_some_days_before_the_request_is_believed() {
    each(routed, async |world| {
        report_package(&world, false, -7 * DAY).await;
        assert_eq!(shipment(&world).await.ship_time, Some(after(-7 * DAY)));
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_later_report_of_the_node_sets_a_wrong_label_time_right() {
    for is_label in [true, false] {
        each(routed, async |world| {
            world.clock.advance(Duration::from_secs(200 * 24 * 60 * 60));
            report_package(&world, true, 0).await;
            assert_eq!(
                deliver(&world, 200 * DAY).await,
                ShipmentState::Labelled,
                "the number may be used again by then"
            );
            report_package(&world, is_label, 199 * DAY).await;
            assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered);
        })
        .await;
    }
}

#[tokio::test]
async fn a_departure_that_is_taken_back_and_reported_again_is_of_its_new_time() {
    each(routed, async |world| {
        world.clock.advance(Duration::from_secs(200 * 24 * 60 * 60));
        report_package(&world, false, 0).await;
        assert_eq!(deliver(&world, 200 * DAY).await, ShipmentState::Shipped);
        let retract = RetractShipmentRequest {
            fulfillment_order_id: world.fulfillment_order(ORDER).await.fulfillment_order_id,
            shipment_reference: "S-1".to_owned(),
            reason: "another day".to_owned(),
            ..Default::default()
        };
        world.partners().retract_shipment(retract).await.unwrap();
        assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered, "the delivery implies a departure");
        report_package(&world, false, 199 * DAY).await;
        let shipment = shipment(&world).await;
        assert_eq!((shipment.state(), shipment.ship_time), (ShipmentState::Delivered, Some(after(199 * DAY))));
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}
