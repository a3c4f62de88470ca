//! Facts that nodes and carriers report: packages, and where they are.
//!
//! A fact is never refused because it contradicts what was expected. It is refused only when it names something that does not
//! exist: a fulfillment order, or a line of it.

mod packages;
mod tracking;

pub use packages::{PackageReport, RecordLabels, RecordShipment};
pub use tracking::{RecordMilestone, RecordProofOfDelivery};
