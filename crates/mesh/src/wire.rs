//! Checks and conversions that every service needs between the wire and its domain.
//!
//! A handler collects all violations of a request in [`Checks`] and refuses it once, naming every wrong field.

mod address;

use std::{str::FromStr, time::Duration};

use types::{
    Fault, Id, LineReason, Timestamp, Violation, is_country,
    limits::{MAX_CHOICES, MAX_LINES, MAX_OUTSIDE_NUMBER, MAX_QUANTITY, MAX_REQUEST_ID, MAX_SKU},
    text::normal,
};

/// The violations of one request, collected.
///
/// A check answers `None` after it noted a violation, so that the rest of the request is still looked at;
/// [`Checks::done`] then refuses the request as a whole.
#[derive(Debug, Default)]
pub struct Checks(Vec<Violation>);

impl Checks {
    /// No violations yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a violation.
    pub fn wrong(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation::new(field, description));
    }

    /// Notes a violation of a line of an order.
    pub fn wrong_line(&mut self, field: impl Into<String>, reason: LineReason, description: impl Into<String>) {
        self.0.push(Violation { reason: Some(reason), ..Violation::new(field, description) });
    }

    /// Gives the violations of fields of lines that have no reason yet this one.
    pub fn explain_lines(&mut self, reason: LineReason) {
        let of_lines = self.0.iter_mut().filter(|violation| violation.field.starts_with("lines["));
        of_lines.for_each(|violation| violation.reason = violation.reason.or(Some(reason)));
    }

    /// Refuses the request when anything was wrong.
    pub fn done(self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Fault::violations(self.0)) }
    }

    /// A request id, which may be absent.
    pub fn request_id(&mut self, text: &str) -> Option<String> {
        self.optional_text("request_id", text, MAX_REQUEST_ID)
    }

    /// A list of at most `most` elements; returns whether it is, so that a longer one is not read.
    pub fn at_most(&mut self, field: impl Into<String>, count: usize, most: usize) -> bool {
        if count > most {
            self.wrong(field, format!("must have at most {most} elements, but has {count}"));
        }
        count <= most
    }

    /// A required id.
    pub fn id<I: Id>(&mut self, field: impl Into<String>, text: &str) -> Option<I> {
        if text.is_empty() {
            self.wrong(field, "is required");
            return None;
        }
        text.parse().map_err(|error: types::IdError| self.wrong(field, error.to_string())).ok()
    }

    /// An id that may be absent: `Some(None)` when it is.
    pub fn optional_id<I: Id>(&mut self, field: impl Into<String>, text: &str) -> Option<Option<I>> {
        if text.is_empty() { Some(None) } else { self.id(field, text).map(Some) }
    }

    /// A required text of 1 to `longest` characters without control characters, in its one form ([`types::text`]).
    pub fn text(&mut self, field: impl Into<String>, text: &str, longest: usize) -> Option<String> {
        if normal(text).is_empty() {
            self.wrong(field, "is required");
            return None;
        }
        self.optional_text(field, text, longest)
    }

    /// A text of at most `longest` characters without control characters, in its one form; may be empty.
    pub fn optional_text(&mut self, field: impl Into<String>, text: &str, longest: usize) -> Option<String> {
        let text = normal(text);
        if text.chars().count() > longest {
            self.wrong(field, format!("must have at most {longest} characters"));
        } else if text.chars().any(char::is_control) {
            self.wrong(field, "must not contain control characters");
        } else {
            return Some(text.into_owned());
        }
        None
    }

    /// A stock keeping unit: 1 to 64 characters as the distributor writes it, also `/`, `&` and blanks between others.
    pub fn sku(&mut self, field: impl Into<String>, text: &str) -> Option<String> {
        self.text(field, text, MAX_SKU)
    }

    /// A name that programs tell things apart by: 1 to 64 letters, digits, `-`, `_`, `.`.
    pub fn key(&mut self, field: impl Into<String>, text: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > MAX_OUTSIDE_NUMBER || !text.chars().all(plain) {
            self.wrong(field, "must be 1 to 64 letters, digits, '-', '_' or '.'");
            return None;
        }
        Some(text.to_owned())
    }

    /// An order line's number, 1 to 5,000.
    pub fn line_number(&mut self, field: impl Into<String>, number: i32) -> Option<i32> {
        if usize::try_from(number).is_ok_and(|number| (1..=MAX_LINES).contains(&number)) {
            return Some(number);
        }
        self.wrong(field, "must be 1 to 5,000");
        None
    }

    /// A number of units from `least` to [`MAX_QUANTITY`].
    pub fn quantity(&mut self, field: impl Into<String>, quantity: i64, least: i64) -> Option<i64> {
        if (least..=MAX_QUANTITY).contains(&quantity) {
            return Some(quantity);
        }
        self.wrong(field, format!("must be {least} to 1,000,000,000"));
        None
    }

    /// An ISO 3166-1 alpha-2 country code.
    pub fn country(&mut self, field: impl Into<String>, code: &str) -> Option<String> {
        let code = normal(code);
        if is_country(&code) {
            return Some(code.into_owned());
        }
        self.wrong(field, "must be an ISO 3166-1 alpha-2 country code in capitals");
        None
    }

    /// An ISO 4217 currency code.
    pub fn currency(&mut self, field: impl Into<String>, code: &str) -> Option<types::Currency> {
        let currency = types::Currency::from_str(code).ok();
        if currency.is_none() {
            self.wrong(field, "must be an ISO 4217 currency code in capitals");
        }
        currency
    }

    /// An instant that may be absent: `Some(None)` when it is.
    pub fn optional_time(
        &mut self,
        field: impl Into<String>,
        time: Option<&prost_types::Timestamp>,
    ) -> Option<Option<Timestamp>> {
        let Some(time) = time else { return Some(None) };
        let instant = from_timestamp(time);
        if instant.is_none() {
            self.wrong(field, "must be an instant of the years 1 to 9999");
        }
        instant.map(Some)
    }

    /// A required instant.
    pub fn time(&mut self, field: impl Into<String>, time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
        let field = field.into();
        let instant = self.optional_time(field.clone(), time)?;
        if instant.is_none() {
            self.wrong(field, "is required");
        }
        instant
    }

    /// A duration longer than zero that may be absent: `Some(None)` when it is.
    pub fn optional_duration(
        &mut self,
        field: impl Into<String>,
        duration: Option<&prost_types::Duration>,
    ) -> Option<Option<Duration>> {
        let Some(wire) = duration else { return Some(None) };
        let positive = Duration::try_from(*wire).ok().filter(|duration| !duration.is_zero());
        if positive.is_none() {
            self.wrong(field, "must be longer than zero");
        }
        positive.map(Some)
    }

    /// A value of an enum that must be set. `read` is the generated `TryFrom<i32>`.
    pub fn choice<E: TryFrom<i32> + PartialEq + Default>(
        &mut self,
        field: impl Into<String>,
        number: i32,
    ) -> Option<E> {
        match E::try_from(number) {
            Ok(value) if value != E::default() => Some(value),
            Ok(_) => {
                self.wrong(field, "is required");
                None
            }
            Err(_) => {
                self.wrong(field, format!("{number} is not a known value"));
                None
            }
        }
    }

    /// Values of an enum to filter by, at most [`MAX_CHOICES`], sorted and each once. `read` turns a value of the contract
    /// into one of the domain.
    pub fn choices<E, T: Ord>(&mut self, field: &str, numbers: &[i32], read: fn(E) -> Option<T>) -> Option<Vec<T>>
    where
        E: TryFrom<i32> + PartialEq + Default,
    {
        if !self.at_most(field, numbers.len(), MAX_CHOICES) {
            return None;
        }
        let named = numbers.iter().enumerate();
        let read: Vec<Option<T>> =
            named.map(|(index, number)| self.choice(format!("{field}[{index}]"), *number).and_then(read)).collect();
        let mut values: Vec<T> = read.into_iter().collect::<Option<_>>()?;
        values.sort();
        values.dedup();
        Some(values)
    }

    /// A value of an enum that is taken as its zero value when not set.
    pub fn optional_choice<E: TryFrom<i32>>(&mut self, field: impl Into<String>, number: i32) -> Option<E> {
        let value = E::try_from(number).ok();
        if value.is_none() {
            self.wrong(field, format!("{number} is not a known value"));
        }
        value
    }
}

