//! What the customer owes: from shipped or delivered units to an invoice, and from units that are not owed after all to a credit.
//!
//! 1. An order takes its account's invoice policy when it is placed (`place.rs`).
//! 2. The units that the customer owes follow from the counters of a line ([`OrderLine::owed`]): units shipped with
//!    ON_SHIPMENT, delivered with ON_DELIVERY, less those that came back and are fit to be credited; never more than were wanted.
//!    So units shipped beyond the order, or after their cancellation, are neither owed nor credited when they come back.
//! 3. After shipped or delivered units are counted, taken back, written off or replaced (`process/closing.rs`), and after a return
//!    is (`process/returned_units.rs`), [`ChangingOrder::settle`] compares the owed units with those that became ready to invoice,
//!    less those credited.
//! 4. More are owed: a row of [`InvoiceReadiness`] is written and `order.invoice_ready` emitted, for the ERP to invoice the
//!    units. `ListInvoiceReadiness` (`rpc/read.rs`) lists the rows.
//! 5. Fewer are owed, so that never more is credited than was made ready: a row of [`ProposedCredit`] is written and `order.credit_proposed` emitted, for the ERP to credit them.
//!    `ListProposedCredits` lists the rows. Units that came back without any credit: `order.credit_refused`. The returns service
//!    follows both (`services/returns/src/process/receipt_to_credit.rs`).
//! 6. An amount is the share of the line's rounded price that all owed units have, less what was settled before: after any
//!    sequence of both, what was made ready less what was credited is the rounded price of the units owed.

use std::collections::BTreeMap;

use proto::order::v1 as contract;
use store::Proto;
use types::{AccountId, OrderId, ReturnId, ShipmentId, Timestamp, share_of_line};

use crate::{
    account::InvoicePolicy,
    aggregate::ChangingOrder,
    events::PendingEvent,
    order_line::{LineUnits, OrderLine},
    wire,
};

store::record! {
    /// What became ready to invoice at one time.
    pub(crate) struct InvoiceReadiness in "invoice_readiness" key (order_id: OrderId, invoice_number: i64) {
        /// The account.
        account_id: AccountId,
        /// When it became ready.
        ready_time: Timestamp,
        /// The units and amounts by line.
        readiness: Proto<contract::InvoiceReadiness>,
    }
}

store::record! {
    /// A credit that was proposed.
    pub(crate) struct ProposedCredit in "proposed_credits" key (order_id: OrderId, credit_number: i64) {
        /// The account.
        account_id: AccountId,
        /// When it was proposed.
        propose_time: Timestamp,
        /// The units and amounts by line.
        credit: Proto<contract::ProposedCredit>,
    }
}

