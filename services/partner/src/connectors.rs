//! Connectors: each speaks the protocol of one kind of outside system.

pub(crate) mod document;
pub(crate) mod rest;
