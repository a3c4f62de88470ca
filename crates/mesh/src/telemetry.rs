//! Logs and traces of a process, and the trace context of calls and events.

mod arrival;
mod otlp;
pub(crate) mod request_log;
pub(crate) mod trace;

use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, ParseError},
    fmt,
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

pub use arrival::{Answered, Arrival};
pub use otlp::{Otlp, OtlpError};
pub use trace::{SPANS, continue_from, is_recorded, link, rename, trace_parent};

use crate::config::{Config, LogFormat};

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter is not one.
    #[error("unreadable log filter")]
    Filter(#[from] ParseError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// The process has a subscriber already.
    #[error("telemetry was set up before")]
    Installed(#[from] TryInitError),
}

/// Sends what was recorded but not sent yet, when dropped.
#[derive(Debug)]
#[must_use = "traces are sent until this is dropped"]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Sets up the logs (on standard error) and, when an endpoint is set, the traces of this process. Once per process, in
/// a runtime.
pub fn init(config: &Config, service: &str) -> Result<Guard, Error> {
    // Spans are the exporter's, unless the log's filter names them too.
    let filter = EnvFilter::try_new(format!("{SPANS}=off,{}", config.log))?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Pretty => lines.with_filter(filter).boxed(),
    };
    let provider = config.otlp.provider(service)?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("waybill")).with_filter(LevelFilter::INFO)
    });
    tracing_subscriber::registry().with(lines).with(traces).try_init()?;
    Ok(Guard { provider })
}
