use std::time::Duration;

use mesh::Config;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::probe::{FOLLOW, Probe, Question, Served, ask, follow, question, serve, server};

/// More than any of these tests may take: reaching it is the failure.
const HANGS: Duration = Duration::from_secs(300);

fn long_drain() -> Config {
    Config { drain_timeout: Duration::from_secs(600), ..Config::default() }
}

async fn ended(served: Served) {
    tokio::time::timeout(HANGS, served.task).await.expect("the server hangs").unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_the_server() {
    let served = serve(server(&long_drain(), Probe::default())).await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    // The answer to a later connection shows that the silent one was accepted.
    ask(&served.channel, "echo").await.unwrap();
    served.stop.request();
    ended(served).await;
    drop(silent);
}

#[tokio::test]
async fn a_connection_that_stops_in_its_first_word_does_not_hold_the_server() {
    let served = serve(server(&long_drain(), Probe::default())).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    silent.write_all(b"PRI * HT").await.unwrap();
    ask(&served.channel, "echo").await.unwrap();
    served.stop.request();
    ended(served).await;
    drop(silent);
}

#[tokio::test]
async fn a_connection_without_calls_does_not_hold_the_server() {
    let served = serve(server(&long_drain(), Probe::default())).await;
    ask(&served.channel, "echo").await.unwrap();
    let channel = served.channel.clone();
    served.stop.request();
    ended(served).await;
    drop(channel);
}

#[tokio::test]
async fn a_caller_that_does_not_read_does_not_hold_the_server() {
    let config = Config { drain_timeout: Duration::from_millis(50), ..Config::default() };
    let served = serve(server(&config, Probe::default())).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let mut handshake = h2::client::Builder::new();
    let (sender, connection) = handshake.initial_window_size(100).handshake::<_, bytes::Bytes>(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::post(format!("http://{}{FOLLOW}", served.address))
        .header("te", "trailers")
        .header("content-type", "application/grpc");
    let (answer, mut body) = sender.ready().await.unwrap().send_request(request.body(()).unwrap(), false).unwrap();
    let question = prost::Message::encode_to_vec(&Question { what: "flood".to_owned() });
    let length = u8::try_from(question.len()).unwrap();
    body.send_data([vec![0, 0, 0, 0, length], question].concat().into(), true).unwrap();
    // The stream's head has come, and its window is never opened again.
    let unread = answer.await.unwrap();
    served.stop.request();
    ended(served).await;
    drop(unread);
    connection.abort();
}

#[tokio::test]
async fn an_old_connection_takes_no_more_calls_and_loses_none() {
    let config = Config { max_connection_age: Duration::from_millis(100), ..Config::default() };
    let probe = Probe::default();
    let served = serve(server(&config, probe.clone())).await;
    let peer = async || ask(&served.channel, "peer").await.unwrap().into_inner().principal;
    let channel = served.channel.clone();
    let held = tokio::spawn(async move { ask(&channel, "hold").await });
    probe.held.acquire().await.unwrap().forget();
    let mut seen = std::collections::HashSet::from([peer().await]);
    let spread = async {
        while seen.len() < 4 {
            seen.insert(peer().await);
        }
    };
    tokio::time::timeout(HANGS, spread).await.expect("the connection stays");
    // The call that began on the first connection goes on there.
    probe.gate.add_permits(1);
    held.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_on_an_old_connection_has_its_grace() {
    let age = Duration::from_millis(50);
    let config = Config { max_connection_age: age, connection_grace: age, ..long_drain() };
    let probe = Probe::default();
    let served = serve(server(&config, probe.clone())).await;
    let held = ask(&served.channel, "hold");
    let status = tokio::time::timeout(HANGS, held).await.expect("the connection stays").unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
}

#[tokio::test]
async fn a_call_that_is_being_answered_is_answered_before_the_end() {
    let probe = Probe::default();
    let served = serve(server(&long_drain(), probe.clone())).await;
    let channel = served.channel.clone();
    let held = tokio::spawn(async move { ask(&channel, "hold").await });
    probe.held.acquire().await.unwrap().forget();
    served.stop.request();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!served.task.is_finished());
    probe.gate.add_permits(1);
    held.await.unwrap().unwrap();
    ended(served).await;
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off() {
    let probe = Probe::default();
    let config = Config { drain_timeout: Duration::from_millis(50), ..Config::default() };
    let served = serve(server(&config, probe.clone())).await;
    let channel = served.channel.clone();
    let held = tokio::spawn(async move { ask(&channel, "hold").await });
    probe.held.acquire().await.unwrap().forget();
    served.stop.request();
    ended(served).await;
    held.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_stream_without_a_deadline_makes_way() {
    let served = serve(server(&long_drain(), Probe::default())).await;
    let mut answers = follow(&served.channel, question("never")).await.unwrap();
    answers.message().await.unwrap().expect("one answer");
    served.stop.request();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    assert!(mesh::fault(&status).is_transient());
    ended(served).await;
}
