//! From shipped or delivered units to an invoice.
//!
//! 1. An order takes its account's invoice policy when it is placed (`place.rs`).
//! 2. `shipment.shipped` or `shipment.delivered` is counted (`process/closing.rs`), and
//!    [`ChangingOrder::make_invoice_ready`] makes ready what the policy allows by then: shipped units with
//!    ON_SHIPMENT, delivered units with ON_DELIVERY. Units shipped beyond those wanted are never ready.
//! 3. The amount is the share of the line's rounded price that all ready units have, less what was ready before
//!    ([`OrderLine::make_invoice_ready`]): the amounts of all shipments sum to the price.
//!    When fewer units are ready than before, because a shipment or a delivery was taken back, the difference is negative: a
//!    credit is proposed.
//! 4. A row of [`InvoiceReadiness`] is written and `order.invoice_ready` emitted, for the ERP to invoice the units, or
//!    `order.credit_proposed`, for a person to have them credited.
//!    `ListInvoiceReadiness` (`rpc/read.rs`) lists the rows.

use proto::order::v1 as contract;
use store::Proto;
use types::{AccountId, OrderId, ShipmentId, Timestamp, share_of_line};

use crate::{account::InvoicePolicy, aggregate::ChangingOrder, events::PendingEvent, order_line::OrderLine, wire};

store::record! {
    /// What became ready to invoice at one time with one shipment.
    pub(crate) struct InvoiceReadiness in "invoice_readiness" key (order_id: OrderId, invoice_number: i64) {
        /// The account.
        account_id: AccountId,
        /// When it became ready.
        ready_time: Timestamp,
        /// The units and amounts by line.
        readiness: Proto<contract::InvoiceReadiness>,
    }
}

impl ChangingOrder {
    /// Makes ready to invoice what the policy allows by now; a shipment was the cause.
    pub(crate) fn make_invoice_ready(&mut self, shipment_id: &ShipmentId, now: Timestamp) {
        let policy = self.order.invoice_policy;
        let lines: Vec<_> = self.lines.iter_mut().filter_map(|line| line.make_invoice_ready(policy)).collect();
        if lines.is_empty() {
            return;
        }
        let amount_minor = lines.iter().map(|line| line.amount_minor).sum();
        let order = &mut self.order;
        order.invoice_ready_minor += amount_minor;
        order.invoice_count += 1;
        let is_credit = lines.iter().any(|line| line.quantity < 0);
        let reason = match policy {
            InvoicePolicy::OnShipment if is_credit => "NOT_SHIPPED",
            InvoicePolicy::OnDelivery if is_credit => "NOT_DELIVERED",
            InvoicePolicy::OnShipment => "SHIPPED",
            InvoicePolicy::OnDelivery => "DELIVERED",
        };
        let readiness = contract::InvoiceReadiness {
            order_id: order.order_id.to_string(),
            shipment_id: shipment_id.to_string(),
            account_id: order.account_id.to_string(),
            amount: Some(wire::money(order.currency, amount_minor)),
            lines,
            reason: reason.to_owned(),
            ready_time: Some(mesh::wire::timestamp(now)),
        };
        let event = if is_credit { PendingEvent::CreditProposed } else { PendingEvent::InvoiceReady };
        self.pending.push(event(InvoiceReadiness {
            order_id: order.order_id.clone(),
            invoice_number: order.invoice_count,
            account_id: order.account_id.clone(),
            ready_time: now,
            readiness: Proto(readiness),
            version: 0,
        }));
    }
}

impl OrderLine {
    /// Makes ready to invoice what the policy allows by now; returns the units and their amount if there are any. Both are
    /// negative when fewer units are ready than before.
    pub(crate) fn make_invoice_ready(&mut self, policy: InvoicePolicy) -> Option<contract::InvoiceReadyLine> {
        let wanted = self.shipped - self.over_shipped;
        let ready = match policy {
            InvoicePolicy::OnShipment => wanted,
            InvoicePolicy::OnDelivery => self.delivered.min(wanted),
        };
        let quantity = ready - self.invoice_ready;
        if quantity == 0 {
            return None;
        }
        let amount_minor = share_of_line(self.amount_minor, self.ordered, ready) - self.invoice_ready_minor;
        self.invoice_ready = ready;
        self.invoice_ready_minor += amount_minor;
        let line_number = wire::small(self.line_number);
        Some(contract::InvoiceReadyLine { line_number, sku: self.sku.clone(), quantity, amount_minor })
    }
}
