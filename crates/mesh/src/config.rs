//! Settings every member of the mesh has.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{intake::IntakeSettings, quota::QuotaSetting, telemetry::Otlp, tls};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for collectors.
    Json,
    /// For people at a terminal.
    Pretty,
}

/// Settings of logs, traces and the server stack, to be flattened into a program's own.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Config {
    /// What is logged, as in `info,waybill_order=debug`.
    #[arg(long = "log", env = "WAYBILL_LOG", default_value = "info")]
    pub log: String,
    /// How log lines are written.
    #[arg(long = "log-format", env = "WAYBILL_LOG_FORMAT", value_enum, default_value_t = LogFormat::Pretty)]
    pub log_format: LogFormat,
    /// Which share of requests that end well has a line in the log, from 0 to 1; those that fail always have. A request
    /// has its line at every member, or at none.
    #[arg(long = "request-log-sample", env = "WAYBILL_REQUEST_LOG_SAMPLE", default_value_t = 0.01, value_parser = share)]
    pub request_log_sample: f64,
    /// Traces.
    #[command(flatten)]
    pub otlp: Otlp,
    /// How long the program still accepts calls after it was asked to stop, while it is no longer ready, so that balancers
    /// and callers have time to switch to other replicas. A few seconds in a cluster; a single process needs none.
    #[arg(long = "shutdown-delay", env = "WAYBILL_SHUTDOWN_DELAY", default_value = "0s", value_parser = duration)]
    pub shutdown_delay: Duration,
    /// How long calls may go on after that.
    #[arg(long = "drain-timeout", env = "WAYBILL_DRAIN_TIMEOUT", default_value = "25s", value_parser = duration)]
    pub drain_timeout: Duration,
    /// How many calls a service works on at once at most; it takes fewer while they take much longer than usual.
    #[arg(long = "max-concurrency", env = "WAYBILL_MAX_CONCURRENCY", default_value_t = 1024)]
    pub max_concurrency: usize,
    /// How long a call may take when its caller does not say.
    #[arg(long = "request-timeout", env = "WAYBILL_REQUEST_TIMEOUT", default_value = "10s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Changes how much an API client may call: ROLE.CLASS=CALLS/TIME or ROLE.CLASS=off, separated by commas, where `*` is
    /// every role but services, or every class of read, write, bulk and stream: `customer.read=600/1m,partner.*=off`.
    #[arg(long = "quotas", env = "WAYBILL_QUOTAS", value_delimiter = ',')]
    pub quotas: Vec<QuotaSetting>,
    /// How many streams of one service an API client may have open at once.
    #[arg(long = "max-streams", env = "WAYBILL_MAX_STREAMS", default_value_t = 100)]
    pub max_streams: usize,
    /// Whether methods are served after their announced end.
    #[arg(long = "serve-ended", env = "WAYBILL_SERVE_ENDED")]
    pub serve_ended: bool,
    /// How long a connection is used, give or take a tenth, so that callers spread over new replicas.
    #[arg(long = "max-connection-age", env = "WAYBILL_MAX_CONNECTION_AGE", default_value = "5m", value_parser = duration)]
    pub max_connection_age: Duration,
    /// How long calls may go on over a connection that is too old for new ones.
    #[arg(long = "connection-grace", env = "WAYBILL_CONNECTION_GRACE", default_value = "10m", value_parser = duration)]
    pub connection_grace: Duration,
    /// Bounds of what comes in.
    #[command(flatten)]
    pub intake: IntakeSettings,
    /// Certificates.
    #[command(flatten)]
    pub tls: tls::Files,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: LogFormat::Pretty,
            request_log_sample: 0.01,
            otlp: Otlp::default(),
            shutdown_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(25),
            max_concurrency: 1024,
            request_timeout: Duration::from_secs(10),
            quotas: Vec::new(),
            max_streams: 100,
            serve_ended: false,
            max_connection_age: Duration::from_secs(5 * 60),
            connection_grace: Duration::from_secs(10 * 60),
            intake: IntakeSettings::default(),
            tls: tls::Files::default(),
        }
    }
}

/// Reads a whole number with its unit: `250ms`, `10s`, `5m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "expected a number with a unit, like 10s".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(|| "too long".to_owned()),
        _ => Err("expected one of the units ms, s, m".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        mesh: Config,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_in_code() {
        let parsed = Program::try_parse_from(["program"]).unwrap().mesh;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        assert_eq!((share("0"), share("0.25"), share("1")), (Ok(0.0), Ok(0.25), Ok(1.0)));
        assert!(["-0.1", "1.1", "NaN", "all"].into_iter().all(|text| share(text).is_err()));
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("10").is_err() && duration("s").is_err() && duration("1h").is_err());
    }
}
