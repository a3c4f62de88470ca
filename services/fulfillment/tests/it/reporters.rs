//! Which reporters are authoritative for a package.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        ListMilestonesRequest, MilestoneCode, RecordMilestoneResponse, ShipmentDelivered, ShipmentOverShipped,
        ShipmentShipped, ShipmentState,
    },
};

use testkit::each;

use crate::{
    tracking::shipment,
    world::{ORDER, World, after, routed, shipped},
};

async fn report(
    world: &World,
    reporter: &str,
    number: &str,
    code: MilestoneCode,
    seconds: i64,
) -> RecordMilestoneResponse {
    world.report_milestone(number, code, seconds, reporter, reporter).await
}

#[tokio::test]
async fn a_carriers_reports_are_applied_only_to_its_own_packages() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        // The same report by another carrier does not take the place of the right one's.
        let foreign = report(&world, "par_other", "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!((foreign.shipment_id.as_str(), foreign.package_id.as_str()), ("", ""));
        assert_eq!(foreign.status(), MilestoneCode::Delivered, "a reporter is answered with what it reported itself");
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        let found = vec![("FOREIGN_REPORT".to_owned(), shipment(&world).await.shipment_id)];
        assert_eq!(world.events().await.open_exceptions(), found);
        report(&world, "par_other", "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!(world.events().await.open_exceptions(), found, "the same report is the same event");

        assert_eq!(report(&world, "par_a", "T1", MilestoneCode::PickedUp, 5).await.status(), MilestoneCode::PickedUp);
        let right = report(&world, "par_carrier", "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!((right.shipment_id.is_empty(), right.status()), (false, MilestoneCode::Delivered));
        let shipment = shipment(&world).await;
        assert_eq!(shipment.state(), ShipmentState::Delivered);
        assert_eq!(world.count(EventType::ShipmentDelivered).await, 1);
        let request = ListMilestonesRequest { shipment_id: shipment.shipment_id };
        let milestones = world.api().list_milestones(request).await.unwrap().into_inner().milestones;
        assert_eq!(milestones.len(), 2, "reports of others are not listed");
    })
    .await;
}

#[tokio::test]
async fn an_early_report_is_applied_when_the_shipment_names_its_reporter() {
    each(routed, async |world| {
        report(&world, "par_carrier", "T1", MilestoneCode::InTransit, 10).await;
        report(&world, "par_other", "T1", MilestoneCode::Lost, 11).await;
        let shipment = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        assert_eq!(shipment.packages[0].status(), MilestoneCode::InTransit);
        assert_eq!(world.events().await.open_exceptions(), [("FOREIGN_REPORT".to_owned(), shipment.shipment_id)]);
        assert_eq!(world.count(EventType::ShipmentMilestoneRecorded).await, 1);
    })
    .await;
}

#[tokio::test]
async fn buffered_reports_of_a_carrier_are_applied_when_it_is_named() {
    each(routed, async |world| {
        let packages = [("T1", 2), ("T2", 4)];
        world.label("", &packages).await;
        for number in ["T1", "T2"] {
            let kept = report(&world, "par_carrier", number, MilestoneCode::Delivered, 10).await;
            assert_eq!(kept.shipment_id, "");
        }
        assert_eq!(shipment(&world).await.state(), ShipmentState::Labelled);
        assert_eq!(world.events().await.open_exceptions().len(), 2);
        world.label("par_carrier", &packages).await;
        let named = shipment(&world).await;
        assert_eq!((named.state(), named.inferred), (ShipmentState::Delivered, true));
        assert_eq!(world.events().await.open_exceptions(), [], "the carrier is named");
        let payloads = world.events().await.payloads::<ShipmentDelivered>(EventType::ShipmentDelivered);
        assert_eq!(payloads[0].lines[0].quantity, 6);
        assert_eq!(world.count(EventType::ShipmentMilestoneRecorded).await, 2);
        world.label("par_carrier", &packages).await;
        assert_eq!(world.count(EventType::ShipmentDelivered).await, 1);
    })
    .await;
}

#[tokio::test]
async fn inferred_and_reported_departures_of_one_report_are_events_of_their_own() {
    each(routed, async |world| {
        world.label("", &[("T1", 2), ("T2", 4)]).await;
        world.clock.advance(Duration::from_secs(30));
        report(&world, "par_carrier", "T2", MilestoneCode::InTransit, 10).await;
        let mut left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 2)]);
        left.occur_time = Some(after(30));
        world.ship(left).await;
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
        let events = world.events().await;
        let times = events.of(EventType::ShipmentShipped).into_iter().map(|event| event.occur_time.unwrap());
        let payloads = events.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        let departures: Vec<_> = times.zip(payloads.iter().map(|payload| payload.lines[0].quantity)).collect();
        assert_eq!(departures, [(after(10), 4), (after(30), 2)], "each at its own time");
        assert_eq!(world.count(EventType::FulfillmentCompleted).await, 1);
        assert_eq!(world.count(EventType::FulfillmentAccepted).await, 1);
    })
    .await;
}

#[tokio::test]
async fn deliveries_and_over_shipments_are_one_event_each_with_all_units() {
    each(routed, async |world| {
        world.label("", &[("T1", 1), ("T2", 2)]).await;
        for number in ["T2", "T3"] {
            report(&world, "par_carrier", number, MilestoneCode::Delivered, 10).await;
        }
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 1), ("T3", 7)])).await;
        let units = |lines: &[proto::types::v1::LineQuantity]| lines.iter().map(|unit| unit.quantity).sum::<i64>();
        let payloads = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        assert_eq!(payloads.iter().map(|payload| units(&payload.lines)).sum::<i64>(), 10);
        let payloads = world.events().await.payloads::<ShipmentDelivered>(EventType::ShipmentPartiallyDelivered);
        assert_eq!(payloads.iter().map(|payload| units(&payload.lines)).collect::<Vec<_>>(), [9]);
        let payloads = world.events().await.payloads::<ShipmentOverShipped>(EventType::ShipmentOverShipped);
        assert_eq!(payloads.iter().map(|payload| units(&payload.lines)).collect::<Vec<_>>(), [4]);
    })
    .await;
}
