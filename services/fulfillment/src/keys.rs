//! The keys under which inventory is asked, and under which routing tasks are scheduled, in one place so that they can be
//! checked together.
//!
//! Each key names a fact and not an attempt: after a crash at any step the same key is used again, and inventory answers as it
//! did the first time.

use types::OrderId;

/// A release: `ord_…/release-1`. The key of its routing task.
pub(crate) fn release(order_id: &OrderId, release_number: i64) -> String {
    format!("{order_id}/release-{release_number}")
}

/// The order and the number of a release named by [`release`].
pub(crate) fn parse_release(key: &str) -> Option<(OrderId, i64)> {
    let (order_id, number) = key.split_once("/release-")?;
    Some((order_id.parse().ok()?, number.parse().ok()?))
}

/// The allocation key of a plan: `ord_…/release-1` first, `…/attempt-2` when the units are routed again, and `#2`, `#3`
/// when inventory allocated less than it had reported as available.
pub(crate) fn allocation(order_id: &OrderId, release_number: i64, attempt: i64, plan_number: i64) -> String {
    let mut key = release(order_id, release_number);
    if attempt > 1 {
        key.push_str(&format!("/attempt-{attempt}"));
    }
    if plan_number > 1 {
        key.push_str(&format!("#{plan_number}"));
    }
    key
}

/// The id of the request that deallocates units from a node because of an event.
pub(crate) fn deallocation(event_id: &str) -> String {
    format!("{event_id}:deallocate")
}

/// The id of the request that deallocates units to be routed again, when an event cancels others.
pub(crate) fn reassignment(event_id: &str) -> String {
    format!("{event_id}:reassign")
}

/// The key under which units that were found after all are put on hand and allocated again because of an event.
pub(crate) fn found(event_id: &str) -> String {
    format!("{event_id}:found")
}

/// The id of the request that releases units without a node because of an event.
pub(crate) fn reservation_release(event_id: &str) -> String {
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
