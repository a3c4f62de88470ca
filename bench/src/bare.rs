//! The databases driven by hand, as a measure for the services, and to prepare and fill copies. No service uses them so.

pub(crate) mod fill;
pub(crate) mod pgbench;
pub(crate) mod postgres;
pub(crate) mod server;
pub(crate) mod sqlite;
