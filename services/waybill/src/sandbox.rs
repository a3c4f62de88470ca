//! Simulated partners: warehouses that pick and ship fulfillment orders, and a carrier that delivers.
//!
//! They use the public partner API and keep nothing: what they report follows from a seed and from the fulfillment order,
//! so after a crash they send the same reports again, which the mesh recognizes as repeats.

mod partners;
mod script;

pub use partners::{CARRIER, Sandbox, WAREHOUSES, Warehouse};
pub use script::{Chances, FulfillmentOrder, Report, script};
