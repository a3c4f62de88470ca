//! Processes: the steps of an order over time and over services. Each file lists the steps of one process in order.

pub(crate) mod cancellation;
pub(crate) mod change;
pub(crate) mod closing;
pub(crate) mod confirmation;
pub(crate) mod credit_check;
pub(crate) mod evidence;
pub(crate) mod fill_policy;
pub(crate) mod invoicing;
pub(crate) mod promise;
pub(crate) mod release;
pub(crate) mod returned_units;
pub(crate) mod services;
pub(crate) mod settlement;
pub(crate) mod ship_window;
