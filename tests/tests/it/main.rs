//! Journeys across the whole mesh.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod bad_input;
mod crash_steps;
mod failed_work;
mod faster_node;
mod faults;
mod gateway;
mod interleavings;
mod journeys;
mod northwind;
mod order_depth;
mod parties;
mod partly_right;
mod permutations;
mod promises;
mod quotas;
mod races;
mod services;
mod ship_window;
mod subscriptions;
mod taken_back;
mod undelivered;
