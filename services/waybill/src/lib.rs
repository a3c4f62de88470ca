//! The whole mesh in one binary: every service, the gateway, and the programs that try them.
//!
//! [`compose`] is the one place where the services are put together; the commands of the binary use it.

pub mod backup;
pub mod child_process;
pub mod commands;
pub mod compose;
pub mod demo;
pub mod northwind;
pub mod rest;
pub mod sandbox;
