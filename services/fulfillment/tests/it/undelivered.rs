//! Packages that do not reach the customer, what a person does about them, and what nodes take back.

use std::time::Duration;

use proto::{
    event::v1::{ExceptionOpened, ExceptionResolved},
    events::EventType,
    fulfillment::v1::{
        CorrectShipmentRequest, ListShipmentsRequest, MilestoneCode, PackageProblem, RetractPickRequest,
        RetractShipmentRequest, RetractTrackingReportRequest, Shipment, ShipmentShipped, ShipmentState,
        ShipmentUndelivered, ShipmentWrittenOff, VoidLabelsRequest, WriteOffPackageRequest, WriteOffRemedy,
    },
};
use testkit::{each, reason, units, wrong_fields};
use tonic::Status;
use types::Reason;

use crate::{
    tracking::shipment,
    world::{ORDER, World, after, package, pick, routed, shipped},
};

async fn scan(world: &World, number: &str, code: MilestoneCode, seconds: i64) {
    world.report_milestone(number, code, seconds, "par_carrier", "par_carrier").await;
}

/// Types of the exceptions that were opened and resolved, in order.
async fn exceptions(world: &World) -> (Vec<String>, Vec<String>) {
    let events = world.events().await;
    let opened = events.payloads::<ExceptionOpened>(EventType::ExceptionOpened).into_iter().map(|one| one.r#type);
    let resolved = events.payloads::<ExceptionResolved>(EventType::ExceptionResolved).into_iter().map(|one| one.r#type);
    (opened.collect(), resolved.collect())
}

async fn write_off(world: &World, package_id: &str, remedy: WriteOffRemedy) -> Result<Shipment, Status> {
    let request = WriteOffPackageRequest {
        package_id: package_id.to_owned(),
        remedy: remedy.into(),
        claim_reference: "C-9".to_owned(),
        ..Default::default()
    };
    world.api().write_off_package(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn each_problem_of_a_package_opens_its_exception_and_delivery_resolves_it() {
    let problems = [
        (MilestoneCode::Lost, PackageProblem::Lost, "PACKAGE_LOST"),
        (MilestoneCode::Damaged, PackageProblem::Damaged, "PACKAGE_DAMAGED"),
        (MilestoneCode::Refused, PackageProblem::Refused, "DELIVERY_REFUSED"),
        (MilestoneCode::Failure, PackageProblem::Failed, "DELIVERY_FAILED"),
        (MilestoneCode::DeliveryAttempted, PackageProblem::AttemptedTooOften, "ATTEMPTED_TOO_OFTEN"),
    ];
    for (code, problem, exception) in problems {
        each(routed, async |world| {
            world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
            for seconds in [10, 11, 12] {
                scan(&world, "T1", code, seconds).await;
            }
            let package = shipment(&world).await.packages.remove(0);
            assert_eq!(package.problem(), problem);
            assert_eq!(package.supported_actions, ["WriteOffPackage"]);
            assert_eq!(world.events().await.open_exceptions(), [(exception.to_owned(), package.package_id)]);
            let opened = world.events().await.payloads::<ExceptionOpened>(EventType::ExceptionOpened).remove(0);
            assert_eq!((opened.order_id.as_str(), opened.facts["owner"].as_str()), (ORDER, "customer service"));
            assert!(opened.facts["next_actions"].contains("WriteOffPackage"));
            let listed = |problem: PackageProblem| {
                let request = ListShipmentsRequest { problem: problem.into(), ..Default::default() };
                let mut api = world.api();
                async move { api.list_shipments(request).await.unwrap().into_inner().shipments.len() }
            };
            assert_eq!((listed(problem).await, listed(PackageProblem::Silent).await), (1, 0));

            scan(&world, "T1", MilestoneCode::Delivered, 60).await;
            assert_eq!(world.events().await.open_exceptions(), []);
            let package = shipment(&world).await.packages.remove(0);
            assert_eq!((package.problem(), package.supported_actions.len()), (PackageProblem::Unspecified, 0));
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_delivered_after_its_return_is_delivered_to_the_sender() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        scan(&world, "T1", MilestoneCode::ReturnedToSender, 30).await;
        scan(&world, "T1", MilestoneCode::Delivered, 60).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        assert_eq!(world.count(EventType::ShipmentDelivered).await, 0);
        let events = world.events().await;
        let returned = events.payloads::<ShipmentUndelivered>(EventType::ShipmentReturnedToSender);
        assert_eq!((returned.len(), returned[0].lines[0].quantity), (1, 6));
        assert_eq!(exceptions(&world).await, (vec!["RETURNED_TO_SENDER".to_owned()], Vec::new()));

        // It had been delivered before: the customer has it.
        scan(&world, "T1", MilestoneCode::Delivered, 20).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered);
        assert_eq!(world.count(EventType::ShipmentRecovered).await, 1);
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}

#[tokio::test]
async fn a_late_report_of_a_return_before_the_delivery_takes_the_delivery_back() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        scan(&world, "T1", MilestoneCode::Delivered, 60).await;
        scan(&world, "T1", MilestoneCode::ReturnedToSender, 30).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Shipped);
        assert_eq!(world.count(EventType::ShipmentDeliveryRetracted).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_package_without_reports_for_a_week_is_silent_until_the_next_one() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 2), ("T2", 4)])).await;
        let day = Duration::from_secs(24 * 60 * 60);
        world.clock.advance(6 * day);
        world.drain().await;
        scan(&world, "T1", MilestoneCode::InTransit, 60).await;
        assert_eq!(world.events().await.open_exceptions(), []);
        world.clock.advance(day + Duration::from_secs(3_600));
        world.drain().await;
        let silent = shipment(&world).await.packages.remove(1);
        assert_eq!((silent.tracking_number.as_str(), silent.problem()), ("T2", PackageProblem::Silent));
        assert_eq!(world.events().await.open_exceptions(), [("TRACKING_SILENT".to_owned(), silent.package_id)]);
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        assert_eq!(world.count(EventType::ExceptionOpened).await, 1);
        scan(&world, "T2", MilestoneCode::InTransit, 120).await;
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}

#[tokio::test]
async fn a_lost_package_is_written_off_once() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 2), ("T2", 4)])).await;
        scan(&world, "T1", MilestoneCode::Lost, 30).await;
        scan(&world, "T2", MilestoneCode::Delivered, 40).await;
        let lost = shipment(&world).await.packages.remove(0).package_id;
        for _ in 0..2 {
            let now = write_off(&world, &lost, WriteOffRemedy::Replace).await.unwrap();
            assert_eq!(now.state(), ShipmentState::Delivered, "nothing more is expected");
            assert_eq!(now.packages[0].write_off_remedy(), WriteOffRemedy::Replace);
        }
        assert_eq!(world.events().await.open_exceptions(), []);
        let written_off = world.events().await.payloads::<ShipmentWrittenOff>(EventType::ShipmentWrittenOff);
        assert_eq!((written_off.len(), written_off[0].lines[0].quantity), (1, 2));
        assert_eq!(written_off[0].claim_reference, "C-9");
        assert_eq!(reason(write_off(&world, &lost, WriteOffRemedy::Cancel).await), Reason::ActionNotSupported);
        let delivered = shipment(&world).await.packages.remove(1).package_id;
        assert_eq!(reason(write_off(&world, &delivered, WriteOffRemedy::Cancel).await), Reason::ActionNotSupported);
        assert_eq!(reason(write_off(&world, "pkg_none", WriteOffRemedy::Cancel).await), Reason::NotFound);
        let wrong = write_off(&world, "", WriteOffRemedy::Unspecified).await;
        assert_eq!(wrong_fields(wrong), ["package_id", "remedy"]);

        // It is found and delivered all the same.
        scan(&world, "T1", MilestoneCode::Delivered, 90).await;
        assert_eq!(world.events().await.open_exceptions(), [("DELIVERED_AFTER_WRITE_OFF".to_owned(), lost)]);
        assert_eq!(world.count(EventType::ShipmentPartiallyDelivered).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_shipment_of_which_everything_is_written_off_is_not_waited_for() {
    each(routed, async |world| {
        let left = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        let package_id = left.packages[0].package_id.clone();
        let now = write_off(&world, &package_id, WriteOffRemedy::Cancel).await.unwrap();
        assert_eq!(now.state(), ShipmentState::WrittenOff);
    })
    .await;
}

async fn void(world: &World, names: &[&str]) -> Result<Shipment, Status> {
    let request = VoidLabelsRequest {
        fulfillment_order_id: world.fulfillment_order(ORDER).await.fulfillment_order_id,
        shipment_reference: "S-1".to_owned(),
        package_names: names.iter().map(|name| (*name).to_owned()).collect(),
        reason: "printed twice".to_owned(),
        ..Default::default()
    };
    world.partners().void_labels(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_label_in_the_place_of_a_void_one_has_contents_of_its_own() {
    each(routed, async |world| {
        world.label("par_carrier", &[("T1", 6)]).await;
        void(&world, &["T1"]).await.unwrap();
        let now = world.label("par_carrier", &[("T1", 4)]).await;
        assert_eq!((now.packages.len(), now.packages[0].lines[0].quantity), (1, 4));
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].packed, 4);
        scan(&world, "T1", MilestoneCode::PickedUp, 30).await;
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 4);
    })
    .await;
}

