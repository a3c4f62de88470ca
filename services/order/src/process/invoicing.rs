//! What the ERP has invoiced of what the customer owes. An order runs the same when no invoice is ever recorded.
//!
//! 1. The ERP learns what to invoice from `order.invoice_ready` (`process/settlement.rs`), or lists the orders of which something is
//!    ready and not invoiced (`ListOrders`, `to_invoice`).
//! 2. `RecordInvoice` (`record_invoice.rs`) records an invoice or a credit memo that it issued, [`ChangingOrder::record_invoice`]:
//!    `order.invoiced`, `order.credit_posted`. The same one again is answered as the first was, whenever it comes. A collective invoice
//!    comes in one call for each of its orders, each of which is recorded and repeated by itself. Its first call stores what all of
//!    them have in common (`InvoiceDocument`), so that a number is not used for two documents.
//! 3. What is left to invoice and to credit of a line is the difference of what the customer owes and what is invoiced
//!    ([`OrderLine::balance`]), so invoices may come before the reports that they are based on. Units that were returned before they were
//!    invoiced are left off: they are neither owed nor invoiced.
//! 4. An invoice of more than the customer owes, or a credit memo of more than is invoiced: INVOICE_MISMATCH. After any later change
//!    that makes it fit, [`ChangingOrder::balance_invoices`] resolves it. What is credited of what was invoiced rightly is no mismatch.

use std::collections::BTreeMap;

use proto::order::v1::InvoicingStatus;

use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    invoice::{Balance, Invoice, InvoiceKind},
    order::Order,
    order_line::OrderLine,
};

impl ChangingOrder {
    /// Counts an invoice or a credit memo of lines that the order has.
    pub(crate) fn record_invoice(&mut self, invoice: Invoice) {
        // Together for each line of the order, since an invoice may differ by one rounding of each.
        let mut invoiced: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for line in &invoice.invoice.0.lines {
            let (quantity, amount_minor) = invoiced.entry(line.line_number.into()).or_default();
            *quantity = quantity.saturating_add(line.quantity);
            *amount_minor = amount_minor.saturating_add(line.amount_minor);
        }
        for (number, (quantity, amount_minor)) in &invoiced {
            self.with_line(*number, |line| line.count_invoiced(invoice.kind, *quantity, *amount_minor));
        }
        let mut numbers: Vec<i64> = invoiced.into_keys().collect();
        numbers.retain(|number| {
            self.line(*number).is_some_and(|line| match invoice.kind {
                InvoiceKind::Invoice => line.balance().is_to_credit(),
                InvoiceKind::CreditMemo => line.is_over_credited(),
            })
        });
        let number = invoice.invoice_number.clone();
        self.pending.push(PendingEvent::Invoiced(invoice));
        if !numbers.is_empty() {
            self.order.mismatched_invoice = Some(number.clone());
            self.pending.push(PendingEvent::InvoiceMismatched(number, numbers));
        }
    }

    /// Counts the lines of which something is to be invoiced, and resolves INVOICE_MISMATCH when everything fits.
    pub(crate) fn balance_invoices(&mut self) {
        let to_invoice = self.lines.iter().filter(|line| line.balance().is_to_invoice()).count();
        self.order.to_invoice_lines = i64::try_from(to_invoice).unwrap_or(i64::MAX);
        let fits = |line: &OrderLine| !line.balance().is_to_credit() && !line.is_over_credited();
        if self.order.mismatched_invoice.is_some() && self.lines.iter().all(fits) {
            self.order.mismatched_invoice = None;
            self.pending.push(PendingEvent::InvoiceMatches);
        }
    }
}

impl Order {
    /// How far it is invoiced, given all its lines and what is left of them.
    pub(crate) fn invoicing_status(&self, lines: &[OrderLine], balance: &Balance) -> InvoicingStatus {
        let is_invoiced = lines.iter().any(OrderLine::is_invoiced);
        let awaits = self.state.is_open() || lines.iter().any(OrderLine::may_owe_more);
        match () {
            () if balance.is_to_credit() => InvoicingStatus::OverInvoiced,
            () if balance.is_to_invoice() && !is_invoiced => InvoicingStatus::Ready,
            () if balance.is_to_invoice() => InvoicingStatus::PartiallyInvoiced,
            () if awaits && is_invoiced => InvoicingStatus::PartiallyInvoiced,
            () if awaits => InvoicingStatus::NotReady,
            () if is_invoiced => InvoicingStatus::Invoiced,
            () => InvoicingStatus::NothingToInvoice,
        }
    }
}

impl OrderLine {
    /// Whether shipped units may still become owed, as of which the delivery or its proof is not reported.
    fn may_owe_more(&self) -> bool {
        let most = (self.shipped - self.creditable).min(self.shipped - self.over_shipped);
        most > self.owed_now().0
    }
}
