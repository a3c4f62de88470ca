//! Processes over several commands and services. Each file lists the steps of one process in order.

pub(crate) mod reservation;
pub(crate) mod restock;
pub(crate) mod short_pick;
pub(crate) mod shortfall;
