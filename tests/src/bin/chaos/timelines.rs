//! Checks that every event of an order is on its timeline, and that the services count the units that the events tell of.

use std::collections::BTreeMap;

use anyhow::Context as _;
use prost::Message as _;
use proto::{
    event::v1::Event,
    events::{FulfillmentEvent, InventoryEvent, LogEvent as _, OrderEvent},
    fulfillment::v1::WriteOffRemedy,
    types::v1::LineQuantity,
};
use store::Db;

use crate::faults::Tally;

/// Units of an order's lines.
type Units = BTreeMap<(String, i64), i64>;

/// What the events of all orders tell.
#[derive(Debug, Default)]
struct Told {
    /// Units that left, less those that did not after all.
    left: Units,
    /// Units that left and are not owed to the customer any more: written off, and cancelled or reserved again.
    written_off: Units,
    /// Units that were delivered, less those that were not after all.
    delivered: Units,
    /// Units that were cancelled.
    cancelled: Units,
}

impl Told {
    fn add(&mut self, service: &str, event: &Event) -> anyhow::Result<()> {
        match service {
            FulfillmentEvent::SOURCE => {
                let fulfillment_event = FulfillmentEvent::decode(event)?;
                if let FulfillmentEvent::ShipmentShipped(payload) = fulfillment_event {
                    add(&mut self.left, event, payload.lines, 1);
                } else if let FulfillmentEvent::ShipmentDepartureRetracted(payload) = fulfillment_event {
                    add(&mut self.left, event, payload.lines, -1);
                } else if let FulfillmentEvent::ShipmentDelivered(payload)
                | FulfillmentEvent::ShipmentPartiallyDelivered(payload) = fulfillment_event
                {
                    add(&mut self.delivered, event, payload.lines, 1);
                } else if let FulfillmentEvent::ShipmentDeliveryRetracted(payload) = fulfillment_event {
                    add(&mut self.delivered, event, payload.lines, -1);
                } else if let FulfillmentEvent::FulfillmentCancelled(payload) = fulfillment_event {
                    add(&mut self.cancelled, event, payload.lines, 1);
                } else if let FulfillmentEvent::ShipmentWrittenOff(payload) = fulfillment_event
                    && payload.remedy() == WriteOffRemedy::Cancel
                {
                    add(&mut self.written_off, event, payload.lines.clone(), 1);
                    add(&mut self.cancelled, event, payload.lines, 1);
                }
            }
            InventoryEvent::SOURCE => {
                if let InventoryEvent::InventoryReplacementReserved(payload) = InventoryEvent::decode(event)? {
                    add(&mut self.written_off, event, payload.lines, 1);
                }
            }
            OrderEvent::SOURCE => {
                if let OrderEvent::OrderLineCancelled(payload) = OrderEvent::decode(event)? {
                    add(&mut self.cancelled, event, payload.lines, 1);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What was told of a line: shipped, delivered, cancelled.
    fn of(&self, line: &(String, i64)) -> [(&'static str, i64); 3] {
        let at = |units: &Units| units.get(line).copied().unwrap_or(0);
        let shipped = at(&self.left) - at(&self.written_off);
        [("shipped", shipped), ("delivered", at(&self.delivered)), ("cancelled", at(&self.cancelled))]
    }
}

/// Every event of an order is on its timeline once, and its quantities are those that the services count.
pub(crate) async fn check(databases: &BTreeMap<&str, Db>, tally: &Tally) -> anyhow::Result<()> {
    let operations = databases.get("operations").context("no database of operations")?;
    let mut entries: BTreeMap<(String, i64), Vec<u8>> = BTreeMap::new();
    for row in operations.query("SELECT source, position, body FROM timeline", Vec::new()).await? {
        entries.insert((row.at(0)?, row.at(1)?), row.at(2)?);
    }
    let mut told = Told::default();
    for (service, db) in databases {
        let events = "SELECT position, body FROM events WHERE correlation_id LIKE 'ord_%' ORDER BY position";
        for row in db.query(events, Vec::new()).await? {
            let (position, body): (i64, Vec<u8>) = (row.at(0)?, row.at(1)?);
            match entries.remove(&((*service).to_owned(), position)) {
                Some(entry) if entry == body => {}
                entry => tally.violation(format!(
                    "event {position} of {service} is {} on the timeline",
                    if entry.is_some() { "another" } else { "not" }
                )),
            }
            told.add(service, &Event::decode(body.as_slice())?)?;
        }
    }
    for (source, position) in entries.keys() {
        tally.violation(format!("entry {position} of {source} is on the timeline and in no log"));
    }

    let order = databases.get("order").context("no database of order")?;
    let lines = "SELECT l.order_id, l.line_number, l.shipped, l.delivered, l.cancelled, o.state, l.item_kind FROM order_lines l \
                 JOIN orders o ON o.order_id = l.order_id";
    for row in order.query(lines, Vec::new()).await? {
        let line: (String, i64) = (row.at(0)?, row.at(1)?);
        let rejected = row.at::<String>(5)? == "REJECTED";
        // What is shipped of goods counts of the services that go with them.
        let is_service = row.at::<String>(6)? == "SERVICE";
        for (column, (what, shown)) in
            (2..).zip(told.of(&line)).filter(|(_, (what, _))| !is_service || *what == "cancelled")
        {
            let counted = row.at::<i64>(column)?;
            if shown != counted && !(rejected && what == "cancelled") {
                let (id, number) = &line;
                tally.violation(format!("{id} line {number}: {shown} units {what} on the timeline, {counted} counted"));
            }
        }
    }
    let [left, delivered] = [&mut told.left, &mut told.delivered];
    left.retain(|_, units| *units != 0);
    delivered.retain(|_, units| *units != 0);
    agree(
        databases,
        "fulfillment",
        "SELECT f.order_id, l.line_number, SUM(l.shipped) FROM fulfillment_lines l \
        JOIN fulfillment_orders f ON f.fulfillment_order_id = l.fulfillment_order_id GROUP BY 1, 2",
        left,
        tally,
    )
    .await?;
    agree(
        databases,
        "inventory",
        "SELECT order_id, line_number, SUM(CASE WHEN called_units > shipped_units THEN called_units ELSE shipped_units END) \
        FROM consumptions GROUP BY 1, 2",
        left,
        tally,
    )
    .await?;
    agree(
        databases,
        "returns",
        "SELECT order_id, line_number, SUM(quantity) FROM deliveries GROUP BY 1, 2",
        delivered,
        tally,
    )
    .await
}

/// Compares the units of the log with those that another service counts.
async fn agree(
    databases: &BTreeMap<&str, Db>,
    service: &str,
    counts: &str,
    logged: &Units,
    tally: &Tally,
) -> anyhow::Result<()> {
    let db = databases.get(service).with_context(|| format!("no database of {service}"))?;
    let mut counted = Units::new();
    for row in db.query(counts, Vec::new()).await? {
        let (line, units): ((String, i64), i64) = ((row.at(0)?, row.at(1)?), row.at(2)?);
        if units != 0 {
            counted.insert(line, units);
        }
    }
    for line in logged.keys().chain(counted.keys()) {
        let (logged, counted) = (logged.get(line), counted.get(line));
        if logged != counted {
            tally.violation(format!("{service} counts {counted:?} units of {line:?}, the log counts {logged:?}"));
        }
    }
    Ok(())
}

fn add(units: &mut Units, event: &Event, lines: Vec<LineQuantity>, sign: i64) {
    for line in lines {
        let of_line = (event.correlation_id.clone(), i64::from(line.line_number));
        *units.entry(of_line).or_default() += sign * line.quantity;
    }
}
