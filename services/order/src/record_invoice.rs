//! Records an invoice or a credit memo of the ERP, or its part for an order. The whole process is in `process/invoicing.rs`.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked, timestamp},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Proto, Rows};
use types::{
    AccountId, Currency, Fault, OrderId, Reason, Violation,
    limits::{MAX_LINES, MAX_OUTSIDE_NUMBER},
};

use crate::{
    aggregate::OrderAggregate,
    invoice::{Invoice, InvoiceDocument, InvoiceKind},
    order::Order,
    wire::money,
};

/// The highest amount of a line, in minor units: the sum of all lines does not overflow.
const MAX_AMOUNT: i64 = 1_000_000_000_000_000;

/// The most characters of the address of a document.
const MAX_URI: usize = 2_000;

/// Records an invoice or a credit memo.
#[derive(Debug)]
pub(crate) struct RecordInvoice {
    order_id: OrderId,
    /// The account that the order has to be of; any when `None`.
    account_id: Option<AccountId>,
    kind: InvoiceKind,
    invoice_number: String,
    /// The order's when `None`.
    currency: Option<Currency>,
    /// What the request says of it; the rest follows from the order.
    invoice: contract::Invoice,
    caller: Arc<Principal>,
}

impl RecordInvoice {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::RecordInvoiceRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id: Option<OrderId> = checks.id("order_id", &request.order_id);
        let account_id = checks.optional_id("account_id", &request.account_id);
        let kind = checks.optional_choice::<contract::InvoiceKind>("kind", request.kind);
        let invoice_number = checks.text("invoice_number", &request.invoice_number, MAX_OUTSIDE_NUMBER);
        let issue_time = checks.time("issue_time", request.issue_time.as_ref());
        let due_time = checks.optional_time("due_time", request.due_time.as_ref());
        if let (Some(issued), Some(Some(due))) = (issue_time, due_time)
            && due < issued
        {
            checks.wrong("due_time", "must not be before issue_time");
        }
        let currency = match request.currency.as_str() {
            "" => Some(None),
            code => checks.currency("currency", code).map(Some),
        };
        check_lines(&request.lines, &mut checks);
        let document_uri = checks.optional_text("document_uri", &request.document_uri, MAX_URI);
        let is_address = |uri: &str| {
            let is_web = uri.starts_with("https://") || uri.starts_with("http://");
            uri.is_empty() || (is_web && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte)))
        };
        if !is_address(&request.document_uri) {
            checks.wrong("document_uri", "must be an https or http address, with anything but ASCII percent-encoded");
        }
        checks.done()?;
        let (order_id, invoice_number) = (checked(order_id)?, checked(invoice_number)?);
        let kind = InvoiceKind::from_contract(checked(kind)?).unwrap_or(InvoiceKind::Invoice);
        let invoice = contract::Invoice {
            kind: contract::InvoiceKind::from(kind).into(),
            invoice_number: invoice_number.clone(),
            order_id: order_id.to_string(),
            issue_time: Some(timestamp(checked(issue_time)?)),
            due_time: checked(due_time)?.map(timestamp),
            lines: request.lines.clone(),
            document_uri: checked(document_uri)?,
            ..contract::Invoice::default()
        };
        let (account_id, currency, caller) = (checked(account_id)?, checked(currency)?, caller.clone());
        Ok(Self { order_id, account_id, kind, invoice_number, currency, invoice, caller })
    }

    /// The invoice of an order, which has its lines and currency.
    fn of(&self, order: &OrderAggregate) -> Result<contract::Invoice, Fault> {
        let mut checks = Checks::new();
        let currency = order.order.currency;
        if self.account_id.as_ref().is_some_and(|account_id| *account_id != order.order.account_id) {
            checks.wrong("account_id", "is not the order's account");
        }
        if self.currency.is_some_and(|named| named != currency) {
            checks.wrong("currency", format!("must be {currency}, the order's"));
        }
        for (index, line) in self.invoice.lines.iter().enumerate() {
            if order.line(line.line_number.into()).is_none() {
                let description = format!("the order has no line {}", line.line_number);
                checks.wrong(format!("lines[{index}].line_number"), description);
            }
        }
        checks.done()?;
        Ok(contract::Invoice {
            account_id: order.order.account_id.to_string(),
            currency: currency.to_string(),
            amount: Some(money(currency, self.invoice.lines.iter().map(|line| line.amount_minor).sum())),
            ..self.invoice.clone()
        })
    }
}

