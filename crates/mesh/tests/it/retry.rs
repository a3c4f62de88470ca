use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderMap;
use mesh::Channel;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::Span;
use types::Fault;

use crate::{
    probe::{ask, ask_with, question},
    replica::{GET, PLACE, Replica, get, to},
};

/// Fails the first calls.
fn fails_first(failures: usize, seen: Arc<Mutex<Vec<HeaderMap>>>) -> Replica {
    Replica::new(move |number, headers| {
        seen.lock().unwrap().push(headers);
        async move { if number < failures { Err(Status::unavailable("restarting")) } else { Ok(()) } }
    })
}

async fn way(replica: &Replica) -> Channel {
    to(&[replica.serve().await.address])
}

#[tokio::test]
async fn a_read_that_is_answered_unavailable_is_made_again() {
    let seen = Arc::default();
    let replica = fails_first(2, Arc::clone(&seen));
    get(&way(&replica).await).await.unwrap();
    let attempts: Vec<_> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|headers| headers.get("grpc-previous-rpc-attempts").map(|text| text.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(attempts, [None, Some("1".to_owned()), Some("2".to_owned())]);
}

#[tokio::test]
async fn a_call_is_made_three_times_at_most() {
    let replica = Replica::bad();
    let status = get(&way(&replica).await).await.unwrap_err();
    assert_eq!((status.code(), replica.count()), (Code::Unavailable, 3));
}

#[tokio::test]
async fn another_replica_is_asked_the_second_time() {
    let (good, bad) = (Replica::good(), Replica::bad());
    let channel = to(&[bad.serve().await.address, good.serve().await.address]);
    for _ in 0..50 {
        get(&channel).await.unwrap();
    }
    assert_eq!(good.count(), 50);
}

#[tokio::test]
async fn a_change_is_made_again_only_with_a_request_id() {
    let replica = Replica::bad();
    let channel = way(&replica).await;
    ask_with(&channel, question(""), PLACE).await.unwrap_err();
    assert_eq!(replica.count(), 1);
    // The first field of the request is the request id.
    ask_with(&channel, question("the id"), PLACE).await.unwrap_err();
    assert_eq!(replica.count(), 4);
}

#[tokio::test]
async fn other_refusals_are_not_repeated() {
    for code in [Code::Internal, Code::ResourceExhausted, Code::DeadlineExceeded, Code::Aborted] {
        let replica = Replica::new(move |_, _| async move { Err(Status::new(code, "no")) });
        get(&way(&replica).await).await.unwrap_err();
        assert_eq!(replica.count(), 1, "{code:?}");
    }
}

#[tokio::test]
async fn a_member_may_ask_not_to_be_called_again() {
    let replica = Replica::new(|_, _| async {
        let mut status = Status::unavailable("too much already");
        status.metadata_mut().insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
        Err(status)
    });
    get(&way(&replica).await).await.unwrap_err();
    assert_eq!(replica.count(), 1);
}

#[tokio::test]
async fn a_call_made_for_a_call_is_repeated_by_the_first_channel_only() {
    let last = Replica::bad();
    let next = way(&last).await;
    let first = Replica::new(move |_, _| {
        let next = next.clone();
        async move { get(&next).await }
    });
    get(&way(&first).await).await.unwrap_err();
    assert_eq!((first.count(), last.count()), (3, 3));

    // A change without a request id is not repeated by its caller, but what it reads on the way is.
    ask_with(&way(&first).await, question(""), PLACE).await.unwrap_err();
    assert_eq!((first.count(), last.count()), (4, 6));
}

#[tokio::test]
async fn a_hop_in_the_process_is_not_forgotten() {
    let last = Replica::bad();
    let next = way(&last).await;
    let middle = Replica::new(move |_, _| {
        let next = next.clone();
        async move { get(&next).await }
    });
    let inside = middle.server(&mesh::Config::default()).into_channel().unwrap();
    let first = Replica::new(move |_, _| {
        let inside = inside.clone();
        async move { get(&inside).await }
    });
    get(&way(&first).await).await.unwrap_err();
    assert_eq!((first.count(), middle.count(), last.count()), (3, 3, 3));
}

#[tokio::test]
async fn background_work_is_repeated_by_who_runs_it() {
    let replica = Replica::bad();
    let channel = way(&replica).await;
    mesh::telemetry::continue_from(Span::none(), None, get(&channel)).await.unwrap_err();
    assert_eq!(replica.count(), 1);
}

#[tokio::test]
async fn repeats_have_a_budget() {
    let replica = Replica::bad();
    let channel = way(&replica).await;
    let begun = Instant::now();
    let calls = (0..400).map(|_| {
        let mut request = question("");
        request.set_timeout(Duration::from_secs(600));
        ask_with(&channel, request, GET)
    });
    futures::future::join_all(calls).await;
    let repeats = replica.count() - 400;
    // A fifth of the calls, a hundred at once, and ten a second; without a budget it were 800.
    let most = 400 / 5 + 100 + 10 * (1 + usize::try_from(begun.elapsed().as_secs()).unwrap());
    assert!((10..=most).contains(&repeats), "{repeats} of {most}");
}

#[tokio::test]
async fn a_repeat_ends_with_the_deadline() {
    let replica = Replica::new(|_, _| async {
        let retry_after = Some(Duration::from_secs(60));
        Err(mesh::status(Fault { retry_after, ..Fault::unavailable("come back in a minute") }))
    });
    let mut request = question("");
    request.set_timeout(Duration::from_secs(30));
    let status = ask_with(&way(&replica).await, request, GET).await.unwrap_err();
    assert_eq!((status.code(), replica.count()), (Code::Unavailable, 1), "refused at once instead of waiting in vain");
}

#[tokio::test]
async fn methods_of_no_contract_are_not_repeated() {
    let channel = to(&[crate::replica::nobody()]);
    assert_eq!(ask(&channel, "echo").await.unwrap_err().code(), Code::Unavailable);
}
