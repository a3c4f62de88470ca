//! Who carries a shipment and when something occurred, corrected; and reports that are taken back.

use std::{collections::BTreeSet, time::Duration};

use proto::{
    events::EventType,
    fulfillment::v1::{
        ListMilestonesRequest, Milestone, MilestoneCode, RecordMilestoneRequest, ReportDoubt,
        RetractTrackingReportRequest, RetractTrackingReportResponse, ShipmentDelivered, ShipmentShipped, ShipmentState,
        TrackingReportRetracted,
    },
};
use testkit::{each, reason, wrong_fields};
use tonic::Status;
use types::Reason;

use crate::{
    tracking::shipment,
    world::{ORDER, World, after, routed, shipped},
};

async fn scan(world: &World, carrier: &str, code: MilestoneCode, seconds: i64) -> String {
    world.report_milestone("T1", code, seconds, carrier, carrier).await.report_id
}

async fn retract(world: &World, report_id: &str, reporter: &str) -> Result<RetractTrackingReportResponse, Status> {
    let request = RetractTrackingReportRequest {
        report_id: report_id.to_owned(),
        reason: "another package".to_owned(),
        reporter_id: reporter.to_owned(),
        ..Default::default()
    };
    world.partners().retract_tracking_report(request).await.map(tonic::Response::into_inner)
}

/// Types of the open exceptions, each once for a subject.
async fn open_types(world: &World) -> Vec<String> {
    let open: BTreeSet<_> = world.events().await.open_exceptions().into_iter().collect();
    open.into_iter().map(|(kind, _)| kind).collect()
}

#[tokio::test]
async fn a_carrier_that_was_named_wrongly_is_corrected_and_the_right_ones_reports_count() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        let mut left = shipped(&order, &[("T1", 6)]);
        left.occur_time = Some(after(0));
        world.ship(left.clone()).await;
        scan(&world, "par_wrong", MilestoneCode::InTransit, 5).await;
        scan(&world, "par_right", MilestoneCode::Delivered, 60).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        assert_eq!(open_types(&world).await, ["FOREIGN_REPORT"]);

        left.carrier_id = "par_right".to_owned();
        let corrected = world.ship(left.clone()).await;
        assert_eq!((corrected.state(), corrected.carrier_id.as_str()), (ShipmentState::Delivered, "par_right"));
        assert_eq!(open_types(&world).await, ["FOREIGN_REPORT"], "the other carrier's report is left");

        // An older report does not undo it, and a repeat changes nothing.
        left.carrier_id = "par_carrier".to_owned();
        left.occur_time = Some(after(-60));
        assert_eq!(world.ship(left).await.carrier_id, "par_right");
        assert_eq!(world.count(EventType::ShipmentDelivered).await, 1);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
    })
    .await;
}

#[tokio::test]
async fn what_the_wrong_carriers_reports_amounted_to_is_taken_back() {
    each(routed, async |world| {
        let mut labels = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)]);
        world.label("par_carrier", &[("T1", 6)]).await;
        scan(&world, "par_carrier", MilestoneCode::Delivered, 60).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered);
        labels.carrier_id = "par_right".to_owned();
        world.label("par_right", &[("T1", 6)]).await;
        let labelled = shipment(&world).await;
        assert_eq!((labelled.state(), labelled.ship_time), (ShipmentState::Labelled, None));
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 0);
        let events = world.events().await;
        let undelivered = events.payloads::<ShipmentDelivered>(EventType::ShipmentDeliveryRetracted);
        let stayed = events.payloads::<ShipmentShipped>(EventType::ShipmentDepartureRetracted);
        assert_eq!((undelivered[0].lines[0].quantity, stayed[0].lines[0].quantity), (6, 6));
        assert_eq!(open_types(&world).await, ["FOREIGN_REPORT"]);

        scan(&world, "par_right", MilestoneCode::InTransit, 30).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
    })
    .await;
}

#[tokio::test]
async fn every_new_foreign_report_opens_the_exception_again() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        for seconds in [10, 10, 20] {
            scan(&world, "par_other", MilestoneCode::InTransit, seconds).await;
        }
        assert_eq!(world.count(EventType::ExceptionOpened).await, 2, "the same report is the same event");
    })
    .await;
}

