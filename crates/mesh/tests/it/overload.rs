use mesh::Config;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use types::Reason;

use crate::probe::{ASK, Probe, ask, ask_with, both, question, server};

#[tokio::test]
async fn calls_over_the_limit_are_shed_and_told_when_to_come_back() {
    for index in 0..2 {
        let (config, probe) = (Config { max_concurrency: 1, ..Config::default() }, Probe::default());
        let channel = both(server(&config, probe.clone())).await[index].clone();
        let held = tokio::spawn({
            let channel = channel.clone();
            async move { ask(&channel, "hold").await }
        });
        probe.held.acquire().await.unwrap().forget();

        let fault = mesh::fault(&ask(&channel, "echo").await.unwrap_err());
        assert_eq!(fault.reason, Reason::ResourceExhausted);
        assert!(fault.retry_after.is_some());
        let health = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
        health.expect("health answers an overloaded server's callers");

        probe.gate.add_permits(1);
        held.await.unwrap().unwrap();
        ask(&channel, "echo").await.unwrap();
    }
}

#[tokio::test]
async fn the_limit_is_one_for_all_ways_to_a_server() {
    let (config, probe) = (Config { max_concurrency: 1, ..Config::default() }, Probe::default());
    let [inside, outside] = both(server(&config, probe.clone())).await;
    let held = tokio::spawn(async move { ask(&inside, "hold").await });
    probe.held.acquire().await.unwrap().forget();
    assert_eq!(ask(&outside, "echo").await.unwrap_err().code(), tonic::Code::ResourceExhausted);
    probe.gate.add_permits(1);
    held.await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_that_say_they_are_batch_give_way_and_so_do_those_made_for_them() {
    let (config, inner) = (Config { max_concurrency: 10, ..Config::default() }, Probe::default());
    let next = server(&config, inner.clone()).into_channel().unwrap();
    let held: Vec<_> = (0..8)
        .map(|_| {
            let next = next.clone();
            tokio::spawn(async move { ask(&next, "hold").await })
        })
        .collect();
    inner.held.acquire_many(8).await.unwrap().forget();

    for channel in both(server(&Config::default(), Probe::forwarding_to(next))).await {
        ask(&channel, "forward").await.unwrap();
        let mut request = question("forward");
        request.metadata_mut().insert("waybill-priority", "batch".parse().unwrap());
        let status = ask_with(&channel, request, ASK).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    }
    inner.gate.add_permits(8);
    futures::future::join_all(held).await.into_iter().for_each(|held| drop(held.unwrap().unwrap()));
}
