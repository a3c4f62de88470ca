use mesh::Config;
use tracing::Span;

use crate::probe::{ASK, Probe, ask, ask_with, both, follow, question, server};

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn the_trace_and_request_id_of_a_call_go_through_two_hops() {
    for next in both(server(&Config::default(), Probe::default())).await {
        for channel in both(server(&Config::default(), Probe::forwarding_to(next.clone()))).await {
            let mut request = question("forward");
            request.metadata_mut().insert("x-request-id", "from-the-portal".parse().unwrap());
            let call = ask_with(&channel, request, ASK);
            let response = mesh::telemetry::continue_from(Span::none(), Some(GIVEN), call).await.unwrap();
            assert_eq!(response.metadata().get("x-request-id").unwrap(), "from-the-portal");
            let answer = response.into_inner();
            assert_eq!(answer.trace_parent, GIVEN);
            assert_eq!(answer.request_id, "from-the-portal");
        }
    }
}

#[tokio::test]
async fn a_stream_calls_on_behalf_of_its_own_call() {
    for next in both(server(&Config::default(), Probe::default())).await {
        for channel in both(server(&Config::default(), Probe::forwarding_to(next.clone()))).await {
            let call = follow(&channel, question("forward"));
            let mut answers = mesh::telemetry::continue_from(Span::none(), Some(GIVEN), call).await.unwrap();
            answers.message().await.unwrap().expect("one answer");
            let second = answers.message().await.unwrap().expect("the next hop's answer");
            assert_eq!(second.trace_parent, GIVEN);
            assert_eq!(second.principal, "service:somebody");
        }
    }
}

#[tokio::test]
async fn calls_without_a_trace_start_one_each() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let first = ask(&channel, "echo").await.unwrap().into_inner();
        let second = ask(&channel, "echo").await.unwrap().into_inner();
        assert_eq!(first.trace_parent.len(), GIVEN.len());
        assert_ne!(first.trace_parent, second.trace_parent);
        assert_ne!(first.request_id, second.request_id);
    }
}
