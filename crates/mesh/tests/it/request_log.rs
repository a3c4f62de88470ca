use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use mesh::{Channel, Config};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt};

use crate::probe::{ASK, Probe, ask, ask_with, both, follow, question, server};

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The lines that this thread logs.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn collect() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(lines.clone());
        (lines, tracing::subscriber::set_default(tracing_subscriber::registry().with(layer)))
    }

    /// The lines of requests since the last time.
    fn take(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let lines = String::from_utf8(bytes).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "waybill_request").collect()
    }
}

async fn channels(share: f64) -> [Channel; 2] {
    both(server(&Config { request_log_sample: share, ..Config::default() }, Probe::default())).await
}

#[tokio::test]
async fn a_sampled_call_has_a_line_that_says_who_called_what_and_how_it_went() {
    let (lines, _guard) = Lines::collect();
    for channel in channels(1.0).await {
        let mut request = question("echo");
        request.metadata_mut().insert("x-request-id", "r1".parse().unwrap());
        let call = ask_with(&channel, request, ASK);
        mesh::telemetry::continue_from(tracing::Span::none(), Some(GIVEN), call).await.unwrap();
        let [line] = &lines.take()[..] else { panic!("one line") };
        assert_eq!((&line["level"], &line["member"]), (&"INFO".into(), &"probe".into()));
        assert_eq!(line["method"], "waybill.test.v1.ProbeService/Ask");
        assert_eq!((&line["status"], &line["client"]), (&"OK".into(), &"service:somebody".into()));
        assert_eq!(line["request_id"], "r1");
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert!(line["duration_ms"].is_number() && line.get("reason").is_none(), "{line}");
    }
}

#[tokio::test]
async fn calls_that_fail_always_have_a_line_and_others_only_when_they_are_sampled() {
    let (lines, _guard) = Lines::collect();
    for channel in channels(0.0).await {
        ask(&channel, "echo").await.unwrap();
        assert_eq!(lines.take(), Vec::<Value>::new());
        for (what, level, status, reason) in [
            ("invalid", "INFO", "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
            ("internal", "ERROR", "INTERNAL", "INTERNAL"),
            ("panic", "ERROR", "INTERNAL", "INTERNAL"),
        ] {
            ask(&channel, what).await.unwrap_err();
            let [line] = &lines.take()[..] else { panic!("one line for {what}") };
            assert_eq!((&line["level"], &line["status"]), (&level.into(), &status.into()), "{what}");
            assert_eq!(line["reason"], reason);
        }
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_a_warning() {
    let (lines, _guard) = Lines::collect();
    let config = Config { request_timeout: Duration::from_millis(1), ..Config::default() };
    for channel in both(server(&config, Probe::default())).await {
        ask(&channel, "never").await.unwrap_err();
        let [line] = &lines.take()[..] else { panic!("one line") };
        assert_eq!((&line["level"], &line["status"]), (&"WARN".into(), &"DEADLINE_EXCEEDED".into()), "{line}");
    }
}

#[tokio::test]
async fn a_stream_has_its_line_when_it_ends() {
    let (lines, _guard) = Lines::collect();
    let [channel, _] = channels(1.0).await;
    let mut answers = follow(&channel, question("never")).await.unwrap();
    answers.message().await.unwrap().expect("one answer");
    assert_eq!(lines.take(), Vec::<Value>::new());
    drop(answers);
    let [line] = &lines.take()[..] else { panic!("one line") };
    assert_eq!((&line["level"], &line["status"]), (&"INFO".into(), &"CANCELLED".into()));
}
