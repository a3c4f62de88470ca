//! The binary as it is run: processes, ports, signals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alone;
mod backup;
mod credentials;
mod failing_starts;
mod intake;
mod kill;
mod openapi;
mod process;
mod raw;
mod secrets;
mod start;
mod web_pages;
