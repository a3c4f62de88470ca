//! Behaviour of the partner service over a real server, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api_clients;
mod api_keys;
mod changing;
mod corrected;
mod doubt;
mod endpoints;
mod giving;
mod holds;
mod kinds;
mod pages;
mod partners;
mod peers;
mod plans;
mod reports;
mod sending;
mod taken_back;
mod warehouse;
mod watchdog;
mod world;
