//! Checks of a quote: of its form, and of its lines by their items.

use std::collections::{HashMap, HashSet};

use mesh::wire::{Checks, checked};
use proto::order::v1 as contract;
use types::{Fault, limits::MAX_LINES};

use super::{ItemLine, Line, Quote};
use crate::{
    item::Item,
    place::{OrderedQuantity, base_units, check::destination, price::ordered_unit},
};

impl Quote {
    /// Reads the request; refuses it naming every wrong field.
    pub(crate) fn parse(request: &contract::QuoteOrderRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        let place = destination("", &request.ship_to_id, request.ship_to_address.as_ref(), &mut checks);
        let requested_ship_time = checks.optional_time("requested_ship_time", request.requested_ship_time.as_ref());
        let ship_not_before = checks.optional_time("ship_not_before", request.ship_not_before.as_ref());
        let lines = lines(&request.lines, &mut checks);
        checks.done()?;
        Ok(Self {
            account_id: checked(account_id)?,
            place: checked(place)?,
            requested_ship_time: checked(requested_ship_time)?,
            ship_not_before: checked(ship_not_before)?,
            lines: checked(lines)?,
        })
    }

    /// The lines with their items.
    pub(crate) fn with_items(&self, items: &HashMap<String, Item>) -> Result<Vec<ItemLine>, Fault> {
        let mut checks = Checks::new();
        let lines = self.lines.iter().enumerate();
        let read: Vec<_> = lines.map(|(at, line)| line.with_item(at, items.get(&line.sku), &mut checks)).collect();
        checks.done()?;
        checked(read.into_iter().collect())
    }
}

fn lines(lines: &[contract::QuoteLine], checks: &mut Checks) -> Option<Vec<Line>> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        checks.wrong("lines", "must be 1 to 5,000 lines");
        return None;
    }
    let mut numbers = HashSet::with_capacity(lines.len());
    let read = lines.iter().enumerate().map(|(at, line)| {
        let field = |name: &str| format!("lines[{at}].{name}");
        let place = i32::try_from(at + 1).unwrap_or(i32::MAX);
        let number = if line.line_number == 0 { place } else { line.line_number };
        let line_number = checks.line_number(field("line_number"), number);
        let is_new = numbers.insert(number);
        if !is_new {
            checks.wrong(field("line_number"), format!("{number} is used by another line"));
        }
        let sku = checks.sku(field("sku"), &line.sku);
        let quantity = checks.quantity(field("quantity"), line.quantity, 1);
        let uom = checks.optional_text(field("uom"), &line.uom, 16);
        let line_number = line_number.filter(|_| is_new)?;
        Some(Line { line_number, sku: sku?, quantity: quantity?, uom: uom? })
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

impl Line {
    fn with_item(&self, at: usize, item: Option<&Item>, checks: &mut Checks) -> Option<ItemLine> {
        let path = format!("lines[{at}]");
        let (item, unit) = ordered_unit(item, &self.uom, &path, checks)?;
        let quantity = base_units(&OrderedQuantity::whole(self.quantity), &path, item, &unit, checks);
        Some(ItemLine {
            line_number: self.line_number,
            sku: self.sku.clone(),
            name: item.item.0.name.clone(),
            uom: unit.uom,
            quantity: quantity?,
            kind: item.kind(),
            handling_class: item.handling_class(),
        })
    }
}
