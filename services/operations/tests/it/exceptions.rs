use std::{collections::HashMap, time::Duration};

use proto::{
    event::v1::{Event, ExceptionResolved},
    events::{EventType, SharedEvent},
    operations::v1::{
        AssignExceptionRequest, DismissExceptionRequest, Exception, ExceptionCount, ExceptionState,
        GetExceptionRequest, ListExceptionsRequest, OrderExceptionsChanged, ResolveExceptionRequest,
        RetryExceptionRequest, RetryExceptionsRequest, SummarizeExceptionsRequest,
    },
};
use testkit::{each, reason, wrong_fields};
use types::{Clock, Reason};

use crate::world::{Client, ORDER, World, event_at, summaries, timeline_of};

async fn resolve(mut client: Client, exception: &Exception) -> Exception {
    let request = ResolveExceptionRequest {
        exception_id: exception.exception_id.clone(),
        resolution: "called the warehouse".to_owned(),
        ..Default::default()
    };
    client.resolve_exception(request).await.unwrap().into_inner()
}

fn assign(exception: &Exception, assignee: &str) -> AssignExceptionRequest {
    AssignExceptionRequest {
        exception_id: exception.exception_id.clone(),
        assignee: assignee.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_is_reported_twice_is_one_exception() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.open_exception("UNASSIGNED", ORDER, "still no node");
        world.drain().await;
        world.open_exception("UNASSIGNED", ORDER, "no node yet");
        world.drain().await;
        let exception = world.the_exception().await;
        assert_eq!(
            (exception.r#type.as_str(), exception.subject.as_str(), exception.order_id.as_str()),
            ("UNASSIGNED", ORDER, ORDER)
        );
        assert_eq!(
            (exception.occurrences, exception.state(), exception.source.as_str()),
            (3, ExceptionState::Open, "fulfillment")
        );
        assert_eq!(exception.summary, "no node yet");
        assert_eq!(exception.facts, HashMap::from([("node".to_owned(), "no node yet".to_owned())]));
        assert_eq!(exception.close_time, None);
    })
    .await;
}

#[tokio::test]
async fn an_exception_is_due_a_time_after_it_was_recorded() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        let exception = world.the_exception().await;
        // The log says that it recorded its first event at this second.
        assert_eq!(exception.open_time.unwrap().seconds, 1_000_001);
        assert_eq!(exception.due_time.unwrap().seconds, 1_000_001 + 4 * 3_600);
    })
    .await;
}

#[tokio::test]
async fn an_exception_closes_by_itself_when_its_cause_is_gone() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.open_exception("UNASSIGNED", "ord_2", "no node");
        world.drain().await;
        let before: Vec<_> = world.exceptions(ListExceptionsRequest::default()).await;
        world.operator().assign_exception(assign(&before[1], "Ann")).await.unwrap();
        world.resolve_exception("UNASSIGNED", ORDER, "routed to nod_a");
        world.resolve_exception("UNASSIGNED", "ord_3", "there never was one");
        world.drain().await;
        let exceptions = world.exceptions(ListExceptionsRequest::default()).await;
        assert_eq!((exceptions[0].subject.as_str(), exceptions[0].state()), ("ord_2", ExceptionState::Open));
        assert_eq!((exceptions[1].subject.as_str(), exceptions[1].state()), (ORDER, ExceptionState::AutoResolved));
        assert_eq!((exceptions[1].resolution.as_str(), exceptions[1].assignee.as_str()), ("routed to nod_a", "Ann"));
        assert_eq!(exceptions[1].close_time, Some(mesh::wire::timestamp(world.clock.now())));
        assert_ne!(exceptions[1].etag, before[1].etag);
    })
    .await;
}

