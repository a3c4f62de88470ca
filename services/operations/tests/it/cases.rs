use std::{collections::HashMap, time::Duration};

use proto::{
    event::v1::ExceptionResolved,
    operations::v1::{
        AssignExceptionRequest, DismissExceptionRequest, Exception, ExceptionCount, ExceptionState,
        GetExceptionRequest, ListExceptionsRequest, ResolveExceptionRequest, SummarizeExceptionsRequest,
    },
};
use testkit::{each, reason, wrong_fields};
use types::{Clock, Reason};

use crate::world::{Client, ORDER, World, emit_at, summaries, timeline_of};

async fn resolve(mut client: Client, case: &Exception) -> Exception {
    let request = ResolveExceptionRequest {
        exception_id: case.exception_id.clone(),
        resolution: "called the warehouse".to_owned(),
        ..Default::default()
    };
    client.resolve_exception(request).await.unwrap().into_inner()
}

fn assign(case: &Exception, assignee: &str) -> AssignExceptionRequest {
    AssignExceptionRequest {
        exception_id: case.exception_id.clone(),
        assignee: assignee.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_is_reported_twice_is_one_case() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.open_exception("UNASSIGNED", ORDER, "still no node");
        world.drain().await;
        world.open_exception("UNASSIGNED", ORDER, "no node yet");
        world.drain().await;
        let case = world.the_case().await;
        assert_eq!((case.r#type.as_str(), case.subject.as_str(), case.order_id.as_str()), ("UNASSIGNED", ORDER, ORDER));
        assert_eq!((case.occurrences, case.state(), case.source.as_str()), (3, ExceptionState::Open, "fulfillment"));
        assert_eq!(case.summary, "no node yet");
        assert_eq!(case.facts, HashMap::from([("node".to_owned(), "no node yet".to_owned())]));
        assert_eq!(case.close_time, None);
    })
    .await;
}

#[tokio::test]
async fn the_time_to_deal_with_a_case_runs_from_when_it_was_seen() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        let case = world.the_case().await;
        // The log says that it recorded its first event at this second.
        assert_eq!(case.open_time.unwrap().seconds, 1_000_001);
        assert_eq!(case.due_time.unwrap().seconds, 1_000_001 + 4 * 3_600);
    })
    .await;
}

#[tokio::test]
async fn a_case_closes_by_itself_when_its_cause_is_gone() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.open_exception("UNASSIGNED", "ord_2", "no node");
        world.drain().await;
        let before: Vec<_> = world.cases(ListExceptionsRequest::default()).await;
        world.operator().assign_exception(assign(&before[1], "Ann")).await.unwrap();
        world.resolve_exception("UNASSIGNED", ORDER, "routed to nod_a");
        world.resolve_exception("UNASSIGNED", "ord_3", "there never was one");
        world.drain().await;
        let cases = world.cases(ListExceptionsRequest::default()).await;
        assert_eq!((cases[0].subject.as_str(), cases[0].state()), ("ord_2", ExceptionState::Open));
        assert_eq!((cases[1].subject.as_str(), cases[1].state()), (ORDER, ExceptionState::AutoResolved));
        assert_eq!((cases[1].resolution.as_str(), cases[1].assignee.as_str()), ("routed to nod_a", "Ann"));
        assert_eq!(cases[1].close_time, Some(mesh::wire::timestamp(world.clock.now())));
        assert_ne!(cases[1].etag, before[1].etag);
    })
    .await;
}

#[tokio::test]
async fn what_comes_back_after_a_case_ended_is_a_new_case() {
    each(World::open, async |world| {
        world.open_exception("OVER_SHIPPED", "shm_1", "first");
        world.drain().await;
        let first = resolve(world.operator(), &world.the_case().await).await;
        assert_eq!((first.state(), first.resolution.as_str()), (ExceptionState::Resolved, "called the warehouse"));
        // All in one go: opened, gone, opened again.
        world.open_exception("OVER_SHIPPED", "shm_1", "second");
        world.resolve_exception("OVER_SHIPPED", "shm_1", "sent back");
        world.open_exception("OVER_SHIPPED", "shm_1", "third");
        world.open_exception("OVER_SHIPPED", "shm_1", "third again");
        world.drain().await;
        let cases = world.cases(ListExceptionsRequest::default()).await;
        let told: Vec<_> = cases.iter().map(|case| (case.summary.as_str(), case.state(), case.occurrences)).collect();
        let expected = [
            ("third again", ExceptionState::Open, 2),
            ("second", ExceptionState::AutoResolved, 1),
            ("first", ExceptionState::Resolved, 1),
        ];
        assert_eq!(told, expected);
    })
    .await;
}

