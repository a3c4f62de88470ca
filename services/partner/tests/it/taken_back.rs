//! A partner takes back its earlier reports by its own control numbers.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Node, NodeChanged},
    inventory::v1::{ItemQuantity, ReportSnapshotRequest},
    partner::v1::{
        GetMessageRequest, MessageState, PartnerKind, PartnerMessage, ReplayMessageRequest, ReportPartState,
        RetractReport, SubmitReportRequest, submit_report_request::Report,
    },
};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::{
    kinds::{KINDS, Kind, started},
    peers::{PeerBehavior, UNKNOWN_SKU},
    world::{World, accepted, fulfillment_order, report},
};

/// A warehouse with a fulfillment order and a node, and another one.
pub(crate) async fn world(options: store::Options) -> World {
    let world = World::open(options).await;
    world.partner("par_a", PartnerKind::Warehouse, "").await;
    world.partner("par_b", PartnerKind::Warehouse, "").await;
    world.fulfillment.has(fulfillment_order("1", "par_a"));
    let node = Node { node_id: "nod_a".to_owned(), partner_id: "par_a".to_owned(), ..Node::default() };
    world.follow(FulfillmentEvent::NodeCreated(NodeChanged { node: Some(node) })).await;
    world
}

/// The report of `par_a` that takes an earlier one back.
pub(crate) fn retracted(control_number: &str, earlier: &str) -> SubmitReportRequest {
    let (earlier, reason) = (earlier.to_owned(), "not ours".to_owned());
    report("par_a", control_number, Report::Retracted(RetractReport { control_number: earlier, reason }))
}

impl World {
    /// The first message with a control number.
    pub(crate) async fn message(&self, control_number: &str) -> PartnerMessage {
        let messages = self.messages().await;
        messages.into_iter().find(|message| message.control_number == control_number).unwrap()
    }

    pub(crate) async fn state(&self, control_number: &str) -> MessageState {
        self.message(control_number).await.state()
    }

    /// Submits a report that is applied at once.
    pub(crate) async fn apply(&self, request: SubmitReportRequest) -> PartnerMessage {
        let message = self.submit(request).await.unwrap();
        assert_eq!(message.state(), MessageState::Applied, "{}", message.outcome);
        message
    }

    /// Submits a report whose call hangs.
    pub(crate) async fn crash(&self, request: SubmitReportRequest) {
        tokio::select! {
            _ = self.submit(request) => panic!("nobody answered"),
            () = self.fulfillment.hung() => {}
        }
        self.fulfillment.set_behavior(PeerBehavior::Well);
    }

    /// Replays a message.
    async fn replay(&self, message: &PartnerMessage) -> Result<PartnerMessage, tonic::Status> {
        let request = ReplayMessageRequest { message_id: message.message_id.clone(), ..Default::default() };
        self.client().replay_message(request).await.map(tonic::Response::into_inner)
    }
}

/// The report m1 was recorded, and r1 took it back, in one call each.
async fn assert_taken_back_once(world: &World, kind: Kind) {
    let states = (world.state("m1").await, world.state("r1").await);
    assert_eq!(states, (MessageState::Retracted, MessageState::Applied));
    assert_eq!(world.fulfillment.methods(), [kind.records(), kind.undoes()]);
}