impl RecordInvoice {
    /// Refuses other content than is recorded with the number: of the document, and of its part for the order.
    fn check_content(
        &self,
        document: Option<&contract::Invoice>,
        part: Option<&contract::Invoice>,
    ) -> Result<(), Fault> {
        let Some(document) = document else { return Ok(()) };
        let new = &self.invoice;
        let differs = [
            ("issue_time", document.issue_time != new.issue_time),
            ("due_time", document.due_time != new.due_time),
            ("document_uri", document.document_uri != new.document_uri),
            ("lines", part.is_some_and(|part| part.lines != new.lines)),
        ];
        let wrong = |(field, _)| Violation::new(field, "is not what is recorded with the number");
        let violations: Vec<_> = differs.into_iter().filter(|(_, differs)| *differs).map(wrong).collect();
        if violations.is_empty() {
            return Ok(());
        }
        let (number, order_id) = (&self.invoice_number, &part.unwrap_or(document).order_id);
        let message = format!("{number} is recorded already, for order {order_id} with other content");
        let fault = Fault { violations, ..Fault::new(Reason::AlreadyExists, message) };
        Err(fault.fact("invoice_number", number).fact("kind", self.kind.as_str()).fact("order_id", order_id))
    }
}

fn check_lines(lines: &[contract::InvoiceLine], checks: &mut Checks) {
    if lines.is_empty() {
        checks.wrong("lines", "must have at least one line");
    }
    if !checks.at_most("lines", lines.len(), MAX_LINES) {
        return;
    }
    for (index, line) in lines.iter().enumerate() {
        let field = |name: &str| format!("lines[{index}].{name}");
        checks.line_number(field("line_number"), line.line_number);
        checks.quantity(field("quantity"), line.quantity, 0);
        if !(0..=MAX_AMOUNT).contains(&line.amount_minor) {
            checks.wrong(field("amount_minor"), "must be 0 to 1,000,000,000,000,000");
        }
        if line.quantity == 0 && line.amount_minor == 0 {
            checks.wrong(field("quantity"), "must be at least 1 when amount_minor is 0");
        }
    }
}

impl Command for RecordInvoice {
    type Reply = contract::Invoice;

    const NAME: &'static str = "RecordInvoice";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
        if let Ok(Some(order)) = rows.get::<Order>(&self.order_id) {
            let (account_id, number) = (order.account_id.clone(), self.invoice_number.clone());
            needs.row::<Invoice>(&(account_id.clone(), self.kind, number.clone(), self.order_id.clone()));
            needs.row::<InvoiceDocument>(&(account_id, self.kind, number));
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Invoice, Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        let account_id = aggregate.order.account_id.clone();
        if !self.caller.sees(&account_id) {
            return Err(Fault::not_found("order", &self.order_id));
        }
        let invoice = self.of(&aggregate)?;
        let (kind, invoice_number, order_id) = (self.kind, self.invoice_number.clone(), self.order_id.clone());
        let document_key = (account_id.clone(), kind, invoice_number.clone());
        let document = rows.get::<InvoiceDocument>(&document_key)?.map(|document| document.first.0.clone());
        let part = rows.get::<Invoice>(&(account_id.clone(), kind, invoice_number.clone(), order_id.clone()))?;
        let part = part.map(|part| part.invoice.0.clone());
        self.check_content(document.as_ref(), part.as_ref())?;
        if let Some(part) = part {
            return Ok(part);
        }
        let invoice = contract::Invoice { record_time: Some(timestamp(cx.now())), ..invoice };
        if document.is_none() {
            let first = Proto(contract::Invoice { lines: Vec::new(), ..invoice.clone() });
            let (account_id, invoice_number) = (account_id.clone(), invoice_number.clone());
            rows.put(InvoiceDocument { account_id, kind, invoice_number, first, version: 0 });
        }
        let row = Invoice {
            account_id,
            kind,
            invoice_number,
            order_id,
            record_time: cx.now(),
            invoice: Proto(invoice.clone()),
            version: 0,
        };
        aggregate.change(cx.now(), |aggregate| aggregate.record_invoice(row));
        aggregate.save(rows, cx)?;
        Ok(invoice)
    }
}
