//! The event log.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::{StreamExt, future::join_all};
use proto::{
    event::v1::{
        Event, ExceptionResolved, FollowEventsRequest, ListEventsRequest, VerifyLogRequest,
        event_service_client::EventServiceClient, event_service_server::EventServiceServer,
    },
    events::{EventType, InventoryEvent, LogEvent as _, SharedEvent},
    inventory::v1::ReservationsChanged,
};
use store::{Db, EventApi};
use testkit::database::each;

use crate::stock::{Reserve, call, open, open_with};

pub(crate) type Client = EventServiceClient<EventServiceServer<EventApi>>;

pub(crate) fn client(db: &Db) -> Client {
    EventServiceClient::new(EventServiceServer::new(EventApi::new(db.clone())))
}

pub(crate) async fn events(db: &Db) -> Vec<Event> {
    let request = ListEventsRequest { page_size: 1_000, ..ListEventsRequest::default() };
    client(db).list_events(request).await.unwrap().into_inner().events
}

/// Makes a transaction that took its number first commit last, if order of numbers were all that counted.
#[tokio::test]
async fn id_order_is_not_commit_order_and_a_follower_skips_nothing() {
    each(|options| async move {
        let writers = [open_with(&options, 10_000).await, open(&options).await, open(&options).await];
        let written = Arc::new(AtomicBool::new(false));
        let follower = {
            let (db, written) = (open(&options).await, written.clone());
            async move {
                let mut seen = Vec::new();
                let mut after = 0;
                loop {
                    let done = written.load(Ordering::SeqCst);
                    let request = FollowEventsRequest {
                        after_position: after,
                        until_head: true,
                        ..FollowEventsRequest::default()
                    };
                    let mut messages = client(&db).follow_events(request).await.unwrap().into_inner();
                    while let Some(message) = messages.next().await {
                        let message = message.unwrap();
                        seen.extend(message.events.iter().map(|event| event.position));
                        after = message.position;
                    }
                    if done {
                        return seen;
                    }
                }
            }
        };
        let writing = async {
            let rounds = writers.iter().enumerate().map(|(writer, db)| async move {
                for round in 0..15 {
                    let references = (0..4).map(|at| format!("{writer}/{round}/{at}"));
                    let commands = references.map(|reference| async move {
                        loop {
                            match db.run(call(), Reserve::new("A", &reference, 1)).await {
                                Err(fault) if fault.is_transient() => {}
                                outcome => return outcome.unwrap(),
                            }
                        }
                    });
                    join_all(commands).await;
                }
            });
            join_all(rounds).await;
            written.store(true, Ordering::SeqCst);
        };
        let (seen, ()) = tokio::join!(follower, writing);
        assert_eq!(seen, (1..=180).collect::<Vec<i64>>());
        let found = store::log::verify(&writers[0]).await.unwrap();
        assert_eq!((found.checked, found.first_bad), (180, None));
    })
    .await;
}

#[tokio::test]
async fn the_same_event_emitted_twice_is_one_event() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        db.run(call(), Repeat(2)).await.unwrap();
        db.run(call(), Repeat(1)).await.unwrap();
        let (one, other) = tokio::join!(db.run(call(), Repeat(1)), db.run(call(), Repeat(1)));
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(db.head().await, Ok(1));
        assert_eq!(store::log::verify(&db).await.unwrap().first_bad, None);
    })
    .await;
}

/// Emits the same event a number of times.
struct Repeat(usize);

impl store::Command for Repeat {
    type Reply = ();
    const NAME: &'static str = "Repeat";

    fn needs(&self, _: &store::Rows, _: &mut store::Needs) {}

