//! Metrics of every call, named by OpenTelemetry's RPC conventions.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use metrics::{Gauge, Histogram, gauge, histogram};
use tokio::time::Instant;
use tonic::Code;

/// Which end of a call is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// The meters of the methods a server has or a client calls.
#[derive(Debug)]
pub(crate) struct Meters {
    side: Side,
    known: RwLock<HashMap<String, Arc<Meter>>>,
    other: Arc<Meter>,
    most: usize,
}

impl Meters {
    /// Meters of exactly these methods; any other is `_OTHER`.
    pub(crate) fn of<'a>(side: Side, paths: impl Iterator<Item = &'a str>) -> Self {
        let known: HashMap<_, _> = paths.map(|path| (path.to_owned(), Arc::new(Meter::new(side, path)))).collect();
        Self { side, most: known.len(), known: RwLock::new(known), other: Arc::new(Meter::new(side, "/_OTHER/_OTHER")) }
    }

    /// Meters of the methods that are called, up to a number no contract reaches.
    pub(crate) fn of_calls() -> Self {
        Self { most: 1_024, ..Self::of(Side::Client, std::iter::empty()) }
    }

    /// Starts to measure a call.
    pub(crate) fn start(&self, path: &str) -> Measured {
        let meter = self.meter(path);
        meter.in_flight.increment(1.0);
        Measured { meter, started: Instant::now(), code: None }
    }

    fn meter(&self, path: &str) -> Arc<Meter> {
        if let Some(meter) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return meter.clone();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most {
            return self.other.clone();
        }
        known.entry(path.to_owned()).or_insert_with(|| Arc::new(Meter::new(self.side, path))).clone()
    }
}

#[derive(Debug)]
struct Meter {
    side: Side,
    service: String,
    method: String,
    in_flight: Gauge,
    durations: [OnceLock<Histogram>; CODES],
}

/// gRPC has the codes 0 to 16.
const CODES: usize = 17;

impl Meter {
    fn new(side: Side, path: &str) -> Self {
        let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        let (service, method) = (service.to_owned(), method.to_owned());
        let name = match side {
            Side::Server => "rpc_server_calls_in_flight",
            Side::Client => "rpc_client_calls_in_flight",
        };
        let in_flight = gauge!(name, "rpc_service" => service.clone(), "rpc_method" => method.clone());
        Self { side, service, method, in_flight, durations: Default::default() }
    }

    fn duration(&self, code: Code) -> &Histogram {
        let name = match self.side {
            Side::Server => "rpc_server_call_duration_seconds",
            Side::Client => "rpc_client_call_duration_seconds",
        };
        self.durations[code as usize].get_or_init(|| {
            histogram!(
                name,
                "rpc_service" => self.service.clone(),
                "rpc_method" => self.method.clone(),
                "rpc_response_status_code" => code_name(code),
            )
        })
    }
}

/// A call being measured. Recorded when dropped, as cancelled when no status was seen.
#[derive(Debug)]
pub(crate) struct Measured {
    meter: Arc<Meter>,
    started: Instant,
    code: Option<Code>,
}

impl Measured {
    /// Notes how the call ended.
    pub(crate) fn ended(&mut self, code: Code) {
        self.code = Some(code);
    }

    /// How the call ended: cancelled, when no status was seen.
    pub(crate) fn code(&self) -> Code {
        self.code.unwrap_or(Code::Cancelled)
    }

    /// How long the call has taken until now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The full name of the service that is called.
    pub(crate) fn service(&self) -> &str {
        &self.meter.service
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.meter.in_flight.decrement(1.0);
        self.meter.duration(self.code()).record(self.started.elapsed().as_secs_f64());
    }
}

/// The name of a code, as in `rpc.response.status_code`.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
