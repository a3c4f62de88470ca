use std::time::Duration;

use mesh::Config;
use tokio::{net::TcpListener, time::Instant};
use types::Reason;

use crate::{
    probe::{ASK, FOLLOW, Probe, Question, ask, ask_with, both, follow, question, serve, server},
    provider::pass,
};

/// Longer than any of these calls takes on any machine.
const LONG: Duration = Duration::from_secs(600);

fn within(what: &str, timeout: Duration) -> tonic::Request<Question> {
    let mut request = question(what);
    request.set_timeout(timeout);
    request
}

#[tokio::test]
async fn a_call_that_takes_longer_than_its_caller_allows_is_told_so() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let status = ask_with(&channel, within("never", Duration::from_millis(50)), ASK).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{status:?}");
        assert_eq!(mesh::fault(&status).reason, Reason::DeadlineExceeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_gets_the_servers() {
    let config = Config { request_timeout: Duration::from_secs(7), ..Config::default() };
    let channel = server(&config, Probe::default()).into_channel().unwrap();
    assert_eq!(ask(&channel, "echo").await.unwrap().into_inner().left_millis, 7_000);
    let start = Instant::now();
    let status = ask(&channel, "never").await.unwrap_err();
    assert_eq!((status.code(), start.elapsed()), (tonic::Code::DeadlineExceeded, Duration::from_secs(7)));
}

#[tokio::test]
async fn a_deadline_ends_a_stream_too() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let mut quiet = follow(&channel, within("never", LONG)).await.unwrap();
        quiet.message().await.unwrap().expect("one answer in time");
        pass(LONG).await;
        assert_eq!(quiet.message().await.unwrap_err().code(), tonic::Code::DeadlineExceeded);

        let mut loud = follow(&channel, within("flood", LONG)).await.unwrap();
        loud.message().await.unwrap().expect("one answer in time");
        pass(LONG).await;
        let status = loop {
            match loud.message().await {
                // What had been sent by then.
                Ok(answer) => drop(answer.expect("no end but by the deadline")),
                Err(status) => break status,
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_caller_sets_no_deadline_goes_on() {
    let channel = server(&Config::default(), Probe::default()).into_channel().unwrap();
    let mut answers = follow(&channel, question("never")).await.unwrap();
    answers.message().await.unwrap().expect("one answer");
    let day = Duration::from_secs(24 * 3_600);
    assert!(tokio::time::timeout(day, answers.message()).await.is_err(), "the stream ended");
}

#[tokio::test]
async fn a_call_that_arrives_too_late_is_not_worked_on() {
    let probe = Probe::default();
    for channel in both(server(&Config::default(), probe.clone())).await {
        for path in [ASK, FOLLOW] {
            let status = ask_with(&channel, within("hold", Duration::ZERO), path).await.unwrap_err();
            assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
        }
    }
    assert_eq!(probe.held.available_permits(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_made_within_a_call_has_what_is_left_of_its_time() {
    let inner = server(&Config::default(), Probe::default()).into_channel().unwrap();
    let outer = server(&Config::default(), Probe::forwarding_to(inner)).into_channel().unwrap();
    let answer = ask_with(&outer, within("forward", Duration::from_millis(300)), ASK).await.unwrap().into_inner();
    assert_eq!(answer.left_millis, 300);
}

#[tokio::test]
async fn a_member_that_hangs_is_given_up_by_its_caller() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = mesh::Channel::connect(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let status = ask_with(&channel, within("echo", Duration::from_millis(50)), ASK).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{status:?}");
}

#[tokio::test]
async fn a_member_whose_stream_hangs_is_given_up_by_its_caller() {
    // Not a server of the mesh: it does not end its streams itself.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = mesh::Channel::connect(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(tonic::transport::Server::builder().add_service(Probe::default()).serve_with_incoming(incoming));
    let mut answers = follow(&channel, within("never", LONG)).await.unwrap();
    answers.message().await.unwrap().expect("one answer in time");
    pass(LONG).await;
    assert_eq!(answers.message().await.unwrap_err().code(), tonic::Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_deadline_of_the_network_is_the_servers_to_keep() {
    let served = serve(server(&Config::default(), Probe::default())).await;
    let answer = ask_with(&served.channel, within("echo", Duration::from_secs(60)), ASK).await.unwrap().into_inner();
    assert!((1..=60_000).contains(&answer.left_millis));
}
