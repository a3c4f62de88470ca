//! Processes: what happens over time, each in one file that lists its steps.

pub(crate) mod receipt_to_credit;
