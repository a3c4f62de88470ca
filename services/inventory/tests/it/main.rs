//! Behaviour of the inventory service over a real server, on every database there is.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can not be set up has failed")]

mod cases;
mod catalog;
mod fixture;
mod histories;
mod input;
mod promises;
mod reactions;
mod repeats;
mod supply;
mod volume;
