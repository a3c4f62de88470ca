//! Nodes: locations that ship, what they can store, and where they ship to.

pub(crate) mod parse;

use std::time::Duration;

use proto::{events::FulfillmentEvent, fulfillment::v1 as contract, types::v1 as contract_types};
use store::{Column, Context, Kind, NewEvent, Proto, Rows, Value};
use types::{NodeId, PartnerId, Timestamp};

use crate::wire;

store::record! {
    /// A location that ships.
    pub(crate) struct Node in "nodes" key (node_id: NodeId) {
        /// Name.
        name: String,
        /// The partner that runs it.
        partner_id: PartnerId,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// IANA zone.
        time_zone: String,
        /// What it can store.
        handling_classes: HandlingClasses,
        /// Where it ships to.
        service_areas: ServiceAreas,
        /// Microseconds within which it has to accept a fulfillment order.
        accept_within_micros: Option<i64>,
        /// Microseconds from a fulfillment order to the departure of the goods.
        handling_micros: i64,
        /// Local time until which a request counts as of the same day.
        cutoff_time: Option<String>,
        /// The weekdays on which it works.
        working_days: Proto<contract::WorkingDays>,
        /// Dates on which it does not.
        holidays: Proto<contract::Holidays>,
        /// How long its carriers need, by destination.
        lanes: Proto<contract::Lanes>,
        /// Whether fulfillment orders are routed to it.
        state: NodeState,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::text_enum! {
    /// Whether fulfillment orders are routed to a node.
    pub(crate) enum NodeState = contract::NodeState {
        /// They are.
        Active = "ACTIVE",
        /// They are not.
        Paused = "PAUSED",
    }
}

store::text_enum! {
    /// How goods must be stored.
    pub(crate) enum HandlingClass = contract_types::HandlingClass {
        /// Above freezing and below heat.
        Ambient = "AMBIENT",
        /// 2 to 8 degrees Celsius.
        Chilled = "CHILLED",
        /// Below minus 18 degrees Celsius.
        Frozen = "FROZEN",
        /// Dangerous goods.
        Hazardous = "HAZARDOUS",
    }
}

/// Several handling classes, stored as `AMBIENT,CHILLED`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HandlingClasses(pub(crate) Vec<HandlingClass>);

/// Countries that a node ships to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceArea {
    /// ISO 3166-1 alpha-2 codes; `*` is every country.
    pub(crate) countries: Vec<String>,
    /// Lower ranks are preferred.
    pub(crate) rank: i32,
}

/// Several service areas, stored as `0:DE,AT;9:*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ServiceAreas(pub(crate) Vec<ServiceArea>);

/// Every country.
pub(crate) const EVERYWHERE: &str = "*";

impl Node {
    /// How long it has to accept a fulfillment order; `None` without a limit.
    pub(crate) fn accept_within(&self) -> Option<Duration> {
        self.accept_within_micros.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros)
    }

    /// How long it needs from a fulfillment order to the departure of the goods.
    pub(crate) fn handling_time(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.handling_micros).unwrap_or_default())
    }

    /// The lowest rank of an area with the country; `None` when it does not ship there.
    pub(crate) fn rank(&self, country: &str) -> Option<i32> {
        let covers = |area: &&ServiceArea| area.countries.iter().any(|code| code == country || code == EVERYWHERE);
        self.service_areas.0.iter().filter(covers).map(|area| area.rank).min()
    }

    /// Saves it and emits its event; returns its snapshot.
    pub(crate) fn save(
        self,
        event: fn(contract::NodeChanged) -> FulfillmentEvent,
        rows: &mut Rows,
        cx: &mut Context<'_>,
    ) -> contract::Node {
        let node = rows.put(self);
        let snapshot = wire::node(&node);
        let payload = event(contract::NodeChanged { node: Some(snapshot.clone()) });
        cx.emit(NewEvent::new(payload, &node.node_id, node.version, node.version));
        snapshot
    }
}

impl Column for HandlingClasses {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let classes: Vec<_> = self.0.iter().map(|class| class.as_str()).collect();
        Value::Text(classes.join(","))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        text.split(',').map(|class| class.parse().ok()).collect::<Option<_>>().map(Self)
    }
}

impl Column for ServiceAreas {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let areas: Vec<_> = self.0.iter().map(|area| format!("{}:{}", area.rank, area.countries.join(","))).collect();
        Value::Text(areas.join(";"))
    }

    fn from_value(value: Value) -> Option<Self> {
        let area = |text: &str| {
            let (rank, countries) = text.split_once(':')?;
            Some(ServiceArea { rank: rank.parse().ok()?, countries: countries.split(',').map(str::to_owned).collect() })
        };
        String::from_value(value)?.split(';').map(area).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_a_node_are_read_back_as_they_were_written() {
        let classes = HandlingClasses(vec![HandlingClass::Ambient, HandlingClass::Frozen]);
        assert_eq!(HandlingClasses::from_value(classes.to_value()), Some(classes));
        let area = |rank, countries: &[&str]| ServiceArea {
            rank,
            countries: countries.iter().map(|code| (*code).to_owned()).collect(),
        };
        let areas = ServiceAreas(vec![area(-1, &["DE", "AT"]), area(9, &["*"])]);
        assert_eq!(areas.to_value(), Value::Text("-1:DE,AT;9:*".to_owned()));
        assert_eq!(ServiceAreas::from_value(areas.to_value()), Some(areas));
    }
}
