//! Reads of recorded invoices and credit memos.

use chassis::Select;
use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Column, Db, Kind, Record, page::Page};
use types::{AccountId, Fault, OrderId, limits::MAX_OUTSIDE_NUMBER};

use crate::invoice::Invoice;

/// The key columns of the list of invoices.
pub(crate) const INVOICES_KEY: &[Kind] = &[Kind::Integer, Kind::Text, Kind::Text, Kind::Text];

/// Which invoices are listed.
#[derive(Debug)]
pub(crate) struct InvoiceFilter {
    order_id: Option<OrderId>,
    account_id: Option<AccountId>,
    /// Only with this number; with any when empty.
    invoice_number: String,
}

impl InvoiceFilter {
    /// Reads the filter of a request.
    pub(crate) fn parse(request: &contract::ListInvoicesRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.optional_id("order_id", &request.order_id);
        let account_id = checks.optional_id("account_id", &request.account_id);
        let number = checks.optional_text("invoice_number", &request.invoice_number, MAX_OUTSIDE_NUMBER);
        checks.done()?;
        Ok(Self { order_id: checked(order_id)?, account_id: checked(account_id)?, invoice_number: checked(number)? })
    }
}

/// A page of the invoices of orders that the caller sees, newest first.
pub(crate) async fn invoices(
    db: &Db,
    filter: &InvoiceFilter,
    caller: &Principal,
    page: &Page,
) -> Result<Vec<Invoice>, Fault> {
    let mut select = Select::new();
    if let Some(order_id) = &filter.order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    if !filter.invoice_number.is_empty() {
        let is_of_order = filter.order_id.is_some();
        let condition = if is_of_order { "invoice_number || '' = ?" } else { "invoice_number = ?" };
        select.few(condition, filter.invoice_number.to_value());
    }
    select.equal("account_id", filter.account_id.as_ref());
    select.seen_by(caller);
    select.after(&["record_time", "order_id", "kind", "invoice_number"], "<", page);
    let order = "record_time DESC, order_id DESC, kind DESC, invoice_number DESC";
    let (tail, args) =
        select.into_merged_page(Invoice::TABLE, "account_id, kind, invoice_number, order_id", order, page.limit());
    db.list(&tail, args).await
}
