//! Formats parts of lines.

use proto::types::v1::{Address, LineQuantity, Money};
use types::{Currency, Zone};

/// How many parts a line names; it counts the others.
const NAMED: usize = 3;

/// `12 NW-011, 3 NW-012`; the quantities of an item on several lines are added up.
pub(super) fn items<'a>(quantities: impl IntoIterator<Item = (&'a str, i64)>) -> String {
    let mut sums: Vec<(&str, i64)> = Vec::new();
    for (sku, quantity) in quantities.into_iter().filter(|(_, quantity)| *quantity != 0) {
        match sums.iter_mut().find(|(known, _)| *known == sku) {
            Some((_, sum)) => *sum = sum.saturating_add(quantity),
            None => sums.push((sku, quantity)),
        }
    }
    let parts: Vec<String> = sums.iter().map(|(sku, quantity)| format!("{quantity} {sku}")).collect();
    list(&parts, "items")
}

/// As [`items`], of order lines.
pub(super) fn line_items(lines: &[LineQuantity]) -> String {
    items(lines.iter().map(|line| (line.sku.as_str(), line.quantity)))
}

/// The first parts, and how many more there are.
pub(super) fn list(parts: &[String], what: &str) -> String {
    if parts.is_empty() {
        return format!("no {what}");
    }
    if parts.len() <= NAMED {
        return parts.join(", ");
    }
    let named = parts.get(..NAMED).unwrap_or(parts).join(", ");
    format!("{named} and {} more {what}", parts.len() - NAMED)
}

/// `1 line`, `2 lines`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `1 unit`, `2 units`.
pub(super) fn units(number: i64) -> String {
    if number == 1 { "1 unit".to_owned() } else { format!("{number} units") }
}

/// `440.00 USD`, with as many decimals as the currency has.
pub(super) fn money(money: &Money) -> String {
    let decimals = money.currency.parse().map_or(2, |currency: Currency| currency.decimals());
    let sign = if money.minor_units < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", money.minor_units.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction} {}", money.currency)
}

/// `2026-12-04 22:59 UTC`.
pub(super) fn utc(time: &prost_types::Timestamp) -> String {
    let local = mesh::wire::from_timestamp(time).and_then(|instant| Zone::utc().local(instant));
    local.map(|(day, time)| format!("{day} {time} UTC")).unwrap_or_default()
}

/// `: reason`, or nothing when there is none.
pub(super) fn colon(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", one_line(reason)) }
}

/// `28195 Bremen`: where an address is, without the recipient.
pub(super) fn place(address: &Address) -> String {
    let parts = [&address.postal_code, &address.city].map(|part| one_line(part));
    or(parts.join(" ").trim(), "another address").to_owned()
}

/// `on hold` of `ORDER_STATUS_ON_HOLD`.
pub(super) fn lowercase(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase().replace('_', " ")
}

/// A text from outside, on one line and cut to 200 characters.
pub(super) fn one_line(text: &str) -> String {
    const MAX: usize = 200;
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().count() <= MAX {
        return line;
    }
    line.chars().take(MAX).chain(['…']).collect()
}

/// The first text, or the second when the first is empty.
pub(super) fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(currency: &str, minor_units: i64) -> String {
        money(&Money { currency: currency.to_owned(), minor_units })
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        assert_eq!(amount("USD", 44_005), "440.05 USD");
        assert_eq!(amount("JPY", 44_005), "44005 JPY");
        assert_eq!(amount("KWD", 44_005), "44.005 KWD");
        assert_eq!(amount("USD", -5), "-0.05 USD");
    }

    #[test]
    fn units_of_an_item_are_added_up_and_only_a_few_items_are_named() {
        assert_eq!(items([("A", 1), ("B", 2), ("A", 3), ("C", 0)]), "4 A, 2 B");
        assert_eq!(items([("A", 1), ("B", 1), ("C", 1), ("D", 1), ("E", 1)]), "1 A, 1 B, 1 C and 2 more items");
        assert_eq!(items([]), "no items");
    }

    #[test]
    fn a_text_from_outside_stays_on_one_line() {
        assert_eq!(one_line("no\nsuch\t dock\u{7}"), "no such dock");
        assert_eq!(one_line(&"x".repeat(300)).chars().count(), 201);
    }
}
