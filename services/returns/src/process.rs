//! Processes: steps over time and over services. Each file lists the steps of one process in order.

pub(crate) mod receipt_to_credit;
pub(crate) mod return_to_sender;
