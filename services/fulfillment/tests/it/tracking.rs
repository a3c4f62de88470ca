//! Tracking reports, early, late, repeated and in any order.

use proto::{
    events::EventType,
    fulfillment::v1::{
        ExecutionState, ListMilestonesRequest, ListShipmentsRequest, MilestoneCode, ProofOfDelivery,
        ProofOfDeliveryCaptured, RecordMilestoneResponse, RecordProofOfDeliveryRequest, Shipment, ShipmentDelivered,
        ShipmentShipped, ShipmentState,
    },
};

use testkit::each;

use crate::world::{ORDER, World, after, routed, shipped};

async fn report(world: &World, number: &str, code: MilestoneCode, seconds: i64) -> RecordMilestoneResponse {
    world.report_milestone(number, code, seconds, "par_carrier", "").await
}

async fn prove(world: &World, number: &str, seconds: i64) {
    let proof = ProofOfDelivery {
        signed_by: "A. Meier".to_owned(),
        sign_time: Some(after(seconds)),
        ..ProofOfDelivery::default()
    };
    let request = RecordProofOfDeliveryRequest {
        tracking_number: number.to_owned(),
        proof_of_delivery: Some(proof),
        ..Default::default()
    };
    world.partners().record_proof_of_delivery(request).await.unwrap();
}

pub(crate) async fn shipment(world: &World) -> Shipment {
    let request = ListShipmentsRequest { order_id: ORDER.to_owned(), ..Default::default() };
    let mut shipments = world.api().list_shipments(request).await.unwrap().into_inner().shipments;
    assert_eq!(shipments.len(), 1);
    shipments.remove(0)
}

#[tokio::test]
async fn one_delivered_package_of_three_is_a_partial_delivery() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 1), ("T2", 2), ("T3", 3)])).await;
        report(&world, "T2", MilestoneCode::Delivered, 20).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::PartiallyDelivered);
        report(&world, "T1", MilestoneCode::Delivered, 10).await;
        report(&world, "T3", MilestoneCode::Delivered, 30).await;
        let shipment = shipment(&world).await;
        assert_eq!((shipment.state(), shipment.deliver_time), (ShipmentState::Delivered, Some(after(30))));
        let partial = world.events().await.payloads::<ShipmentDelivered>(EventType::ShipmentPartiallyDelivered);
        let last = world.events().await.payloads::<ShipmentDelivered>(EventType::ShipmentDelivered);
        let quantities: Vec<_> = partial.iter().chain(&last).map(|payload| payload.lines[0].quantity).collect();
        assert_eq!((quantities, last.len()), (vec![2, 1, 3], 1));
    })
    .await;
}

#[tokio::test]
async fn reports_count_by_the_time_they_happened() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        let codes = [
            (MilestoneCode::OutForDelivery, 30),
            (MilestoneCode::PickedUp, 10),
            (MilestoneCode::Estimated, 40),
            (MilestoneCode::Unspecified, 50),
            (MilestoneCode::OutForDelivery, 30),
        ];
        for (code, seconds) in codes {
            assert_eq!(report(&world, "T1", code, seconds).await.status(), MilestoneCode::OutForDelivery);
        }
        let shipment = shipment(&world).await;
        assert_eq!(shipment.packages[0].status_time, Some(after(30)));
        assert_eq!(shipment.packages[0].estimated_delivery_time, Some(after(1_040)));
        assert_eq!(shipment.state(), ShipmentState::Shipped);
        assert_eq!(world.count(EventType::ShipmentMilestoneRecorded).await, 4);

        let request = ListMilestonesRequest { shipment_id: shipment.shipment_id };
        let milestones = world.api().list_milestones(request).await.unwrap().into_inner().milestones;
        let times: Vec<_> = milestones.iter().map(|milestone| milestone.occur_time.unwrap()).collect();
        assert_eq!(times, [after(10), after(30), after(40), after(50)]);
        assert_eq!(milestones[0].raw_code, "X");
    })
    .await;
}

