//! One line of an order: what was ordered, and the counters of its units.

mod units;

pub(crate) use units::CancelledUnits;

use types::{AccountId, BasisPoints, OrderId, Timestamp, limits::MAX_DECIMALS, share_of_line};

use crate::{
    item::{Factor, HandlingClass, Item, ItemKind, OrderUnit},
    order::Order,
    own_fields,
    place::OrderedQuantity,
    promise::{PromiseBasis, PromiseReason, estimates},
};

store::record! {
    /// One line of an order. At any time
    /// `ordered + over_shipped = cancelled + unallocated + backordered + reserved + released + shipped`.
    pub(crate) struct OrderLine in "order_lines" key (order_id: OrderId, line_number: i64) {
        /// The account of the order.
        account_id: AccountId,
        /// When the order was placed.
        order_time: Timestamp,
        /// The item.
        sku: String,
        /// Its name when the order was placed.
        name: String,
        /// The unit that was ordered.
        uom: String,
        /// How many of that unit.
        uom_quantity: i64,
        /// The same as a decimal number, if it was ordered as one; the whole number is 0 when it is none.
        decimal_quantity: Option<String>,
        /// Price of one such unit.
        unit_price_minor: i64,
        /// The price that the customer expected.
        expected_unit_price_minor: Option<i64>,
        /// Discount on the line.
        discount_basis_points: BasisPoints,
        /// Price of the whole line, rounded once.
        amount_minor: i64,
        /// Goods or a service.
        item_kind: ItemKind,
        /// How the item must be kept; without a meaning for a service.
        handling_class: HandlingClass,
        /// When the reserved units are promised to leave; `None` while nobody knows when units are there, or a hold blocks them.
        promised_ship_time: Option<Timestamp>,
        /// When the last of its units is promised to be delivered, without the carrier's estimates.
        promised_delivery_time: Option<Timestamp>,
        /// What the promise follows from.
        promise_basis: PromiseBasis,
        /// Why it was last set, changed or taken back.
        promise_reason: PromiseReason,
        /// When the stock is expected that it follows from.
        promise_supply_time: Option<Timestamp>,
        /// The same for people.
        promise_source: String,
        /// The nodes that it follows from, with a blank between them.
        promise_node_ids: String,
        /// What carriers estimate of its packages.
        carrier_estimates: estimates::Column,
        /// The delivery by the estimates while it is promised instead; `None` otherwise.
        carrier_delivery_time: Option<Timestamp>,
        /// When inventory expects to fill its backordered units.
        backorder_expect_time: Option<Timestamp>,
        /// Holds that block this line and are not released, beside those of the whole order.
        open_holds: i64,
        /// The ship-to group that it goes to; `None` when all of the order goes to one place.
        ship_to_group: Option<i64>,
        /// The first of the lines that the ordered line became, when it was split over groups.
        split_of: Option<i64>,
        /// The line whose item this one replaces.
        substitutes: Option<i64>,
        /// Version of the newest reservation reported; 0 before the first.
        reservation_version: i64,
        /// Units that the reservation is for: fewer than ordered while inventory was not asked for those that were added.
        inventory_requested: i64,
        /// Backordered units of that reservation; some of them may be at nodes or cancelled here.
        inventory_backordered: i64,
        /// Units of that reservation that inventory has released.
        inventory_released: i64,
        /// Units ordered.
        ordered: i64,
        /// Units cancelled.
        cancelled: i64,
        /// Units whose stock is not decided yet; of a service, those that are not performed yet.
        unallocated: i64,
        /// Units that wait for stock.
        backordered: i64,
        /// Units with reserved stock that are not released.
        reserved: i64,
        /// Units released to nodes and not shipped.
        released: i64,
        /// Of the released units, those that nodes were asked to stop and have not answered for.
        cancel_requested: i64,
        /// Units reported picked.
        picked: i64,
        /// Units shipped.
        shipped: i64,
        /// Units delivered, never more than shipped.
        delivered: i64,
        /// Units reported delivered that are not reported shipped yet.
        delivered_early: i64,
        /// Units that others were reserved for, as they do not reach the customer, and that are not reported shipped yet.
        replaced_early: i64,
        /// Units reported short.
        short: i64,
        /// Units that were returned because no node can fulfill them: a sum that never falls.
        returned_by_nodes: i64,
        /// Units shipped beyond what was ordered and not cancelled.
        over_shipped: i64,
        /// Units that became ready to invoice.
        invoice_ready: i64,
        /// Amount of the units that became ready to invoice.
        invoice_ready_minor: i64,
        /// Units that came back and were inspected, and for which a credit is due if the customer owes them.
        creditable: i64,
        /// Units that credits were proposed for, of those that became ready to invoice.
        credited: i64,
        /// Amount that credits were proposed for.
        credited_minor: i64,
        /// Units on recorded invoices.
        invoiced: i64,
        /// Amount on recorded invoices.
        invoiced_minor: i64,
        /// Units on recorded credit memos.
        credit_posted: i64,
        /// Amount on recorded credit memos.
        credit_posted_minor: i64,
        /// Lines of recorded invoices and credit memos that are for it.
        invoice_lines: i64,
        /// Units a return was authorized for.
        return_authorized: i64,
        /// Units that came back, never more than shipped.
        return_received: i64,
        /// What the customer added in its own words.
        own_fields: own_fields::Column,
    }
}

/// Base units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineUnits {
    /// The line.
    pub(crate) line_number: i64,
    /// How many; at least 1.
    pub(crate) quantity: i64,
}

