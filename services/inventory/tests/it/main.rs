//! Behaviour of the inventory service over a real server, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backorders;
mod cases;
mod catalog;
mod destinations;
mod histories;
mod input;
mod on_hand;
mod plans;
mod reactions;
mod repeats;
mod reservations;
mod skus;
mod supply_dates;
mod taken_back;
mod volume;
mod watchdog;
mod world;
