//! Days of UTC, and the number of calls of each.

use std::{collections::BTreeMap, fmt, str::FromStr};

use store::{Column, Kind, Value};
use types::Timestamp;

const MICROS: i64 = 86_400_000_000;

/// A day of UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Day(i64);

impl Day {
    /// Later than every other day.
    pub(crate) const NEVER: Self = Self(i64::MAX);

    pub(crate) fn of(time: Timestamp) -> Self {
        Self(time.as_micros().div_euclid(MICROS))
    }

    pub(crate) fn begin(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(MICROS))
    }

    pub(crate) fn before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    pub(crate) fn after(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }
}

/// As in `2026-11-25`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = mesh::wire::timestamp(self.begin()).to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

/// A text that is not a day such as `2026-11-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a day like 2026-11-25")]
pub(crate) struct InvalidDay;

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let begin: prost_types::Timestamp = format!("{text}T00:00:00Z").parse().map_err(|_| InvalidDay)?;
        let day = mesh::wire::from_timestamp(&begin).map(Self::of).ok_or(InvalidDay)?;
        // Refuses other spellings, and days that are not in the calendar.
        if day.to_string() == text { Ok(day) } else { Err(InvalidDay) }
    }
}

impl Column for Day {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value {
        Value::Integer(self.0)
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}

/// The number of calls of each day.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Days(BTreeMap<Day, i64>);

impl Days {
    pub(crate) fn of(day: Day, calls: i64) -> Self {
        Self(BTreeMap::from([(day, calls)]))
    }

    pub(crate) fn add(&mut self, day: Day, calls: i64) {
        let sum = self.0.entry(day).or_default();
        *sum = sum.saturating_add(calls);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops the days before `oldest`; returns the first that is left.
    pub(crate) fn drop_before(&mut self, oldest: Day) -> Option<Day> {
        self.0 = self.0.split_off(&oldest);
        self.0.keys().next().copied()
    }

    pub(crate) fn within(&self, first: Day, last: Day) -> impl Iterator<Item = (Day, i64)> {
        let days = (first <= last).then(|| self.0.range(first..=last));
        days.into_iter().flatten().map(|(day, calls)| (*day, *calls))
    }
}

impl Column for Days {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let days: Vec<_> = self.0.iter().map(|(day, calls)| format!("{}:{calls}", day.0)).collect();
        Value::Text(days.join(" "))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        let day = |part: &str| {
            let (day, calls) = part.split_once(':')?;
            Some((Day(day.parse().ok()?), calls.parse().ok()?))
        };
        text.split(' ').filter(|part| !part.is_empty()).map(day).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_back_as_it_is_written() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29", "2026-11-25", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().map(|day| day.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("1970-01-02".parse(), Ok(Day(1)));
        for text in ["", "2026-2-3", "2026-02-30", "2026-11-25T00:00:00Z", "today", "20261125", "+2026-11-25"] {
            assert_eq!(text.parse::<Day>(), Err(InvalidDay), "{text}");
        }
    }

    #[test]
    fn the_calls_of_days_are_read_back_as_they_are_saved() {
        let mut days = Days::of(Day(-1), 3);
        days.add(Day(20_418), 12);
        days.add(Day(20_418), 1);
        assert_eq!(days.to_value(), Value::Text("-1:3 20418:13".to_owned()));
        assert_eq!(Days::from_value(days.to_value()), Some(days.clone()));
        assert_eq!(Days::from_value(Value::Text(String::new())), Some(Days::default()));
        assert_eq!(Days::from_value(Value::Text("1:".to_owned())), None);
        assert_eq!(days.drop_before(Day(0)), Some(Day(20_418)));
        assert_eq!(days.within(Day(0), Day(20_417)).count(), 0);
        assert_eq!(days.within(Day(5), Day(4)).count(), 0);
    }
}