/// A line of a new order with its price.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PricedLine {
    /// Its number in the order.
    pub(crate) line_number: i64,
    /// The item.
    pub(crate) sku: String,
    /// Its name.
    pub(crate) name: String,
    /// The unit that was ordered.
    pub(crate) uom: String,
    /// How many of that unit.
    pub(crate) uom_quantity: i64,
    /// The same as a decimal number, if it was ordered as one.
    pub(crate) decimal_quantity: Option<String>,
    /// The same in base units.
    pub(crate) ordered: i64,
    /// Price of one unit as ordered.
    pub(crate) unit_price_minor: i64,
    /// The price that the customer expected.
    pub(crate) expected_unit_price_minor: Option<i64>,
    /// Discount on the line.
    pub(crate) discount: BasisPoints,
    /// Price of the whole line.
    pub(crate) amount_minor: i64,
    /// Goods or a service.
    pub(crate) item_kind: ItemKind,
    /// How the item must be kept; without a meaning for a service.
    pub(crate) handling_class: HandlingClass,
    /// The ship-to group that it goes to.
    pub(crate) ship_to_group: Option<i64>,
    /// The first of the lines that the ordered line became.
    pub(crate) split_of: Option<i64>,
    /// What the customer added in its own words.
    pub(crate) own_fields: own_fields::Column,
}

impl OrderLine {
    /// The quantity as it was ordered, as a fraction of the unit.
    pub(crate) fn uom_fraction(&self) -> (i64, i64) {
        let decimal = self.decimal_quantity.as_deref().and_then(OrderedQuantity::parse);
        decimal.map_or((self.uom_quantity, 1), |quantity| quantity.fraction())
    }

    /// The unit that it was ordered in, with what its item asks of quantities now. A unit stays what it was when the line was ordered.
    pub(crate) fn order_unit(&self, item: &Item) -> OrderUnit {
        let (digits, scale) = self.uom_fraction();
        let known = item.unit(&self.uom).unwrap_or_else(|| OrderUnit {
            uom: self.uom.clone(),
            base_uom: item.item.0.base_uom.clone(),
            decimals: MAX_DECIMALS,
            ..OrderUnit::default()
        });
        OrderUnit { factor: Factor::new(self.ordered.saturating_mul(scale), digits), ..known }
    }

    /// Sets the quantity as it is ordered to that of so many base units; whether it can be written.
    pub(crate) fn set_ordered_quantity(&mut self, base_units: i64) -> bool {
        let of_ordered = self.uom_fraction();
        let numerator = i128::from(of_ordered.0) * i128::from(base_units);
        let denominator = i128::from(of_ordered.1) * i128::from(self.ordered);
        let Some(quantity) = OrderedQuantity::of_fraction(numerator, denominator) else { return false };
        (self.uom_quantity, self.decimal_quantity) = (quantity.whole_number(), quantity.text());
        true
    }

    /// A line of an order whose stock is not decided yet.
    pub(crate) fn new(order: &Order, priced: PricedLine) -> Self {
        Self {
            order_id: order.order_id.clone(),
            account_id: order.account_id.clone(),
            order_time: order.create_time,
            line_number: priced.line_number,
            sku: priced.sku,
            name: priced.name,
            uom: priced.uom,
            uom_quantity: priced.uom_quantity,
            decimal_quantity: priced.decimal_quantity,
            unit_price_minor: priced.unit_price_minor,
            expected_unit_price_minor: priced.expected_unit_price_minor,
            discount_basis_points: priced.discount,
            amount_minor: priced.amount_minor,
            item_kind: priced.item_kind,
            handling_class: priced.handling_class,
            promised_ship_time: None,
            promised_delivery_time: None,
            promise_basis: PromiseBasis::Pending,
            promise_reason: PromiseReason::First,
            promise_supply_time: None,
            promise_source: String::new(),
            promise_node_ids: String::new(),
            carrier_estimates: None,
            carrier_delivery_time: None,
            backorder_expect_time: None,
            open_holds: 0,
            ship_to_group: priced.ship_to_group,
            split_of: priced.split_of,
            substitutes: None,
            reservation_version: 0,
            inventory_requested: 0,
            inventory_backordered: 0,
            inventory_released: 0,
            ordered: priced.ordered,
            cancelled: 0,
            unallocated: priced.ordered,
            backordered: 0,
            reserved: 0,
            released: 0,
            cancel_requested: 0,
            picked: 0,
            shipped: 0,
            delivered: 0,
            delivered_early: 0,
            replaced_early: 0,
            short: 0,
            returned_by_nodes: 0,
            over_shipped: 0,
            invoice_ready: 0,
            invoice_ready_minor: 0,
            creditable: 0,
            credited: 0,
            credited_minor: 0,
            invoiced: 0,
            invoiced_minor: 0,
            credit_posted: 0,
            credit_posted_minor: 0,
            invoice_lines: 0,
            return_authorized: 0,
            return_received: 0,
            own_fields: priced.own_fields,
            version: 0,
        }
    }

    /// The amount of the units that the customer may come to owe: those that are wanted and not ready to invoice yet.
    pub(crate) fn open_minor(&self) -> i64 {
        let settled_minor = self.invoice_ready_minor - self.credited_minor;
        share_of_line(self.amount_minor, self.ordered, self.owed_in_the_end()) - settled_minor
    }

    /// The part of it that is of units which are neither released nor shipped.
    pub(crate) fn unreleased_minor(&self) -> i64 {
        let owed_in_the_end = self.owed_in_the_end();
        let share = |units| share_of_line(self.amount_minor, self.ordered, units);
        share(owed_in_the_end) - share(owed_in_the_end - self.unreleased())
    }

    /// Units that the customer owes once all that are wanted are shipped.
    fn owed_in_the_end(&self) -> i64 {
        let wanted = self.ordered - self.cancelled;
        (wanted + self.over_shipped - self.creditable).clamp(0, wanted)
    }
}
