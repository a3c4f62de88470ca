//! Fields of a node in a request.

pub(crate) mod calendar;

use std::time::Duration;

use mesh::wire::Checks;
use proto::fulfillment::v1;
use types::{Zone, is_country};

use super::{EVERYWHERE, HandlingClass, HandlingClasses, ServiceArea, ServiceAreas};

/// The most service areas of a node.
const MAX_AREAS: usize = 100;

/// The most countries of a service area.
const MAX_COUNTRIES: usize = 300;

/// The longest handling time.
const MAX_HANDLING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An IANA time zone; UTC when empty.
pub(crate) fn time_zone(text: &str, checks: &mut Checks) -> Option<String> {
    if text.is_empty() {
        return Some("UTC".to_owned());
    }
    if Zone::named(text).is_some() {
        return Some(text.to_owned());
    }
    checks.wrong("time_zone", "must be an IANA time zone, such as Europe/Berlin");
    None
}

/// Microseconds to accept a fulfillment order; `None` when absent.
pub(crate) fn accept_within(duration: Option<&prost_types::Duration>, checks: &mut Checks) -> Option<i64> {
    let duration = checks.optional_duration("accept_within", duration).flatten()?;
    let micros = i64::try_from(duration.as_micros()).ok().filter(|micros| *micros > 0);
    if micros.is_none() {
        checks.wrong("accept_within", "must be 1 microsecond to 290,000 years");
    }
    micros
}

/// Microseconds from a fulfillment order to the departure of the goods; `None` when absent.
pub(crate) fn handling_time(duration: Option<&prost_types::Duration>, checks: &mut Checks) -> Option<i64> {
    let time = Duration::try_from(*duration?).ok().filter(|time| *time <= MAX_HANDLING);
    if time.is_none() {
        checks.wrong("handling_time", "must be 0 to 30 days");
    }
    time.and_then(|time| i64::try_from(time.as_micros()).ok())
}

/// Handling classes, each once.
pub(crate) fn handling_classes(numbers: &[i32], checks: &mut Checks) -> Option<HandlingClasses> {
    checks.choices("handling_classes", numbers, HandlingClass::from_contract).map(HandlingClasses)
}

/// Service areas.
pub(crate) fn service_areas(areas: &[v1::ServiceArea], checks: &mut Checks) -> ServiceAreas {
    if areas.len() > MAX_AREAS {
        checks.wrong("service_areas", format!("must have at most {MAX_AREAS} areas"));
        return ServiceAreas::default();
    }
    for (at, area) in areas.iter().enumerate() {
        let field = format!("service_areas[{at}]");
        if area.countries.is_empty() || area.countries.len() > MAX_COUNTRIES {
            checks.wrong(format!("{field}.countries"), "must have 1 to 300 countries");
            continue;
        }
        for (index, code) in area.countries.iter().enumerate() {
            if code != EVERYWHERE && !is_country(code) {
                let text = "must be an ISO 3166-1 alpha-2 country code in capitals, or *";
                checks.wrong(format!("{field}.countries[{index}]"), text);
            }
        }
        if area.rank < 0 {
            checks.wrong(format!("{field}.rank"), "must not be negative");
        }
    }
    let area = |area: &v1::ServiceArea| ServiceArea { countries: area.countries.clone(), rank: area.rank };
    ServiceAreas(areas.iter().map(area).collect())
}
