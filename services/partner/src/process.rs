//! Processes: steps over time and over services. Each file lists the steps of one process in order.

pub(crate) mod outbound_message;
pub(crate) mod report;
pub(crate) mod report_parts;
pub(crate) mod unsent;
