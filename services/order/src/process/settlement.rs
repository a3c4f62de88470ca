//! What the customer owes: from shipped or delivered units to an invoice, and from units that are not owed after all to a credit.
//!
//! 1. An order takes its account's invoice policy when it is placed (`place.rs`).
//! 2. The units that the customer owes follow from the counters of a line ([`Owing::units`]): units shipped with ON_SHIPMENT, delivered
//!    with ON_DELIVERY, delivered in packages with a proof with ON_PROOF_OF_DELIVERY (`process/evidence.rs`), less those that came back and are
//!    fit to be credited; never more than were wanted. So units shipped beyond the order, or after their cancellation, are neither owed
//!    nor credited when they come back. With ON_COMPLETION delivered units are owed once nothing is open and all that is shipped
//!    is delivered; what was ready then stays so when the order is open again.
//! 3. After shipped or delivered units are counted, taken back, written off or replaced (`process/closing.rs`), and after a return
//!    is (`process/returned_units.rs`), [`ChangingOrder::settle`] compares the owed units with those that became ready to invoice,
//!    less those credited. With ON_COMPLETION any change of the order may complete it: [`ChangingOrder::settle_completion`].
//!    What services follow without such a report is settled after every change (`process/services.rs`).
//! 4. More are owed: a row of [`InvoiceReadiness`] is written and `order.invoice_ready` emitted, for the ERP to invoice the
//!    units, with what was reported of their shipments (`process/evidence.rs`). `ListInvoiceReadiness` (`rpc/read.rs`) lists the rows.
//! 5. Fewer are owed, so that never more is credited than was made ready: a row of [`ProposedCredit`] is written and `order.credit_proposed` emitted, for the ERP to credit them.
//!    `ListProposedCredits` lists the rows. Units that came back without any credit: `order.credit_refused`. The returns service
//!    follows both (`services/returns/src/process/receipt_to_credit.rs`).
//! 6. A change of the price settles the units that were ready before at the new price: rows of an amount without units, PRICE_CHANGED.
//! 7. An amount is the share of the line's rounded price that all owed units have, less what was settled before: after any
//!    sequence of both, what was made ready less what was credited is the rounded price of the units owed.
//! 8. What the ERP has invoiced of it is in `process/invoicing.rs`. A row says which of its units recorded invoices have.

use std::collections::BTreeMap;

use proto::order::v1 as contract;
use store::Proto;
use types::{AccountId, OrderId, ReturnId, ShipmentId, Timestamp, share_of_line};

use crate::{
    account::InvoicePolicy,
    aggregate::ChangingOrder,
    events::PendingEvent,
    order::UnitTotals,
    order_line::{LineUnits, OrderLine},
    wire,
};

store::record! {
    /// What became ready to invoice at one time.
    pub(crate) struct InvoiceReadiness in "invoice_readiness" key (order_id: OrderId, readiness_number: i64) {
        /// The account.
        account_id: AccountId,
        /// When it became ready.
        ready_time: Timestamp,
        /// The units and amounts by line.
        readiness: Proto<contract::InvoiceReadiness>,
        /// The account, while its receivables do not include it; `None` when its orders are not counted.
        unposted_account_id: Option<AccountId>,
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
        /// The account, while its receivables do not include it; `None` when its orders are not counted.
        unposted_account_id: Option<AccountId>,
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
    /// Another price.
    PriceChange,
    /// Nothing of the order is open any more.
    Completion,
    /// Services were performed, or are not, without a report about a shipment.
    Services,
}

impl Cause<'_> {
    /// Ids of the shipment and of the return.
    fn ids(self) -> (String, String) {
        match self {
            Self::Shipment(shipment_id) | Self::WriteOff(shipment_id) => (shipment_id.to_string(), String::new()),
            Self::Return(return_id) => (String::new(), return_id.to_string()),
            Self::PriceChange | Self::Completion | Self::Services => (String::new(), String::new()),
        }
    }

    /// The shipment whose report it is.
    fn shipment_id(&self) -> Option<&ShipmentId> {
        match self {
            Self::Shipment(shipment_id) | Self::WriteOff(shipment_id) => Some(shipment_id),
            Self::Return(_) | Self::PriceChange | Self::Completion | Self::Services => None,
        }
    }
}

/// What is settled of a line: units and amount are positive when units became ready to invoice, negative when they are credited.
pub(crate) struct Settled {
    line_number: i32,
    sku: String,
    quantity: i64,
    pub(crate) amount_minor: i64,
    /// Of the units and the amount, what changes what is ready and not invoiced, with the same sign.
    uninvoiced: (i64, i64),
}