#[tokio::test]
async fn reports_of_times_that_cannot_be_right_are_kept_and_do_not_count() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        let years = 80 * 365 * 24 * 3_600;
        scan(&world, "par_carrier", MilestoneCode::Delivered, years).await;
        scan(&world, "par_carrier", MilestoneCode::Delivered, -years / 40).await;
        scan(&world, "par_carrier", MilestoneCode::Lost, 301).await;
        scan(&world, "par_carrier", MilestoneCode::Delivered, -3_600).await;
        assert_eq!(scan(&world, "par_carrier", MilestoneCode::Delivered, -3_600).await.len(), 36);
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        assert_eq!(open_types(&world).await, ["IMPLAUSIBLE_TIME"]);
        let request = ListMilestonesRequest { shipment_id: shipment(&world).await.shipment_id };
        let milestones = world.api().list_milestones(request).await.unwrap().into_inner().milestones;
        let doubts: Vec<_> = milestones.iter().map(Milestone::doubt).collect();
        let expected = [ReportDoubt::TooOld, ReportDoubt::BeforeDeparture, ReportDoubt::Future, ReportDoubt::Future];
        assert_eq!(doubts, expected);

        // Five minutes are the difference of two clocks. A delivery resolves the exception.
        scan(&world, "par_carrier", MilestoneCode::Delivered, 300).await;
        assert_eq!(shipment(&world).await.deliver_time, Some(after(300)));
        assert_eq!(open_types(&world).await, [] as [&str; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_before_the_departure_counts_once_the_node_corrects_its_time() {
    each(routed, async |world| {
        let mut left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)]);
        world.clock.advance(Duration::from_secs(7_200));
        world.ship(left.clone()).await;
        scan(&world, "par_carrier", MilestoneCode::Delivered, 3_600).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        left.occur_time = Some(after(1_800));
        assert_eq!(world.ship(left).await.state(), ShipmentState::Delivered);
        assert_eq!(open_types(&world).await, [] as [&str; 0]);
    })
    .await;
}

#[tokio::test]
async fn an_implausible_report_of_an_unknown_package_opens_an_exception_of_its_number() {
    each(routed, async |world| {
        scan(&world, "par_carrier", MilestoneCode::Delivered, 3_600).await;
        assert_eq!(world.events().await.open_exceptions(), [("IMPLAUSIBLE_TIME".to_owned(), "T1".to_owned())]);
        let left = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        assert_eq!(left.state(), ShipmentState::Shipped);
        assert_eq!(open_types(&world).await, ["IMPLAUSIBLE_TIME", "IMPLAUSIBLE_TIME"]);
    })
    .await;
}

#[tokio::test]
async fn a_retracted_delivery_did_not_occur() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        scan(&world, "par_carrier", MilestoneCode::OutForDelivery, 20).await;
        let delivered = scan(&world, "par_carrier", MilestoneCode::Delivered, 30).await;
        let refused = retract(&world, &delivered, "par_other").await;
        assert_eq!(reason(refused), Reason::NotFound);
        for _ in 0..2 {
            let answer = retract(&world, &delivered, "par_carrier").await.unwrap();
            assert_eq!((answer.status(), answer.order_id.as_str()), (MilestoneCode::OutForDelivery, ORDER));
        }
        let now = shipment(&world).await;
        assert_eq!((now.state(), now.deliver_time), (ShipmentState::Shipped, None));
        let events = world.events().await;
        let retracted = events.of(EventType::ShipmentReportRetracted);
        let recorded = events.of(EventType::ShipmentMilestoneRecorded);
        assert_eq!(retracted.len(), 1);
        assert_eq!(retracted[0].retracts, [recorded[1].event_id.clone()], "the log keeps both");
        let payload = events.payloads::<TrackingReportRetracted>(EventType::ShipmentReportRetracted).remove(0);
        assert_eq!(payload.milestone.unwrap().retract_reason, "another package");
        assert_eq!(payload.shipment.unwrap().packages[0].status(), MilestoneCode::OutForDelivery, "as it is after it");
        let undelivered = events.payloads::<ShipmentDelivered>(EventType::ShipmentDeliveryRetracted);
        assert_eq!((undelivered.len(), undelivered[0].lines[0].quantity), (1, 6));

        // The same report again stays retracted; another one counts, also by the distributor.
        scan(&world, "par_carrier", MilestoneCode::Delivered, 30).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        world.report_milestone("T1", MilestoneCode::Delivered, 40, "", "").await;
        assert_eq!(shipment(&world).await.deliver_time, Some(after(40)));
    })
    .await;
}