/// A part of a request that passed its checks. [`Checks::done`] has refused the request when a part is missing.
pub fn checked<T>(part: Option<T>) -> Result<T, Fault> {
    part.ok_or_else(|| Fault::internal("a request passed its checks without one of its parts"))
}

/// An id that a request names by itself.
pub fn one_id<I: Id>(field: &str, text: &str) -> Result<I, Fault> {
    let mut checks = Checks::new();
    let id = checks.id(field, text);
    checks.done()?;
    checked(id)
}

/// An instant as the wire has it.
pub fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    let (seconds, nanos) = instant.to_parts();
    prost_types::Timestamp { seconds, nanos }
}

/// An instant from the wire, cut to microseconds; `None` outside the years 1 to 9999.
pub fn from_timestamp(wire: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::from_parts(wire.seconds, wire.nanos)
}

/// A duration as the wire has it.
pub fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).unwrap_or(prost_types::Duration { seconds: i64::MAX, nanos: 0 })
}

#[cfg(test)]
mod tests {
    use types::{OrderId, Reason};

    use super::*;

    #[test]
    fn all_wrong_fields_of_a_request_are_named_at_once() {
        let mut checks = Checks::new();
        assert_eq!(checks.id::<OrderId>("order_id", "acc_1"), None);
        assert_eq!(checks.quantity("lines[0].quantity", 0, 1), None);
        assert_eq!(checks.text("customer_po", "\u{7}", 10), None);
        let fault = checks.done().unwrap_err();
        assert_eq!(fault.reason, Reason::InvalidArgument);
        let fields: Vec<_> = fault.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["order_id", "lines[0].quantity", "customer_po"]);
    }

    #[test]
    fn what_is_too_much_is_refused_with_how_much_may_be() {
        let mut checks = Checks::new();
        assert!(checks.at_most("states", 100, MAX_CHOICES));
        assert!(!checks.at_most("states", 101, MAX_CHOICES));
        assert_eq!(checks.request_id(&"x".repeat(201)), None);
        let described: Vec<_> = checks.done().unwrap_err().violations.into_iter().map(|it| it.description).collect();
        assert_eq!(described, ["must have at most 100 elements, but has 101", "must have at most 200 characters"]);
    }

    #[test]
    fn an_unset_choice_is_told_from_an_unknown_one() {
        use proto::order::v1::HoldReason;
        let mut checks = Checks::new();
        assert_eq!(checks.choice::<HoldReason>("reason", 1), Some(HoldReason::Credit));
        assert_eq!(checks.choice::<HoldReason>("reason", 0), None);
        assert_eq!(checks.choice::<HoldReason>("reason", 99), None);
        let fault = checks.done().unwrap_err();
        assert_eq!(fault.violations[0].description, "is required");
        assert_eq!(fault.violations[1].description, "99 is not a known value");
    }
}