/// Why the units that a customer owes have changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause<'a> {
    /// A report about a shipment, or its correction.
    Shipment(&'a ShipmentId),
    /// A package of a shipment was written off.
    WriteOff(&'a ShipmentId),
    /// A return.
    Return(&'a ReturnId),
}

impl Cause<'_> {
    /// Ids of the shipment and of the return.
    fn ids(self) -> (String, String) {
        match self {
            Self::Shipment(shipment_id) | Self::WriteOff(shipment_id) => (shipment_id.to_string(), String::new()),
            Self::Return(return_id) => (String::new(), return_id.to_string()),
        }
    }
}

/// What is settled of a line: units and amount are positive when units became ready to invoice, negative when they are credited.
pub(crate) struct Settled {
    line_number: i32,
    sku: String,
    quantity: i64,
    pub(crate) amount_minor: i64,
}

impl ChangingOrder {
    /// Makes ready to invoice what the customer owes more than before, and proposes a credit for what it owes less.
    pub(crate) fn settle(&mut self, cause: Cause<'_>, now: Timestamp) {
        let policy = self.order.invoice_policy;
        let settled: Vec<_> = self.lines.iter_mut().filter_map(|line| line.settle(policy)).collect();
        let (credited, ready): (Vec<_>, Vec<_>) = settled.into_iter().partition(|line| line.quantity < 0);
        if !ready.is_empty() {
            self.make_invoice_ready(ready, cause, now);
        }
        if !credited.is_empty() {
            self.propose_credit(credited, cause, now);
        }
    }

    fn make_invoice_ready(&mut self, lines: Vec<Settled>, cause: Cause<'_>, now: Timestamp) {
        let amount_minor = lines.iter().map(|line| line.amount_minor).sum();
        let order = &mut self.order;
        order.invoice_ready_minor += amount_minor;
        order.invoice_count += 1;
        let reason = match order.invoice_policy {
            InvoicePolicy::OnShipment => "SHIPPED",
            InvoicePolicy::OnDelivery => "DELIVERED",
        };
        let line = |Settled { line_number, sku, quantity, amount_minor }| contract::InvoiceReadyLine {
            line_number,
            sku,
            quantity,
            amount_minor,
        };
        let readiness = contract::InvoiceReadiness {
            order_id: order.order_id.to_string(),
            shipment_id: cause.ids().0,
            account_id: order.account_id.to_string(),
            amount: Some(wire::money(order.currency, amount_minor)),
            lines: lines.into_iter().map(line).collect(),
            reason: reason.to_owned(),
            ready_time: Some(mesh::wire::timestamp(now)),
        };
        self.pending.push(PendingEvent::InvoiceReady(InvoiceReadiness {
            order_id: order.order_id.clone(),
            invoice_number: order.invoice_count,
            account_id: order.account_id.clone(),
            ready_time: now,
            readiness: Proto(readiness),
            version: 0,
        }));
    }

    fn propose_credit(&mut self, lines: Vec<Settled>, cause: Cause<'_>, now: Timestamp) {
        let amount_minor: i64 = lines.iter().map(|line| -line.amount_minor).sum();
        let order = &mut self.order;
        order.credited_minor += amount_minor;
        order.credit_count += 1;
        let reason = match cause {
            Cause::Shipment(_) => "CORRECTED",
            Cause::WriteOff(_) => "WRITTEN_OFF",
            Cause::Return(_) => "RETURNED",
        };
        let line = |Settled { line_number, sku, quantity, amount_minor }| contract::CreditedLine {
            line_number,
            sku,
            quantity: -quantity,
            amount_minor: -amount_minor,
        };
        let (shipment_id, return_id) = cause.ids();
        let credit = contract::ProposedCredit {
            order_id: order.order_id.to_string(),
            credit_number: wire::small(order.credit_count),
            account_id: order.account_id.to_string(),
            return_id,
            shipment_id,
            amount: Some(wire::money(order.currency, amount_minor)),
            lines: lines.into_iter().map(line).collect(),
            reason: reason.to_owned(),
            propose_time: Some(mesh::wire::timestamp(now)),
        };
        self.pending.push(PendingEvent::CreditProposed(ProposedCredit {
            order_id: order.order_id.clone(),
            credit_number: order.credit_count,
            account_id: order.account_id.clone(),
            propose_time: now,
            credit: Proto(credit),
            version: 0,
        }));
    }

    /// Settles a return of which units were inspected that are fit to be credited; those that earn no credit are refused one.
    pub(crate) fn settle_return(&mut self, return_id: &ReturnId, inspected: &[LineUnits], now: Timestamp) {
        let before: BTreeMap<_, _> = self.lines.iter().map(|line| (line.line_number, line.credited)).collect();
        self.settle(Cause::Return(return_id), now);
        let credited = |line: &OrderLine| line.credited - before.get(&line.line_number).copied().unwrap_or_default();
        let refused = inspected.iter().filter_map(|units| {
            let line = self.lines.iter().find(|line| line.line_number == units.line_number)?;
            let quantity = units.quantity - credited(line);
            (quantity > 0).then_some(LineUnits { quantity, ..*units })
        });
        let refused: Vec<_> = refused.collect();
        if !refused.is_empty() {
            self.pending.push(PendingEvent::CreditRefused(return_id.clone(), refused));
        }
    }
}

impl OrderLine {
    /// Units that the customer owes by now.
    fn owed(&self, policy: InvoicePolicy) -> i64 {
        let left = match policy {
            InvoicePolicy::OnShipment => self.shipped,
            InvoicePolicy::OnDelivery => self.delivered,
        };
        (left - self.creditable).min(self.shipped - self.over_shipped).max(0)
    }

    /// Settles what the customer owes by now with what was settled before; returns the difference if there is any.
    pub(crate) fn settle(&mut self, policy: InvoicePolicy) -> Option<Settled> {
        let owed = self.owed(policy);
        let quantity = owed - (self.invoice_ready - self.credited);
        if quantity == 0 {
            return None;
        }
        let owed_minor = share_of_line(self.amount_minor, self.ordered, owed);
        let amount_minor = owed_minor - (self.invoice_ready_minor - self.credited_minor);
        if quantity > 0 {
            self.invoice_ready += quantity;
            self.invoice_ready_minor += amount_minor;
        } else {
            self.credited -= quantity;
            self.credited_minor -= amount_minor;
        }
        Some(Settled { line_number: wire::small(self.line_number), sku: self.sku.clone(), quantity, amount_minor })
    }
}
