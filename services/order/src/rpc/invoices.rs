//! Answers the calls about recorded invoices.

use mesh::{CallInfo, Principal};
use proto::order::v1 as contract;
use store::page::Page;
use types::Fault;

use super::Rpc;
use crate::store::{self as reads, INVOICES_KEY, InvoiceFilter};

/// An invoice as the caller sees it, as its order.
pub(super) fn show_invoice(invoice: contract::Invoice, caller: &Principal) -> Result<contract::Invoice, Fault> {
    if invoice.account_id.parse().is_ok_and(|account_id| caller.sees(&account_id)) {
        return Ok(invoice);
    }
    Err(Fault::not_found("order", invoice.order_id))
}

impl Rpc {
    pub(super) async fn list_invoices(
        &self,
        info: &CallInfo,
        request: contract::ListInvoicesRequest,
    ) -> Result<contract::ListInvoicesResponse, Fault> {
        let filter = InvoiceFilter::parse(&request)?;
        // The debug form has every part of the filter.
        let belongs_to: [&str; 2] = [&format!("{filter:?}"), &info.principal.to_string()];
        let page = Page::read("invoices", &belongs_to, INVOICES_KEY, request.page_size, &request.page_token)?;
        let (found, next_page_token) = reads::invoices(&self.db, &filter, &info.principal, &page).await?;
        let invoices = found.into_iter().map(|invoice| invoice.invoice.0).collect();
        Ok(contract::ListInvoicesResponse { invoices, next_page_token })
    }
}
