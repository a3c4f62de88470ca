//! The binary as it is run: processes, ports, signals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alone;
mod backup;
mod credentials;
mod failing_starts;
mod kill;
mod openapi;
mod process;
mod secrets;
mod start;
