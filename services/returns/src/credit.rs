//! What returned units are worth.

/// The share of `units` of a line of `ordered` units that costs `amount_minor`, rounded half up; all of them and more are
/// worth the whole amount.
///
/// Credits are differences of this between totals, so that they add up to it however the units come back. The order
/// service says by the same formula what may be invoiced, so that units are credited at what they were invoiced for.
pub(crate) fn worth(amount_minor: i64, ordered: i64, units: i64) -> i64 {
    if units >= ordered {
        return amount_minor;
    }
    let (amount, ordered, units) = (i128::from(amount_minor), i128::from(ordered), i128::from(units.max(0)));
    i64::try_from((2 * amount * units + ordered) / (2 * ordered)).unwrap_or(amount_minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_line_are_rounded_half_up() {
        assert_eq!([0, 1, 2, 3, 4].map(|units| worth(100, 3, units)), [0, 33, 67, 100, 100]);
        assert_eq!([0, 1, 2].map(|units| worth(101, 2, units)), [0, 51, 101]);
        assert_eq!(worth(1, 2, 1), 1);
        assert_eq!(worth(i64::MAX, i64::MAX, i64::MAX - 1), i64::MAX - 1);
    }
}