#[tokio::test]
async fn a_departure_that_only_retracted_reports_imply_did_not_take_place() {
    each(routed, async |world| {
        world.label("par_carrier", &[("T1", 6)]).await;
        let picked_up = scan(&world, "par_carrier", MilestoneCode::PickedUp, 20).await;
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
        retract(&world, &picked_up, "").await.unwrap();
        assert_eq!(shipment(&world).await.state(), ShipmentState::Labelled);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 0);
        assert_eq!(world.count(EventType::ShipmentDepartureRetracted).await, 1);
        // What the warehouse reports stays.
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        let again = scan(&world, "par_carrier", MilestoneCode::PickedUp, 25).await;
        retract(&world, &again, "").await.unwrap();
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
    })
    .await;
}

#[tokio::test]
async fn a_correction_takes_the_place_of_the_report_that_it_corrects() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 2), ("T2", 4)])).await;
        let wrong = scan(&world, "par_carrier", MilestoneCode::Delivered, 30).await;
        let correct = |number: &str, seconds: i64, corrects: &str| RecordMilestoneRequest {
            milestone: Some(Milestone {
                tracking_number: number.to_owned(),
                code: MilestoneCode::Delivered.into(),
                raw_code: "X".to_owned(),
                occur_time: Some(after(seconds)),
                ..Milestone::default()
            }),
            carrier_id: "par_carrier".to_owned(),
            reporter_id: "par_carrier".to_owned(),
            corrects: corrects.to_owned(),
            ..Default::default()
        };
        // Another time of the same delivery: it stays delivered.
        let request = correct("T1", 40, &wrong);
        let later = world.partners().record_milestone(request.clone()).await.unwrap().into_inner();
        assert_eq!(world.partners().record_milestone(request).await.unwrap().into_inner(), later);
        assert_eq!(world.count(EventType::ShipmentDeliveryRetracted).await, 0);
        let times: Vec<_> = shipment(&world).await.packages.iter().map(|package| package.status_time).collect();
        assert_eq!(times, [Some(after(40)), None]);

        // It was the other package.
        world.partners().record_milestone(correct("T2", 40, &later.report_id)).await.unwrap();
        let codes: Vec<_> = shipment(&world).await.packages.iter().map(|package| package.status()).collect();
        assert_eq!(codes, [MilestoneCode::Unspecified, MilestoneCode::Delivered]);
        let events = world.events().await;
        let undelivered = events.payloads::<ShipmentDelivered>(EventType::ShipmentDeliveryRetracted);
        assert_eq!((undelivered.len(), undelivered[0].lines[0].quantity), (1, 2));

        let refused = world.partners().record_milestone(correct("T2", 50, "trk_unknown")).await;
        assert_eq!(wrong_fields(refused), ["corrects"]);
        let refused = world.partners().record_milestone(correct("T1", 40, &later.report_id)).await;
        assert_eq!(wrong_fields(refused), ["corrects"]);
    })
    .await;
}

#[tokio::test]
async fn a_report_that_no_package_has_is_retracted_too() {
    each(routed, async |world| {
        let early = scan(&world, "par_carrier", MilestoneCode::Delivered, 30).await;
        assert_eq!(retract(&world, &early, "par_carrier").await.unwrap().shipment_id, "");
        let events = world.events().await;
        let recorded = events.of(EventType::ShipmentUnmatchedMilestoneRecorded)[0].event_id.clone();
        assert_eq!(events.of(EventType::ShipmentReportRetracted)[0].retracts, [recorded]);
        let left = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        assert_eq!(left.state(), ShipmentState::Shipped);
        assert_eq!(wrong_fields(retract(&world, "", "dhl").await), ["report_id", "reporter_id"]);
    })
    .await;
}
