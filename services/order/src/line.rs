//! One line of an order: what was ordered, and where its units are.

mod flow;
mod invoice;

use types::{BasisPoints, OrderId, Timestamp};

pub use invoice::Ready;

use crate::item::HandlingClass;

store::record! {
    /// One line of an order. At any time
    /// `ordered + over_shipped = cancelled + unallocated + backordered + reserved + released + shipped`.
    pub struct Line in "order_lines" key (order_id: OrderId, line_number: i64) {
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
        /// When the reserved units should leave; `None` while units wait for stock.
        promised_ship_time: Option<Timestamp>,
        /// Version of the newest reservation seen; 0 before there is one.
        reservation_version: i64,
        /// Units that reservation has waiting for stock, wherever they are here.
        inventory_backordered: i64,
        /// Units ordered.
        ordered: i64,
        /// Units cancelled.
        cancelled: i64,
        /// Units whose stock is not decided yet.
        unallocated: i64,
        /// Units that wait for stock.
        backordered: i64,
        /// Units with stock reserved, not given to a node yet.
        reserved: i64,
        /// Units at work at nodes and not shipped.
        released: i64,
        /// Units ever picked.
        picked: i64,
        /// Units shipped.
        shipped: i64,
        /// Units delivered, never more than shipped.
        delivered: i64,
        /// Units reported delivered before they were reported shipped.
        delivered_early: i64,
        /// Units ever reported short.
        short: i64,
        /// Units shipped beyond what was ordered and not cancelled.
        over_shipped: i64,
        /// Units that may be invoiced.
        invoice_ready: i64,
        /// What they come to.
        invoice_ready_minor: i64,
        /// Units a return was authorized for.
        return_authorized: i64,
        /// Units that came back, never more than shipped.
        return_received: i64,
    }
}

/// What was ordered on a line, priced.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its number in the order.
    pub line_number: i64,
    /// The item.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// The unit that was ordered.
    pub uom: String,
    /// How many of that unit.
    pub uom_quantity: i64,
    /// The same in base units.
    pub ordered: i64,
    /// Price of one unit as ordered.
    pub unit_price_minor: i64,
    /// Discount on the line.
    pub discount: BasisPoints,
    /// Price of the whole line.
    pub amount_minor: i64,
    /// How the item must be kept.
    pub handling_class: HandlingClass,
}

impl Line {
    /// A line of which nothing is decided yet.
    pub fn new(order_id: OrderId, wanted: Wanted) -> Self {
        Self {
            order_id,
            line_number: wanted.line_number,
            sku: wanted.sku,
            name: wanted.name,
            uom: wanted.uom,
            uom_quantity: wanted.uom_quantity,
            unit_price_minor: wanted.unit_price_minor,
            discount_basis_points: wanted.discount,
            amount_minor: wanted.amount_minor,
            handling_class: wanted.handling_class,
            promised_ship_time: None,
            reservation_version: 0,
            inventory_backordered: 0,
            ordered: wanted.ordered,
            cancelled: 0,
            unallocated: wanted.ordered,
            backordered: 0,
            reserved: 0,
            released: 0,
            picked: 0,
            shipped: 0,
            delivered: 0,
            delivered_early: 0,
            short: 0,
            over_shipped: 0,
            invoice_ready: 0,
            invoice_ready_minor: 0,
            return_authorized: 0,
            return_received: 0,
            version: 0,
        }
    }
}
