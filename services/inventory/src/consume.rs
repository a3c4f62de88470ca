//! Consumes the units of a shipment. They have left: nothing is refused for lack of a reservation or of stock.

use std::collections::BTreeMap;

use mesh::wire::{Checks, checked, one_id};
use proto::{fulfillment::v1::ShipmentShipped, inventory::v1 as wire};
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, Id as _, NodeId, OrderId, ShipmentId, Timestamp};

use crate::{
    ledger::{Cause, OutboundQuantity},
    quantity::RequestedLine,
    reservation::{Allocation, LineKey},
    stock::Level,
    wire::reservations_of,
    working_set::{WorkingSet, loaded},
};

store::record! {
    /// Units of a line that a shipment consumed. Calls and events report the same units: the larger number counts.
    pub(crate) struct Consumption in "consumptions" key (shipment_id: ShipmentId, line_number: i64) {
        order_id: OrderId,
        called_units: i64,
        shipped_units: i64,
    }
}

/// Who reports that units left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A call, once for the whole shipment.
    Call,
    /// An event, for the units that left at its time.
    Event,
}

/// Units that left a location with a shipment.
pub(crate) struct Consume {
    shipment_id: ShipmentId,
    order_id: OrderId,
    /// The account, as events name it; a call leaves it to the reservation.
    account_id: Option<AccountId>,
    location_id: NodeId,
    lines: Vec<RequestedLine>,
    source: Source,
    /// When they left; now when absent.
    occur_time: Option<Timestamp>,
}

impl Consume {
    pub(crate) fn parse(request: &wire::ConsumeRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let shipment_id = checks.id("shipment_id", &request.shipment_id);
        let order_id = checks.id("order_id", &request.order_id);
        let location_id = checks.id("location_id", &request.location_id);
        let lines = RequestedLine::read_all(&mut checks, &request.lines);
        checks.done()?;
        let (shipment_id, order_id) = (checked(shipment_id)?, checked(order_id)?);
        Ok(Self {
            shipment_id,
            order_id,
            account_id: None,
            location_id: checked(location_id)?,
            lines,
            source: Source::Call,
            occur_time: None,
        })
    }

    /// The units of a shipped report, if there are any.
    pub(crate) fn of(shipped: ShipmentShipped, occur_time: Option<Timestamp>) -> Result<Option<Self>, Fault> {
        let shipment = shipped.shipment.unwrap_or_default();
        let lines = RequestedLine::of_event(shipped.lines);
        if lines.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            shipment_id: one_id("shipment.shipment_id", &shipment.shipment_id)?,
            order_id: one_id("shipment.order_id", &shipment.order_id)?,
            account_id: shipment.account_id.parse().ok(),
            location_id: one_id("shipment.node_id", &shipment.node_id)?,
            lines,
            source: Source::Event,
            occur_time,
        }))
    }

    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines(self.keys());
        // Units that leave and how many of them are allocated, by item.
        let mut outbound: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (line, (order_id, line_number)) in self.lines.iter().zip(self.keys()) {
            let key = (order_id, line_number, self.location_id.clone());
            let open = loaded::<Allocation>(rows, &key).map_or(0, |allocation| allocation.open_units);
            let (quantity, allocated) = outbound.entry(&line.sku).or_default();
            *quantity += line.quantity;
            *allocated += open.min(line.quantity);
            set.allocation(key);
        }
        for (sku, (quantity, allocated)) in outbound {
            set.item_at(sku, &self.location_id);
            if allocated < quantity {
                // Units of other orders may have left.
                set.on_hand_changes(rows, sku, &self.location_id, -quantity);
            }
            let level = loaded::<Level>(rows, &(sku.to_owned(), self.location_id.clone()));
            if level.is_none_or(|level| level.on_hand < quantity || level.count_time.is_some()) {
                // Reserved units that do not come off the units on hand become free.
                set.units_become_free(rows, sku);
            }
        }
        set
    }

    /// What is known of the shipment's line with this report, and how many units it adds.
    fn reported(&self, rows: &Rows, line: &RequestedLine) -> Result<(Consumption, i64), Fault> {
        let key = (self.shipment_id.clone(), line.line_number);
        let mut known = rows.get::<Consumption>(&key)?.cloned().unwrap_or_else(|| Consumption {
            shipment_id: self.shipment_id.clone(),
            line_number: line.line_number,
            order_id: self.order_id.clone(),
            called_units: 0,
            shipped_units: 0,
            version: 0,
        });
        let before = known.called_units.max(known.shipped_units);
        match self.source {
            Source::Call => known.called_units = line.quantity,
            Source::Event => known.shipped_units += line.quantity,
        }
        let after = known.called_units.max(known.shipped_units);
        Ok((known, after - before))
    }

    fn consume(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("lines", self.lines.iter().map(|line| &line.sku))?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for (key, line) in self.keys().zip(&self.lines) {
            let (consumption, quantity) = self.reported(rows, line)?;
            rows.put(consumption);
            if quantity > 0 {
                let outbound = OutboundQuantity {
                    shipment_id: self.shipment_id.as_str(),
                    location_id: &self.location_id,
                    sku: &line.sku,
                    quantity,
                    occur_time,
                };
                ledger.find_outbound(&key, &outbound)?;
                ledger.consume(&key, outbound)?;
            }
        }
        ledger.save(&Cause::Shipment(&self.order_id, self.shipment_id.as_str(), self.account_id.as_ref()), rows, cx)
    }
}

impl Command for Consume {
    type Reply = wire::ConsumeResponse;
    const NAME: &'static str = "Consume";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.under::<Consumption>(&self.shipment_id);
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ConsumeResponse, Fault> {
        let known = rows.under::<Consumption>(&self.shipment_id)?;
        if let Some(other) = known.iter().find(|known| known.order_id != self.order_id) {
            let description = format!("is of order {}", other.order_id);
            return Err(Fault::invalid("shipment_id", description));
        }
        let called_before = known.iter().any(|known| known.called_units > 0);
        if self.source == Source::Event || !called_before {
            self.consume(rows, cx)?;
        }
        Ok(wire::ConsumeResponse { reservations: reservations_of(rows, self.keys())? })
    }
}
