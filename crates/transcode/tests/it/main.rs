//! The transcoder in front of a fake service.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail this way")]

mod answers;
mod bodies;
mod catalogue;
mod conformance;
mod depot;
mod documents;
mod fuzz;
mod limits;
mod lint;
mod queries;
mod refusals;
mod routes;
mod streams;