#[tokio::test]
async fn units_under_voided_labels_are_packed_once() {
    each(routed, async |world| {
        world.label("par_carrier", &[("T1", 6)]).await;
        world.label("par_carrier", &[("T2", 6)]).await;
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].packed, 12);
        for _ in 0..2 {
            assert_eq!(void(&world, &["t 1"]).await.unwrap().state(), ShipmentState::Labelled);
        }
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].packed, 6);
        assert_eq!(void(&world, &[]).await.unwrap().state(), ShipmentState::Voided);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].packed, 0);
        assert_eq!(world.count(EventType::ShipmentVoided).await, 2);
        assert_eq!(wrong_fields(void(&world, &["T9"]).await), ["package_names[0]"]);

        // It is labelled again, and the other label is used although it is void.
        assert_eq!(world.label("par_carrier", &[("T2", 6)]).await.state(), ShipmentState::Labelled);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].packed, 6);
        scan(&world, "T1", MilestoneCode::PickedUp, 30).await;
        let now = shipment(&world).await;
        assert_eq!((now.state(), now.packages[0].void_time), (ShipmentState::Shipped, None));
        let (opened, _) = exceptions(&world).await;
        assert_eq!(opened, ["VOIDED_LABEL_USED"]);
        assert_eq!(reason(void(&world, &["T1"]).await), Reason::ActionNotSupported);
    })
    .await;
}

