//! Services: lines that nobody stocks or ships, such as an installation, freight or a fee.
//!
//! 1. A line takes the kind of its item when it is ordered (`place/price.rs`). A service is priced as goods are, and counts in totals
//!    and for the credit of the account. Inventory is not asked for it (`process/confirmation.rs`), so that it is neither reserved, nor
//!    backordered, nor released, nor promised: its open units stay `unallocated`, and only unallocated goods delay an order. No node has to ship to where it goes.
//! 2. It goes with goods: those of its ship-to group, or all of the order when it has no group or the group has no goods. After every
//!    change, and before what the customer owes is settled, [`ChangingOrder::follow_goods`] sets its counters by theirs:
//!    - goods are open: its units are open, also when they were performed before a shipment was taken back;
//!    - all goods are cancelled: its units are cancelled, `order.line_cancelled`;
//!    - all goods are shipped or cancelled: its units are performed, and count as shipped; when all that is shipped of the goods is
//!      delivered, they count as delivered. While a hold blocks the line or the order, they stay as they are.
//! 3. An order without goods is confirmed once it is stored. Its services are performed as units are released (`process/release.rs`):
//!    not before its release time, not while a hold blocks them, and not while its account owes too much.
//! 4. What is performed is owed by the same counters as goods are (`process/settlement.rs`), together with the goods whose report
//!    made it so; PERFORMED when there was no such report. With ON_PROOF_OF_DELIVERY, the delivery of its goods has to be proven.
//! 5. Its open units are cancelled and changed as those of goods. `CancelOrder` of the whole order leaves a service to its goods, as
//!    long as any of them is open. A service does not come back: returns do not count for it (`process/returned_units.rs`).

use std::collections::{BTreeMap, BTreeSet};

use proto::order::v1::{LineChange, LineChangeKind};
use types::Timestamp;

use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    item::ItemKind,
    order::{OrderState, UnitTotals},
    order_line::{LineUnits, OrderLine},
    process::settlement::Cause,
};

impl OrderLine {
    /// Whether nobody stocks or ships it.
    pub(crate) fn is_service(&self) -> bool {
        self.item_kind == ItemKind::Service
    }
}

/// The goods that services go with.
struct Goods {
    /// Sums over those of each ship-to group that has any.
    of_groups: BTreeMap<Option<i64>, UnitTotals>,
    of_order: UnitTotals,
}

impl Goods {
    fn of(lines: &[OrderLine]) -> Self {
        let mut of_groups: BTreeMap<Option<i64>, UnitTotals> = BTreeMap::new();
        for line in lines.iter().filter(|line| !line.is_service()) {
            let sum = of_groups.entry(line.ship_to_group).or_default();
            *sum = sum.and(line);
        }
        Self { of_groups, of_order: UnitTotals::of_goods(lines) }
    }

    /// Whether a service goes with the goods of its group alone.
    fn of_group(&self, service: &OrderLine) -> Option<&UnitTotals> {
        self.of_groups.get(&service.ship_to_group)
    }

    /// Where the units of a service are to be.
    fn lead(&self, service: &OrderLine) -> Lead {
        let goods = self.of_group(service).unwrap_or(&self.of_order);
        match () {
            () if goods.is_empty() => Lead::None,
            () if goods.open() > 0 => Lead::Open,
            () if goods.all_cancelled() => Lead::Cancelled,
            () => Lead::Shipped { is_delivered: goods.all_delivered() },
        }
    }
}

/// What has become of the goods that a service goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// There are none.
    None,
    /// Some are neither shipped nor cancelled.
    Open,
    /// All are cancelled.
    Cancelled,
    /// All are shipped or cancelled.
    Shipped { is_delivered: bool },
}

impl ChangingOrder {
    fn has_services(&self) -> bool {
        self.lines.iter().any(OrderLine::is_service)
    }

    /// Moves the units of services to where the goods are that they go with.
    pub(crate) fn follow_goods(&mut self, now: Timestamp) {
        if !self.has_services() || self.order.state == OrderState::Rejected {
            return;
        }
        let goods = Goods::of(&self.lines);
        let is_early = self.order.release_time.is_some_and(|release_time| now < release_time);
        let is_blocked = self.order.state == OrderState::Submitted || self.order.order_holds > 0;
        let mut cancelled = Vec::new();
        for line in self.lines.iter_mut().filter(|line| line.is_service()) {
            let lead = goods.lead(line);
            let waits = is_blocked || line.open_holds > 0 || (lead == Lead::None && is_early);
            match lead {
                Lead::Open => line.perform(0, false),
                Lead::Cancelled => {
                    line.perform(0, false);
                    cancelled.push(LineUnits { line_number: line.line_number, quantity: line.cancel_unreleased() });
                }
                Lead::None | Lead::Shipped { .. } => {
                    let units = if waits { line.shipped } else { line.ordered - line.cancelled };
                    line.perform(units, lead != Lead::Shipped { is_delivered: false });
                }
            }
        }
        self.report_cancelled(cancelled, Vec::new());
    }

    /// Performs what is due after a change, and settles it. Instead, an order without goods is held when its account owes too much.
    pub(crate) fn perform_services(&mut self, now: Timestamp) {
        if !self.has_services() {
            return;
        }
        let is_due = self.order.state == OrderState::Confirmed
            && UnitTotals::of_goods(&self.lines).is_empty()
            && self.order.release_time.is_none_or(|release_time| release_time <= now)
            && self.lines.iter().any(|line| line.unallocated > 0 && !self.is_held(line));
        if is_due {
            self.hold_for_credit_at_release(now);
        }
        self.settle(Cause::Services, now);
    }

    /// Cancels the services that no open goods decide about.
    pub(crate) fn cancel_services(&mut self) {
        let goods = Goods::of(&self.lines);
        let follows = |line: &OrderLine| !line.is_service() || goods.lead(line) == Lead::Open;
        let cancelled = self.units_of_each(|line| if follows(line) { 0 } else { line.cancel_unreleased() });
        if !cancelled.is_empty() {
            self.pending.push(PendingEvent::LinesCancelled(cancelled));
        }
    }

    /// Shows the services that a change names and that are cancelled, because it cancels all their goods.
    pub(crate) fn show_services(&self, lines: &mut [LineChange]) {
        for shown in lines {
            let line = self.line(shown.line_number.into()).filter(|line| line.is_service());
            if let Some(line) = line.filter(|line| line.wanted() < shown.quantity_after) {
                (shown.quantity_after, shown.amount_minor_after) = (line.wanted(), line.wanted_minor());
                shown.cancelled = shown.quantity_before - shown.quantity_after;
                shown.set_kind(LineChangeKind::Removed);
            }
        }
    }

    /// Adds services to the units of lines whose delivery is proven: those of which all delivered goods are.
    pub(crate) fn prove_services(&self, proven: &mut BTreeMap<i64, i64>) {
        let goods = Goods::of(&self.lines);
        let is_unproven = |line: &&OrderLine| {
            !line.is_service() && line.delivered > proven.get(&line.line_number).copied().unwrap_or_default()
        };
        let unproven: BTreeSet<Option<i64>> =
            self.lines.iter().filter(is_unproven).map(|line| line.ship_to_group).collect();
        let is_proven = |service: &&OrderLine| match goods.of_group(service) {
            Some(_) => !unproven.contains(&service.ship_to_group),
            None => unproven.is_empty(),
        };
        let services = self.lines.iter().filter(|line| line.is_service()).filter(is_proven);
        let services: Vec<_> = services.map(|line| (line.line_number, line.ordered)).collect();
        proven.extend(services);
    }
}
