//! A partner corrects its earlier reports by its own control numbers.

use std::time::Duration;

use proto::{
    fulfillment::v1::{RecordMilestoneRequest, RecordShipmentRequest},
    partner::v1::{MessageState, ReplayMessageRequest, SubmitReportRequest, submit_report_request::Report},
};
use testkit::{each, wrong_fields};

use crate::{
    kinds::{KINDS, Kind, started},
    peers::PeerBehavior,
    taken_back::{retracted, world},
    world::{World, accepted, report},
};

/// A report of `par_a` in the place of an earlier one.
fn corrects(request: SubmitReportRequest, earlier: &str) -> SubmitReportRequest {
    SubmitReportRequest { corrects: earlier.to_owned(), ..request }
}

/// The calls of a report and of its correction.
fn calls(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Milestone | Kind::Proof => vec![kind.records(), kind.records()],
        Kind::Shipment => vec!["shipment", "correct_shipment"],
        Kind::Labels | Kind::Pick | Kind::Count => vec![kind.records(), kind.undoes(), kind.records()],
    }
}

async fn states(world: &World) -> Vec<MessageState> {
    world.messages().await.iter().map(|message| message.state()).collect()
}

const CORRECTED: [MessageState; 2] = [MessageState::Retracted, MessageState::Applied];