async fn retract(world: &World, names: &[&str]) -> Shipment {
    let request = RetractShipmentRequest {
        fulfillment_order_id: world.fulfillment_order(ORDER).await.fulfillment_order_id,
        shipment_reference: "S-1".to_owned(),
        package_names: names.iter().map(|name| (*name).to_owned()).collect(),
        reason: "still on the dock".to_owned(),
        ..Default::default()
    };
    world.partners().retract_shipment(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_shipment_that_did_not_leave_is_taken_back() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 2), ("T2", 4)])).await;
        for _ in 0..2 {
            let now = retract(&world, &["T1"]).await;
            assert_eq!((now.state(), now.packages[0].ship_time), (ShipmentState::Shipped, None));
        }
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 4);
        assert_eq!(retract(&world, &[]).await.state(), ShipmentState::Labelled);
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(order.lines[0].shipped, 0);
        let stayed = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentDepartureRetracted);
        assert_eq!(stayed.iter().map(|one| one.lines[0].quantity).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(world.ship(shipped(&order, &[("T1", 2), ("T2", 4)])).await.state(), ShipmentState::Shipped);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
    })
    .await;
}

#[tokio::test]
async fn a_package_that_its_carrier_has_left_whatever_its_node_takes_back() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        scan(&world, "T1", MilestoneCode::PickedUp, 30).await;
        let now = retract(&world, &[]).await;
        assert_eq!((now.state(), now.inferred), (ShipmentState::Shipped, true));
        assert_eq!(world.count(EventType::ShipmentDepartureRetracted).await, 0);
    })
    .await;
}

#[tokio::test]
async fn corrected_contents_move_only_the_difference() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 6)])).await;
        world.ship(shipped(&order, &[("T1", 4)])).await;
        assert_eq!(world.events().await.open_exceptions().len(), 1, "CONTENTS_DIFFER");
        scan(&world, "T1", MilestoneCode::Delivered, 30).await;
        let correct = |number: &str, quantity: i64| CorrectShipmentRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            shipment_reference: "S-1".to_owned(),
            packages: vec![package(number, quantity)],
            reason: "counted again".to_owned(),
            ..Default::default()
        };
        for _ in 0..2 {
            let now = world.partners().correct_shipment(correct("T1", 4)).await.unwrap().into_inner();
            assert_eq!((now.state(), now.packages[0].lines[0].quantity), (ShipmentState::Delivered, 4));
        }
        assert_eq!(world.events().await.open_exceptions(), []);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 4);
        let events = world.events().await;
        let stayed = events.payloads::<ShipmentShipped>(EventType::ShipmentDepartureRetracted);
        assert_eq!((stayed.len(), stayed[0].lines[0].quantity), (1, 2));
        assert_eq!(world.count(EventType::ShipmentDeliveryRetracted).await, 1);
        world.partners().correct_shipment(correct("T1", 5)).await.unwrap();
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 5);
        let refused = world.partners().correct_shipment(correct("T9", 5)).await;
        assert_eq!(wrong_fields(refused), ["packages[0].tracking_number"]);
    })
    .await;
}

