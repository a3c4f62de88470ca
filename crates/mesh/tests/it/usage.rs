use mesh::{Config, Outcome, Principal};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::probe::{ASK, Probe, ask, ask_with, both, follow, question, server};

#[tokio::test]
async fn every_call_but_health_is_counted_with_its_outcome() {
    for index in 0..2 {
        let server = server(&Config::default(), Probe::default());
        let usage = server.usage();
        let channel = both(server).await[index].clone();
        ask(&channel, "echo").await.unwrap();
        ask(&channel, "echo").await.unwrap();
        ask(&channel, "invalid").await.unwrap_err();
        ask(&channel, "panic").await.unwrap_err();
        ask(&channel.for_principal(&Principal::anonymous()), "echo").await.unwrap_err();
        follow(&channel, question("never")).await.unwrap();
        HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
        ask_with(&channel, question("echo"), "/waybill.test.v1.ProbeService/Guess").await.unwrap_err();

        let mut recorded: Vec<_> =
            usage.take().into_iter().map(|it| (it.method, it.client, it.outcome, it.calls)).collect();
        recorded.sort();
        let method = |path: &str| path.trim_start_matches('/').replace('/', ".");
        let expected = [
            (method(ASK), "person:", Outcome::Refused, 1),
            (method(ASK), "service:somebody", Outcome::Answered, 2),
            (method(ASK), "service:somebody", Outcome::Refused, 1),
            (method(ASK), "service:somebody", Outcome::Failed, 1),
            (method(crate::probe::FOLLOW), "service:somebody", Outcome::Answered, 1),
        ];
        let expected = expected.map(|(method, client, outcome, calls)| (method, client.to_owned(), outcome, calls));
        assert_eq!(recorded, expected);
    }
}
