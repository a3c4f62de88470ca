//! How many units of an item can still be promised to a destination. Pure.
//!
//! Units are reserved over all locations, so two destinations may compete for the same ones: what one can still get is what
//! remains when every unit that is reserved, and every unit that an earlier order waits for, keeps a location that reaches its own
//! destination (`network.rs`). Where every location reaches everywhere, which is usual, that is one sum.

mod network;

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use store::{Column, Kind, Value};
use types::{Id as _, NodeId};

use self::network::Network;
use crate::{item::HandlingClass, reach::Reach, stock::Stock};

/// Units by location, those that have any. Stored as `nod_a:10;nod_b:5`.
pub(crate) type UnitsAt = UnitsBy<NodeId>;

/// Units by country of destination, those that have any; the country is empty where it is not known. Stored as `DE:10;US:5`.
pub(crate) type UnitsFor = UnitsBy<String>;

/// Units by key; never zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitsBy<K: Ord>(BTreeMap<K, i64>);

impl<K: Ord> Default for UnitsBy<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> UnitsBy<K> {
    /// The units of a key.
    pub(crate) fn of<Q: Ord + ?Sized>(&self, key: &Q) -> i64
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// Sets the units of a key.
    pub(crate) fn set(&mut self, key: &K, units: i64) {
        if units == 0 {
            self.0.remove(key);
        } else {
            self.0.insert(key.clone(), units);
        }
    }

    /// The units of all keys.
    pub(crate) fn total(&self) -> i64 {
        self.0.values().fold(0, |sum, units| sum.saturating_add(*units))
    }

    fn iter(&self) -> impl Iterator<Item = (&K, i64)> {
        self.0.iter().map(|(key, units)| (key, *units))
    }
}

impl<K: Ord + Display + FromStr + Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static> Column for UnitsBy<K> {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let one = |(key, units): (&K, &i64)| format!("{key}:{units}");
        Value::Text(self.0.iter().map(one).collect::<Vec<_>>().join(";"))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        let one = |part: &str| {
            let (key, units) = part.split_once(':')?;
            Some((key.parse().ok()?, units.parse().ok()?))
        };
        text.split(';').filter(|part| !part.is_empty()).map(one).collect::<Option<_>>().map(Self)
    }
}

/// Whether units at a location can be sent to a country, of an item that must be stored in some way.
type Reaches = fn(&Reach, &str, &str, HandlingClass) -> bool;

/// The stock of an item, with what can be sent where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Supply<'a> {
    stock: &'a Stock,
    /// `None` where every location with units reaches everywhere.
    reach: Option<&'a Reach>,
}

impl<'a> Supply<'a> {
    /// The supply of an item; nothing is restricted without a known reach.
    pub(crate) fn of(stock: &'a Stock, reach: Option<&'a Reach>) -> Self {
        let class = stock.handling_class;
        let restricts = |reach: &&Reach| {
            stock.available_at.iter().any(|(location_id, _)| !reach.reaches_everywhere(location_id.as_str(), class))
        };
        Self { stock, reach: reach.filter(restricts) }
    }

    /// Whether what is available depends on the destination.
    pub(crate) fn is_restricted(&self) -> bool {
        self.reach.is_some()
    }

    /// Whether units at a location can be sent to a destination.
    fn reaches(&self, location_id: &NodeId, country: &str) -> bool {
        let class = self.stock.handling_class;
        self.reach.is_none_or(|reach| reach.reaches(location_id.as_str(), country, class))
    }

    /// Units for a destination that no order has reserved. Backorders have the first right to them.
    pub(crate) fn free_for(&self, country: &str) -> i64 {
        match self.network(country, Reach::reaches) {
            None => self.stock.free(),
            Some((mut network, asking)) => {
                network.satisfy(self.reserved());
                network.push(asking, i64::MAX)
            }
        }
    }

    /// Whether units are free that lines wait for and that reach them.
    pub(crate) fn can_fill(&self) -> bool {
        let waits = |country: &String| self.stock.backordered_for.of(country) > 0;
        self.stock.backordered > 0
            && self.stock.available_at.total() > self.stock.reserved
            && self.stock.backordered_for.0.keys().any(|country| waits(country) && self.free_for(country) > 0)
    }

    /// Units for a destination that a new order can reserve.
    pub(crate) fn promisable_to(&self, country: &str) -> i64 {
        match self.network(country, Reach::reaches) {
            None => self.stock.available_to_promise(),
            Some((mut network, asking)) => {
                network.satisfy(self.reserved());
                network.satisfy(self.backordered());
                network.push(asking, i64::MAX)
            }
        }
    }

