//! Behaviour of the operations service, over a real server that follows logs the test writes.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod exceptions;
mod follow;
mod logs;
mod pages;
mod plans;
mod summaries;
mod timeline;
mod usage;
mod world;
