//! Simulated partners: warehouses that pick and ship fulfillment orders, and a carrier that delivers. And the distributor's
//! people, who decide about what went wrong.
//!
//! They use the public API and keep nothing: what they report follows from a seed and from the fulfillment order,
//! so after a crash they send the same reports again, which the mesh recognizes as repeats.

mod partners;
pub mod people;
mod script;

pub use partners::{CARRIER, Sandbox, WAREHOUSES, Warehouse};
pub use script::{Chances, FulfillmentOrder, Line, Report, script};