    /// Reserved units that no location has for their destination, also when all nodes are active.
    pub(crate) fn missing(&self) -> i64 {
        let reserved = self.stock.reserved;
        match self.network("", Reach::will_reach) {
            None => reserved.saturating_sub(self.stock.available_at.total()).max(0),
            Some((mut network, _)) => reserved - network.satisfy(self.reserved()),
        }
    }

    /// How many of `units` that are reserved for a destination can be allocated at a location, so that every other reserved unit
    /// keeps one that reaches its own destination.
    pub(crate) fn allocatable(&self, country: &str, location_id: &NodeId, units: i64) -> i64 {
        self.fitting(country, location_id, units, 0)
    }

    /// How many units an order for a destination can get at a location: of those that are reserved for the destination already,
    /// and of those that it could still reserve.
    pub(crate) fn available_to(&self, country: &str, location_id: &NodeId) -> i64 {
        let promisable = self.promisable_to(country);
        let wanted = self.stock.reserved_for.of(country).saturating_add(promisable);
        self.fitting(country, location_id, wanted, promisable)
    }

    /// How many of `units` fit at a location when a destination wants `more` than is reserved for it.
    fn fitting(&self, country: &str, location_id: &NodeId, units: i64, more: i64) -> i64 {
        let units = units.min(self.stock.available_at.of(location_id)).max(0);
        let Some((network, asking)) = self.network(country, Reach::reaches) else { return units };
        let at = self.stock.available_at.iter().position(|(known, _)| known == location_id);
        let Some(at) = at.filter(|_| self.reaches(location_id, country)) else { return 0 };
        let satisfied = |allocated: i64| {
            let mut network = network.clone();
            network.take(at, allocated);
            let others = self.reserved().filter(|(demand, _)| *demand != asking);
            let own = self.stock.reserved_for.of(country).saturating_add(more) - allocated;
            network.satisfy(others.chain([(asking, own)]))
        };
        let all = satisfied(0);
        if satisfied(units) >= all - units {
            return units;
        }
        let (mut least, mut most) = (0, units);
        while least < most {
            let middle = least + (most - least + 1) / 2;
            if satisfied(middle) >= all - middle { least = middle } else { most = middle - 1 }
        }
        least
    }

    /// The network of an item whose locations differ, and the demand of the asking destination in it.
    fn network(&self, country: &str, reaches: Reaches) -> Option<(Network, usize)> {
        let reach = self.reach?;
        let class = self.stock.handling_class;
        let mut countries = self.countries();
        if !countries.contains(&country) {
            countries.push(country);
        }
        let reached = |country: &&str| {
            let locations = self.stock.available_at.iter().enumerate();
            let reached = locations.filter(|(_, (id, _))| reaches(reach, id.as_str(), country, class));
            reached.map(|(at, _)| at).collect()
        };
        let asking = countries.iter().position(|known| *known == country)?;
        let supplies = self.stock.available_at.iter().map(|(_, units)| units.max(0)).collect();
        Some((Network::new(supplies, countries.iter().map(reached).collect()), asking))
    }

    /// Destinations with reserved units, then those with backordered units only.
    fn countries(&self) -> Vec<&'a str> {
        let reserved = self.stock.reserved_for.0.keys();
        let backordered = self.stock.backordered_for.0.keys();
        let others = backordered.filter(|country| !self.stock.reserved_for.0.contains_key(*country));
        reserved.chain(others).map(String::as_str).collect()
    }

    fn reserved(&self) -> impl Iterator<Item = (usize, i64)> {
        self.stock.reserved_for.iter().map(|(_, units)| units).enumerate()
    }

    fn backordered(&self) -> impl Iterator<Item = (usize, i64)> {
        let countries = self.countries();
        let units = countries.into_iter().map(|country| self.stock.backordered_for.of(country));
        units.enumerate().collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_back_as_they_were_written() {
        let mut units = UnitsFor::default();
        units.set(&"US".to_owned(), 2);
        units.set(&String::new(), 7);
        units.set(&"DE".to_owned(), 1);
        units.set(&"DE".to_owned(), 0);
        assert_eq!(units.to_value(), Value::Text(":7;US:2".to_owned()));
        assert_eq!(UnitsFor::from_value(units.to_value()), Some(units));
    }
}