#[tokio::test]
async fn a_report_of_each_kind_is_taken_back_once() {
    for kind in KINDS {
        each(world, async |world| {
            let earlier = world.apply(kind.report("m1", 4)).await;
            let first = world.apply(retracted("r1", "m1")).await;
            assert_eq!(first.outcome, format!("took back {} {}", earlier.r#type, earlier.message_id));
            assert_eq!((first.r#type.as_str(), first.subject.as_str()), ("report.retracted", "m1"));
            assert_eq!(first.order_id, earlier.order_id);
            let now = world.message("m1").await;
            assert_eq!((now.state(), now.retracted_by), (MessageState::Retracted, first.message_id.clone()));
            assert_eq!(now.outcome, format!("{}; taken back by {}", earlier.outcome, first.message_id));
            assert_eq!(world.fulfillment.methods(), [kind.records(), kind.undoes()]);

            let again = world.apply(retracted("r1", "m1")).await;
            assert_eq!((again.message_id, again.outcome, again.duplicates), (first.message_id, first.outcome, 1));
            let second = world.apply(retracted("r2", "m1")).await;
            assert_eq!(second.outcome, format!("{} was taken back already", earlier.message_id));
            let repeated = world.submit(kind.report("m1", 4)).await.unwrap();
            assert_eq!(repeated.state(), MessageState::Retracted, "the report again is not applied again");
            assert_eq!(world.fulfillment.methods().len(), 2);
            assert_eq!(world.count(EventType::PartnerMessageRetracted).await, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn what_takes_a_report_back_names_what_the_report_was() {
    each(world, async |world| {
        for (number, kind) in KINDS.into_iter().enumerate() {
            let control_number = format!("m{number}");
            world.apply(kind.report(&control_number, 4)).await;
            world.apply(retracted(&format!("r{number}"), &control_number)).await;
            let expected: &[&str] = match kind {
                Kind::Milestone => &["report_id: \"trk_T1\"", "reporter_id: \"par_a\""],
                Kind::Proof => &["report_id: \"trk_proof_T1\"", "reporter_id: \"par_a\""],
                Kind::Labels | Kind::Shipment => &["shipment_reference: \"S1\"", "package_names: [\"T1\"]"],
                Kind::Pick => {
                    &["picked: [LineQuantity { line_number: 1", "short: [LineQuantity { line_number: 1", "quantity: 2"]
                }
                Kind::Count => &["location_id: \"nod_a\"", "skus: [\"A\"]"],
            };
            let request = world.fulfillment.request(kind.undoes());
            assert!(expected.iter().all(|part| request.contains(part)), "{request}");
            assert!(request.contains("reason: \"not ours\""), "{request}");
            assert!(!request.contains("line_number: 2"), "no units were short: {request}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_says_what_it_was_recorded_as() {
    each(world, async |world| {
        let mut recorded = Vec::new();
        for (number, kind) in KINDS.into_iter().enumerate() {
            recorded.push(world.apply(kind.report(&format!("m{number}"), 4)).await.recorded_as);
        }
        assert_eq!(recorded, ["trk_T1", "trk_proof_T1", "shm_S1", "shm_S1", "", ""]);
        let read = GetMessageRequest { message_id: world.message("m0").await.message_id };
        assert_eq!(world.client().get_message(read).await.unwrap().into_inner().recorded_as, "trk_T1");
    })
    .await;
}

#[tokio::test]
async fn a_retraction_before_its_report_waits_for_it() {
    for kind in KINDS {
        each(world, async |world| {
            let waiting = world.submit(retracted("r1", "m1")).await.unwrap();
            assert_eq!(waiting.state(), MessageState::Received);
            assert_eq!(waiting.outcome, "not applied yet: no report m1 is received yet");
            world.fulfillment.set_behavior(PeerBehavior::Down);
            assert_eq!(world.submit(kind.report("m1", 4)).await.unwrap().state(), MessageState::Received);
            world.after(Duration::from_secs(10)).await;
            assert_eq!(world.state("r1").await, MessageState::Received, "the report is not applied yet");
            world.fulfillment.set_behavior(PeerBehavior::Well);
            for _ in 0..3 {
                world.after(Duration::from_secs(300)).await;
            }
            assert_taken_back_once(&world, kind).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_retraction_of_what_never_comes_opens_an_exception() {
    each(world, async |world| {
        world.submit(retracted("r1", "m1")).await.unwrap();
        for _ in 0..25 {
            world.after(Duration::from_secs(300)).await;
        }
        assert_eq!(world.open_exceptions().await, ["REPORT_DELAYED"]);
        world.apply(Kind::Pick.report("m1", 4)).await;
        world.after(Duration::from_secs(300)).await;
        assert_eq!(world.state("m1").await, MessageState::Retracted);
        assert!(world.open_exceptions().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn another_partners_control_number_is_unknown() {
    each(world, async |world| {
        world.apply(Kind::Pick.report("m1", 4)).await;
        let foreign = SubmitReportRequest { partner_id: "par_b".to_owned(), ..retracted("r1", "m1") };
        let waiting = world.submit(foreign).await.unwrap();
        assert_eq!(waiting.outcome, "not applied yet: no report m1 is received yet");
        world.after(Duration::from_secs(300)).await;
        assert_eq!((world.state("m1").await, world.state("r1").await), (MessageState::Applied, MessageState::Received));
        assert_eq!(world.fulfillment.methods(), ["pick"]);
    })
    .await;
}

#[tokio::test]
async fn a_retraction_that_crashed_takes_the_report_back_once() {
    for kind in KINDS {
        for behavior in [PeerBehavior::HangsBefore, PeerBehavior::HangsAfter] {
            each(world, async |world| {
                world.apply(kind.report("m1", 4)).await;
                world.fulfillment.set_behavior(behavior);
                world.crash(retracted("r1", "m1")).await;
                assert_eq!(world.state("m1").await, MessageState::Applied);
                world.after(Duration::from_secs(60)).await;
                assert_taken_back_once(&world, kind).await;
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_rejected_report_that_is_taken_back_cannot_be_replayed() {
    each(world, async |world| {
        world.fulfillment.set_behavior(PeerBehavior::Refuses);
        let rejected = world.submit(Kind::Pick.report("m1", 4)).await.unwrap();
        assert_eq!(world.open_exceptions().await, ["REPORT_REJECTED"]);
        world.fulfillment.set_behavior(PeerBehavior::Well);
        let retraction = world.apply(retracted("r1", "m1")).await;
        assert_eq!(retraction.outcome, format!("nothing to take back: {} was REJECTED", rejected.message_id));
        assert!(world.open_exceptions().await.is_empty());
        assert_eq!(world.state("m1").await, MessageState::Retracted);
        let refused = world.replay(&rejected).await.unwrap_err();
        assert_eq!(refused.message(), "a message that is RETRACTED cannot be replayed");
        assert_eq!(world.fulfillment.effects(), 0);
    })
    .await;
}

#[tokio::test]
async fn every_message_with_the_control_number_is_taken_back() {
    each(world, async |world| {
        world.apply(Kind::Pick.report("m1", 4)).await;
        assert_eq!(reason(world.submit(Kind::Pick.report("m1", 5)).await), Reason::ControlNumberReused);
        let quarantined = world.messages().await.remove(1);
        assert_eq!(world.open_exceptions().await, ["CONTROL_NUMBER_REUSED"]);
        world.apply(retracted("r1", "m1")).await;
        let states: Vec<_> = world.messages().await.iter().map(PartnerMessage::state).collect();
        assert_eq!(states, [MessageState::Retracted, MessageState::Retracted, MessageState::Applied]);
        assert!(world.open_exceptions().await.is_empty());
        assert_eq!(reason(world.replay(&quarantined).await), Reason::ActionNotSupported);
        assert_eq!(world.fulfillment.methods(), ["pick", "retract_pick"]);
    })
    .await;
}

#[tokio::test]
async fn what_waits_of_a_report_that_is_taken_back_is_dropped() {
    each(world, async |world| {
        let item = |sku: &str| ItemQuantity { sku: sku.to_owned(), quantity: 4 };
        let Report::Snapshot(count) = Kind::Count.content("", 4) else { unreachable!() };
        let count = ReportSnapshotRequest { items: vec![item("A"), item(UNKNOWN_SKU), item("B")], ..count };
        let counted = world.submit(report("par_a", "m1", Report::Snapshot(count))).await.unwrap();
        assert_eq!(counted.state(), MessageState::PartiallyApplied);
        assert_eq!(world.open_exceptions().await, ["REPORT_INCOMPLETE"]);
        world.apply(retracted("r1", "m1")).await;
        assert!(world.fulfillment.request("retract_count").contains("skus: [\"A\", \"B\"]"));
        assert!(world.open_exceptions().await.is_empty());
        let read = GetMessageRequest { message_id: counted.message_id };
        let now = world.client().get_message(read).await.unwrap().into_inner();
        assert_eq!((now.state(), now.parts[0].state()), (MessageState::Retracted, ReportPartState::Dropped));
        world.after(Duration::from_secs(7_200)).await;
        assert_eq!(world.fulfillment.methods(), ["snapshot", "retract_count"]);
        assert_eq!(reason(world.replay(&now).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn answers_and_retractions_are_not_taken_back() {
    each(world, async |world| {
        world.apply(accepted("par_a", "m1", "ful_1")).await;
        world.apply(Kind::Pick.report("m2", 4)).await;
        world.apply(retracted("r2", "m2")).await;
        for (number, earlier, kind) in [("r3", "m1", "report.accepted"), ("r4", "r2", "report.retracted")] {
            let refused = world.submit(retracted(number, earlier)).await.unwrap();
            assert_eq!(refused.state(), MessageState::Rejected);
            let expected = format!("names a {kind}, which cannot be taken back");
            assert_eq!(refused.outcome, format!("INVALID_ARGUMENT: retracted.control_number: {expected}"));
        }
        assert_eq!((world.state("m1").await, world.state("r2").await), (MessageState::Applied, MessageState::Applied));
        assert_eq!(wrong_fields(world.submit(retracted("r5", "r5")).await), ["retracted.control_number"]);
        let nothing = report("par_a", "r6", Report::Retracted(RetractReport::default()));
        assert_eq!(wrong_fields(world.submit(nothing).await), ["retracted.control_number", "retracted.reason"]);
    })
    .await;
}

#[tokio::test]
async fn a_count_by_a_clock_that_is_ahead_is_taken_back_by_the_time_it_was_recorded_at() {
    each(world, async |world| {
        for (number, ahead) in [("m1", 60), ("m2", -60)] {
            let Report::Snapshot(count) = Kind::Count.content("", 4) else { unreachable!() };
            let count = ReportSnapshotRequest { count_time: Some(started(ahead)), ..count };
            world.apply(report("par_a", number, Report::Snapshot(count))).await;
            world.clock.advance(Duration::from_secs(1));
            world.apply(retracted(&format!("r-{number}"), number)).await;
            let recorded = format!("count_time: {:?}", Some(started(ahead.min(0))));
            for method in ["snapshot", "retract_count"] {
                let request = world.fulfillment.request(method);
                assert!(request.contains(&recorded), "{request}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_report_that_may_not_take_back_or_correct_is_tied_to_the_order_of_the_earlier_one() {
    each(world, async |world| {
        let pick = world.apply(Kind::Pick.report("m1", 4)).await;
        world.fulfillment.set_behavior(PeerBehavior::Refuses);
        let corrects = SubmitReportRequest { corrects: "m1".to_owned(), ..Kind::Pick.report("c1", 3) };
        for request in [retracted("r1", "m1"), corrects] {
            let refused = world.submit(request).await.unwrap();
            assert_eq!(refused.state(), MessageState::Rejected);
            assert_eq!((refused.order_id.as_str(), &refused.order_id), ("ord_1", &pick.order_id));
        }
        let opened = world.events().await.of(EventType::ExceptionOpened);
        let tied: Vec<_> =
            opened.iter().map(|event| (event.correlation_id.as_str(), event.account_id.as_str())).collect();
        assert_eq!(tied, [("ord_1", "acc_a"), ("ord_1", "acc_a")]);
    })
    .await;
}