#[tokio::test]
async fn a_case_is_given_to_a_person_and_then_ended_once() {
    each(World::open, async |world| {
        world.open_exception("CANCEL_LOST", ORDER, "shipped anyway");
        world.drain().await;
        let case = world.the_case().await;
        let mut client = world.operator();
        let mut given = assign(&case, "Ann");
        given.request_id = "r1".to_owned();
        let assigned = client.assign_exception(given.clone()).await.unwrap().into_inner();
        assert_eq!((assigned.state(), assigned.assignee.as_str()), (ExceptionState::Assigned, "Ann"));
        assert_eq!(client.assign_exception(given).await.unwrap().into_inner(), assigned);

        let stale = DismissExceptionRequest {
            exception_id: case.exception_id.clone(),
            resolution: "the customer keeps it".to_owned(),
            etag: case.etag.clone(),
            ..Default::default()
        };
        assert_eq!(reason(client.dismiss_exception(stale.clone()).await), Reason::EtagMismatch);
        let fresh = DismissExceptionRequest { etag: assigned.etag.clone(), ..stale };
        let dismissed = client.dismiss_exception(fresh).await.unwrap().into_inner();
        assert_eq!((dismissed.state(), dismissed.assignee.as_str()), (ExceptionState::Dismissed, "Ann"));
        let get = GetExceptionRequest { exception_id: case.exception_id.clone() };
        assert_eq!(client.get_exception(get).await.unwrap().into_inner(), dismissed);

        assert_eq!(reason(client.assign_exception(assign(&case, "Bob")).await), Reason::ActionNotSupported);
        let late = ResolveExceptionRequest {
            exception_id: case.exception_id.clone(),
            resolution: "twice".to_owned(),
            ..Default::default()
        };
        assert_eq!(reason(client.resolve_exception(late).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn what_a_person_did_with_a_case_is_in_the_timeline_of_its_order() {
    each(World::open, async |world| {
        world.open_exception("CANCEL_LOST", ORDER, "shipped anyway");
        world.drain().await;
        let case = world.the_case().await;
        world.operator().assign_exception(assign(&case, "Ann")).await.unwrap();
        resolve(world.operator(), &case).await;
        world.drain().await;
        let page = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        let expected = [
            "needs a person, CANCEL_LOST: shipped anyway",
            "CANCEL_LOST given to Ann",
            "CANCEL_LOST resolved by a operations: called the warehouse",
        ];
        assert_eq!(summaries(&page), expected);
    })
    .await;
}

#[tokio::test]
async fn cases_are_filtered_and_read_in_pages_newest_first() {
    each(World::open, async |world| {
        for number in 0..5 {
            world.open_exception("UNASSIGNED", &format!("ord_{number}"), &number.to_string());
            world.open_exception("STOCK_DRIFT", &format!("shm_{number}"), &number.to_string());
        }
        world.resolve_exception("UNASSIGNED", "ord_3", "routed");
        world.drain().await;
        let summaries = |cases: Vec<Exception>| cases.into_iter().map(|case| case.summary).collect::<Vec<_>>();

        let unassigned = ListExceptionsRequest { r#type: "UNASSIGNED".to_owned(), ..Default::default() };
        assert_eq!(summaries(world.cases(unassigned.clone()).await), ["4", "3", "2", "1", "0"]);
        let open = ListExceptionsRequest {
            states: vec![ExceptionState::Open.into(), ExceptionState::Assigned.into()],
            ..unassigned.clone()
        };
        assert_eq!(summaries(world.cases(open.clone()).await), ["4", "2", "1", "0"]);
        let order = ListExceptionsRequest { order_id: ORDER.to_owned(), ..Default::default() };
        assert_eq!(world.cases(order).await.len(), 10);
        let other = ListExceptionsRequest { order_id: "ord_2".to_owned(), ..Default::default() };
        assert!(world.cases(other).await.is_empty());

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
        let count = |kind: &str, state: ExceptionState, count| ExceptionCount {
            r#type: kind.to_owned(),
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
async fn an_event_that_can_not_be_applied_becomes_a_case_itself() {
    each(World::open, async |world| {
        // The payload is that of another kind.
        emit_at(&world.fulfillment, 100, "exception.opened", ORDER, &ExceptionResolved::default());
        world.drain().await;
        let case = world.the_case().await;
        assert_eq!((case.r#type.as_str(), case.source.as_str()), ("REACTION_FAILED", "operations"));
        assert_eq!(case.facts["event_type"], "exception.opened");
    })
    .await;
}

#[tokio::test]
async fn a_request_about_cases_names_every_field_that_is_wrong() {
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
        let given = AssignExceptionRequest { exception_id: "ord_1".to_owned(), assignee: long, ..Default::default() };
        assert_eq!(wrong_fields(client.assign_exception(given).await), ["exception_id", "assignee"]);
        let ended = wrong_fields(client.resolve_exception(ResolveExceptionRequest::default()).await);
        assert_eq!(ended, ["exception_id", "resolution"]);
        let ended = wrong_fields(client.dismiss_exception(DismissExceptionRequest::default()).await);
        assert_eq!(ended, ["exception_id", "resolution"]);
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
