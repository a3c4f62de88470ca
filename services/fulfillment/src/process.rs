//! Processes: what happens in several steps, over events, tasks and other services. Each file lists its steps in order and
//! holds those that are this service's.

pub(crate) mod acceptance;
pub(crate) mod acceptance_timeout;
pub(crate) mod cancellation;
pub(crate) mod deallocation;
pub(crate) mod rejection;
pub mod rerouting;
pub mod routing;
pub(crate) mod shipment_after_cancellation;
pub(crate) mod short_pick;
pub(crate) mod unfulfillable;
pub(crate) mod unmatched_report;
