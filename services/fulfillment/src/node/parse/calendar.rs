//! When a node works, and how long its carriers need, in a request.

use std::collections::BTreeSet;

use mesh::wire::Checks;
use proto::fulfillment::v1::{Holidays, Lane, Lanes, Weekday, WorkingDays};
use store::Proto;
use types::{Day, LocalTime, is_country};

use super::{EVERYWHERE, MAX_COUNTRIES};

/// The most holidays of a node.
const MAX_HOLIDAYS: usize = 1_000;

/// The most lanes of a node.
const MAX_LANES: usize = 200;

/// The most postal prefixes of a lane.
const MAX_PREFIXES: usize = 1_000;

/// The longest postal prefix.
const MAX_PREFIX: usize = 16;

/// The longest transit.
const MAX_TRANSIT_DAYS: i32 = 90;

/// A cutoff time; `Some(None)` when it is empty.
pub(crate) fn cutoff_time(text: &str, checks: &mut Checks) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    let read = text.parse::<LocalTime>().map_err(|error| checks.wrong("cutoff_time", error.to_string()));
    read.ok().map(|_| Some(text.to_owned()))
}

/// Weekdays, each once, from Monday on.
pub(crate) fn working_days(field: &str, numbers: &[i32], checks: &mut Checks) -> Option<Proto<WorkingDays>> {
    weekdays(field, numbers, checks).map(|weekdays| Proto(WorkingDays { weekdays }))
}

/// Holidays, each once, in order.
pub(crate) fn holidays(field: &str, dates: &[String], checks: &mut Checks) -> Option<Proto<Holidays>> {
    if !checks.at_most(field, dates.len(), MAX_HOLIDAYS) {
        return None;
    }
    let mut days = BTreeSet::new();
    for (at, date) in dates.iter().enumerate() {
        match date.parse::<Day>() {
            Ok(day) => {
                days.insert(day);
            }
            Err(error) => checks.wrong(format!("{field}[{at}]"), error.to_string()),
        }
    }
    Some(Proto(Holidays { dates: days.iter().map(Day::to_string).collect() }))
}

/// Lanes.
pub(crate) fn lanes(field: &str, lanes: &[Lane], checks: &mut Checks) -> Option<Proto<Lanes>> {
    if !checks.at_most(field, lanes.len(), MAX_LANES) {
        return None;
    }
    let read: Vec<_> = lanes.iter().enumerate().map(|(at, one)| lane(&format!("{field}[{at}]"), one, checks)).collect();
    read.into_iter().collect::<Option<_>>().map(|lanes| Proto(Lanes { lanes }))
}

fn lane(field: &str, lane: &Lane, checks: &mut Checks) -> Option<Lane> {
    if lane.countries.is_empty() || lane.countries.len() > MAX_COUNTRIES {
        checks.wrong(format!("{field}.countries"), "must have 1 to 300 countries");
    }
    for (at, code) in lane.countries.iter().enumerate().take(MAX_COUNTRIES) {
        if code != EVERYWHERE && !is_country(code) {
            let text = "must be an ISO 3166-1 alpha-2 country code in capitals, or *";
            checks.wrong(format!("{field}.countries[{at}]"), text);
        }
    }
    if checks.at_most(format!("{field}.postal_prefixes"), lane.postal_prefixes.len(), MAX_PREFIXES) {
        for (at, prefix) in lane.postal_prefixes.iter().enumerate() {
            if !prefix.chars().any(char::is_alphanumeric) {
                checks.wrong(format!("{field}.postal_prefixes[{at}]"), "must have a letter or a digit");
            } else if prefix.chars().count() > MAX_PREFIX {
                checks.wrong(format!("{field}.postal_prefixes[{at}]"), "must have at most 16 characters");
            }
        }
    }
    if !(0..=MAX_TRANSIT_DAYS).contains(&lane.transit_days) {
        checks.wrong(format!("{field}.transit_days"), "must be 0 to 90");
    }
    let carrier = checks.optional_id::<types::PartnerId>(format!("{field}.carrier_id"), &lane.carrier_id);
    let delivery_days = weekdays(&format!("{field}.delivery_days"), &lane.delivery_days, checks);
    carrier?;
    Some(Lane { delivery_days: delivery_days?, ..lane.clone() })
}

fn weekdays(field: &str, numbers: &[i32], checks: &mut Checks) -> Option<Vec<i32>> {
    checks.choices(field, numbers, |weekday: Weekday| Some(i32::from(weekday)))
}
