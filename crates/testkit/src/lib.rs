//! Test support: fresh databases.
#![expect(clippy::expect_used, reason = "a test that can not be set up has failed")]

pub mod database;
