//! Invoices and credit memos that the ERP issued, and what they leave to invoice and to credit.

use proto::order::v1 as contract;
use store::Proto;
use types::{AccountId, OrderId, Timestamp};

use crate::order_line::OrderLine;

store::record! {
    /// An invoice or a credit memo: its part for an order.
    pub(crate) struct Invoice in "invoices"
        key (account_id: AccountId, kind: InvoiceKind, invoice_number: String, order_id: OrderId) {
        /// When it was recorded.
        record_time: Timestamp,
        /// As the ERP issued it.
        invoice: Proto<contract::Invoice>,
    }
}

store::record! {
    /// What the parts of an invoice or a credit memo have in common, so that a number names one document whatever order comes first.
    pub(crate) struct InvoiceDocument in "invoice_documents"
        key (account_id: AccountId, kind: InvoiceKind, invoice_number: String) {
        /// The part that was recorded first, without its lines.
        first: Proto<contract::Invoice>,
    }
}

store::text_enum! {
    /// Invoice or credit memo.
    pub(crate) enum InvoiceKind = contract::InvoiceKind {
        /// The customer owes it.
        Invoice = "INVOICE",
        /// It is given back to the customer.
        CreditMemo = "CREDIT_MEMO",
    }
}

/// What is left to invoice and to credit: of a line, or of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Balance {
    /// Units that are ready and not invoiced.
    pub(crate) to_invoice: i64,
    /// Amount that is ready and not invoiced.
    pub(crate) to_invoice_minor: i64,
    /// Units that are invoiced and not owed.
    pub(crate) to_credit: i64,
    /// Amount that is invoiced and not owed.
    pub(crate) to_credit_minor: i64,
}

impl Balance {
    /// Whether something is to be invoiced.
    pub(crate) fn is_to_invoice(&self) -> bool {
        self.to_invoice > 0 || self.to_invoice_minor > 0
    }

    /// Whether something is to be credited.
    pub(crate) fn is_to_credit(&self) -> bool {
        self.to_credit > 0 || self.to_credit_minor > 0
    }

    /// What several lines have together.
    pub(crate) fn of<'l>(lines: impl IntoIterator<Item = &'l OrderLine>) -> Self {
        lines.into_iter().map(OrderLine::balance).fold(Self::default(), |sum, line| Self {
            to_invoice: sum.to_invoice + line.to_invoice,
            to_invoice_minor: sum.to_invoice_minor + line.to_invoice_minor,
            to_credit: sum.to_credit + line.to_credit,
            to_credit_minor: sum.to_credit_minor.saturating_add(line.to_credit_minor),
        })
    }
}

impl OrderLine {
    /// Counts all units and the amount that an invoice or a credit memo has of it.
    pub(crate) fn count_invoiced(&mut self, kind: InvoiceKind, quantity: i64, amount_minor: i64) {
        let (units, minor) = match kind {
            InvoiceKind::Invoice => (&mut self.invoiced, &mut self.invoiced_minor),
            InvoiceKind::CreditMemo => (&mut self.credit_posted, &mut self.credit_posted_minor),
        };
        *units = units.saturating_add(quantity);
        *minor = minor.saturating_add(amount_minor);
        self.invoice_lines += 1;
    }

    /// Units and amount that are ready and not credited.
    pub(crate) fn owed_now(&self) -> (i64, i64) {
        (self.invoice_ready - self.credited, self.invoice_ready_minor - self.credited_minor)
    }

    /// Units and amount that are invoiced and not credited by a memo.
    fn demanded(&self) -> (i64, i64) {
        ((self.invoiced - self.credit_posted).max(0), (self.invoiced_minor - self.credit_posted_minor).max(0))
    }

    /// Units and amount that are ready and not invoiced, to the minor unit.
    pub(crate) fn uninvoiced(&self) -> (i64, i64) {
        let ((owed, owed_minor), (demanded, demanded_minor)) = (self.owed_now(), self.demanded());
        ((owed - demanded).max(0), (owed_minor - demanded_minor).max(0))
    }

    /// Whether anything is invoiced and not credited by a memo.
    pub(crate) fn is_invoiced(&self) -> bool {
        self.demanded() != (0, 0)
    }

    /// Whether more is credited by memos than is invoiced.
    pub(crate) fn is_over_credited(&self) -> bool {
        self.credit_posted > self.invoiced || self.credit_posted_minor - self.invoiced_minor > self.invoice_lines
    }

    /// An amount without the difference that roundings make: the ERP rounds what an invoice has of a line once.
    pub(crate) fn without_rounding(&self, minor: i64) -> i64 {
        if minor.abs() <= self.invoice_lines { 0 } else { minor }
    }

    /// What is left to invoice and to credit.
    pub(crate) fn balance(&self) -> Balance {
        let ((owed, owed_minor), (demanded, demanded_minor)) = (self.owed_now(), self.demanded());
        let (missing, missing_minor) = (owed - demanded, owed_minor - demanded_minor);
        // An amount that goes another way than the units, or without any, may be what roundings make.
        let agrees = missing.signum() == missing_minor.signum();
        let missing_minor = if agrees { missing_minor } else { self.without_rounding(missing_minor) };
        Balance {
            to_invoice: missing.max(0),
            to_invoice_minor: missing_minor.max(0),
            to_credit: (-missing).max(0),
            to_credit_minor: (-missing_minor).max(0),
        }
    }
}
