//! Simulated partners: warehouses that do the work they are given, and a carrier that delivers.
//!
//! They use the public partner API and keep nothing: what they report follows from a seed and from the work itself, so
//! after a crash they report the same again, and the mesh tells that it is the same.

mod partners;
mod script;

pub use partners::{CARRIER, Sandbox, WAREHOUSES, Warehouse};
pub use script::{Chances, Report, Work, script};
