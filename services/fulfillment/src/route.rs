//! Routing: what has no node is given to nodes. The steps and their keys are in [`keys`](crate::keys).

mod accept;
mod again;
mod plan;
mod settle;
mod take_back;

pub use accept::AcceptRelease;
pub use again::{RetryRouting, RouteWaiting, Trigger};
pub use plan::PlanRouting;
pub use settle::SettleRouting;
pub use take_back::{Returned, TakeBack};

/// How often one attempt is planned when inventory has less at the nodes than it said.
const TRIES: i64 = 3;

/// The most choices of one plan: what inventory allocates in one request. Lines may be split over any number of nodes, so
/// an order may take several plans.
const CHOICES: usize = 5_000;
