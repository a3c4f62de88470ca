//! Whose word on a package counts.

use proto::fulfillment::v1::{
    ListMilestonesRequest, Milestone, MilestoneCode, RecordLabelsRequest, RecordMilestoneRequest,
    RecordMilestoneResponse, ShipmentDelivered, ShipmentOverShipped, ShipmentShipped, ShipmentState,
};

use testkit::each;

use crate::{
    tracking::{count, routed, shipment},
    world::{ORDER, World, after, package, shipped},
};

async fn label(world: &World, packages: &[(&str, i64)]) {
    let request = RecordLabelsRequest {
        fulfillment_order_id: world.order(ORDER).await.fulfillment_order_id,
        shipment_reference: "S-1".to_owned(),
        packages: packages.iter().map(|(number, quantity)| package(number, *quantity)).collect(),
        ..Default::default()
    };
    world.partners().record_labels(request).await.unwrap();
}

async fn report(
    world: &World,
    reporter: &str,
    number: &str,
    code: MilestoneCode,
    seconds: i64,
) -> RecordMilestoneResponse {
    let milestone = Milestone {
        tracking_number: number.to_owned(),
        code: code.into(),
        raw_code: "X".to_owned(),
        occur_time: Some(after(seconds)),
        ..Milestone::default()
    };
    let request = RecordMilestoneRequest {
        milestone: Some(milestone),
        carrier_id: reporter.to_owned(),
        reporter_id: reporter.to_owned(),
        ..Default::default()
    };
    world.partners().record_milestone(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_carriers_word_counts_only_for_what_it_carries() {
    each(routed, async |world| {
        world.ship(shipped(&world.order(ORDER).await, &[("T1", 6)])).await;
        // The same words of the other carrier first do not take the place of the right one's.
        let foreign = report(&world, "par_other", "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!((foreign.shipment_id.as_str(), foreign.package_id.as_str()), ("", ""));
        assert_eq!(foreign.status(), MilestoneCode::Delivered, "its own word is all it hears of");
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        let found = vec![("FOREIGN_REPORT".to_owned(), shipment(&world).await.shipment_id)];
        assert_eq!(world.events().await.open_exceptions(), found);
        report(&world, "par_other", "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!(world.events().await.open_exceptions(), found, "the same again is no news");

        assert_eq!(report(&world, "par_a", "T1", MilestoneCode::PickedUp, 5).await.status(), MilestoneCode::PickedUp);
        let right = report(&world, "par_carrier", "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!((right.shipment_id.is_empty(), right.status()), (false, MilestoneCode::Delivered));
        let shipment = shipment(&world).await;
        assert_eq!(shipment.state(), ShipmentState::Delivered);
        assert_eq!(count(&world, "shipment.delivered").await, 1);
        let request = ListMilestonesRequest { shipment_id: shipment.shipment_id };
        let milestones = world.api().list_milestones(request).await.unwrap().into_inner().milestones;
        assert_eq!(milestones.len(), 2, "what does not count is not shown");
    })
    .await;
}

#[tokio::test]
async fn an_early_word_counts_when_the_shipment_names_who_said_it() {
    each(routed, async |world| {
        report(&world, "par_carrier", "T1", MilestoneCode::InTransit, 10).await;
        report(&world, "par_other", "T1", MilestoneCode::Lost, 11).await;
        let shipment = world.ship(shipped(&world.order(ORDER).await, &[("T1", 6)])).await;
        assert_eq!(shipment.packages[0].status(), MilestoneCode::InTransit);
        assert_eq!(world.events().await.open_exceptions(), [("FOREIGN_REPORT".to_owned(), shipment.shipment_id)]);
        assert_eq!(count(&world, "shipment.milestone_recorded").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_carrier_said_counts_from_when_it_is_named() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        let mut labels = RecordLabelsRequest {
            fulfillment_order_id: work.fulfillment_order_id.clone(),
            shipment_reference: "S-1".to_owned(),
            packages: vec![package("T1", 2), package("T2", 4)],
            ..Default::default()
        };
        world.partners().record_labels(labels.clone()).await.unwrap();
        for number in ["T1", "T2"] {
            let kept = report(&world, "par_carrier", number, MilestoneCode::Delivered, 10).await;
            assert_eq!(kept.shipment_id, "");
        }
        assert_eq!(shipment(&world).await.state(), ShipmentState::Labelled);
        assert_eq!(world.events().await.open_exceptions().len(), 2);
        labels.carrier_id = "par_carrier".to_owned();
        world.partners().record_labels(labels.clone()).await.unwrap();
        let named = shipment(&world).await;
        assert_eq!((named.state(), named.inferred), (ShipmentState::Delivered, true));
        assert_eq!(world.events().await.open_exceptions(), [], "its cause is gone");
        let told = world.events().await.payloads::<ShipmentDelivered>("shipment.delivered");
        assert_eq!(told[0].lines[0].quantity, 6);
        assert_eq!(count(&world, "shipment.milestone_recorded").await, 2);
        world.partners().record_labels(labels).await.unwrap();
        assert_eq!(count(&world, "shipment.delivered").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_left_by_a_named_carriers_word_is_told_beside_what_the_warehouse_reports() {
    each(routed, async |world| {
        label(&world, &[("T1", 2), ("T2", 4)]).await;
        report(&world, "par_carrier", "T2", MilestoneCode::InTransit, 10).await;
        let mut left = shipped(&world.order(ORDER).await, &[("T1", 2)]);
        left.occur_time = Some(after(30));
        world.ship(left).await;
        assert_eq!(world.order(ORDER).await.lines[0].shipped, 6);
        let events = world.events().await;
        let told = events.iter().filter_map(|event| Some((event, store::payload::<ShipmentShipped>(event)?)));
        let told: Vec<_> = told.map(|(event, told)| (event.occur_time.unwrap(), told.lines[0].quantity)).collect();
        assert_eq!(told, [(after(10), 4), (after(30), 2)], "each at its own time");
        assert_eq!(count(&world, "fulfillment.completed").await, 1);
        assert_eq!(count(&world, "fulfillment.accepted").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_arrived_and_what_is_too_many_is_told_once_with_all_its_units() {
    each(routed, async |world| {
        label(&world, &[("T1", 1), ("T2", 2)]).await;
        for number in ["T2", "T3"] {
            report(&world, "par_carrier", number, MilestoneCode::Delivered, 10).await;
        }
        world.ship(shipped(&world.order(ORDER).await, &[("T1", 1), ("T3", 7)])).await;
        let units = |told: &[proto::types::v1::LineQuantity]| told.iter().map(|unit| unit.quantity).sum::<i64>();
        let told = world.events().await.payloads::<ShipmentShipped>("shipment.shipped");
        assert_eq!(told.iter().map(|told| units(&told.lines)).sum::<i64>(), 10);
        let told = world.events().await.payloads::<ShipmentDelivered>("shipment.partially_delivered");
        assert_eq!(told.iter().map(|told| units(&told.lines)).collect::<Vec<_>>(), [9]);
        let told = world.events().await.payloads::<ShipmentOverShipped>("shipment.over_shipped");
        assert_eq!(told.iter().map(|told| units(&told.lines)).collect::<Vec<_>>(), [4]);
        let open = world.events().await.open_exceptions();
        assert_eq!(open.iter().filter(|(kind, _)| kind == "OVER_SHIPPED").count(), 1);
    })
    .await;
}
