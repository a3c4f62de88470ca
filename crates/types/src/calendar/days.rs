//! Weekdays, and the days of a year on which work is done.

use std::collections::BTreeSet;

use super::Day;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The weekday so many days after Monday.
    pub(super) fn from_monday(days: u8) -> Self {
        Self::ALL.get(usize::from(days % 7)).copied().unwrap_or(Self::Monday)
    }
}

/// Some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weekdays(u8);

impl Weekdays {
    /// Monday to Friday.
    pub const MONDAY_TO_FRIDAY: Self = Self(0b001_1111);

    /// Whether the weekday is one of them.
    pub fn has(self, weekday: Weekday) -> bool {
        self.0 & (1 << weekday as u8) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These, and Monday to Friday when there is none.
    pub fn or_monday_to_friday(self) -> Self {
        if self.is_empty() { Self::MONDAY_TO_FRIDAY } else { self }
    }
}

impl FromIterator<Weekday> for Weekdays {
    fn from_iter<I: IntoIterator<Item = Weekday>>(weekdays: I) -> Self {
        Self(weekdays.into_iter().fold(0, |days, weekday| days | 1 << weekday as u8))
    }
}

/// How far a working day is looked for: farther than the most holidays in a row that anybody has.
const HORIZON: usize = 7_500;

/// The days on which work is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDays {
    weekdays: Weekdays,
    holidays: BTreeSet<Day>,
}

impl WorkingDays {
    /// These weekdays but for holidays. Monday to Friday when there is no weekday.
    pub fn new(weekdays: Weekdays, holidays: impl IntoIterator<Item = Day>) -> Self {
        Self { weekdays: weekdays.or_monday_to_friday(), holidays: holidays.into_iter().collect() }
    }

    /// Whether work is done on a day.
    pub fn has(&self, day: Day) -> bool {
        self.weekdays.has(day.weekday()) && !self.holidays.contains(&day)
    }

    /// The day, or the first working day after it.
    pub fn on_or_after(&self, day: Day) -> Option<Day> {
        std::iter::successors(Some(day), |day| day.next()).take(HORIZON).find(|day| self.has(*day))
    }

    /// The working day so many working days after a day; with 0, the day or the first one after it.
    pub fn after(&self, day: Day, count: u32) -> Option<Day> {
        let mut day = day;
        for _ in 0..count {
            day = self.on_or_after(day.next()?)?;
        }
        if count == 0 { self.on_or_after(day) } else { Some(day) }
    }
}
