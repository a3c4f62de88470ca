//! Reports of partners.

use std::time::Duration;

use futures::future::join_all;
use prost::Message as _;
use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Milestone, Node, NodeChanged, RecordMilestoneRequest, RetractTrackingReportRequest},
    inventory::v1::ReportSnapshotRequest,
    partner::v1::{
        GetMessageRequest, ListMessagesRequest, MessageState, PartnerKind, PartnerState, ReplayMessageRequest,
        SubmitReportRequest, UpdatePartnerRequest, submit_report_request::Report,
    },
};
use testkit::{each, partner, reason, wrong_fields};
use types::Reason;

use crate::{
    peers::PeerBehavior,
    world::{World, accepted, fulfillment_order, rejected, report},
};

async fn world(options: store::Options) -> World {
    let world = World::open(options).await;
    world.partner("par_a", PartnerKind::Warehouse, "").await;
    world.partner("par_b", PartnerKind::Warehouse, "").await;
    world.fulfillment.has(fulfillment_order("1", "par_a"));
    world
}

#[tokio::test]
async fn a_report_is_kept_as_it_came_and_shows_what_it_did() {
    each(world, async |world| {
        let message = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        assert_eq!(message.state(), MessageState::Applied);
        assert_eq!((message.r#type.as_str(), message.subject.as_str()), ("report.accepted", "ful_1"));
        assert_eq!((message.order_id.as_str(), message.attempts), ("ord_1", 1));
        assert_eq!(message.outcome, "recorded for fulfillment order ful_1");
        let kept = SubmitReportRequest::decode(message.content.clone()).unwrap();
        assert_eq!(kept, accepted("par_a", "m1", "ful_1"));
        let read = world.client().get_message(GetMessageRequest { message_id: message.message_id.clone() }).await;
        assert_eq!(read.unwrap().into_inner(), message);
        assert_eq!(
            (world.count(EventType::PartnerMessageReceived).await, world.count(EventType::PartnerMessageApplied).await),
            (0, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_control_number_again_is_ignored_and_answered() {
    each(world, async |world| {
        let first = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        let again = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        assert_eq!((&again.message_id, again.state(), again.duplicates), (&first.message_id, first.state(), 1));
        assert_eq!(again.outcome, first.outcome);
        assert_eq!(world.fulfillment.effects(), 1);
        assert_eq!(world.count(EventType::PartnerDuplicateIgnored).await, 1);
        assert_eq!(world.messages().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_control_number_with_other_content_is_quarantined() {
    each(world, async |world| {
        world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        for _ in 0..2 {
            let refused = world.submit(rejected("par_a", "m1", "ful_1")).await;
            assert_eq!(reason(refused), Reason::ControlNumberReused);
        }
        let messages = world.messages().await;
        let states: Vec<_> = messages.iter().map(|message| (message.state(), message.duplicates)).collect();
        assert_eq!(states, [(MessageState::Applied, 0), (MessageState::Quarantined, 1)]);
        assert_eq!(world.events().await.opened_exceptions(), ["CONTROL_NUMBER_REUSED"]);
        assert_eq!(world.count(EventType::PartnerDuplicateConflict).await, 1);
        assert_eq!(world.fulfillment.effects(), 1);

        let replay = ReplayMessageRequest {
            request_id: "r".to_owned(),
            message_id: messages[1].message_id.clone(),
            ..Default::default()
        };
        for _ in 0..2 {
            let replayed = world.client().replay_message(replay.clone()).await.unwrap().into_inner();
            assert_eq!(replayed.state(), MessageState::Applied);
        }
        assert_eq!(world.fulfillment.effects(), 2);
        assert_eq!(world.count(EventType::ExceptionResolved).await, 1);
        // Control numbers of another partner are its own.
        world.fulfillment.has(fulfillment_order("2", "par_b"));
        assert_eq!(world.submit(accepted("par_b", "m1", "ful_2")).await.unwrap().state(), MessageState::Applied);
    })
    .await;
}

#[tokio::test]
async fn a_report_sent_thirty_two_times_at_once_takes_effect_once() {
    each(world, async |world| {
        let answers = join_all((0..32).map(|_| world.submit(accepted("par_a", "m1", "ful_1")))).await;
        let first = answers[0].as_ref().unwrap().message_id.clone();
        for answer in answers {
            let answer = answer.unwrap();
            assert_eq!((answer.state(), &answer.message_id), (MessageState::Applied, &first));
        }
        assert_eq!(world.fulfillment.effects(), 1);
        assert_eq!(
            (
                world.count(EventType::PartnerMessageApplied).await,
                world.count(EventType::PartnerDuplicateIgnored).await
            ),
            (1, 31)
        );
        assert_eq!(world.messages().await[0].duplicates, 31);
    })
    .await;
}

#[tokio::test]
async fn a_report_stored_before_a_crash_is_applied_once_by_the_task() {
    for behavior in [PeerBehavior::HangsBefore, PeerBehavior::HangsAfter] {
        each(world, async |world| {
            world.fulfillment.set_behavior(behavior);
            tokio::select! {
                _ = world.submit(accepted("par_a", "m1", "ful_1")) => panic!("nobody answered"),
                () = world.fulfillment.hung() => {}
            }
            world.fulfillment.set_behavior(PeerBehavior::Well);
            assert_eq!(world.messages().await[0].state(), MessageState::Received);
            world.after(Duration::from_secs(60)).await;
            assert_eq!(world.messages().await[0].state(), MessageState::Applied);
            world.after(Duration::from_secs(600)).await;
            assert_eq!(world.fulfillment.effects(), 1);
            assert_eq!(world.count(EventType::PartnerMessageApplied).await, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_report_waits_while_fulfillment_is_down_and_is_applied_once_later() {
    each(world, async |world| {
        world.fulfillment.set_behavior(PeerBehavior::Down);
        let message = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        assert_eq!((message.state(), message.attempts), (MessageState::Received, 1));
        for _ in 0..25 {
            world.after(Duration::from_secs(300)).await;
        }
        assert_eq!(world.messages().await[0].attempts, 26);
        assert_eq!(world.count(EventType::PartnerMessageReceived).await, 1);
        assert_eq!(world.events().await.opened_exceptions(), ["REPORT_DELAYED"]);

        world.fulfillment.set_behavior(PeerBehavior::Well);
        world.after(Duration::from_secs(300)).await;
        world.after(Duration::from_secs(300)).await;
        assert_eq!(world.messages().await[0].state(), MessageState::Applied);
        assert_eq!(world.fulfillment.effects(), 1);
        assert_eq!(world.count(EventType::ExceptionResolved).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_refused_report_is_rejected_and_can_be_replayed() {
    each(world, async |world| {
        world.fulfillment.set_behavior(PeerBehavior::Refuses);
        let message = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        assert_eq!(message.state(), MessageState::Rejected);
        assert_eq!(message.outcome, "ACTION_NOT_SUPPORTED: it is too late");
        let again = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        assert_eq!((again.state(), again.outcome), (MessageState::Rejected, message.outcome));
        assert_eq!(world.events().await.opened_exceptions(), ["REPORT_REJECTED"]);

        world.fulfillment.set_behavior(PeerBehavior::Well);
        let replay = ReplayMessageRequest { message_id: message.message_id, ..Default::default() };
        let replayed = world.client().replay_message(replay.clone()).await.unwrap().into_inner();
        assert_eq!(replayed.state(), MessageState::Applied);
        let refused = world.client().replay_message(replay).await;
        assert_eq!(reason(refused), Reason::ActionNotSupported);
        assert_eq!(world.fulfillment.effects(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_partner_reports_only_on_its_own_fulfillment_orders_and_nodes() {
    each(world, async |world| {
        let snapshot = |control_number: &str| {
            let counted = ReportSnapshotRequest { location_id: "nod_a".to_owned(), ..Default::default() };
            report("par_b", control_number, Report::Snapshot(counted))
        };
        for foreign in [accepted("par_b", "m1", "ful_1"), accepted("par_b", "m2", "ful_x"), snapshot("m3")] {
            let message = world.submit(foreign).await.unwrap();
            assert_eq!(message.state(), MessageState::Rejected);
            assert!(message.outcome.starts_with("NOT_FOUND: "), "{}", message.outcome);
            assert_eq!(message.order_id, "");
        }
        assert_eq!(world.fulfillment.effects(), 0);

        let node = Node { node_id: "nod_a".to_owned(), partner_id: "par_b".to_owned(), ..Node::default() };
        world.follow(FulfillmentEvent::NodeCreated(NodeChanged { node: Some(node) })).await;
        assert_eq!(world.submit(snapshot("m4")).await.unwrap().state(), MessageState::Applied);
    })
    .await;
}

#[tokio::test]
async fn a_carrier_reports_as_itself() {
    each(world, async |world| {
        world.partner("par_c", PartnerKind::Carrier, "").await;
        world.partner("par_erp", PartnerKind::Erp, "").await;
        let milestone = RecordMilestoneRequest {
            milestone: Some(Milestone { tracking_number: "T1".to_owned(), ..Milestone::default() }),
            carrier_id: "par_other".to_owned(),
            reporter_id: "par_other".to_owned(),
            ..RecordMilestoneRequest::default()
        };
        let message = world.submit(report("par_c", "m1", Report::Milestone(milestone.clone()))).await.unwrap();
        assert_eq!((message.subject.as_str(), message.order_id.as_str()), ("T1", "ord_of_shipment"));
        assert_eq!(world.fulfillment.milestones()[0].carrier_id, "par_c");
        assert_eq!(world.fulfillment.milestones()[0].reporter_id, "par_c");
        let from_warehouse = report("par_a", "m9", Report::Milestone(milestone.clone()));
        assert_eq!(world.submit(from_warehouse).await.unwrap().state(), MessageState::Applied);
        // A warehouse may name the carrier; it reports as itself.
        let recorded = world.fulfillment.milestones().remove(1);
        assert_eq!((recorded.carrier_id.as_str(), recorded.reporter_id.as_str()), ("par_other", "par_a"));
        let message = world.submit(report("par_erp", "m1", Report::Milestone(milestone))).await.unwrap();
        assert_eq!(message.state(), MessageState::Rejected);
        assert_eq!(world.fulfillment.milestones().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_carrier_takes_its_own_report_back() {
    each(world, async |world| {
        world.partner("par_c", PartnerKind::Carrier, "").await;
        let retraction = RetractTrackingReportRequest {
            report_id: "trk_1".to_owned(),
            reason: "another package".to_owned(),
            reporter_id: "par_other".to_owned(),
            ..RetractTrackingReportRequest::default()
        };
        let message = world.submit(report("par_c", "m1", Report::Retraction(retraction))).await.unwrap();
        assert_eq!((message.state(), message.subject.as_str()), (MessageState::Applied, "trk_1"));
        assert_eq!(message.outcome, "trk_1 is retracted");
        let named = Milestone { sscc: "340123450000000017".to_owned(), ..Milestone::default() };
        let milestone = RecordMilestoneRequest { milestone: Some(named), ..RecordMilestoneRequest::default() };
        let message = world.submit(report("par_c", "m2", Report::Milestone(milestone))).await.unwrap();
        assert_eq!(message.subject, "340123450000000017", "a package without a number is named otherwise");
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_a_report_are_named() {
    each(world, async |world| {
        let nothing = SubmitReportRequest { partner_id: "x".to_owned(), ..Default::default() };
        let fields = wrong_fields(world.submit(nothing).await);
        assert_eq!(fields, ["partner_id", "control_number", "report"]);
        let fields = wrong_fields(world.submit(accepted("par_a", &"1".repeat(129), "")).await);
        assert_eq!(fields, ["control_number", "accepted.fulfillment_order_id"]);
        assert_eq!(reason(world.submit(accepted("par_nobody", "m1", "ful_1")).await), Reason::NotFound);
        assert!(world.messages().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_suspended_partner_is_refused() {
    each(world, async |world| {
        let suspend = UpdatePartnerRequest {
            partner_id: "par_a".to_owned(),
            state: Some(PartnerState::Suspended.into()),
            ..UpdatePartnerRequest::default()
        };
        world.client().update_partner(suspend).await.unwrap();
        let refused = world.submit(accepted("par_a", "m1", "ful_1")).await;
        assert_eq!(reason(refused), Reason::ActionNotSupported);
        assert!(world.messages().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_partner_sees_and_submits_only_its_own_messages() {
    each(world, async |world| {
        let (mut a, mut b) = (world.client_of(&partner("par_a")), world.client_of(&partner("par_b")));
        let sent = a.submit_report(accepted("par_a", "m1", "ful_1")).await.unwrap().into_inner();
        assert_eq!(sent.state(), MessageState::Applied);
        let refused = b.submit_report(accepted("par_a", "m2", "ful_1")).await;
        assert_eq!(reason(refused), Reason::NotFound);
        let read = GetMessageRequest { message_id: sent.message_id };
        assert!(a.get_message(read.clone()).await.is_ok());
        let refused = b.get_message(read).await;
        assert_eq!(reason(refused), Reason::NotFound);
        let all = ListMessagesRequest::default();
        assert_eq!(a.list_messages(all.clone()).await.unwrap().into_inner().messages.len(), 1);
        let of_a = ListMessagesRequest { partner_id: "par_a".to_owned(), ..all.clone() };
        for request in [all, of_a] {
            assert!(b.list_messages(request).await.unwrap().into_inner().messages.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn messages_are_listed_by_filter_and_page_newest_first() {
    each(world, async |world| {
        for number in 0..5 {
            world.submit(accepted("par_a", &format!("m{number}"), "ful_1")).await.unwrap();
        }
        world.submit(accepted("par_b", "m0", "ful_1")).await.unwrap();
        let list = |request: ListMessagesRequest| {
            let mut client = world.client();
            async move { client.list_messages(request).await.map(tonic::Response::into_inner) }
        };
        let of_a = ListMessagesRequest { partner_id: "par_a".to_owned(), page_size: 2, ..Default::default() };
        let (mut seen, mut request) = (Vec::new(), of_a.clone());
        loop {
            let page = list(request.clone()).await.unwrap();
            assert!(page.messages.iter().all(|message| message.content.is_empty()));
            seen.extend(page.messages.into_iter().map(|message| message.control_number));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen, ["m4", "m3", "m2", "m1", "m0"]);
        let foreign = ListMessagesRequest { partner_id: "par_b".to_owned(), ..request };
        let fields = wrong_fields(list(foreign).await);
        assert_eq!(fields, ["page_token"]);

        let count = |request| async { list(request).await.unwrap().messages.len() };
        let any = ListMessagesRequest::default();
        let rejected = vec![MessageState::Rejected.into(), MessageState::Quarantined.into()];
        assert_eq!(count(ListMessagesRequest { states: rejected, ..any.clone() }).await, 1);
        assert_eq!(count(ListMessagesRequest { order_id: "ord_1".to_owned(), ..any.clone() }).await, 5);
        assert_eq!(count(ListMessagesRequest { control_number: "m0".to_owned(), ..any.clone() }).await, 2);
        assert_eq!(count(ListMessagesRequest { direction: 2, ..any }).await, 0);
    })
    .await;
}
