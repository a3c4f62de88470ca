//! Lines that are ordered for several places.
//!
//! Such a line becomes one line for each of its parts, so that each goes to one place. Their amounts are shares of the price of the
//! ordered line, which is rounded once.

use std::collections::HashSet;

use mesh::wire::Checks;
use proto::order::v1 as contract;
use types::{limits::MAX_LINES, share_of_line};

use super::{NewLine, price::Priced};
use crate::{order_line::PricedLine, ship_to_group::MAX_GROUPS};

/// A part of a new line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewPart {
    pub(super) ship_to_group: i64,
    /// How many of the line's unit.
    quantity: i64,
}

/// Reads the parts of a line.
pub(super) fn read(field: &str, parts: &[contract::LineSplit], checks: &mut Checks) -> Option<Vec<NewPart>> {
    if !checks.at_most(field, parts.len(), MAX_GROUPS) {
        return None;
    }
    let mut groups = HashSet::new();
    let read = parts.iter().enumerate().map(|(index, part)| {
        let quantity = checks.quantity(format!("{field}[{index}].quantity"), part.quantity, 1);
        if !groups.insert(part.ship_to_group) {
            let description = format!("{} is used by another part", part.ship_to_group);
            checks.wrong(format!("{field}[{index}].ship_to_group"), description);
        }
        Some(NewPart { ship_to_group: part.ship_to_group.into(), quantity: quantity? })
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

/// Checks that the groups that a line names are of the order, and that its parts come to its quantity.
pub(super) fn check(index: usize, line: &NewLine, groups: &HashSet<i64>, checks: &mut Checks) {
    let field = |name: &str| format!("lines[{index}].{name}");
    match (line.ship_to_group, line.split.as_slice()) {
        (Some(_), [_, ..]) => checks.wrong(field("split"), "must be empty when ship_to_group is given"),
        (Some(group), []) if !groups.contains(&group) => {
            checks.wrong(field("ship_to_group"), format!("the order has no group {group}"));
        }
        (None, parts @ [_, ..]) => {
            for (at, part) in parts.iter().enumerate().filter(|(_, part)| !groups.contains(&part.ship_to_group)) {
                let description = format!("the order has no group {}", part.ship_to_group);
                checks.wrong(field(&format!("split[{at}].ship_to_group")), description);
            }
            let sum = parts.iter().map(|part| part.quantity).fold(0, i64::saturating_add);
            let (digits, scale) = line.quantity.fraction();
            if i128::from(sum) * i128::from(scale) != i128::from(digits) {
                checks.wrong(field("split"), format!("comes to {sum}, which is not the quantity of the line"));
            }
        }
        (None | Some(_), []) => {}
    }
}

/// Divides the lines that go to several groups; in order of their numbers. `new` has each of them as it was ordered. `None` after it
/// noted what is wrong.
pub(super) fn split(lines: Vec<Priced>, new: &[NewLine], checks: &mut Checks) -> Option<Vec<Priced>> {
    let mut last_number = lines.iter().map(|priced| priced.line.line_number).max().unwrap_or_default();
    let mut divided = Vec::with_capacity(lines.len());
    for (at, (Priced { line, is_held }, new)) in lines.into_iter().zip(new).enumerate() {
        let (mut taken, mut taken_units, mut taken_minor) = (0, 0, 0);
        for (index, part) in new.split.iter().enumerate() {
            taken += part.quantity;
            if i128::from(line.ordered) * i128::from(part.quantity) % i128::from(line.uom_quantity) != 0 {
                let field = format!("lines[{at}].split[{index}].quantity");
                checks.wrong(field, "is not a whole number of the item's base unit");
                return None;
            }
            let units = share_of_line(line.ordered, line.uom_quantity, taken);
            let amount_minor = share_of_line(line.amount_minor, line.ordered, units);
            let line_number = if index == 0 {
                line.line_number
            } else {
                last_number += 1;
                last_number
            };
            let line = PricedLine {
                line_number,
                uom_quantity: part.quantity,
                decimal_quantity: None,
                ordered: units - taken_units,
                amount_minor: amount_minor - taken_minor,
                ship_to_group: Some(part.ship_to_group),
                split_of: Some(line.line_number),
                ..line.clone()
            };
            divided.push(Priced { line, is_held });
            (taken_units, taken_minor) = (units, amount_minor);
        }
        if new.split.is_empty() {
            divided.push(Priced { line, is_held });
        }
    }
    if divided.len() > MAX_LINES || last_number > i64::try_from(MAX_LINES).unwrap_or(i64::MAX) {
        checks.wrong(
            "lines",
            "come to more than 5,000 lines, or a number above 5,000, with the parts of those that are split",
        );
        return None;
    }
    divided.sort_by_key(|priced| priced.line.line_number);
    Some(divided)
}
