//! When goods that leave a node are delivered, by the lane to their destination.
//!
//! The day of departure is that of the node's zone. From there the delivery days of the lane are counted, and the delivery is
//! promised for the end of the last of them where the goods go: in the zone of the ship-to, or in that of the node when the
//! ship-to has none. Holidays of the destination are not known.

use proto::fulfillment::v1::{Lane, Node};
use types::{Timestamp, WorkingDays, Zone};

use super::departure::{weekdays, zone};
use crate::node::EVERYWHERE;

/// Where goods go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Destination {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: String,
    /// As [`plain`] makes it.
    postal_code: String,
    /// The name of its zone, and the zone.
    zone: Option<(String, Zone)>,
}

impl Destination {
    /// A destination; one with an unknown zone is one without a zone.
    pub(crate) fn new(country: &str, postal_code: &str, time_zone: &str) -> Self {
        let zone = Zone::named(time_zone).map(|zone| (time_zone.to_owned(), zone));
        Self { country: country.to_owned(), postal_code: plain(postal_code), zone }
    }

    /// The zone of its business day when goods come from a node, for people.
    pub(crate) fn zone_name(&self, node: &Node) -> String {
        match &self.zone {
            Some((name, _)) => format!("day of {name}, the ship-to's zone"),
            None => {
                format!(
                    "day of {}, the warehouse's zone",
                    if node.time_zone.is_empty() { "UTC" } else { &node.time_zone }
                )
            }
        }
    }
}

/// A postal code without what people write differently.
fn plain(code: &str) -> String {
    code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The lane from a node to a destination, with the prefix of it that matches: the most specific one, and of several such the
/// slowest.
pub(crate) fn lane<'n>(node: &'n Node, to: &Destination) -> Option<(&'n Lane, &'n str)> {
    let matching = node.lanes.iter().filter_map(|lane| {
        let named = lane.countries.contains(&to.country);
        if !named && !lane.countries.iter().any(|code| code == EVERYWHERE) {
            return None;
        }
        let prefixes = lane.postal_prefixes.iter().map(|prefix| (plain(prefix), prefix.as_str()));
        let longest =
            prefixes.filter(|(plain, _)| to.postal_code.starts_with(plain)).max_by_key(|(plain, _)| plain.len());
        match longest {
            Some((plain, prefix)) => Some(((named, plain.len(), lane.transit_days), (lane, prefix))),
            None => lane.postal_prefixes.is_empty().then_some(((named, 0, lane.transit_days), (lane, ""))),
        }
    });
    matching.max_by_key(|(rank, _)| *rank).map(|(_, found)| found)
}

/// When goods that leave the node then are delivered. `None` beyond the last year of the calendar.
pub(crate) fn delivery(node: &Node, lane: &Lane, to: &Destination, departure: Timestamp) -> Option<Timestamp> {
    let of_node = zone(node);
    let there = to.zone.as_ref().map_or(&of_node, |(_, zone)| zone);
    let days = WorkingDays::new(weekdays(lane.delivery_days()), []);
    let (left, _) = of_node.local(departure)?;
    let first = days.after(left, u32::try_from(lane.transit_days).unwrap_or_default())?;
    // That day may be over there before the goods leave here.
    let ends = std::iter::successors(Some(first), |day| days.after(*day, 1)).take(4);
    ends.filter_map(|day| there.end_of(day)).find(|end| *end >= departure)
}
