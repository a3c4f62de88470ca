//! Behaviour of the store on both databases.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

extern crate waybill_store as store;

mod backup;
mod commands;
mod follow;
mod log;
mod model;
mod opening;
mod pages;
mod plans;
mod replicas;
mod requests;
mod stock;
mod tasks;
mod tls;
mod whole;
