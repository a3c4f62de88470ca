//! Processes: what happens to an order over time, each in one file that lists its steps.

pub(crate) mod cancellation;
pub(crate) mod closing;
pub(crate) mod confirmation;
pub(crate) mod invoice_readiness;
pub(crate) mod release;
pub(crate) mod returned_units;
