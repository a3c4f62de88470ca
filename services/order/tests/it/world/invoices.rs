//! Invoices of the ERP, and what leads to them.

use proto::{
    events::ReturnsEvent,
    order::v1::{self as contract, InvoiceKind},
    returns::v1::{Disposition, DispositionKind, Return, ReturnChanged, ReturnLine, ReturnState},
};
use testkit::START;
use tonic::{Response, Status};

use super::{World, order_of};

/// The price of an item.
pub(crate) const EACH: i64 = 1_005;

/// An invoice of units and amounts of lines.
pub(crate) fn invoice(
    order: &contract::Order,
    number: &str,
    lines: &[(i32, i64, i64)],
) -> contract::RecordInvoiceRequest {
    let line = |&(line_number, quantity, amount_minor): &(i32, i64, i64)| contract::InvoiceLine {
        line_number,
        quantity,
        amount_minor,
    };
    contract::RecordInvoiceRequest {
        order_id: order.order_id.clone(),
        invoice_number: number.to_owned(),
        issue_time: Some(mesh::wire::timestamp(START)),
        lines: lines.iter().map(line).collect(),
        ..Default::default()
    }
}

/// A credit memo of units and amounts of lines.
pub(crate) fn credit_memo(
    order: &contract::Order,
    number: &str,
    lines: &[(i32, i64, i64)],
) -> contract::RecordInvoiceRequest {
    contract::RecordInvoiceRequest { kind: InvoiceKind::CreditMemo.into(), ..invoice(order, number, lines) }
}

impl World {
    /// Records an invoice, if it is not refused.
    pub(crate) async fn try_record(
        &self,
        request: contract::RecordInvoiceRequest,
    ) -> Result<contract::Invoice, Status> {
        self.orders.clone().record_invoice(request).await.map(Response::into_inner)
    }

    /// Records an invoice; returns the order after it.
    pub(crate) async fn record(&self, request: contract::RecordInvoiceRequest) -> contract::Order {
        let order_id = request.order_id.clone();
        self.try_record(request).await.unwrap();
        self.get(&order_id).await
    }

    /// The orders with something to invoice, by PO number.
    pub(crate) async fn to_invoice(&self) -> Vec<String> {
        let request = contract::ListOrdersRequest { to_invoice: true, ..Default::default() };
        let orders = self.orders.clone().list_orders(request).await.unwrap().into_inner().orders;
        orders.into_iter().map(|order| order.customer_po).collect()
    }

    /// The types of its exceptions that are open.
    pub(crate) async fn open_exceptions(&self, order: &contract::Order) -> Vec<String> {
        self.events_of(&order.order_id).await.open_exceptions().into_iter().map(|(exception, _)| exception).collect()
    }

    /// The credits proposed for an order.
    pub(crate) async fn credits(&self, order: &contract::Order) -> Vec<contract::ProposedCredit> {
        let request = contract::ListProposedCreditsRequest { order_id: order.order_id.clone(), ..Default::default() };
        self.orders.clone().list_proposed_credits(request).await.unwrap().into_inner().credits
    }

    /// All units of the first line are delivered.
    pub(crate) async fn delivered(&self, units: i64) -> contract::Order {
        let order = self.place(order_of("PO-1", &[("TEA", units)])).await;
        self.ships(&order, "shm_1", &[(1, units)]).await;
        self.delivers(&order, "shm_1", &[(1, units)]).await
    }

    /// So many units of the first line came back and are fit to be sold again; returns the order after it.
    pub(crate) async fn returned(&self, order: &contract::Order, units: i64) -> contract::Order {
        let rma = Return {
            return_id: "rma_1".to_owned(),
            order_id: order.order_id.clone(),
            state: ReturnState::Inspected.into(),
            lines: vec![ReturnLine {
                line_number: 1,
                authorized: units,
                received: units,
                dispositions: vec![Disposition { kind: DispositionKind::Restock.into(), quantity: units }],
                ..Default::default()
            }],
            etag: "3".to_owned(),
            ..Default::default()
        };
        let changed = ReturnsEvent::ReturnInspected(ReturnChanged { r#return: Some(rma) });
        self.returns_log.emit(&order.order_id, &changed);
        self.drain().await;
        self.get(&order.order_id).await
    }
}

/// Units to invoice and to credit, with their amounts.
pub(crate) fn left(order: &contract::Order) -> [i64; 4] {
    let line = &order.lines[0];
    let counters = line.counters.unwrap();
    [counters.to_invoice, line.to_invoice_minor, counters.to_credit, line.to_credit_minor]
}
