//! Which package a tracking report is about: numbers are used again, by carriers and over time, and some packages have none.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        ListShipmentsRequest, Milestone, MilestoneCode, ProofOfDelivery, RecordMilestoneRequest,
        RecordProofOfDeliveryRequest, Shipment, ShipmentState,
    },
};
use testkit::each;

use crate::world::{ORDER, World, after, package, routed, shipped};

const DAY: u64 = 24 * 60 * 60;

/// A second order, with 4 units at the same node.
async fn second(world: &World) -> String {
    world.release("ord_2", 1, &[(1, "A", 4)]);
    world.drain().await;
    world.fulfillment_order("ord_2").await.fulfillment_order_id
}

async fn of(world: &World, order: &str) -> Shipment {
    let request = ListShipmentsRequest { order_id: order.to_owned(), ..Default::default() };
    let mut shipments = world.api().list_shipments(request).await.unwrap().into_inner().shipments;
    assert_eq!(shipments.len(), 1);
    shipments.remove(0)
}

async fn report(world: &World, milestone: Milestone, reporter_id: &str) -> MilestoneCode {
    let request = RecordMilestoneRequest {
        milestone: Some(milestone),
        carrier_id: reporter_id.to_owned(),
        reporter_id: reporter_id.to_owned(),
        ..Default::default()
    };
    world.partners().record_milestone(request).await.unwrap().into_inner().status()
}

fn milestone(code: MilestoneCode, seconds: i64) -> Milestone {
    Milestone { code: code.into(), occur_time: Some(after(seconds)), ..Milestone::default() }
}

#[tokio::test]
async fn a_package_is_not_delivered_by_reports_of_an_earlier_one_with_its_number() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        let scan = |code, seconds| world.report_milestone("T1", code, seconds, "par_carrier", "par_carrier");
        scan(MilestoneCode::PickedUp, 60).await;
        scan(MilestoneCode::Delivered, 120).await;
        world.clock.advance(Duration::from_secs(300 * DAY));

        let mut labels = shipped(&world.fulfillment_order(ORDER).await, &[("t 1", 4)]);
        labels.fulfillment_order_id = second(&world).await;
        let labels = proto::fulfillment::v1::RecordLabelsRequest {
            fulfillment_order_id: labels.fulfillment_order_id,
            shipment_reference: labels.shipment_reference,
            carrier_id: labels.carrier_id,
            packages: labels.packages,
            ..Default::default()
        };
        world.partners().record_labels(labels).await.unwrap();
        assert_eq!(of(&world, "ord_2").await.state(), ShipmentState::Labelled);
        assert_eq!(world.count(EventType::ShipmentDelivered).await, 1);

        let later = i64::try_from(300 * DAY).unwrap();
        scan(MilestoneCode::InTransit, later + 60).await;
        assert_eq!(of(&world, "ord_2").await.state(), ShipmentState::Shipped);
        scan(MilestoneCode::Delivered, later + 120).await;
        let (old, new) = (of(&world, ORDER).await, of(&world, "ord_2").await);
        assert_eq!((old.deliver_time, new.deliver_time), (Some(after(120)), Some(after(later + 120))));
        assert_eq!(world.count(EventType::ShipmentMilestoneRecorded).await, 4, "each report is of one package");
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}

#[tokio::test]
async fn two_carriers_may_use_one_number_whatever_comes_first() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        let other = |code, seconds| world.report_milestone("T-1", code, seconds, "par_other", "par_other");
        other(MilestoneCode::InTransit, 10).await;
        assert_eq!(world.events().await.open_exceptions().len(), 1, "no package of the other carrier is known yet");

        let mut left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 4)]);
        left.fulfillment_order_id = second(&world).await;
        left.carrier_id = "par_other".to_owned();
        assert_eq!(world.ship(left).await.packages[0].status(), MilestoneCode::InTransit);
        assert_eq!(world.events().await.open_exceptions(), [], "the report is of the other package");
        other(MilestoneCode::Delivered, 20).await;
        assert_eq!(of(&world, ORDER).await.state(), ShipmentState::Shipped);
        assert_eq!(of(&world, "ord_2").await.state(), ShipmentState::Delivered);
        assert_eq!(world.events().await.open_exceptions(), []);

        // The distributor does not say which of the two it means.
        world.report_milestone("T1", MilestoneCode::Lost, 30, "", "").await;
        let types: Vec<_> = world.events().await.open_exceptions().into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(types, ["AMBIGUOUS_REPORT", "AMBIGUOUS_REPORT"]);
        assert_eq!(of(&world, ORDER).await.packages[0].status(), MilestoneCode::Unspecified);
        world.report_milestone("T1", MilestoneCode::Lost, 30, "par_carrier", "").await;
        assert_eq!(of(&world, ORDER).await.packages[0].status(), MilestoneCode::Lost);
    })
    .await;
}

#[tokio::test]
async fn numbers_are_compared_without_spaces_dashes_and_case() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.label("par_carrier", &[("1z 999-aa", 6)]).await;
        world.report_milestone("1Z999AA", MilestoneCode::InTransit, 10, "par_carrier", "par_carrier").await;
        let left = world.ship(shipped(&order, &[("1Z-999-AA", 6)])).await;
        assert_eq!((left.packages.len(), left.inferred), (1, false));
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
        let request = ListShipmentsRequest { tracking_number: " 1z999aa".to_owned(), ..Default::default() };
        assert_eq!(world.api().list_shipments(request).await.unwrap().into_inner().shipments.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_package_without_a_number_is_named_by_its_sscc() {
    each(routed, async |world| {
        let sscc = "340123450000000017";
        let mut left = shipped(&world.fulfillment_order(ORDER).await, &[("", 6)]);
        left.packages[0].sscc = sscc.to_owned();
        let mut again = left.clone();
        again.packages[0].lines = package("", 6).lines;
        world.ship(left).await;
        assert_eq!(world.ship(again).await.packages.len(), 1, "the same SSCC is the same package");
        let scan = Milestone { sscc: sscc.to_owned(), ..milestone(MilestoneCode::Delivered, 60) };
        assert_eq!(report(&world, scan, "par_carrier").await, MilestoneCode::Delivered);
        assert_eq!(of(&world, ORDER).await.state(), ShipmentState::Delivered);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
    })
    .await;
}

#[tokio::test]
async fn a_shipment_without_numbers_is_named_by_its_node_and_reference() {
    each(routed, async |world| {
        let name = |node: &str| Milestone {
            node_id: node.to_owned(),
            shipment_reference: "s 1".to_owned(),
            ..milestone(MilestoneCode::PickedUp, 30)
        };
        // Its own truck reports before the warehouse does.
        report(&world, name("nod_a"), "par_a").await;
        report(&world, name("nod_other"), "par_a").await;
        let mut left = shipped(&world.fulfillment_order(ORDER).await, &[("", 6)]);
        left.carrier_id.clear();
        let shipment = world.ship(left).await;
        assert_eq!(shipment.packages[0].status(), MilestoneCode::PickedUp);
        let proof =
            ProofOfDelivery { sign_time: Some(after(60)), signed_by: "A. Meier".to_owned(), ..Default::default() };
        let request = RecordProofOfDeliveryRequest {
            node_id: "nod_a".to_owned(),
            shipment_reference: "S-1".to_owned(),
            proof_of_delivery: Some(proof),
            ..Default::default()
        };
        world.partners().record_proof_of_delivery(request).await.unwrap();
        assert_eq!(of(&world, ORDER).await.state(), ShipmentState::Delivered);
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}
