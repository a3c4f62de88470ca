//! The keys under which work is asked of inventory, and tasks are kept. All of them, so that they can be checked together.
//!
//! Each names a fact, not an attempt to tell it: after a crash at any step the same key is used again, and inventory
//! answers what it answered the first time. The steps of a routing are
//!
//! 1. task `route` of a release reads stock, and the command `PlanRouting` writes the plan: which units, which nodes,
//!    and the allocation key;
//! 2. task `allocate` of the plan asks inventory under that key, and the command `SettleRouting` makes the work of
//!    what inventory answered.
//!
//! A crash before 1 is saved leaves nothing behind; after it the plan stands, and 2 is repeated under its key until it
//! is saved. So units are never allocated twice, and none that were allocated are forgotten.

use types::OrderId;

/// Task that routes what a release has at no node. Its key is [`release`].
pub const ROUTE: &str = "fulfillment.route";

/// Task that asks inventory for what a plan wants. Its key is the decision's id.
pub const ALLOCATE: &str = "fulfillment.allocate";

/// Task that ends a node's time to accept. Its key is the work's id.
pub const ACCEPT: &str = "fulfillment.accept";

/// A release: `ord_…/release-1`.
pub fn release(order_id: &OrderId, release_number: i64) -> String {
    format!("{order_id}/release-{release_number}")
}

/// The order and the number of a release named by [`release`].
pub fn parse_release(key: &str) -> Option<(OrderId, i64)> {
    let (order_id, number) = key.split_once("/release-")?;
    Some((order_id.parse().ok()?, number.parse().ok()?))
}

/// The allocation key of a plan: `ord_…/release-1` first, `…/attempt-2` when the units are routed again, and `#2`, `#3`
/// when inventory had less at the nodes than it had said.
pub fn allocation(order_id: &OrderId, release_number: i64, attempt: i64, try_number: i64) -> String {
    let mut key = release(order_id, release_number);
    if attempt > 1 {
        key.push_str(&format!("/attempt-{attempt}"));
    }
    if try_number > 1 {
        key.push_str(&format!("#{try_number}"));
    }
    key
}

/// The request that takes units back from a node because of an event.
pub fn deallocation(event_id: &str) -> String {
    format!("{event_id}:deallocate")
}

/// The request that gives back units no node ever had because of an event.
pub fn giving_back(event_id: &str) -> String {
    format!("{event_id}:release")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_allocations_of_an_order_share_a_key() {
        let order: OrderId = "ord_1".parse().unwrap();
        assert_eq!(allocation(&order, 1, 1, 1), "ord_1/release-1");
        assert_eq!(allocation(&order, 1, 1, 3), "ord_1/release-1#3");
        assert_eq!(allocation(&order, 1, 2, 2), "ord_1/release-1/attempt-2#2");
        assert_eq!(parse_release("ord_1/release-12"), Some((order, 12)));
        assert_eq!(parse_release("ord_1"), None);
    }
}