impl Settled {
    /// Whether the customer owes less than before.
    fn is_credit(&self) -> bool {
        self.quantity < 0 || (self.quantity == 0 && self.amount_minor < 0)
    }
}

/// What decides which units of an order are owed.
pub(crate) struct Owing {
    policy: InvoicePolicy,
    /// Whether nothing is open and all that is shipped is delivered.
    is_complete: bool,
    /// Units in packages whose delivery is proven, by line.
    proven: BTreeMap<i64, i64>,
}

impl Owing {
    fn of(order: &ChangingOrder) -> Self {
        let policy = order.order.invoice_policy;
        let (mut is_complete, mut proven) = (false, BTreeMap::new());
        match policy {
            InvoicePolicy::OnCompletion => is_complete = UnitTotals::of(&order.lines).all_delivered(),
            InvoicePolicy::OnProofOfDelivery => {
                proven = order.proven();
                order.prove_services(&mut proven);
            }
            InvoicePolicy::OnShipment | InvoicePolicy::OnDelivery => {}
        }
        Self { policy, is_complete, proven }
    }

    /// Units of a line that the customer owes by now.
    fn units(&self, line: &OrderLine) -> i64 {
        let proven = || self.proven.get(&line.line_number).copied().unwrap_or_default();
        let counted = match self.policy {
            InvoicePolicy::OnShipment => line.shipped,
            InvoicePolicy::OnDelivery | InvoicePolicy::OnCompletion => line.delivered,
            InvoicePolicy::OnProofOfDelivery => line.delivered.min(proven()),
        };
        let owed = (counted - line.creditable).min(line.shipped - line.over_shipped).max(0);
        let waits = self.policy == InvoicePolicy::OnCompletion && !self.is_complete;
        if waits { owed.min(line.owed_now().0) } else { owed }
    }
}

impl ChangingOrder {
    /// Makes ready to invoice what the customer owes more than before, and proposes a credit for what it owes less.
    pub(crate) fn settle(&mut self, cause: Cause<'_>, now: Timestamp) {
        self.follow_goods(now);
        let owing = Owing::of(self);
        let is_repriced = matches!(cause, Cause::PriceChange);
        // Another price settles what is settled; units follow with their own cause.
        let owed = |line: &OrderLine| if is_repriced { line.owed_now().0 } else { owing.units(line) };
        let settle = |line: &mut OrderLine| line.settle(owed(line), is_repriced);
        let settled: Vec<_> = self.lines.iter_mut().filter_map(settle).collect();
        let (credited, ready): (Vec<_>, Vec<_>) = settled.into_iter().partition(Settled::is_credit);
        if !ready.is_empty() {
            self.make_invoice_ready(ready, cause, now);
        }
        if !credited.is_empty() {
            self.propose_credit(credited, cause, now);
        }
    }

    /// Settles an order that is invoiced as a whole, after any change.
    pub(crate) fn settle_completion(&mut self, now: Timestamp) {
        if self.order.invoice_policy == InvoicePolicy::OnCompletion {
            self.settle(Cause::Completion, now);
        }
    }

    fn make_invoice_ready(&mut self, lines: Vec<Settled>, cause: Cause<'_>, now: Timestamp) {
        let amount_minor = lines.iter().map(|line| line.amount_minor).sum();
        let units: Vec<_> = lines.iter().map(|line| (line.line_number, line.quantity)).collect();
        let (shipment_id, evidence) = match (cause, self.order.invoice_policy) {
            (Cause::PriceChange, _) => (String::new(), Vec::new()),
            (_, InvoicePolicy::OnCompletion) => (String::new(), self.evidence(None, &units)),
            (Cause::Services, _) => {
                let goods = self.lines.iter().filter(|line| !line.is_service());
                let goods: Vec<_> = goods.map(|line| (wire::small(line.line_number), line.shipped)).collect();
                (String::new(), self.evidence(None, &goods))
            }
            _ => {
                let evidence = cause.shipment_id().map(|shipment_id| self.evidence(Some(shipment_id), &units));
                (cause.ids().0, evidence.unwrap_or_default())
            }
        };
        let order = &mut self.order;
        order.invoice_ready_minor += amount_minor;
        order.invoice_count += 1;
        let reason = match (cause, order.invoice_policy) {
            (Cause::PriceChange, _) => "PRICE_CHANGED",
            (Cause::Services, policy) if policy != InvoicePolicy::OnCompletion => "PERFORMED",
            (_, InvoicePolicy::OnShipment) => "SHIPPED",
            (_, InvoicePolicy::OnDelivery) => "DELIVERED",
            (_, InvoicePolicy::OnProofOfDelivery) => "PROOF_OF_DELIVERY",
            (_, InvoicePolicy::OnCompletion) => "COMPLETED",
        };
        let line = |Settled { line_number, sku, quantity, amount_minor, uninvoiced }| contract::InvoiceReadyLine {
            line_number,
            sku,
            quantity,
            amount_minor,
            already_invoiced: quantity - uninvoiced.0,
            already_invoiced_minor: amount_minor - uninvoiced.1,
        };
        let readiness = contract::InvoiceReadiness {
            order_id: order.order_id.to_string(),
            shipment_id,
            account_id: order.account_id.to_string(),
            amount: Some(wire::money(order.currency, amount_minor)),
            lines: lines.into_iter().map(line).collect(),
            reason: reason.to_owned(),
            ready_time: Some(mesh::wire::timestamp(now)),
            evidence,
            readiness_number: wire::small(order.invoice_count),
        };
        self.pending.push(PendingEvent::InvoiceReady(InvoiceReadiness {
            order_id: order.order_id.clone(),
            readiness_number: order.invoice_count,
            account_id: order.account_id.clone(),
            ready_time: now,
            readiness: Proto(readiness),
            unposted_account_id: order.unposted_account_id(),
            version: 0,
        }));
    }

