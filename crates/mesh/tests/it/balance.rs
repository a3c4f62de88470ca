use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::net::TcpListener;
use tonic::{Code, Status};

use crate::{
    probe::{ask_with, question},
    replica::{PLACE, Replica, get, nobody, to},
};

fn after(pause: Duration) -> Replica {
    Replica::new(move |_, _| async move {
        tokio::time::sleep(pause).await;
        Ok(())
    })
}

/// One of a change that is not repeated.
async fn place(channel: &mesh::Channel) -> Result<(), Status> {
    ask_with(channel, question(""), PLACE).await.map(drop)
}

#[tokio::test]
async fn the_faster_of_two_replicas_gets_most_calls() {
    let (fast, slow) = (after(Duration::from_millis(1)), after(Duration::from_millis(40)));
    let channel = to(&[fast.serve().await.address, slow.serve().await.address]);
    let calls = stream::iter(0..800).map(|_| get(&channel)).buffer_unordered(4);
    calls.for_each(|outcome| async { outcome.unwrap() }).await;
    assert_eq!(fast.count() + slow.count(), 800);
    // Twenty to one when nothing else runs on the machine.
    assert!(fast.count() > 2 * slow.count(), "{} to the fast one, {} to the slow one", fast.count(), slow.count());
}

#[tokio::test]
async fn equal_replicas_share_the_calls() {
    let replicas = [(); 3].map(|()| after(Duration::from_millis(1)));
    let mut addresses = Vec::new();
    for replica in &replicas {
        addresses.push(replica.serve().await.address);
    }
    let channel = to(&addresses);
    let calls = stream::iter(0..900).map(|_| get(&channel)).buffer_unordered(30);
    calls.for_each(|outcome| async { outcome.unwrap() }).await;
    let counts = replicas.map(|replica| replica.count());
    assert!(counts.iter().all(|count| *count > 90), "{counts:?}");
}

#[tokio::test]
async fn a_dead_replica_fails_no_call() {
    let live = Replica::good();
    let channel = to(&[nobody(), live.serve().await.address]);
    for _ in 0..1_000 {
        place(&channel).await.unwrap();
    }
    assert_eq!(live.count(), 1_000);
}

#[tokio::test]
async fn a_replica_that_fails_every_call_is_left_out() {
    let (good, bad) = (Replica::good(), Replica::bad());
    let channel = to(&[bad.serve().await.address, good.serve().await.address]);
    for _ in 0..1_000 {
        place(&channel).await.unwrap_or_default();
    }
    // At most three in a row, and one each time it returns.
    assert!((1..=12).contains(&bad.count()), "{}", bad.count());
}

#[tokio::test]
async fn a_replica_that_never_answers_is_left_out() {
    let (good, silent) = (Replica::good(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let hanging = Replica::new(|_, _| std::future::pending());
    let addresses = [silent.local_addr().unwrap(), hanging.serve().await.address, good.serve().await.address];
    let channel = to(&addresses);
    for _ in 0..200 {
        let mut request = question("");
        request.set_timeout(Duration::from_millis(500));
        if let Err(status) = ask_with(&channel, request, PLACE).await {
            assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
        }
    }
    assert!(good.count() >= 180, "{} of 200 were answered", good.count());
}

#[tokio::test]
async fn the_only_replica_is_never_left_out() {
    let flaky =
        Replica::new(|number, _| async move { if number < 10 { Err(Status::unavailable("")) } else { Ok(()) } });
    let channel = to(&[flaky.serve().await.address]);
    for _ in 0..10 {
        place(&channel).await.unwrap_err();
    }
    place(&channel).await.unwrap();
}

#[tokio::test]
async fn a_replica_that_restarts_loses_no_call_and_gets_calls_again() {
    let (stays, restarts) = (Replica::good(), Replica::good());
    let first = restarts.serve().await;
    let channel = to(&[stays.serve().await.address, first.address]);
    while restarts.count() == 0 {
        place(&channel).await.unwrap();
    }
    first.stop.request();
    let mut ended = first.task;
    while !ended.is_finished() {
        place(&channel).await.unwrap();
    }
    (&mut ended).await.unwrap().unwrap();
    let before = restarts.count();
    let _second = restarts.serve_on(TcpListener::bind(first.address).await.unwrap());
    let returns = async {
        while restarts.count() == before {
            place(&channel).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), returns).await.expect("the replica gets no calls");
}

#[tokio::test]
async fn a_member_is_reached_as_soon_as_it_is_there() {
    let replica = Replica::good();
    let address = nobody();
    let channel = to(&[address]);
    assert_eq!(get(&channel).await.unwrap_err().code(), Code::Unavailable);
    let _serving = replica.serve_on(TcpListener::bind(address).await.unwrap());
    get(&channel).await.unwrap();
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let replica = Replica::good();
    let port = replica.serve().await.address.port();
    let channel = mesh::Channel::connect(&format!("http://localhost:{port}")).unwrap();
    get(&channel).await.unwrap();
    let lost = mesh::Channel::connect("http://nowhere.invalid:7001").unwrap();
    assert_eq!(get(&lost).await.unwrap_err().code(), Code::Unavailable);
}
