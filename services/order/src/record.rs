//! Records what other services report about an order.

use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::{
    aggregate::OrderAggregate,
    change::OrderChange,
    node::Nodes,
    process::{
        evidence::OrderShipment,
        returned_units::{self, OrderReturnLine},
    },
    report::{OrderReport, read_id},
};

/// Records a report about an order.
#[derive(Debug)]
pub(crate) struct RecordReport {
    order_id: OrderId,
    report: OrderReport,
    /// The shipment that it is about, as it is then.
    shipment: Option<OrderShipment>,
}

/// The command that records a report of an event about the order.
pub(crate) fn record(order_id: &str, report: OrderReport) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    Ok(vec![Box::new(RecordReport { order_id: read_id(order_id)?, report, shipment: None })])
}

/// The command that records a report of an event about a shipment of an order.
pub(crate) fn record_of_shipment(shipment: OrderShipment, report: OrderReport) -> Vec<Box<dyn AnyCommand>> {
    vec![Box::new(RecordReport { order_id: shipment.order_id.clone(), report, shipment: Some(shipment) })]
}

impl RecordReport {
    /// The change that it is about, which may have ended.
    fn settled_change(&self) -> Option<(OrderId, i64)> {
        let OrderReport::ShipToChangeSettled(settled) = &self.report else { return None };
        Some((self.order_id.clone(), settled.change_number))
    }
}

impl Command for RecordReport {
    type Reply = ();

    const NAME: &'static str = "RecordReport";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
        if self.report.outdates_promises() {
            needs.row::<Nodes>(&Nodes::key());
        }
        if let Some(key) = self.settled_change() {
            needs.row::<OrderChange>(&key);
        }
        if self.report.changes_shipped() {
            needs.under::<OrderReturnLine>(&self.order_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        aggregate.check_lines(self.report.line_numbers())?;
        let settled = self.settled_change().map(|key| rows.get::<OrderChange>(&key)).transpose()?.flatten();
        let settled = settled.filter(|change| aggregate.order.open_change() != Some(change.change_number)).cloned();
        // A return may have been reported before its units were reported shipped.
        let changes_shipped = self.report.changes_shipped();
        let returned = if changes_shipped { returned_units::sums(&self.order_id, rows)? } else { Vec::new() };
        aggregate.change(cx.now(), |aggregate| {
            aggregate.settled_change = settled;
            if let Some(shipment) = &self.shipment {
                aggregate.take_evidence(shipment);
            }
            aggregate.record(&self.report, cx.now());
            aggregate.count_returns(&returned);
        });
        aggregate.save(rows, cx).map(|_| ())
    }
}
