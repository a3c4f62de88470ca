//! The order service over its server, with fakes of the services around it, on every database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod agreed;
mod bad_input;
mod cancel;
mod cancel_lines;
mod changes;
mod credit;
mod exceptions;
mod fill;
mod find;
mod holds;
mod invoice_lists;
mod invoice_policies;
mod invoices;
mod lists;
mod own_fields;
mod place;
mod plans;
mod prices;
mod promise;
mod promise_estimates;
mod quote;
mod real_data;
mod recorded_invoices;
mod reserve;
mod retractions;
mod returns;
mod ship_to_groups;
mod ship_window;
mod ships;
mod terms;
mod validation;
mod wait;
mod watchdog;
mod world;
