//! What a node reports is never recorded as of a time in the future.

use proto::{
    event::v1::Event,
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, AnswerCancellationRequest, CancellationAnswer, RecordLabelsRequest,
        RecordPickRequest, RecordShipmentRequest, RejectFulfillmentOrderRequest, RequestCancellationRequest,
        RetractPickRequest, VoidLabelsRequest,
    },
};
use testkit::{each, units};

use crate::world::{ORDER, World, after, pick, routed, shipped};

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
