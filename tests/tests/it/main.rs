//! Journeys across the whole mesh.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod bad_input;
mod faults;
mod gateway;
mod journeys;
mod northwind;
mod quotas;
mod races;
mod subscriptions;
mod undelivered;
