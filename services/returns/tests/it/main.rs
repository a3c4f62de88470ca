//! Behaviour of the returns service over a real server, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authorize;
mod pages;
mod plans;
mod receive;
mod watchdog;
mod world;
