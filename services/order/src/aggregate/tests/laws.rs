//! What holds of an order at any time.

use super::*;
use crate::promise::PromiseBasis;

/// The units and amounts of a line add up.
pub(super) fn assert_conserved(line: &OrderLine) {
    let buckets = line.cancelled + line.unallocated + line.backordered + line.reserved + line.released + line.shipped;
    assert_eq!(line.ordered + line.over_shipped, buckets, "{line:?}");
    let counters = [
        line.cancelled,
        line.unallocated,
        line.backordered,
        line.reserved,
        line.released,
        line.picked,
        line.shipped,
        line.delivered,
        line.delivered_early,
        line.replaced_early,
        line.short,
        line.over_shipped,
        line.invoice_ready,
        line.invoice_ready_minor,
        line.creditable,
        line.credited,
        line.credited_minor,
        line.return_authorized,
        line.return_received,
    ];
    assert!(counters.iter().all(|counter| *counter >= 0), "{line:?}");
    assert!(line.delivered <= line.shipped && line.return_received <= line.shipped, "{line:?}");
    assert!(line.cancelled <= line.ordered, "{line:?}");
    assert!((0..=line.released).contains(&line.cancel_requested), "{line:?}");
    let owed = line.invoice_ready - line.credited;
    assert!((0..=line.shipped - line.over_shipped).contains(&owed), "{line:?}");
    assert!(line.credited_minor <= line.invoice_ready_minor, "{line:?}");
    assert_eq!(
        line.invoice_ready_minor - line.credited_minor,
        share_of_line(line.amount_minor, line.ordered, owed),
        "{line:?}"
    );
    let settled_minor = line.invoice_ready_minor - line.credited_minor;
    assert!((0..=line.amount_minor).contains(&(line.open_minor() + settled_minor)), "{line:?}");
    assert!((0..=line.open_minor()).contains(&line.unreleased_minor()), "{line:?}");
}

/// A service has units only where its goods are: nothing else reserves, releases, ships or returns them.
pub(super) fn assert_services_follow(aggregate: &OrderAggregate) {
    let goods = UnitTotals::of_goods(&aggregate.lines);
    for line in aggregate.lines.iter().filter(|line| line.is_service()) {
        let elsewhere = [line.backordered, line.reserved, line.released, line.over_shipped, line.return_received];
        assert_eq!(elsewhere, [0; 5], "{line:?}");
        assert!(line.promised_ship_time.is_none() && line.promise_basis == PromiseBasis::Pending, "{line:?}");
        assert!(goods.open() == 0 || line.shipped == 0, "{line:?}");
        assert!(goods.all_delivered() || line.delivered == 0, "{line:?}");
        let is_decided = goods.open() == 0 && aggregate.order.state != OrderState::Submitted;
        let is_held = aggregate.order.open_holds > 0;
        assert!(!is_decided || is_held || line.unallocated == 0, "{line:?}");
        assert!(!goods.all_cancelled() || line.unallocated + line.shipped == 0, "{line:?}");
    }
}

/// What is left to invoice and to credit follows from what is owed and invoiced, whatever came first.
pub(super) fn assert_balanced(aggregate: &OrderAggregate) {
    for line in &aggregate.lines {
        let balance = line.balance();
        let demanded = (line.invoiced - line.credit_posted).max(0);
        assert_eq!(line.owed_now().0, demanded + balance.to_invoice - balance.to_credit, "{line:?}");
        assert!(balance.to_invoice == 0 || balance.to_credit == 0, "{line:?}");
        let demanded = (line.invoiced_minor - line.credit_posted_minor).max(0);
        let apart = line.owed_now().1 - (demanded + balance.to_invoice_minor - balance.to_credit_minor);
        assert!(apart.abs() <= line.invoice_lines, "{line:?}");
        assert!(line.balance().to_invoice_minor <= line.owed_now().1, "{line:?}");
    }
    let open = aggregate.lines.iter().filter(|line| line.balance().is_to_invoice()).count();
    assert_eq!(usize::try_from(aggregate.order.to_invoice_lines), Ok(open));
    if aggregate.order.mismatched_invoice.is_some() {
        let fits = |line: &OrderLine| !line.balance().is_to_credit() && !line.is_over_credited();
        assert!(!aggregate.lines.iter().all(fits), "an exception is open for nothing");
    }
}
