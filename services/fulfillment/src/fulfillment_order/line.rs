//! A line of a fulfillment order: counters in base units.

use proto::types::v1::LineQuantity;
use types::FulfillmentOrderId;

use crate::wire::count;

store::record! {
    /// An order line's share of a fulfillment order.
    pub(crate) struct FulfillmentLine in "fulfillment_lines" key (
        fulfillment_order_id: FulfillmentOrderId, line_number: i64
    ) {
        /// The item.
        sku: String,
        /// Units to ship.
        quantity: i64,
        /// Units picked.
        picked: i64,
        /// Units in packages, whether they left or not, but for those whose label is void.
        packed: i64,
        /// Units shipped.
        shipped: i64,
        /// Of the shipped units, those in packages that are written off.
        written_off: i64,
        /// Units that the node could not find.
        short: i64,
        /// Units that the order cancelled.
        cancelled: i64,
        /// Units withdrawn from the node, to be routed to another one.
        withdrawn: i64,
        /// Of the short and withdrawn units, those that inventory has not deallocated yet.
        pending_deallocation: i64,
        /// Of the open units, those that another node has shipped: this one is asked to stop.
        superseded: i64,
        /// Of the open units, those that the order cancels: this one is asked to stop.
        cancel_requested: i64,
        /// Of the open units, those that this node was asked to stop and is to ship after all, unless it has stopped them.
        restored: i64,
        /// Of the units that are pending deallocation, those that the order cancels.
        cancel_pending: i64,
        /// Of the cancelled units, those that this node stopped because another one had shipped them.
        freed: i64,
        /// Of the open units, those that the node is asked to ship to another address.
        redirecting: i64,
        /// Of the open and shipped units, those that another node has shipped, and that this one did not stop.
        doubled: i64,
        /// Of the shipped units, those that this node was no longer, or never, to ship.
        beyond: i64,
        /// Of the shipped units, those that this node had stopped because the order cancelled them, and not the whole order.
        lost: i64,
    }
}

/// Units that left although they were no longer, or never, to be shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reclaimed {
    /// The order line.
    pub(crate) line_number: i64,
    /// The item.
    pub(crate) sku: String,
    /// Short or withdrawn units that were not deallocated yet: no other node has them.
    pub(crate) pending_deallocation: i64,
    /// Short or withdrawn units that were deallocated: they wait for another node, or have one.
    pub(crate) deallocated: i64,
    /// Units that the order had cancelled, without those that another node had shipped.
    pub(crate) cancelled: i64,
    /// Units beyond the quantity of the line.
    pub(crate) beyond: i64,
}

impl FulfillmentLine {
    /// A line of which nothing was picked yet.
    pub(crate) fn new(fulfillment_order_id: FulfillmentOrderId, line_number: i64, sku: String, quantity: i64) -> Self {
        Self {
            fulfillment_order_id,
            line_number,
            sku,
            quantity,
            picked: 0,
            packed: 0,
            shipped: 0,
            written_off: 0,
            short: 0,
            cancelled: 0,
            withdrawn: 0,
            pending_deallocation: 0,
            superseded: 0,
            cancel_requested: 0,
            restored: 0,
            cancel_pending: 0,
            freed: 0,
            redirecting: 0,
            doubled: 0,
            beyond: 0,
            lost: 0,
            version: 0,
        }
    }

    /// Units that are still to be shipped.
    pub(crate) fn open(&self) -> i64 {
        (self.quantity - self.shipped - self.short - self.cancelled - self.withdrawn).max(0)
    }

    /// Units that the node is asked to stop.
    pub(crate) fn asked(&self) -> i64 {
        self.superseded + self.cancel_requested + self.restored
    }

    /// Units that are not open any more are not asked for, and those that are deallocated or left are not cancelled later.
    pub(super) fn fit(&mut self) {
        let mut over = (self.asked() - self.open()).max(0);
        for counter in [&mut self.restored, &mut self.cancel_requested, &mut self.superseded] {
            let taken = over.min(*counter);
            *counter -= taken;
            over -= taken;
        }
        self.cancel_pending = self.cancel_pending.min(self.pending_deallocation);
    }

    /// Whether the node may take back or correct that units left: those in packages that are written off stay as they are.
    pub(super) fn can_be_corrected(&self) -> bool {
        self.shipped > self.written_off
    }

    /// Units of this line.
    pub(crate) fn units(&self, quantity: i64) -> LineQuantity {
        LineQuantity { line_number: count(self.line_number), sku: self.sku.clone(), quantity }
    }

    /// Counts units that left: open ones first, then withdrawn and short ones, cancelled ones last.
    pub(super) fn ship(&mut self, quantity: i64) -> Reclaimed {
        let mut rest = quantity - quantity.min(self.open());
        self.shipped = self.shipped.saturating_add(quantity);
        let mut take = |counter: &mut i64| {
            let taken = rest.min(*counter);
            *counter -= taken;
            rest -= taken;
            taken
        };
        let given_up = take(&mut self.withdrawn) + take(&mut self.short);
        let cancelled = take(&mut self.cancelled);
        let pending_deallocation = given_up.min(self.pending_deallocation);
        self.pending_deallocation -= pending_deallocation;
        self.fit();
        Reclaimed {
            line_number: self.line_number,
            sku: self.sku.clone(),
            pending_deallocation,
            deallocated: given_up - pending_deallocation,
            cancelled,
            beyond: rest,
        }
    }
}

/// The lines that `units` name, with their quantities.
pub(super) fn matched<'a>(
    lines: &'a mut [FulfillmentLine],
    units: &'a [LineQuantity],
) -> impl Iterator<Item = (&'a mut FulfillmentLine, i64)> {
    lines.iter_mut().filter_map(|line| {
        let named = units.iter().filter(|unit| i64::from(unit.line_number) == line.line_number);
        let quantity = named.fold(0_i64, |sum, unit| sum.saturating_add(unit.quantity));
        (quantity > 0).then_some((line, quantity))
    })
}
