//! The order service over its server, with fakes of the services around it, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod bad_input;
mod cancel;
mod exceptions;
mod fill;
mod holds;
mod invoices;
mod lists;
mod place;
mod plans;
mod reserve;
mod retractions;
mod returns;
mod ship_window;
mod ships;
mod wait;
mod watchdog;
mod world;
