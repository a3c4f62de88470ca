//! Nodes with calendars, and local times of Berlin. The tests begin on Sunday 2025-06-15, at 17:06:40 there.

use std::time::Duration;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{
        FulfillmentLine, FulfillmentOrder, FulfillmentOrderChanged, Lane, Node, NodeChanged, NodeState, ServiceArea,
    },
    order::v1 as contract,
    types::v1::HandlingClass,
};
use types::{Timestamp, Zone};

use super::World;

pub(crate) const BERLIN: &str = "Europe/Berlin";

/// A node of Berlin that works Monday to Friday until 14:00 and ships the same day, and needs so many days to anywhere.
pub(crate) fn node(id: &str, transit_days: i32) -> Node {
    Node {
        node_id: id.to_owned(),
        time_zone: BERLIN.to_owned(),
        cutoff_time: "14:00".to_owned(),
        handling_time: Some(prost_types::Duration::default()),
        handling_classes: vec![HandlingClass::Ambient.into()],
        service_areas: vec![ServiceArea { countries: vec!["*".to_owned()], rank: 0 }],
        lanes: vec![Lane { countries: vec!["*".to_owned()], transit_days, ..Default::default() }],
        state: NodeState::Active.into(),
        etag: "1".to_owned(),
        ..Default::default()
    }
}

/// The end of a day in Berlin.
pub(crate) fn end_of(day: &str) -> Option<prost_types::Timestamp> {
    end_in(BERLIN, day)
}

/// The end of a day in a zone.
pub(crate) fn end_in(zone: &str, day: &str) -> Option<prost_types::Timestamp> {
    Zone::named(zone).unwrap().end_of(day.parse().unwrap()).map(mesh::wire::timestamp)
}

/// An instant of June 2025 by the clocks of Berlin.
pub(crate) fn june(day: u64, hour: u64) -> Timestamp {
    let first = Zone::named(BERLIN).unwrap().end_of("2025-05-31".parse().unwrap()).unwrap();
    first.after(Duration::from_secs(1 + (day - 1) * 86_400 + hour * 3_600))
}

/// What a line is promised: ship, delivery, confidence.
pub(crate) fn promise(
    order: &contract::Order,
    index: usize,
) -> (Option<prost_types::Timestamp>, Option<prost_types::Timestamp>, contract::PromiseConfidence) {
    let line = &order.lines[index];
    (line.promised_ship_time, line.promised_delivery_time, line.promise_confidence())
}

impl World {
    /// Fulfillment emits nodes.
    pub(crate) async fn nodes_are(&self, nodes: &[Node]) {
        for node in nodes {
            let changed = NodeChanged { node: Some(node.clone()) };
            self.fulfillment_log.emit("", &FulfillmentEvent::NodeUpdated(changed));
        }
        self.drain().await;
    }

    /// Moves the clock to an instant.
    pub(crate) async fn until(&self, instant: Timestamp) {
        self.clock.advance(instant.since(types::Clock::now(&*self.clock)));
        self.drain().await;
    }

    /// Fulfillment asks a node for units of an order; returns the order after it.
    pub(crate) async fn asks(&self, order: &contract::Order, node_id: &str, units: &[(i32, i64)]) -> contract::Order {
        self.is_asked(order, node_id, units).await;
        self.get(&order.order_id).await
    }

    /// The same, without a look at the order.
    pub(crate) async fn is_asked(&self, order: &contract::Order, node_id: &str, units: &[(i32, i64)]) {
        let line =
            |&(line_number, quantity): &(i32, i64)| FulfillmentLine { line_number, quantity, ..Default::default() };
        let asked = FulfillmentOrder {
            order_id: order.order_id.clone(),
            node_id: node_id.to_owned(),
            lines: units.iter().map(line).collect(),
            create_time: Some(mesh::wire::timestamp(types::Clock::now(&*self.clock))),
            ..Default::default()
        };
        let asked = FulfillmentOrderChanged { fulfillment_order: Some(asked), ..Default::default() };
        self.fulfillment_log.emit(&order.order_id, &FulfillmentEvent::FulfillmentRequested(asked));
        self.drain().await;
    }
}