#[tokio::test]
async fn what_is_reported_after_an_exception_was_closed_is_a_new_exception() {
    each(World::open, async |world| {
        world.open_exception("OVER_SHIPPED", "shm_1", "first");
        world.drain().await;
        let first = resolve(world.operator(), &world.the_exception().await).await;
        assert_eq!((first.state(), first.resolution.as_str()), (ExceptionState::Resolved, "called the warehouse"));
        // All in one go: opened, gone, opened again.
        world.open_exception("OVER_SHIPPED", "shm_1", "second");
        world.resolve_exception("OVER_SHIPPED", "shm_1", "sent back");
        world.open_exception("OVER_SHIPPED", "shm_1", "third");
        world.open_exception("OVER_SHIPPED", "shm_1", "third again");
        world.drain().await;
        let exceptions = world.exceptions(ListExceptionsRequest::default()).await;
        let listed: Vec<_> = exceptions
            .iter()
            .map(|exception| (exception.summary.as_str(), exception.state(), exception.occurrences))
            .collect();
        let expected = [
            ("third again", ExceptionState::Open, 2),
            ("second", ExceptionState::AutoResolved, 1),
            ("first", ExceptionState::Resolved, 1),
        ];
        assert_eq!(listed, expected);
    })
    .await;
}

#[tokio::test]
async fn an_exception_is_assigned_to_a_person_and_then_closed_once() {
    each(World::open, async |world| {
        world.open_exception("CANCEL_LOST", ORDER, "shipped anyway");
        world.drain().await;
        let exception = world.the_exception().await;
        let mut client = world.operator();
        let mut request = assign(&exception, "Ann");
        request.request_id = "r1".to_owned();
        let assigned = client.assign_exception(request.clone()).await.unwrap().into_inner();
        assert_eq!((assigned.state(), assigned.assignee.as_str()), (ExceptionState::Assigned, "Ann"));
        assert_eq!(client.assign_exception(request).await.unwrap().into_inner(), assigned);

        let stale = DismissExceptionRequest {
            exception_id: exception.exception_id.clone(),
            resolution: "the customer keeps it".to_owned(),
            etag: exception.etag.clone(),
            ..Default::default()
        };
        assert_eq!(reason(client.dismiss_exception(stale.clone()).await), Reason::EtagMismatch);
        let fresh = DismissExceptionRequest { etag: assigned.etag.clone(), ..stale };
        let dismissed = client.dismiss_exception(fresh).await.unwrap().into_inner();
        assert_eq!((dismissed.state(), dismissed.assignee.as_str()), (ExceptionState::Dismissed, "Ann"));
        let get = GetExceptionRequest { exception_id: exception.exception_id.clone() };
        assert_eq!(client.get_exception(get).await.unwrap().into_inner(), dismissed);

        assert_eq!(reason(client.assign_exception(assign(&exception, "Bob")).await), Reason::ActionNotSupported);
        let late = ResolveExceptionRequest {
            exception_id: exception.exception_id.clone(),
            resolution: "twice".to_owned(),
            ..Default::default()
        };
        assert_eq!(reason(client.resolve_exception(late).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn what_a_person_did_with_an_exception_is_in_the_timeline_of_its_order() {
    each(World::open, async |world| {
        world.open_exception("CANCEL_LOST", ORDER, "shipped anyway");
        world.drain().await;
        let exception = world.the_exception().await;
        world.operator().assign_exception(assign(&exception, "Ann")).await.unwrap();
        resolve(world.operator(), &exception).await;
        world.drain().await;
        let page = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        let expected = [
            "needs a person, CANCEL_LOST: shipped anyway",
            "the order has an open exception",
            "CANCEL_LOST assigned to Ann",
            "no exception of the order is open any more",
            "CANCEL_LOST resolved by a operations: called the warehouse",
        ];
        assert_eq!(summaries(&page), expected);
    })
    .await;
}

/// How many exceptions of each order were open, whenever none or some were.
async fn order_changes(world: &World) -> Vec<(String, i32)> {
    let changes: Vec<OrderExceptionsChanged> = world.events().await.payloads(EventType::ExceptionOrderChanged);
    changes.into_iter().map(|changed| (changed.order_id, changed.open_exceptions)).collect()
}

#[tokio::test]
async fn followers_of_an_order_are_told_when_its_first_exception_opens_and_its_last_is_closed() {
    each(World::open, async |world| {
        let changed = |open| (ORDER.to_owned(), open);
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.open_exception("UNASSIGNED", ORDER, "still no node");
        world.open_exception("OVER_SHIPPED", "shm_1", "two more");
        world.drain().await;
        assert_eq!(order_changes(&world).await, [changed(1)]);
        world.resolve_exception("UNASSIGNED", ORDER, "routed");
        world.drain().await;
        assert_eq!(order_changes(&world).await, [changed(1)], "another one is open");
        let open = ListExceptionsRequest { states: vec![ExceptionState::Open.into()], ..Default::default() };
        let last = world.exceptions(open).await.remove(0);
        world.operator().assign_exception(assign(&last, "Ann")).await.unwrap();
        resolve(world.operator(), &last).await;
        assert_eq!(order_changes(&world).await, [changed(1), changed(0)]);
        world.open_exception("OVER_SHIPPED", "shm_1", "again");
        world.drain().await;
        assert_eq!(order_changes(&world).await, [changed(1), changed(0), changed(1)]);
    })
    .await;
}

#[tokio::test]
async fn exceptions_are_filtered_and_read_in_pages_newest_first() {
    each(World::open, async |world| {
        for number in 0..5 {
            world.open_exception("UNASSIGNED", &format!("ord_{number}"), &number.to_string());
            world.open_exception("STOCK_DRIFT", &format!("shm_{number}"), &number.to_string());
        }
        world.resolve_exception("UNASSIGNED", "ord_3", "routed");
        world.drain().await;
        let summaries =
            |exceptions: Vec<Exception>| exceptions.into_iter().map(|exception| exception.summary).collect::<Vec<_>>();

        let unassigned = ListExceptionsRequest { r#type: "UNASSIGNED".to_owned(), ..Default::default() };
        assert_eq!(summaries(world.exceptions(unassigned.clone()).await), ["4", "3", "2", "1", "0"]);
        let open = ListExceptionsRequest {
            states: vec![ExceptionState::Open.into(), ExceptionState::Assigned.into()],
            ..unassigned.clone()
        };
        assert_eq!(summaries(world.exceptions(open.clone()).await), ["4", "2", "1", "0"]);
        let order = ListExceptionsRequest { order_id: ORDER.to_owned(), ..Default::default() };
        assert_eq!(world.exceptions(order).await.len(), 10);
        let other = ListExceptionsRequest { order_id: "ord_2".to_owned(), ..Default::default() };
        assert!(world.exceptions(other).await.is_empty());

        let (mut paged, mut request) = (Vec::new(), ListExceptionsRequest { page_size: 3, ..open });
        loop {
            let page = world.operator().list_exceptions(request.clone()).await.unwrap().into_inner();
            paged.extend(page.exceptions);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
            let foreign = ListExceptionsRequest { states: Vec::new(), ..request.clone() };
            assert_eq!(wrong_fields(world.operator().list_exceptions(foreign).await), ["page_token"]);
        }
        assert_eq!(summaries(paged), ["4", "2", "1", "0"]);

        let counts = world.operator().summarize_exceptions(SummarizeExceptionsRequest {}).await.unwrap().into_inner();
        let count = |exception_type: &str, state: ExceptionState, count| ExceptionCount {
            r#type: exception_type.to_owned(),
            state: state.into(),
            count,
        };
        let expected = [
            count("STOCK_DRIFT", ExceptionState::Open, 5),
            count("UNASSIGNED", ExceptionState::AutoResolved, 1),
            count("UNASSIGNED", ExceptionState::Open, 4),
        ];
        assert_eq!(counts.counts, expected);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_becomes_an_exception_itself() {
    each(World::open, async |world| {
        // The payload is that of another type.
        let resolved = SharedEvent::ExceptionResolved(ExceptionResolved::default());
        let event = event_at(&world.fulfillment, 100, ORDER, &resolved);
        world.fulfillment.append(Event { r#type: EventType::ExceptionOpened.to_string(), ..event });
        world.drain().await;
        let exception = world.the_exception().await;
        assert_eq!((exception.r#type.as_str(), exception.source.as_str()), ("REACTION_FAILED", "operations"));
        assert_eq!(exception.facts["event_type"], EventType::ExceptionOpened.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_request_about_exceptions_names_every_field_that_is_wrong() {
    each(World::open, async |world| {
        let mut client = world.operator();
        let list = ListExceptionsRequest {
            r#type: "\u{7}".to_owned(),
            states: vec![1, 0, 99],
            order_id: "x".to_owned(),
            ..Default::default()
        };
        let wrong = wrong_fields(client.list_exceptions(list).await);
        assert_eq!(wrong, ["type", "order_id", "states[1]", "states[2]"]);
        let negative = ListExceptionsRequest { page_size: -1, ..Default::default() };
        assert_eq!(wrong_fields(client.list_exceptions(negative).await), ["page_size"]);

        let long = "x".repeat(201);
        let request = AssignExceptionRequest { exception_id: "ord_1".to_owned(), assignee: long, ..Default::default() };
        assert_eq!(wrong_fields(client.assign_exception(request).await), ["exception_id", "assignee"]);
        let closed = wrong_fields(client.resolve_exception(ResolveExceptionRequest::default()).await);
        assert_eq!(closed, ["exception_id", "resolution"]);
        let closed = wrong_fields(client.dismiss_exception(DismissExceptionRequest::default()).await);
        assert_eq!(closed, ["exception_id", "resolution"]);
        let unknown = GetExceptionRequest { exception_id: "exc_1".to_owned() };
        assert_eq!(reason(client.get_exception(unknown).await), Reason::NotFound);
        let unknown = AssignExceptionRequest {
            exception_id: "exc_1".to_owned(),
            assignee: "Ann".to_owned(),
            ..Default::default()
        };
        assert_eq!(reason(client.assign_exception(unknown).await), Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn only_failed_work_is_tried_again_and_a_wrong_request_names_its_field() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.drain().await;
        let exception = world.the_exception().await;
        assert_eq!(exception.supported_actions, ["assign", "resolve", "dismiss"]);
        let retry = RetryExceptionRequest { exception_id: exception.exception_id, ..Default::default() };
        assert_eq!(reason(world.operator().retry_exception(retry).await), Reason::ActionNotSupported);
        let retry = |exception_type: &str| RetryExceptionsRequest {
            r#type: exception_type.to_owned(),
            ..RetryExceptionsRequest::default()
        };
        for (request, field) in [
            (retry(""), "type"),
            (retry("UNASSIGNED"), "type"),
            (RetryExceptionsRequest { limit: -1, ..retry("TASK_FAILED") }, "limit"),
            (RetryExceptionsRequest { order_id: "x y".to_owned(), ..retry("TASK_FAILED") }, "order_id"),
            (RetryExceptionsRequest { order_id: " ".to_owned(), ..retry("TASK_FAILED") }, "order_id"),
            (RetryExceptionsRequest { source: "\u{200b}".to_owned(), ..retry("TASK_FAILED") }, "source"),
        ] {
            assert_eq!(wrong_fields(world.operator().retry_exceptions(request).await), [field]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_retry_goes_to_the_service_that_opened_the_exception_and_is_in_the_timeline() {
    each(World::open, async |world| {
        world.open_exception("TASK_FAILED", "fulfillment.route:ord_1/release-1", "fails");
        world.open_exception("REACTION_FAILED", "fulfillment.order:abc", "was refused");
        world.drain().await;
        let exceptions = world.exceptions(ListExceptionsRequest::default()).await;
        for exception in &exceptions {
            let request = RetryExceptionRequest {
                request_id: exception.exception_id.clone(),
                exception_id: exception.exception_id.clone(),
                ..Default::default()
            };
            let answers = [
                world.operator().retry_exception(request.clone()).await.unwrap().into_inner(),
                world.operator().retry_exception(request).await.unwrap().into_inner(),
            ];
            assert_eq!(answers[0], answers[1]);
        }
        world.drain().await;
        let expected = [
            ("REACTION_FAILED".to_owned(), vec!["fulfillment.order:abc".to_owned()]),
            ("TASK_FAILED".to_owned(), vec!["fulfillment.route:ord_1/release-1".to_owned()]),
        ];
        assert_eq!(world.retried(), expected);
        let page = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        let retried = summaries(&page).into_iter().filter(|summary| summary.contains("tried again by"));
        assert_eq!(
            retried.collect::<Vec<_>>(),
            ["REACTION_FAILED tried again by a operations", "TASK_FAILED tried again by a operations"]
        );
        let still_open = world.exceptions(ListExceptionsRequest::default()).await;
        assert!(still_open.iter().all(|exception| exception.state() == ExceptionState::Open));
    })
    .await;
}