    fn propose_credit(&mut self, lines: Vec<Settled>, cause: Cause<'_>, now: Timestamp) {
        let amount_minor: i64 = lines.iter().map(|line| -line.amount_minor).sum();
        let not_invoiced_minor = lines.iter().map(|line| -line.uninvoiced.1).sum();
        let order = &mut self.order;
        order.credited_minor += amount_minor;
        order.credit_count += 1;
        let reason = match cause {
            Cause::Shipment(_) | Cause::Completion | Cause::Services => "CORRECTED",
            Cause::WriteOff(_) => "WRITTEN_OFF",
            Cause::Return(_) => "RETURNED",
            Cause::PriceChange => "PRICE_CHANGED",
        };
        let line = |Settled { line_number, sku, quantity, amount_minor, uninvoiced }| contract::CreditedLine {
            line_number,
            sku,
            quantity: -quantity,
            amount_minor: -amount_minor,
            not_invoiced: -uninvoiced.0,
            not_invoiced_minor: -uninvoiced.1,
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
            not_invoiced: Some(wire::money(order.currency, not_invoiced_minor)),
        };
        self.pending.push(PendingEvent::CreditProposed(ProposedCredit {
            order_id: order.order_id.clone(),
            credit_number: order.credit_count,
            account_id: order.account_id.clone(),
            propose_time: now,
            credit: Proto(credit),
            unposted_account_id: order.unposted_account_id(),
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
    /// Settles the units that the customer owes by now with what was settled before; returns the difference if there is any. Units
    /// that were settled before are settled at another price when the line `is_repriced`.
    pub(crate) fn settle(&mut self, owed: i64, is_repriced: bool) -> Option<Settled> {
        let (settled, settled_minor) = self.owed_now();
        let quantity = owed - settled;
        if quantity == 0 && !is_repriced {
            return None;
        }
        let owed_minor = share_of_line(self.amount_minor, self.ordered, owed);
        let amount_minor = owed_minor - settled_minor;
        let before = self.uninvoiced();
        match (quantity, amount_minor) {
            (0, 0) => return None,
            (1.., _) | (0, 1..) => {
                self.invoice_ready += quantity;
                self.invoice_ready_minor += amount_minor;
            }
            _ => {
                self.credited -= quantity;
                self.credited_minor -= amount_minor;
            }
        }
        let uninvoiced = self.uninvoiced_of(before, (quantity, amount_minor));
        let (line_number, sku) = (wire::small(self.line_number), self.sku.clone());
        Some(Settled { line_number, sku, quantity, amount_minor, uninvoiced })
    }

    /// Of units and an amount that were settled, what changed what is ready and not invoiced. An amount follows the units when it
    /// differs by rounding.
    fn uninvoiced_of(&self, before: (i64, i64), (quantity, amount_minor): (i64, i64)) -> (i64, i64) {
        let after = self.uninvoiced();
        let (units, minor) = (after.0 - before.0, after.1 - before.1);
        let follows = match units {
            _ if quantity == 0 => minor,
            0 => self.without_rounding(minor),
            _ if units == quantity => amount_minor - self.without_rounding(amount_minor - minor),
            _ => minor,
        };
        (units, follows)
    }
}
