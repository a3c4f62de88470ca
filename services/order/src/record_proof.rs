//! Records that the proof of a delivery was captured, or taken back: of an order whose units become ready to invoice by it.

use proto::{event::v1::Event, fulfillment::v1::Shipment};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::Fault;

use crate::{
    aggregate::OrderAggregate,
    order::Order,
    process::{evidence::OrderShipment, settlement::Cause},
};

/// The proofs of a shipment's packages have changed.
#[derive(Debug)]
pub(crate) struct RecordProof(OrderShipment);

/// The command that records the proofs of the shipment that an event carries, if it carries one.
pub(crate) fn record_proof(shipment: Option<Shipment>, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let read = shipment.map(|shipment| OrderShipment::read(&shipment, event)).transpose()?;
    Ok(read.into_iter().map(|shipment| Box::new(RecordProof(shipment)) as Box<dyn AnyCommand>).collect())
}

/// Whether proofs change anything: only of these orders more than their header is read.
fn counts(order: &Order) -> bool {
    order.invoice_policy.keeps_evidence()
}

impl Command for RecordProof {
    type Reply = ();

    const NAME: &'static str = "RecordProof";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        let order_id = &self.0.order_id;
        needs.row::<Order>(order_id);
        if rows.get::<Order>(order_id).is_ok_and(|order| order.is_some_and(counts)) {
            OrderAggregate::needs(order_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let order_id = &self.0.order_id;
        let order = rows.get::<Order>(order_id)?.ok_or_else(|| Fault::not_found("order", order_id))?;
        if !counts(order) {
            return Ok(());
        }
        let mut aggregate = OrderAggregate::load(order_id, rows)?;
        let now = cx.now();
        aggregate.change(now, |aggregate| {
            aggregate.take_evidence(&self.0);
            aggregate.settle(Cause::Shipment(&self.0.shipment_id), now);
        });
        aggregate.save(rows, cx).map(|_| ())
    }
}
