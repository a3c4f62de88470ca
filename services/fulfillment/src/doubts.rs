//! What is doubtful about the tracking reports of a package: each kind opens an exception of its shipment.

use proto::event::v1::ExceptionType;
use store::{Column, Kind, Value};

/// A kind of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A reporter that is not authoritative reported on it.
    Foreign = 1,
    /// A report does not say which of several carriers it is about.
    Ambiguous = 2,
    /// The time of a report cannot be right.
    Implausible = 4,
}

impl Doubt {
    /// Every kind.
    pub(crate) const ALL: [Self; 3] = [Self::Foreign, Self::Ambiguous, Self::Implausible];

    /// The type of its exception.
    pub(crate) const fn exception_type(self) -> ExceptionType {
        match self {
            Self::Foreign => ExceptionType::ForeignReport,
            Self::Ambiguous => ExceptionType::AmbiguousReport,
            Self::Implausible => ExceptionType::ImplausibleTime,
        }
    }
}

/// A set of doubts; one bit for each in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Doubts(i64);

impl Doubts {
    /// Adds a doubt.
    pub(crate) fn add(&mut self, doubt: Doubt) {
        self.0 |= doubt as i64;
    }

    /// Whether the doubt is in it.
    pub(crate) fn has(self, doubt: Doubt) -> bool {
        self.0 & doubt as i64 != 0
    }

    /// All doubts of both.
    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Column for Doubts {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value {
        Value::Integer(self.0)
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}
