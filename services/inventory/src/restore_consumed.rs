//! Restores units of a shipment that were consumed and did not leave after all: they are on hand and allocated again, at the
//! location that they were said to have left. Units that another location is to ship are only on hand. Units that no location is to
//! ship any more, because the other one has stopped, are reserved again (`replace_consumed.rs`).

use mesh::wire::one_id;
use proto::fulfillment::v1::ShipmentShipped;
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, Id as _, NodeId, OrderId, ShipmentId, Timestamp};

use crate::{
    consume::Consumption,
    ledger::{Cause, OutboundQuantity},
    quantity::RequestedLine,
    replace_consumed::Replacement,
    reservation::LineKey,
    working_set::WorkingSet,
};

/// Units of a shipment that stayed.
pub(crate) struct RestoreConsumed {
    shipment_id: ShipmentId,
    order_id: OrderId,
    account_id: Option<AccountId>,
    location_id: NodeId,
    lines: Vec<RequestedLine>,
    /// Of the lines, units that this location is not to ship again.
    elsewhere: Vec<RequestedLine>,
    /// Of those, units that no location is to ship any more.
    free: Vec<RequestedLine>,
    /// The event of the retracted departure.
    event_id: String,
    /// When they were said to have left; now when absent.
    occur_time: Option<Timestamp>,
}

impl RestoreConsumed {
    /// The units of a retracted departure, if there are any.
    pub(crate) fn of(
        stayed: ShipmentShipped,
        event_id: &str,
        occur_time: Option<Timestamp>,
    ) -> Result<Option<Self>, Fault> {
        let shipment = stayed.shipment.unwrap_or_default();
        let lines = RequestedLine::of_event(stayed.lines);
        if lines.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            shipment_id: one_id("shipment.shipment_id", &shipment.shipment_id)?,
            order_id: one_id("shipment.order_id", &shipment.order_id)?,
            account_id: shipment.account_id.parse().ok(),
            location_id: one_id("shipment.node_id", &shipment.node_id)?,
            lines,
            elsewhere: RequestedLine::of_event(stayed.over_shipped),
            free: RequestedLine::of_event(stayed.free),
            event_id: event_id.to_owned(),
            occur_time,
        }))
    }

    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines(self.keys());
        for (line, (order_id, line_number)) in self.lines.iter().zip(self.keys()) {
            set.allocation((order_id, line_number, self.location_id.clone()));
            set.on_hand_changes(rows, &line.sku, &self.location_id, line.quantity);
            if !self.free.is_empty() {
                set.units_become_free(rows, &line.sku);
            }
        }
        set
    }
}

impl Command for RestoreConsumed {
    type Reply = ();
    const NAME: &'static str = "RestoreConsumed";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.under::<Consumption>(&self.shipment_id);
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("lines", self.lines.iter().map(|line| &line.sku))?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for (key, line) in self.keys().zip(&self.lines) {
            let known = rows.get::<Consumption>(&(self.shipment_id.clone(), line.line_number))?.cloned();
            let Some(known) = known else { continue };
            let quantity = line.quantity.min(known.called_units.max(known.shipped_units));
            rows.put(Consumption {
                called_units: (known.called_units - quantity).max(0),
                shipped_units: (known.shipped_units - quantity).max(0),
                ..known
            });
            if quantity > 0 {
                let stayed = OutboundQuantity {
                    shipment_id: self.shipment_id.as_str(),
                    location_id: &self.location_id,
                    sku: &line.sku,
                    quantity,
                    occur_time,
                };
                ledger.restore(&key, stayed, quantity_of(&self.elsewhere, line.line_number))?;
            }
            ledger.reserve_again(&key, quantity_of(&self.free, line.line_number))?;
        }
        ledger.save(&Cause::Shipment(&self.order_id, self.shipment_id.as_str(), self.account_id.as_ref()), rows, cx)?;
        if !self.free.is_empty() {
            let replacement = Replacement {
                order_id: &self.order_id,
                account_id: self.account_id.as_ref(),
                shipment_id: self.shipment_id.as_str(),
                lines: &self.free,
                key: &self.event_id,
            };
            replacement.emit(rows, cx)?;
        }
        Ok(())
    }
}

/// Units of a line.
fn quantity_of(lines: &[RequestedLine], line_number: i64) -> i64 {
    lines.iter().filter(|line| line.line_number == line_number).map(|line| line.quantity).sum()
}
