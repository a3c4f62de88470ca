//! Who is shown what: decided once, by the kind of the event, when its entry is made.

store::text_enum! {
    /// Who is shown an entry of a timeline.
    pub enum Audience {
        /// The distributor's own people and programs.
        Staff = "STAFF",
        /// The customer too.
        Customer = "CUSTOMER",
    }
}

/// What became of the order, its goods and its returns, as its customer may know it.
const FOR_CUSTOMERS: &[&str] = &[
    "order.submitted",
    "order.confirmed",
    "order.rejected",
    "order.backordered",
    "order.released",
    "order.line_cancelled",
    "order.cancel_requested",
    "order.cancelled",
    "order.cancel_lost",
    "order.invoice_ready",
    "order.closed",
    "shipment.labelled",
    "shipment.shipped",
    "shipment.milestone_recorded",
    "shipment.partially_delivered",
    "shipment.delivered",
    "shipment.pod_captured",
    "return.authorized",
    "return.cancelled",
    "return.received",
    "return.inspected",
    "return.credit_proposed",
    "return.closed",
];

impl Audience {
    /// Who is shown an event of this kind. What is not said to be for customers is not: how the distributor and its partners
    /// work, what went wrong between them, why an order is held.
    pub fn of(kind: &str) -> Self {
        if FOR_CUSTOMERS.contains(&kind) { Self::Customer } else { Self::Staff }
    }
}
