//! Where a new order goes: to a ship-to of the account, another address, or several of them.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use mesh::wire::Checks;
use proto::{order::v1 as contract, types::v1::Address};
use store::{Needs, Rows};
use types::{AccountId, Fault, LineReason, ShipToId};

use crate::{
    account::{ShipTo, ShipToState},
    item::HandlingClass,
    node::{DEFAULT_HANDLING, Nodes},
    order_line::PricedLine,
};

/// Where an order goes.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// A ship-to of the account.
    ShipTo(ShipToId),
    /// Another address.
    Address(Address),
}

/// A place of an order that goes to several.
#[derive(Debug, Clone)]
pub(crate) struct NewGroup {
    pub(crate) number: i64,
    pub(crate) destination: Destination,
}

impl Destination {
    /// Asks for the ship-to that it names.
    pub(crate) fn needs(&self, needs: &mut Needs) {
        if let Self::ShipTo(ship_to_id) = self {
            needs.row::<ShipTo>(ship_to_id);
        }
    }

    /// The place; wrong when the account does not have the ship-to. `of` is what its fields are of.
    pub(crate) fn ship_to(
        &self,
        of: &str,
        account_id: &AccountId,
        rows: &Rows,
        checks: &mut Checks,
    ) -> Result<Option<contract::ShipTo>, Fault> {
        let ship_to_id = match self {
            Self::Address(address) => {
                return Ok(Some(contract::ShipTo { address: Some(address.clone()), ..Default::default() }));
            }
            Self::ShipTo(ship_to_id) => ship_to_id,
        };
        let ship_to = rows.get::<ShipTo>(ship_to_id)?.filter(|ship_to| ship_to.account_id == *account_id);
        let field = format!("{of}ship_to_id");
        match ship_to {
            None => checks.wrong(field, "is not a ship-to of the account"),
            Some(ship_to) if ship_to.state == ShipToState::NotDeliverable => {
                let description = format!("nothing is delivered there: {}", ship_to.state_reason);
                checks.wrong_line(field, LineReason::NotDeliverable, description);
            }
            Some(_) => {}
        }
        Ok(ship_to.map(crate::wire::ship_to))
    }
}

/// The countries of places, by the numbers of their groups.
pub(super) fn countries(ship_tos: &[(i64, contract::ShipTo)]) -> HashMap<i64, &str> {
    ship_tos.iter().map(|(number, ship_to)| (*number, country(ship_to))).collect()
}

/// The country of a place.
pub(crate) fn country(ship_to: &contract::ShipTo) -> &str {
    ship_to.address.as_ref().map_or("", |address| address.country.as_str())
}

/// What the slowest node needs that may ship some of the lines to their place.
pub(super) fn handling_time<'l>(
    nodes: &Nodes,
    ship_tos: &[(i64, contract::ShipTo)],
    lines: impl Iterator<Item = &'l PricedLine>,
) -> Duration {
    let mut classes: BTreeMap<&str, Vec<HandlingClass>> = BTreeMap::new();
    let countries = countries(ship_tos);
    for line in lines {
        let country = countries.get(&line.ship_to_group.unwrap_or_default()).copied().unwrap_or_default();
        let of_country = classes.entry(country).or_default();
        if !of_country.contains(&line.handling_class) {
            of_country.push(line.handling_class);
        }
    }
    let times = classes.iter().map(|(country, classes)| nodes.handling_time(country, classes));
    times.max().unwrap_or(DEFAULT_HANDLING)
}
