//! The scenarios that are measured. Each has a letter.

pub(crate) mod deliver;
mod envoy;
pub(crate) mod gateway;
pub(crate) mod idle;
pub(crate) mod large;
pub(crate) mod place;
pub(crate) mod read;
pub(crate) mod reserve;

/// The letter of the idle mesh.
pub(crate) const IDLE: char = 'i';

/// The letters of all scenarios.
pub(crate) const SCENARIOS: [char; 9] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'l', IDLE];
