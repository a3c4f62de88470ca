//! Server streams as lines of JSON and as server-sent events.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::stream;
use http::{Method, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tonic::body::Body;

use crate::depot::{Depot, answer, encoded, failed, framed, request};

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

fn item(token: &str, id: &str) -> Bytes {
    encoded("WatchCratesResponse", json!({"resumeToken": token, "crate": {"crateId": id}}))
}

fn lines(body: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_stream_is_a_line_for_each_message() {
    let depot = Depot::answering(|_| answer(&[], &[item("t1", "c1"), item("t2", "c2")], &[("grpc-status", "0")]));
    let reply = depot.get("/v1/crates:watch").await;
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let ids: Vec<_> = lines(&reply.body).iter().map(|line| line["crate"]["crateId"].clone()).collect();
    assert_eq!(ids, ["c1", "c2"]);
}

#[tokio::test]
async fn a_stream_that_fails_on_its_way_ends_with_the_problem() {
    let trailers = [("grpc-status", "14"), ("grpc-message", "gone")];
    let depot = Depot::answering(move |_| answer(&[], &[item("t1", "c1")], &trailers));
    let reply = depot.get("/v1/crates:watch").await;
    assert_eq!(reply.status, 200);
    let lines = lines(&reply.body);
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["error"]["status"], &lines[1]["error"]["detail"]), (&json!(503), &json!("gone")));

    let reply = depot.call(request(Method::GET, "/v1/crates:watch", &[EVENTS, ("x-request-id", "r1")], "")).await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let text = std::str::from_utf8(&reply.body).unwrap();
    let events: Vec<_> = text.split_terminator("\n\n").collect();
    assert!(events[0].starts_with("id: t1\ndata: {"), "{text}");
    let problem = events[1].strip_prefix("event: error\ndata: ").unwrap();
    let problem: Value = serde_json::from_str(problem).unwrap();
    assert_eq!((&problem["code"], &problem["requestId"]), (&json!("UNAVAILABLE"), &json!("r1")));
}

#[tokio::test]
async fn a_stream_that_is_refused_at_once_is_a_plain_problem() {
    let depot = Depot::answering(|_| failed(&[("grpc-status", "7")]));
    let reply = depot.call(request(Method::GET, "/v1/crates:watch", &[EVENTS], "")).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (403, Some("application/problem+json")));
}

#[tokio::test]
async fn a_message_that_can_not_be_written_ends_the_stream() {
    let broken = Bytes::from_static(b"\x0a\x01\xff");
    let depot = Depot::answering(move |_| answer(&[], &[broken.clone(), item("t2", "c2")], &[("grpc-status", "0")]));
    let lines = lines(&depot.get("/v1/crates:watch").await.body);
    assert_eq!((lines.len(), &lines[0]["error"]["status"]), (1, &json!(500)));
}

#[tokio::test]
async fn the_last_event_says_where_to_go_on() {
    let depot = Depot::silent();
    let headers = [EVENTS, ("last-event-id", "t5")];
    depot.call(request(Method::GET, "/v1/crates:watch?resume_token=t1", &headers, "")).await;
    assert_eq!(depot.only_call().json("WatchCratesRequest"), json!({"resumeToken": "t5"}));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_of_events_beats_every_15_seconds() {
    let depot = Depot::answering(|_| {
        let first = stream::iter([Ok::<_, Infallible>(Frame::data(framed(&item("", "c1"))))]);
        Response::new(Body::new(StreamBody::new(stream::StreamExt::chain(first, stream::pending()))))
    });
    let response = depot.transcoder.call(request(Method::GET, "/v1/crates:watch", &[EVENTS], "")).await;
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"data: {"), "{first:?}");
    let begun = tokio::time::Instant::now();
    for beat in 1..=2 {
        let comment = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(comment, ": heartbeat\n\n");
        assert_eq!(begun.elapsed().as_secs(), Duration::from_secs(15 * beat).as_secs());
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_the_call() {
    struct Dropped(tokio::sync::watch::Sender<bool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send_replace(true);
        }
    }
    let (sender, mut receiver) = tokio::sync::watch::channel(false);
    let depot = Depot::answering(move |_| {
        let guard = Dropped(sender.clone());
        let frames = stream::unfold(guard, |guard| async move {
            std::future::pending::<()>().await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::new())), guard))
        });
        Response::new(Body::new(StreamBody::new(frames)))
    });
    let response = depot.transcoder.call(request(Method::GET, "/v1/crates:watch", &[], "")).await;
    assert!(!*receiver.borrow_and_update());
    drop(response);
    assert!(*receiver.borrow_and_update());
}
