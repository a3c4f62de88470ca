//! Nodes: places that fulfil, what they can keep, and where they ship to.

use std::time::Duration;

use store::{Column, Kind, Value};
use types::{NodeId, PartnerId, Timestamp};

store::record! {
    /// A place that fulfils.
    pub struct Node in "nodes" key (node_id: NodeId) {
        /// Name.
        name: String,
        /// The partner that runs it.
        partner_id: PartnerId,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// IANA zone.
        time_zone: String,
        /// What it can keep.
        handling_classes: HandlingClasses,
        /// Where it ships to.
        service_areas: ServiceAreas,
        /// Microseconds it may take to accept work.
        accept_within_micros: Option<i64>,
        /// Whether it gets new work.
        state: State,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::text_enum! {
    /// Whether a node gets new work.
    pub enum State {
        /// It does.
        Active = "ACTIVE",
        /// It does not.
        Paused = "PAUSED",
    }
}

store::text_enum! {
    /// How goods must be kept.
    pub enum HandlingClass {
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

/// Several handling classes, kept as `AMBIENT,CHILLED`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandlingClasses(pub Vec<HandlingClass>);

/// Countries a node ships to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceArea {
    /// ISO 3166-1 alpha-2 codes; `*` is every country.
    pub countries: Vec<String>,
    /// Lower ranks are tried first.
    pub rank: i32,
}

/// Several service areas, kept as `0:DE,AT;9:*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceAreas(pub Vec<ServiceArea>);

/// Every country.
pub const EVERYWHERE: &str = "*";

impl Node {
    /// How long it may take to accept work.
    pub fn accept_within(&self) -> Option<Duration> {
        self.accept_within_micros.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros)
    }

    /// The best rank of an area with the country; `None` when it does not ship there.
    pub fn rank(&self, country: &str) -> Option<i32> {
        let serves = |area: &&ServiceArea| area.countries.iter().any(|code| code == country || code == EVERYWHERE);
        self.service_areas.0.iter().filter(serves).map(|area| area.rank).min()
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
