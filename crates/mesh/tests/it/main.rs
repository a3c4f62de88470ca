//! The mesh's behaviour, over a real server and in the process.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

extern crate waybill_mesh as mesh;

mod access;
mod admin;
mod balance;
mod bearer;
mod deadline;
mod deprecation;
mod drain;
mod fault;
mod health;
mod metrics;
mod overload;
mod peers;
mod probe;
mod provider;
mod quota;
mod replica;
mod request_log;
mod retry;
mod tls;
mod trace;
mod usage;
