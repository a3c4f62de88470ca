//! What a proposed change asks for, as it is read from the request.

use std::collections::HashSet;

use mesh::{Principal, wire::Checks};
use proto::order::v1 as contract;
use types::{
    BasisPoints, Timestamp,
    limits::{MAX_LINES, MAX_PRICE},
};

use crate::{
    place::{Destination, NewLine, OrderedQuantity, check},
    ship_to_group::MAX_GROUPS,
};

/// What a change asks for.
#[derive(Debug)]
pub(super) struct Edits {
    /// In the order of the request.
    pub(super) lines: Vec<LineEdit>,
    /// In the order of the request.
    pub(super) added: Vec<AddedLine>,
    pub(super) ship_tos: Vec<ShipToEdit>,
    pub(super) requested_ship_time: Option<Timestamp>,
    pub(super) ship_not_before: Option<Timestamp>,
    pub(super) cancel_after: Option<Timestamp>,
}

/// A line as it shall be.
#[derive(Debug)]
pub(super) struct LineEdit {
    pub(super) line_number: i64,
    /// Of the unit that was ordered.
    pub(super) quantity: Option<OrderedQuantity>,
    pub(super) unit_price_minor: Option<i64>,
    pub(super) discount: Option<BasisPoints>,
}

/// A line that is added.
#[derive(Debug)]
pub(super) struct AddedLine {
    /// Its number is 0 when the next free one is wanted.
    pub(super) line: NewLine,
    pub(super) substitutes: Option<i64>,
}

/// Another place.
#[derive(Debug)]
pub(super) struct ShipToEdit {
    pub(super) ship_to_group: Option<i64>,
    pub(super) destination: Destination,
}

impl Edits {
    /// Reads the request; wrong fields are noted.
    pub(super) fn read(
        request: &contract::ProposeOrderChangeRequest,
        caller: &Principal,
        checks: &mut Checks,
    ) -> Option<Self> {
        let few = [
            checks.at_most("lines", request.lines.len(), MAX_LINES),
            checks.at_most("added_lines", request.added_lines.len(), MAX_LINES),
            checks.at_most("ship_tos", request.ship_tos.len(), MAX_GROUPS),
        ];
        if few.contains(&false) {
            return None;
        }
        let mut numbers = HashSet::new();
        let lines = request.lines.iter().enumerate();
        let lines: Vec<_> = lines.map(|(index, edit)| line(index, edit, caller, &mut numbers, checks)).collect();
        let added = request.added_lines.iter().enumerate();
        let added: Vec<_> = added.map(|(index, new)| added_line(index, new, caller, &mut numbers, checks)).collect();
        let mut groups = HashSet::new();
        let ship_tos = request.ship_tos.iter().enumerate();
        let ship_tos: Vec<_> = ship_tos.map(|(index, edit)| ship_to(index, edit, &mut groups, checks)).collect();
        let requested_ship_time = checks.optional_time("requested_ship_time", request.requested_ship_time.as_ref());
        let ship_not_before = checks.optional_time("ship_not_before", request.ship_not_before.as_ref());
        let cancel_after = checks.optional_time("cancel_after", request.cancel_after.as_ref());
        let edits = Self {
            lines: lines.into_iter().collect::<Option<_>>()?,
            added: added.into_iter().collect::<Option<_>>()?,
            ship_tos: ship_tos.into_iter().collect::<Option<_>>()?,
            requested_ship_time: requested_ship_time?,
            ship_not_before: ship_not_before?,
            cancel_after: cancel_after?,
        };
        if edits.lines.is_empty() && edits.added.is_empty() && edits.ship_tos.is_empty() && !edits.has_times() {
            checks.wrong("lines", "is required, or another part of a change");
        }
        Some(edits)
    }

    /// Whether it changes times of the order.
    pub(super) fn has_times(&self) -> bool {
        self.requested_ship_time.or(self.ship_not_before).or(self.cancel_after).is_some()
    }
}

fn line(
    index: usize,
    edit: &contract::LineEdit,
    caller: &Principal,
    numbers: &mut HashSet<i32>,
    checks: &mut Checks,
) -> Option<LineEdit> {
    let field = |name: &str| format!("lines[{index}].{name}");
    let line_number = checks.line_number(field("line_number"), edit.line_number);
    if !numbers.insert(edit.line_number) {
        checks.wrong(field("line_number"), format!("{} is named by another edit", edit.line_number));
    }
    if !caller.is_staff() {
        if edit.unit_price_minor.is_some() {
            checks.wrong(field("unit_price_minor"), "is set by the distributor");
        }
        if edit.discount_basis_points.is_some() {
            checks.wrong(field("discount_basis_points"), "is set by the distributor");
        }
    }
    let quantity = OrderedQuantity::read(edit.quantity, &edit.decimal_quantity, 0, field, checks);
    let priced = edit.unit_price_minor.is_none_or(|price| (0..=MAX_PRICE).contains(&price));
    if !priced {
        checks.wrong(field("unit_price_minor"), "must be 0 to 1,000,000,000,000");
    }
    let discount = edit.discount_basis_points.map(|points| BasisPoints::new(points.into()));
    if discount == Some(None) {
        checks.wrong(field("discount_basis_points"), "must be 0 to 10,000");
    }
    if quantity == Some(None) && edit.unit_price_minor.is_none() && edit.discount_basis_points.is_none() {
        checks.wrong(field("quantity"), "is required, or a price");
    }
    Some(LineEdit {
        line_number: line_number?.into(),
        quantity: quantity?,
        unit_price_minor: edit.unit_price_minor,
        discount: discount.flatten(),
    })
}

fn added_line(
    index: usize,
    added: &contract::AddedLine,
    caller: &Principal,
    numbers: &mut HashSet<i32>,
    checks: &mut Checks,
) -> Option<AddedLine> {
    let path = format!("added_lines[{index}].line");
    let Some(new) = &added.line else {
        checks.wrong(path, "is required");
        return None;
    };
    if !new.split.is_empty() {
        checks.wrong(format!("{path}.split"), "must be empty: add a line for each group");
    }
    // A line without a number gets one later; until then it has one that no other has.
    let place = i32::try_from(MAX_LINES - index).unwrap_or(1);
    let line = match new.line_number {
        0 => check::line(&path, place, new, caller, &mut HashSet::new(), checks),
        number => check::line(&path, number, new, caller, numbers, checks),
    };
    let mut line = line?;
    if new.line_number == 0 {
        line.line_number = 0;
    }
    let substitutes = match added.substitutes {
        0 => Some(None),
        number => checks.line_number(format!("added_lines[{index}].substitutes"), number).map(|it| Some(it.into())),
    };
    Some(AddedLine { line, substitutes: substitutes? })
}

fn ship_to(
    index: usize,
    edit: &contract::ShipToEdit,
    groups: &mut HashSet<i32>,
    checks: &mut Checks,
) -> Option<ShipToEdit> {
    let of = format!("ship_tos[{index}].");
    if !groups.insert(edit.ship_to_group) {
        checks.wrong(format!("{of}ship_to_group"), format!("{} is named by another edit", edit.ship_to_group));
    }
    if edit.ship_to_group < 0 {
        checks.wrong(format!("{of}ship_to_group"), "must be a group of the order");
    }
    let destination = check::destination(&of, &edit.ship_to_id, edit.ship_to_address.as_ref(), checks);
    Some(ShipToEdit { ship_to_group: crate::wire::read_group(edit.ship_to_group), destination: destination? })
}
