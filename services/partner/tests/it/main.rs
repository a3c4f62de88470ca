//! Behaviour of the partner service over a real server, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api_clients;
mod api_keys;
mod doubt;
mod endpoints;
mod giving;
mod holds;
mod partners;
mod peers;
mod plans;
mod reports;
mod sending;
mod warehouse;
mod watchdog;
mod world;