#[tokio::test]
async fn a_report_of_each_kind_is_corrected_once() {
    for kind in KINDS {
        each(world, async |world| {
            let earlier = world.apply(kind.report("m1", 4)).await;
            let corrected = world.apply(corrects(kind.report("m2", 3), "m1")).await;
            assert_eq!((corrected.r#type, corrected.recorded_as), (earlier.r#type, earlier.recorded_as));
            assert_eq!(world.message("m1").await.retracted_by, corrected.message_id);
            assert_eq!(states(&world).await, CORRECTED);
            assert_eq!(world.fulfillment.methods(), calls(kind));
            let again = world.apply(corrects(kind.report("m2", 3), "m1")).await;
            assert_eq!((again.message_id, again.duplicates), (corrected.message_id, 1));
            assert_eq!(world.fulfillment.methods(), calls(kind));
        })
        .await;
    }
}

#[tokio::test]
async fn a_milestone_and_a_proof_name_the_report_that_they_correct() {
    for (kind, report_id) in [(Kind::Milestone, "trk_T1"), (Kind::Proof, "trk_proof_T1")] {
        each(world, async |world| {
            world.apply(kind.report("m1", 4)).await;
            assert!(world.fulfillment.request(kind.records()).contains("corrects: \"\""));
            world.apply(corrects(kind.report("m2", 3), "m1")).await;
            let request = world.fulfillment.request(kind.records());
            assert!(request.contains(&format!("corrects: \"{report_id}\"")), "{request}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_shipment_of_other_packages_takes_the_place_of_the_earlier_one() {
    each(world, async |world| {
        world.apply(Kind::Shipment.report("m1", 4)).await;
        let other = report("par_a", "m2", Kind::Shipment.content("T2", 4));
        world.apply(corrects(other, "m1")).await;
        assert_eq!(world.fulfillment.methods(), ["shipment", "retract_shipment", "shipment", "void"]);
        assert!(world.fulfillment.request("void").contains("package_names: [\"T1\"]"));
        assert_eq!(states(&world).await, CORRECTED);
    })
    .await;
}

#[tokio::test]
async fn a_shipment_that_left_at_another_time_takes_the_place_of_the_earlier_one() {
    each(world, async |world| {
        world.apply(Kind::Shipment.report("m1", 4)).await;
        let Report::Shipped(left) = Kind::Shipment.content("T1", 4) else { unreachable!() };
        let earlier = Report::Shipped(RecordShipmentRequest { occur_time: Some(started(-600)), ..left });
        world.apply(corrects(report("par_a", "m2", earlier), "m1")).await;
        assert_eq!(world.fulfillment.methods(), ["shipment", "retract_shipment", "shipment"]);
    })
    .await;
}

#[tokio::test]
async fn a_correction_before_its_report_waits_for_it() {
    for kind in KINDS {
        each(world, async |world| {
            let waiting = world.submit(corrects(kind.report("m2", 3), "m1")).await.unwrap();
            assert_eq!(waiting.outcome, "not applied yet: no report m1 is received yet");
            world.after(Duration::from_secs(10)).await;
            assert!(world.fulfillment.methods().is_empty());
            world.apply(kind.report("m1", 4)).await;
            world.after(Duration::from_secs(300)).await;
            assert_eq!((world.state("m1").await, world.state("m2").await), (CORRECTED[0], CORRECTED[1]));
            assert_eq!(world.fulfillment.methods(), calls(kind));
        })
        .await;
    }
}

#[tokio::test]
async fn a_correction_that_crashed_at_any_step_leaves_one_effect() {
    for kind in KINDS {
        for method in calls(kind).into_iter().skip(1) {
            for behavior in [PeerBehavior::HangsBefore, PeerBehavior::HangsAfter] {
                each(world, async |world| {
                    world.apply(kind.report("m1", 4)).await;
                    world.fulfillment.set_behavior_of(method, behavior);
                    world.crash(corrects(kind.report("m2", 3), "m1")).await;
                    world.after(Duration::from_secs(60)).await;
                    assert_eq!(states(&world).await, CORRECTED, "{kind:?} {method} {behavior:?}");
                    assert_eq!(world.fulfillment.methods(), calls(kind), "{method} {behavior:?}");
                })
                .await;
            }
        }
    }
}

#[tokio::test]
async fn a_correction_whose_second_step_waits_takes_the_earlier_report_back_once() {
    each(world, async |world| {
        world.apply(Kind::Pick.report("m1", 4)).await;
        world.fulfillment.set_behavior_of("pick", PeerBehavior::Down);
        world.submit(corrects(Kind::Pick.report("m2", 3), "m1")).await.unwrap();
        assert_eq!(states(&world).await, [MessageState::Applied, MessageState::Received]);
        world.fulfillment.set_behavior(PeerBehavior::Well);
        world.after(Duration::from_secs(60)).await;
        assert_eq!(states(&world).await, CORRECTED);
        assert_eq!(world.fulfillment.methods(), ["pick", "retract_pick", "pick"]);
    })
    .await;
}

#[tokio::test]
async fn a_correction_that_is_refused_with_the_earlier_report_is_recorded_when_it_is_replayed() {
    each(world, async |world| {
        world.apply(Kind::Count.report("m1", 4)).await;
        world.fulfillment.set_behavior_of("snapshot", PeerBehavior::Refuses);
        let refused = world.submit(corrects(Kind::Count.report("m2", 3), "m1")).await.unwrap();
        assert_eq!(states(&world).await, [MessageState::Retracted, MessageState::Rejected]);
        world.fulfillment.set_behavior(PeerBehavior::Well);
        let replay = ReplayMessageRequest { message_id: refused.message_id, ..Default::default() };
        world.client().replay_message(replay).await.unwrap();
        assert_eq!(states(&world).await, CORRECTED);
        assert_eq!(world.fulfillment.methods(), ["snapshot", "retract_count", "snapshot"]);
    })
    .await;
}

#[tokio::test]
async fn a_correction_of_a_rejected_report_takes_its_place() {
    each(world, async |world| {
        world.fulfillment.set_behavior(PeerBehavior::Refuses);
        world.submit(Kind::Shipment.report("m1", 4)).await.unwrap();
        world.fulfillment.set_behavior(PeerBehavior::Well);
        world.apply(corrects(Kind::Shipment.report("m2", 3), "m1")).await;
        assert_eq!(states(&world).await, CORRECTED);
        assert_eq!(world.fulfillment.methods(), ["shipment"], "there was nothing to take back");
        assert!(world.open_exceptions().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_correction_is_corrected_and_taken_back_itself() {
    each(world, async |world| {
        world.apply(Kind::Count.report("m1", 4)).await;
        world.apply(corrects(Kind::Count.report("m2", 3), "m1")).await;
        world.apply(corrects(Kind::Count.report("m3", 2), "m2")).await;
        world.apply(retracted("r1", "m3")).await;
        let undone = MessageState::Retracted;
        assert_eq!(states(&world).await, [undone, undone, undone, MessageState::Applied]);
        let steps = ["snapshot", "retract_count", "snapshot", "retract_count", "snapshot", "retract_count"];
        assert_eq!(world.fulfillment.methods(), steps);
    })
    .await;
}

#[tokio::test]
async fn another_kind_and_another_partners_report_are_not_corrected() {
    each(world, async |world| {
        world.apply(Kind::Pick.report("m1", 4)).await;
        let refused = world.submit(corrects(Kind::Count.report("m2", 3), "m1")).await.unwrap();
        assert_eq!(refused.state(), MessageState::Rejected);
        let expected = "INVALID_ARGUMENT: corrects: names a report.picked, and this is a report.snapshot";
        assert_eq!(refused.outcome, expected);
        let foreign = SubmitReportRequest { partner_id: "par_b".to_owned(), ..Kind::Milestone.report("m3", 4) };
        let waiting = world.submit(corrects(foreign, "m1")).await.unwrap();
        assert_eq!(waiting.outcome, "not applied yet: no report m1 is received yet");
        assert_eq!(world.state("m1").await, MessageState::Applied);
        assert_eq!(world.fulfillment.methods(), ["pick"]);
    })
    .await;
}

#[tokio::test]
async fn a_report_that_cannot_correct_is_refused_naming_the_field() {
    each(world, async |world| {
        let Report::Milestone(milestone) = Kind::Milestone.content("T1", 4) else { unreachable!() };
        let named_twice = Report::Milestone(RecordMilestoneRequest { corrects: "trk_1".to_owned(), ..milestone });
        let wrong = [
            corrects(Kind::Pick.report("m1", 4), "m1"),
            corrects(Kind::Pick.report("m1", 4), &"1".repeat(129)),
            corrects(accepted("par_a", "m1", "ful_1"), "m0"),
            corrects(retracted("m1", "m0"), "m0"),
            corrects(report("par_a", "m1", named_twice), "m0"),
        ];
        for request in wrong {
            assert_eq!(wrong_fields(world.submit(request).await), ["corrects"]);
        }
        assert!(world.messages().await.is_empty());
    })
    .await;
}
