//! Processes: what happens from a first event to the last, one file each. The steps are listed in order at the top of it.

pub(crate) mod outbound_message;
pub(crate) mod report;
