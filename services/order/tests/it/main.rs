//! The order service over its server, with fakes of the services around it, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod bad_input;
mod cancel;
mod holds;
mod invoices;
mod lists;
mod place;
mod plans;
mod reserve;
mod retractions;
mod returns;
mod ships;
mod wait;
mod world;
