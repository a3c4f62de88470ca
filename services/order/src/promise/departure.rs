//! When goods leave a node that is asked at some time.
//!
//! A node that says nothing of its working days works all the time: goods leave when the handling time has passed. The goods of
//! any other leave by the end of a working day, and are promised for its last second. A request until the cutoff time counts as of
//! its day, a later one and one of a day off as of the next working day. The last request of a day, at the cutoff time, has to be
//! handled too: of the handling time what goes beyond that day's end is counted in whole working days.

use std::time::Duration;

use proto::fulfillment::v1::{self as fulfillment, Node};
use types::{Day, LocalTime, Timestamp, Weekday, Weekdays, WorkingDays, Zone};

use crate::node::DEFAULT_HANDLING;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The zone that a node's calendar is in. What was stored is a zone of the database.
pub(crate) fn zone(node: &Node) -> Zone {
    Zone::named(&node.time_zone).unwrap_or_else(Zone::utc)
}

/// Weekdays of the contract.
pub(crate) fn weekdays(weekdays: impl Iterator<Item = fulfillment::Weekday>) -> Weekdays {
    let read = |weekday| {
        Some(match weekday {
            fulfillment::Weekday::Unspecified => return None,
            fulfillment::Weekday::Monday => Weekday::Monday,
            fulfillment::Weekday::Tuesday => Weekday::Tuesday,
            fulfillment::Weekday::Wednesday => Weekday::Wednesday,
            fulfillment::Weekday::Thursday => Weekday::Thursday,
            fulfillment::Weekday::Friday => Weekday::Friday,
            fulfillment::Weekday::Saturday => Weekday::Saturday,
            fulfillment::Weekday::Sunday => Weekday::Sunday,
        })
    };
    weekdays.filter_map(read).collect()
}

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// When goods leave a node that is asked at `request`, and not before they are wanted. `None` beyond the last year of the calendar.
pub(crate) fn departure(node: &Node, request: Timestamp, wanted: Option<Timestamp>) -> Option<Timestamp> {
    let handling = node.handling_time.and_then(|time| Duration::try_from(time).ok()).unwrap_or(DEFAULT_HANDLING);
    let has_calendar = !node.cutoff_time.is_empty() || !node.working_days.is_empty() || !node.holidays.is_empty();
    if !has_calendar {
        let soonest = request.after(handling);
        return Some(wanted.map_or(soonest, |wanted| wanted.max(soonest)));
    }
    let zone = zone(node);
    let holidays = node.holidays.iter().filter_map(|day| day.parse::<Day>().ok());
    let days = WorkingDays::new(weekdays(node.working_days()), holidays);
    let cutoff: Option<LocalTime> = node.cutoff_time.parse().ok();
    let (day, time) = zone.local(request)?;
    // A local time has no seconds: of the minute of the cutoff only the first instant is in time.
    let is_in_time = cutoff.is_none_or(|cutoff| time < cutoff || (time == cutoff && request.as_micros() % MINUTE == 0));
    let first = if is_in_time { days.on_or_after(day)? } else { days.on_or_after(day.next()?)? };
    let last_request = cutoff.map_or(DAY, |cutoff| Duration::from_secs(u64::from(cutoff.minutes()) * 60));
    let whole_days = (last_request + handling).as_micros().div_ceil(DAY.as_micros()).saturating_sub(1);
    let leaves = days.after(first, u32::try_from(whole_days).ok()?)?;
    let wanted = wanted.map(|wanted| zone.local(wanted)).map_or(Some(leaves), |local| local.map(|(day, _)| day))?;
    zone.end_of(days.on_or_after(leaves.max(wanted))?)
}
