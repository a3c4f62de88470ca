//! Days on which work is done, in the zone where it is done.
//!
//! Whether a local time is skipped or repeated by a change of the clocks is decided as the time zone database's rules say: one that
//! is skipped counts as so much later, the first one counts of one that is repeated.

mod days;

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp as Instant,
    civil::{Date, Time},
    tz::TimeZone,
};

pub use days::{Weekday, Weekdays, WorkingDays};

use crate::Timestamp;

/// An IANA time zone, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone with this name; `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The local day and time at an instant; `None` outside the years that a calendar has.
    pub fn local(&self, instant: Timestamp) -> Option<(Day, LocalTime)> {
        let local = self.0.to_datetime(Instant::from_microsecond(instant.as_micros()).ok()?);
        let of_day = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        Some((Day(local.date()), LocalTime(of_day)))
    }

    /// The last second of a day.
    pub fn end_of(&self, day: Day) -> Option<Timestamp> {
        let last = self.0.to_timestamp(day.0.to_datetime(Time::new(23, 59, 59, 0).ok()?)).ok()?;
        Some(Timestamp::from_micros(last.as_microsecond()))
    }
}

/// A day of the calendar, written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The day after it.
    pub fn next(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        Weekday::from_monday(self.0.weekday().to_monday_zero_offset().unsigned_abs())
    }
}

/// A text that is no day or no time of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct CalendarError(&'static str);

impl FromStr for Day {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let read = || {
            let mut parts = text.splitn(3, '-').map(digits);
            let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
            let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
            date.ok().filter(|_| text.len() == "YYYY-MM-DD".len() && year > 0)
        };
        read().map(Self).ok_or(CalendarError("a date YYYY-MM-DD"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

/// A time of the day to the minute, written `hh:mm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(u16);

impl LocalTime {
    /// Minutes since the day began.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for LocalTime {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (digits(hour)?, digits(minute)?);
            (text.len() == "hh:mm".len() && hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        read().map(Self).ok_or(CalendarError("a time hh:mm, from 00:00 to 23:59"))
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A number of at least two digits and nothing else.
fn digits(text: &str) -> Option<u16> {
    let plain = text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