#[tokio::test]
async fn a_delivered_package_stays_delivered() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        report(&world, "T1", MilestoneCode::Delivered, 20).await;
        for (code, seconds) in
            [(MilestoneCode::InTransit, 30), (MilestoneCode::Lost, 5), (MilestoneCode::Delivered, 25)]
        {
            assert_eq!(report(&world, "T1", code, seconds).await.status(), MilestoneCode::Delivered);
        }
        assert_eq!(shipment(&world).await.deliver_time, Some(after(20)));
        assert_eq!(world.count(EventType::ShipmentDelivered).await, 1);
    })
    .await;
}

#[tokio::test]
async fn reports_before_the_package_is_known_are_buffered_and_applied() {
    each(routed, async |world| {
        let answer = report(&world, "T1", MilestoneCode::InTransit, 10).await;
        assert_eq!((answer.shipment_id.as_str(), answer.status()), ("", MilestoneCode::InTransit));
        prove(&world, "T1", 20).await;
        prove(&world, "T1", 20).await;
        report(&world, "T1", MilestoneCode::InTransit, 10).await;
        assert_eq!(world.count(EventType::ShipmentUnmatchedMilestoneRecorded).await, 2);

        let shipment = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        assert_eq!((shipment.state(), shipment.inferred), (ShipmentState::Delivered, false));
        assert_eq!(shipment.deliver_time, Some(after(20)));
        let proof = shipment.packages[0].proof_of_delivery.as_ref().unwrap();
        assert_eq!(proof.signed_by, "A. Meier");
        let types = world.event_types().await;
        let position = |wanted: EventType| types.iter().position(|event_type| *event_type == wanted).unwrap();
        assert!(position(EventType::ShipmentShipped) < position(EventType::ShipmentDelivered));
        assert_eq!(world.count(EventType::ShipmentMilestoneRecorded).await, 1);
        let captured = world.events().await.payloads::<ProofOfDeliveryCaptured>(EventType::ShipmentPodCaptured);
        assert_eq!(captured.len(), 1);
        let reported = captured[0].shipment.as_ref().unwrap();
        assert_eq!((&reported.etag, &reported.packages), (&shipment.etag, &shipment.packages));
    })
    .await;
}

#[tokio::test]
async fn a_labelled_package_that_its_carrier_has_is_inferred_to_have_left() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.label("", &[("T1", 6)]).await;
        report(&world, "T1", MilestoneCode::LabelCreated, 5).await;
        report(&world, "T1", MilestoneCode::Estimated, 6).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Labelled);

        report(&world, "T1", MilestoneCode::InTransit, 10).await;
        let inferred = shipment(&world).await;
        assert_eq!((inferred.state(), inferred.inferred), (ShipmentState::Shipped, true));
        assert_eq!((inferred.ship_time, inferred.carrier_id.as_str()), (Some(after(10)), "par_carrier"));
        assert_eq!(world.fulfillment_order(ORDER).await.execution_state(), ExecutionState::Completed);

        let reported = world.ship(shipped(&order, &[("T1", 6)])).await;
        assert_eq!((reported.state(), reported.inferred), (ShipmentState::Shipped, false));
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
        let payloads = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        assert!(payloads.len() == 1 && payloads[0].shipment.as_ref().unwrap().inferred);
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_a_delivery() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        prove(&world, "T1", 40).await;
        prove(&world, "T1", 40).await;
        report(&world, "T1", MilestoneCode::Delivered, 35).await;
        let shipment = shipment(&world).await;
        assert_eq!(
            (shipment.state(), shipment.packages[0].status()),
            (ShipmentState::Delivered, MilestoneCode::Delivered)
        );
        assert_eq!(
            (world.count(EventType::ShipmentDelivered).await, world.count(EventType::ShipmentPodCaptured).await),
            (1, 1)
        );
    })
    .await;
}
