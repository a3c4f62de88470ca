//! Facts that nodes and carriers report: packages, and where they are.
//!
//! A fact is never refused because it contradicts what was expected. It is refused only when it names something that does not
//! exist: a fulfillment order, or a line of it.

mod corrections;
mod packages;
mod tracking;

pub(crate) use corrections::{CorrectShipment, RetractPick, RetractShipment, VoidLabels};
pub use packages::{PackageReport, RecordLabels, RecordShipment};
pub(crate) use tracking::RetractTrackingReport;
pub use tracking::{RecordMilestone, RecordProofOfDelivery};
