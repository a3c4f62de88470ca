//! The process's Prometheus metrics, including those of every call: rate, errors, duration, in flight.

mod meter;

use std::{sync::OnceLock, thread, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub(crate) use meter::{Measured, Meters, Side, code_name};

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Upper bounds in seconds of every histogram whose name ends in `_seconds`.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Installs the recorder of this process. Repeating it does nothing; nor does it replace another recorder.
pub(crate) fn install() {
    handle();
}

/// Everything recorded, in the Prometheus text format.
pub fn render() -> String {
    handle().map(PrometheusHandle::render).unwrap_or_default()
}

fn handle() -> Option<&'static PrometheusHandle> {
    let installed = HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        builder
            .and_then(PrometheusBuilder::install_recorder)
            .inspect(keep_up)
            .inspect_err(|error| tracing::warn!(%error, "metrics are not recorded"))
            .ok()
    });
    installed.as_ref()
}

/// Folds recorded samples together every few seconds, which otherwise accumulate while no scraper reads them.
fn keep_up(handle: &PrometheusHandle) {
    let handle = handle.clone();
    let upkeep = move || {
        loop {
            thread::sleep(Duration::from_secs(5));
            handle.run_upkeep();
        }
    };
    if let Err(error) = thread::Builder::new().name("metrics-upkeep".to_owned()).spawn(upkeep) {
        tracing::warn!(%error, "metrics are not folded between scrapes");
    }
}
