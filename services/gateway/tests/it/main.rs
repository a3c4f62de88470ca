//! The gateway in front of a service with a contract of the tests' own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate waybill_gateway as gateway;

mod apis;
mod clerk;
mod endings;
mod front;
