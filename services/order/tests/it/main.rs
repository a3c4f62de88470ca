//! The order service over its server, with the services around it played by the test.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod accounts;
mod bad_input;
mod cancel;
mod holds;
mod invoices;
mod lists;
mod place;
mod reserve;
mod returns;
mod ships;
mod wait;
mod world;