    fn decide(&self, _: &mut store::Rows, cx: &mut store::Context<'_>) -> Result<(), store::Fault> {
        for _ in 0..self.0 {
            let payload = SharedEvent::ExceptionResolved(ExceptionResolved::default());
            cx.emit(store::NewEvent::new(payload, "A", 1, "once"));
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_event_says_who_why_and_when() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        let call = call().request("req", &1_i64).trace(Some("00-trace".to_owned()));
        db.run(call, Reserve::new("A", "ord_1", 1)).await.unwrap();
        let event = events(&db).await.remove(0);
        assert_eq!((event.position, event.source.as_str()), (1, "stock"));
        assert_eq!(event.r#type, EventType::InventoryReserved.as_str());
        assert_eq!((event.subject.as_str(), event.correlation_id.as_str()), ("A", "ord_1"));
        assert_eq!((event.actor.as_str(), event.causation_id.as_str()), ("service:tester", "req"));
        assert_eq!(event.trace_parent, "00-trace");
        assert_eq!(event.record_time.unwrap().seconds, 1_750_000_000);
        let payload = ReservationsChanged { order_id: "ord_1".to_owned(), ..ReservationsChanged::default() };
        assert_eq!(InventoryEvent::decode(&event), Ok(InventoryEvent::InventoryReserved(payload)));
        assert_eq!(SharedEvent::decode(&event), Ok(None));
    })
    .await;
}

#[tokio::test]
async fn a_changed_event_is_found_at_its_position() {
    let changes = [
        ("UPDATE events SET subject = 'B' WHERE position = 3 RETURNING position", 3),
        (
            "UPDATE events SET body = (SELECT body FROM events WHERE position = 1) WHERE position = 2 RETURNING position",
            2,
        ),
        ("UPDATE events SET record_time = 1 WHERE position = 5 RETURNING position", 5),
        ("DELETE FROM events WHERE position = 4 RETURNING position", 4),
        ("DELETE FROM events WHERE position = 5 RETURNING position", 5),
        ("UPDATE log_head SET hash = 'x' RETURNING position", 5),
    ];
    for (change, position) in changes {
        each(|options| async move {
            let db = open_with(&options, 10).await;
            for reference in 0..5 {
                db.run(call(), Reserve::new("A", reference, 1)).await.unwrap();
            }
            assert_eq!(store::log::verify(&db).await.unwrap().first_bad, None);
            crate::stock::tamper(&options, change).await;
            let found = client(&db).verify_log(VerifyLogRequest {}).await.unwrap().into_inner();
            assert_eq!(found.first_bad_position, position, "{change}: {}", found.problem);
            assert_eq!((found.head_position, found.checked_count < 5 || position == 5), (5, true));
        })
        .await;
    }
}

#[tokio::test]
async fn a_follower_is_sent_what_is_committed_later() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        db.run(call(), Reserve::new("A", "early", 1)).await.unwrap();
        let types = vec![EventType::InventoryReserved.to_string()];
        let request = FollowEventsRequest { types, ..FollowEventsRequest::default() };
        let mut messages = client(&db).follow_events(request).await.unwrap().into_inner();
        assert_eq!(messages.next().await.unwrap().unwrap().events[0].correlation_id, "early");
        db.run(call(), Reserve::new("A", "late", 1)).await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap().events[0].correlation_id, "late");
        db.run(call(), Repeat(1)).await.unwrap();
        let others = messages.next().await.unwrap().unwrap();
        assert_eq!((others.events.len(), others.position), (0, 3));
        db.close().await;
        assert!(messages.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn events_of_one_order_are_listed_in_pages() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        for reference in ["a", "b", "c"] {
            db.run(call(), Reserve::new("A", reference, 1)).await.unwrap();
        }
        let page = |request: ListEventsRequest| {
            let mut client = client(&db);
            async move { client.list_events(request).await.map(tonic::Response::into_inner) }
        };
        let of_b = page(ListEventsRequest { correlation_id: "b".to_owned(), ..Default::default() }).await.unwrap();
        assert_eq!((of_b.events[0].position, of_b.events.len(), of_b.head_position), (2, 1, 3));
        let first = page(ListEventsRequest { page_size: 2, ..Default::default() }).await.unwrap();
        let rest = page(ListEventsRequest { page_size: 2, after_position: 2, ..Default::default() }).await.unwrap();
        assert_eq!((first.events.len(), rest.events[0].correlation_id.as_str()), (2, "c"));
        assert!(page(ListEventsRequest { page_size: -1, ..Default::default() }).await.is_err());
        assert!(page(ListEventsRequest { after_position: -1, ..Default::default() }).await.is_err());
    })
    .await;
}