#[tokio::test]
async fn picked_units_are_taken_back_as_far_as_they_were_picked() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.record_pick(pick(&order, 6, 0)).await;
        let request = |quantity: i64| RetractPickRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            picked: vec![units(1, quantity)],
            reason: "another order".to_owned(),
            ..Default::default()
        };
        let now = world.partners().retract_pick(request(4)).await.unwrap().into_inner();
        assert_eq!(now.lines[0].picked, 2);
        let now = world.partners().retract_pick(request(4)).await.unwrap().into_inner();
        assert_eq!(now.lines[0].picked, 0);
        world.partners().retract_pick(request(4)).await.unwrap();
        assert_eq!(world.count(EventType::FulfillmentPickRetracted).await, 2);
        let refused = world.partners().retract_pick(RetractPickRequest::default()).await;
        assert_eq!(wrong_fields(refused), ["fulfillment_order_id", "picked", "reason"]);
    })
    .await;
}

#[tokio::test]
async fn a_shipment_of_the_future_left_by_now_and_opens_an_exception() {
    each(routed, async |world| {
        let mut left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)]);
        left.occur_time = Some(after(36_000));
        assert_eq!(world.ship(left).await.ship_time, Some(after(0)));
        let (opened, _) = exceptions(&world).await;
        assert_eq!(opened, ["IMPLAUSIBLE_TIME"]);
    })
    .await;
}

#[tokio::test]
async fn a_package_that_is_written_off_stays_gone_whatever_its_carrier_takes_back() {
    each(routed, async |world| {
        world.label("par_carrier", &[("T1", 6)]).await;
        let refused = world.report_milestone("T1", MilestoneCode::Refused, 30, "par_carrier", "par_carrier").await;
        let package_id = shipment(&world).await.packages.remove(0).package_id;
        write_off(&world, &package_id, WriteOffRemedy::Cancel).await.unwrap();
        let (report_id, reason) = (refused.report_id, "a mistake".to_owned());
        let request = RetractTrackingReportRequest { report_id, reason, ..Default::default() };
        world.partners().retract_tracking_report(request).await.unwrap();
        assert_eq!(shipment(&world).await.state(), ShipmentState::WrittenOff);
        assert_eq!(world.fulfillment_order(ORDER).await.lines[0].shipped, 6);
        assert_eq!(world.count(EventType::ShipmentDepartureRetracted).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_package_that_comes_back_after_it_was_written_off_is_expected() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)])).await;
        scan(&world, "T1", MilestoneCode::Lost, 30).await;
        let package_id = shipment(&world).await.packages.remove(0).package_id;
        write_off(&world, &package_id, WriteOffRemedy::Replace).await.unwrap();
        scan(&world, "T1", MilestoneCode::ReturnedToSender, 60).await;
        assert_eq!(world.count(EventType::ShipmentReturnedToSender).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_left_is_taken_back_or_corrected_only_while_a_package_is_not_written_off() {
    each(routed, async |world| {
        world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 2), ("T2", 4)])).await;
        let packages = shipment(&world).await.packages;
        for (package, is_supported) in packages.iter().zip([true, false]) {
            write_off(&world, &package.package_id, WriteOffRemedy::Cancel).await.unwrap();
            let order = world.fulfillment_order(ORDER).await;
            for action in ["RetractShipment", "CorrectShipment"] {
                assert_eq!(order.supported_actions.iter().any(|one| one == action), is_supported, "{action}");
            }
            let retract = RetractShipmentRequest {
                fulfillment_order_id: order.fulfillment_order_id,
                shipment_reference: "S-1".to_owned(),
                package_names: vec![package.tracking_number.clone()],
                reason: "it is here".to_owned(),
                ..Default::default()
            };
            let refused = world.partners().retract_shipment(retract).await;
            assert_eq!(reason(refused), Reason::ActionNotSupported);
        }
    })
    .await;
}
