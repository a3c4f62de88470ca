//! Test support: fresh databases, and time that passes when the test says so.
#![expect(clippy::expect_used, reason = "a test that can not be set up has failed")]

pub mod database;
pub mod time;
