//! Processes: chains of steps over events, tasks and other services. Each file lists the steps in order and has the
//! code of this service's steps.

pub(crate) mod acceptance;
pub(crate) mod acceptance_timeout;
pub(crate) mod cancellation;
pub(crate) mod deallocation;
pub(crate) mod faster_node;
pub(crate) mod found_units;
pub(crate) mod hold;
pub(crate) mod partial_cancellation;
pub(crate) mod rejection;
pub mod rerouting;
pub mod routing;
pub(crate) mod ship_to_change;
pub(crate) mod shipment_after_cancellation;
pub(crate) mod short_pick;
pub(crate) mod undelivered;
pub(crate) mod unfulfillable;
pub(crate) mod unmatched_report;
