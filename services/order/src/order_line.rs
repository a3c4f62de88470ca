//! One line of an order: what was ordered, and the counters of its units.

mod units;

use types::{BasisPoints, OrderId, Timestamp};

use crate::item::HandlingClass;

store::record! {
    /// One line of an order. At any time
    /// `ordered + over_shipped = cancelled + unallocated + backordered + reserved + released + shipped`.
    pub(crate) struct OrderLine in "order_lines" key (order_id: OrderId, line_number: i64) {
        /// The item.
        sku: String,
        /// Its name when the order was placed.
        name: String,
        /// The unit that was ordered.
        uom: String,
        /// How many of that unit.
        uom_quantity: i64,
        /// Price of one such unit.
        unit_price_minor: i64,
        /// Discount on the line.
        discount_basis_points: BasisPoints,
        /// Price of the whole line, rounded once.
        amount_minor: i64,
        /// How the item must be kept.
        handling_class: HandlingClass,
        /// When the reserved units are promised to leave; `None` while units wait for stock or for the end of a hold.
        promised_ship_time: Option<Timestamp>,
        /// Holds that block this line and are not released, beside those of the whole order.
        open_holds: i64,
        /// Version of the newest reservation reported; 0 before the first.
        reservation_version: i64,
        /// Backordered units of that reservation; some of them may be at nodes or cancelled here.
        inventory_backordered: i64,
        /// Units of that reservation that inventory has released.
        inventory_released: i64,
        /// Units ordered.
        ordered: i64,
        /// Units cancelled.
        cancelled: i64,
        /// Units whose stock is not decided yet.
        unallocated: i64,
        /// Units that wait for stock.
        backordered: i64,
        /// Units with reserved stock that are not released.
        reserved: i64,
        /// Units released to nodes and not shipped.
        released: i64,
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
        /// Units a return was authorized for.
        return_authorized: i64,
        /// Units that came back, never more than shipped.
        return_received: i64,
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
    /// The same in base units.
    pub(crate) ordered: i64,
    /// Price of one unit as ordered.
    pub(crate) unit_price_minor: i64,
    /// Discount on the line.
    pub(crate) discount: BasisPoints,
    /// Price of the whole line.
    pub(crate) amount_minor: i64,
    /// How the item must be kept.
    pub(crate) handling_class: HandlingClass,
}

impl OrderLine {
    /// A line whose stock is not decided yet.
    pub(crate) fn new(order_id: OrderId, priced: PricedLine) -> Self {
        Self {
            order_id,
            line_number: priced.line_number,
            sku: priced.sku,
            name: priced.name,
            uom: priced.uom,
            uom_quantity: priced.uom_quantity,
            unit_price_minor: priced.unit_price_minor,
            discount_basis_points: priced.discount,
            amount_minor: priced.amount_minor,
            handling_class: priced.handling_class,
            promised_ship_time: None,
            open_holds: 0,
            reservation_version: 0,
            inventory_backordered: 0,
            inventory_released: 0,
            ordered: priced.ordered,
            cancelled: 0,
            unallocated: priced.ordered,
            backordered: 0,
            reserved: 0,
            released: 0,
            picked: 0,
            shipped: 0,
            delivered: 0,
            delivered_early: 0,
            replaced_early: 0,
            short: 0,
            over_shipped: 0,
            invoice_ready: 0,
            invoice_ready_minor: 0,
            creditable: 0,
            credited: 0,
            credited_minor: 0,
            return_authorized: 0,
            return_received: 0,
            version: 0,
        }
    }
}
