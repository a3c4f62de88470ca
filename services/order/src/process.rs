//! Processes: the steps of an order over time and over services. Each file lists the steps of one process in order.

pub(crate) mod cancellation;
pub(crate) mod closing;
pub(crate) mod confirmation;
pub(crate) mod fill_policy;
pub(crate) mod release;
pub(crate) mod returned_units;
pub(crate) mod settlement;
pub(crate) mod ship_window;
