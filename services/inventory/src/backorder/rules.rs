//! The rules by which free units are given to waiting lines. There is one set.

use store::{Column, Kind, Rows, Value};
use types::{Fault, Timestamp};

use super::Waiting;

store::text_enum! {
    /// What waiting lines are compared by.
    pub(crate) enum Criterion = proto::inventory::v1::BackorderCriterion {
        /// The higher one first.
        Priority = "PRIORITY",
        /// The earlier one first, none last.
        PromiseTime = "PROMISE_TIME",
        /// The line that began to wait earlier first.
        Age = "AGE",
    }
}

/// Criteria, the first that differs decides. Stored as `PRIORITY,AGE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Criteria(pub(crate) Vec<Criterion>);

impl Column for Criteria {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.0.iter().map(|criterion| criterion.as_str()).collect::<Vec<_>>().join(","))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        let criteria = text.split(',').filter(|part| !part.is_empty()).map(|part| part.parse().ok());
        criteria.collect::<Option<_>>().map(Self)
    }
}

store::record! {
    /// The rules. There is one row, none before the first change.
    pub(crate) struct BackorderRules in "backorder_rules" key (name: String) {
        criteria: Criteria,
        /// The most that an account gets of units that become free together while others wait.
        max_account_share_percent: Option<i64>,
        /// 1 when free units wait for a release.
        hold_for_release: i64,
        update_time: Timestamp,
    }
}

impl Default for BackorderRules {
    fn default() -> Self {
        Self {
            name: Self::key(),
            criteria: Criteria::default(),
            max_account_share_percent: None,
            hold_for_release: 0,
            update_time: Timestamp::default(),
            version: 0,
        }
    }
}

impl BackorderRules {
    /// The key of the one row.
    pub(crate) fn key() -> String {
        "rules".to_owned()
    }

    /// The rules that hold.
    pub(crate) fn find(rows: &Rows) -> Result<Self, Fault> {
        Ok(rows.get::<Self>(&Self::key())?.cloned().unwrap_or_default())
    }

    /// Whether free units wait for a release.
    pub(crate) fn hold_units(&self) -> bool {
        self.hold_for_release != 0
    }

    /// The place of a line among those that wait for its item: the lesser comes first. Lines that had the units before are the
    /// first, whatever the rules are.
    pub(super) fn place(&self, waiting: &Waiting) -> Vec<i64> {
        let by = |criterion: &Criterion| match criterion {
            Criterion::Priority => -waiting.priority,
            Criterion::PromiseTime => waiting.promise_time.map_or(i64::MAX, Timestamp::as_micros),
            Criterion::Age => waiting.sequence,
        };
        let criteria = self.criteria.0.iter().map(by);
        std::iter::once(waiting.rank).chain(criteria).chain([waiting.sequence]).collect()
    }

    /// The criterion that puts a line behind another one; none when the other had its units before and this one had not.
    pub(super) fn decided_by(&self, before: &Waiting, behind: &Waiting) -> Option<Criterion> {
        let (before, behind) = (self.place(before), self.place(behind));
        let differs = before.iter().zip(&behind).position(|(one, other)| one != other);
        let criterion = differs?.checked_sub(1)?;
        Some(self.criteria.0.get(criterion).copied().unwrap_or(Criterion::Age))
    }
}
