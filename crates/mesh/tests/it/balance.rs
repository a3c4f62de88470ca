use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::{Code, Status};

use crate::{
    probe::{ask_with, question},
    provider::pass,
    replica::{GET, PLACE, Replica, get, nobody, to},
};

/// More than any of these tests may take: reaching it is the failure.
const HANGS: Duration = Duration::from_secs(300);

/// Takes so long to answer; nothing waits for it.
fn after(time: Duration) -> Replica {
    Replica::new(move |_, _| async move {
        pass(time).await;
        Ok(())
    })
}

/// Reads something, however long that takes.
async fn patiently(channel: &mesh::Channel) -> Result<(), Status> {
    let mut request = question("");
    request.set_timeout(Duration::from_secs(600));
    ask_with(channel, request, GET).await.map(drop)
}

/// One of a change that is not repeated.
async fn place(channel: &mesh::Channel) -> Result<(), Status> {
    ask_with(channel, question(""), PLACE).await.map(drop)
}

#[tokio::test]
async fn the_faster_of_two_replicas_gets_the_calls() {
    // So far apart that no machine makes up for it.
    let (fast, slow) = (after(Duration::from_millis(1)), after(Duration::from_secs(60)));
    let channel = to(&[fast.serve().await.address, slow.serve().await.address]);
    while fast.count() == 0 || slow.count() == 0 {
        patiently(&channel).await.unwrap();
    }
    let before = (fast.count(), slow.count());
    for _ in 0..200 {
        patiently(&channel).await.unwrap();
    }
    assert_eq!((fast.count(), slow.count()), (before.0 + 200, before.1));
}

#[tokio::test]
async fn equal_replicas_share_the_calls() {
    let gate = Arc::new(Semaphore::new(0));
    let replicas = [(); 3].map(|()| {
        let gate = gate.clone();
        Replica::new(move |_, _| {
            let gate = gate.clone();
            async move {
                drop(gate.acquire().await.unwrap());
                Ok(())
            }
        })
    });
    let mut addresses = Vec::new();
    for replica in &replicas {
        addresses.push(replica.serve().await.address);
    }
    let channel = to(&addresses);
    // Nobody has answered any, so that the replicas differ in nothing but how many calls they have.
    let counts = async {
        loop {
            let counts = replicas.each_ref().map(Replica::count);
            if counts.iter().sum::<usize>() == 60 {
                break counts;
            }
            tokio::task::yield_now().await;
        }
    };
    let (outcomes, counts) = tokio::join!(join_all((0..60).map(|_| patiently(&channel))), async {
        let counts = counts.await;
        gate.add_permits(60);
        counts
    });
    outcomes.into_iter().for_each(|outcome| outcome.unwrap());
    assert!(counts.iter().all(|count| *count >= 10), "{counts:?}");
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
    // Slower than a failure is taken to be, or it would get all calls anyway.
    let (good, bad) = (after(Duration::from_millis(40)), Replica::bad());
    let channel = to(&[bad.serve().await.address, good.serve().await.address]);
    for _ in 0..1_000 {
        place(&channel).await.unwrap_or_default();
    }
    // Three in a row, and one each time it returns: after a second, two, four, and so on, of the forty and more that pass.
    assert!((4..=40).contains(&bad.count()), "{}", bad.count());
}

#[tokio::test]
async fn a_replica_that_never_answers_is_left_out() {
    let (good, silent) = (Replica::good(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let hanging = Replica::new(|_, _| std::future::pending());
    let addresses = [silent.local_addr().unwrap(), hanging.serve().await.address, good.serve().await.address];
    let channel = to(&addresses);
    let mut in_a_row = 0;
    let calls = async {
        while in_a_row < 100 {
            let mut request = question("");
            request.set_timeout(Duration::from_millis(500));
            match ask_with(&channel, request, PLACE).await {
                Ok(_) => in_a_row += 1,
                Err(status) => {
                    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
                    in_a_row = 0;
                }
            }
        }
    };
    tokio::time::timeout(HANGS, calls).await.expect("they get calls again and again");
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
    let first = restarts.serve_on(TcpListener::bind(nobody()).await.unwrap());
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
    tokio::time::timeout(HANGS, returns).await.expect("the replica gets no calls");
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
