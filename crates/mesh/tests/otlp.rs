//! The export of traces. In a process of its own, because a process has one subscriber.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

extern crate waybill_mesh as mesh;

#[path = "it/probe.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod probe;

use mesh::{Config, telemetry::Otlp};
use probe::{Probe, ask, both, server};
use tokio::net::TcpListener;

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread")]
async fn every_hop_is_a_span_of_one_trace_and_is_sent() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let config = Config { otlp: Otlp::to(endpoint), log: "off".to_owned(), ..Config::default() };
    let guard = mesh::telemetry::init(&config, "probe").unwrap();
    assert!(mesh::telemetry::init(&config, "probe").is_err(), "once per process");

    let mut seen = vec![GIVEN.to_owned()];
    for next in both(server(&config, Probe::default())).await {
        let channel = server(&config, Probe::forwarding_to(next)).into_channel().unwrap();
        let span = tracing::info_span!("reaction");
        let call = async { (mesh::telemetry::trace_parent(), ask(&channel, "forward").await) };
        let (reaction, answer) = mesh::telemetry::continue_from(span, Some(GIVEN), call).await;
        seen.push(reaction.unwrap());
        seen.push(answer.unwrap().into_inner().trace_parent);
    }
    let traces: Vec<_> = seen.iter().map(|parent| &parent[..36]).collect();
    assert!(traces.iter().all(|trace| *trace == &GIVEN[..36]), "one trace: {seen:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "each its own span: {seen:?}");

    let sent = tokio::spawn(async move {
        let (stream, _) = collector.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let (request, _) = connection.accept().await.unwrap().unwrap();
        request.uri().path().to_owned()
    });
    drop(guard);
    assert_eq!(sent.await.unwrap(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
}
