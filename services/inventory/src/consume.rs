//! Takes units away for a shipment. It left: nothing here is refused for lack of a promise or of stock.

use std::collections::BTreeMap;

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, Id as _, NodeId, OrderId, ShipmentId, Timestamp};

use crate::{
    ledger::{Leaving, LineKey, Wanted},
    promise::{Allocation, Consumption},
    publish::{About, images, publish},
    receive::known_items,
    scope::{Scope, known},
    stock::Level,
};

/// Who says that units left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// A call, once for the whole shipment.
    Asked,
    /// An event, for the units that left now.
    Event,
}

/// Units that left a location with a shipment.
pub(crate) struct Consume {
    pub(crate) shipment_id: ShipmentId,
    pub(crate) order_id: OrderId,
    pub(crate) location_id: NodeId,
    pub(crate) lines: Vec<Wanted>,
    pub(crate) told: Told,
    /// When they left; now when not known.
    pub(crate) occur_time: Option<Timestamp>,
}

impl Consume {
    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| (self.order_id.clone(), line.line_number))
    }

    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::of_lines(self.keys());
        let (mut leaving, mut open) = (BTreeMap::new(), BTreeMap::new());
        for (line, (order_id, line_number)) in self.lines.iter().zip(self.keys()) {
            let allocation = (order_id, line_number, self.location_id.clone());
            let allocated = known::<Allocation>(rows, &allocation).map_or(0, |allocation| allocation.open_units);
            *leaving.entry(&line.sku).or_insert(0) += line.quantity;
            *open.entry(&line.sku).or_insert(0) += allocated.min(line.quantity);
            scope.allocations.insert(allocation);
        }
        for (sku, quantity) in leaving {
            let place = (sku.clone(), self.location_id.clone());
            if open.get(sku).is_none_or(|open| *open < quantity) {
                // Units of other orders may have left.
                scope.changes(rows, sku, &self.location_id, -quantity);
            }
            let level = known::<Level>(rows, &place);
            if level.is_none_or(|level| level.on_hand < quantity || level.count_time.is_some()) {
                // What did not come off the units on hand is free for others.
                scope.frees(rows, sku);
            }
            scope.skus.insert(sku.clone());
            scope.places.insert(place);
        }
        scope
    }

    /// What is known of the line's shipment, and how many units are new.
    fn news(&self, rows: &Rows, line: &Wanted) -> Result<(Consumption, i64), Fault> {
        let key = (self.shipment_id.clone(), line.line_number);
        let mut known = rows.get::<Consumption>(&key)?.cloned().unwrap_or_else(|| Consumption {
            shipment_id: self.shipment_id.clone(),
            line_number: line.line_number,
            order_id: self.order_id.clone(),
            asked: 0,
            told: 0,
            version: 0,
        });
        let before = known.asked.max(known.told);
        match self.told {
            Told::Asked => known.asked = line.quantity,
            Told::Event => known.told += line.quantity,
        }
        let after = known.asked.max(known.told);
        Ok((known, after - before))
    }
}

impl Command for Consume {
    type Reply = wire::ConsumeResponse;
    const NAME: &'static str = "Consume";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.under::<Consumption>(&self.shipment_id);
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ConsumeResponse, Fault> {
        let consumed = rows.under::<Consumption>(&self.shipment_id)?;
        if let Some(other) = consumed.iter().find(|known| known.order_id != self.order_id) {
            let description = format!("is of order {}", other.order_id);
            return Err(Fault::invalid("shipment_id", description));
        }
        let asked_before = consumed.iter().any(|known| known.asked > 0);
        if self.told == Told::Event || !asked_before {
            self.take_away(rows, cx)?;
        }
        Ok(wire::ConsumeResponse { reservations: images(rows, self.keys())? })
    }
}

impl Consume {
    fn take_away(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        known_items(&ledger, self.lines.iter().map(|line| line.sku.as_str()), "lines")?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for (key, line) in self.keys().zip(&self.lines) {
            let (consumption, quantity) = self.news(rows, line)?;
            rows.put(consumption);
            if quantity > 0 {
                let leaving = Leaving {
                    shipment_id: self.shipment_id.as_str(),
                    location_id: &self.location_id,
                    sku: &line.sku,
                    quantity,
                    occur_time,
                };
                ledger.consume(&key, leaving)?;
            }
        }
        let about = About::Shipment(&self.order_id, self.shipment_id.as_str());
        publish(ledger.finish()?, about, rows, cx);
        Ok(())
    }
}
