//! The databases without the services: a baseline for the services, and a way to prepare and fill copies.

pub(crate) mod fill;
pub(crate) mod pgbench;
pub(crate) mod postgres;
pub(crate) mod postgres_server;
pub(crate) mod sqlite;
