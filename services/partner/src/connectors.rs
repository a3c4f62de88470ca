//! Connectors: each speaks the protocol of one kind of outside system.

use std::time::Duration;

pub(crate) mod document;
pub(crate) mod rest;

/// The result of an attempt to send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The partner has it.
    Sent(String),
    /// The partner may have it.
    InDoubt(String),
    /// The partner does not have it; sent again, not before this pause.
    NotSent(String, Option<Duration>),
    /// The partner refused it.
    Refused(String),
    /// The partner is suspended: nothing is sent for now.
    Suspended,
}
