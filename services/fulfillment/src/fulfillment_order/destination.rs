//! Where the goods of a fulfillment order go, and another address that its node is asked for.

use proto::{
    fulfillment::v1::ShipToChange,
    types::v1::{Address, LineQuantity},
};
use store::Proto;

use super::FulfillmentOrder;

/// What became of units since they were to be shipped to another address.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Redirected {
    /// They left for the old address.
    pub(crate) left: Vec<LineQuantity>,
    /// Another node ships them, to the new address.
    pub(crate) elsewhere: Vec<LineQuantity>,
}

impl FulfillmentOrder {
    /// The number of the change that the node is asked for; 0 when there is none.
    pub(crate) fn ship_to_asked(&self) -> i64 {
        self.header.ship_to_change.as_ref().map_or(0, |change| change.0.change_number.into())
    }

    /// Units that are still to be shipped.
    pub(crate) fn open_units(&self) -> Vec<LineQuantity> {
        self.lines.iter().filter(|line| line.open() > 0).map(|line| line.units(line.open())).collect()
    }

    /// Asks the node to ship its open units to another address.
    pub(crate) fn ask_ship_to(&mut self, change: ShipToChange) {
        self.header.ship_to_change = Some(Proto(change));
        self.lines.iter_mut().for_each(|line| line.redirecting = line.open());
    }

    /// Ends the request; returns the units that the node was still asked to ship to the other address.
    pub(crate) fn end_ship_to_request(&mut self) -> Vec<LineQuantity> {
        self.header.ship_to_change = None;
        let mut units = Vec::new();
        for line in self.lines.iter_mut().filter(|line| line.redirecting > 0) {
            let quantity = std::mem::take(&mut line.redirecting);
            units.push(line.units(quantity));
        }
        units
    }

    /// The goods that have not left go to another address.
    pub(crate) fn redirect(&mut self, change_number: i64, ship_to: Address) {
        self.header.ship_to = Proto(ship_to);
        self.header.ship_to_change_number = change_number;
    }

    /// What became of units that the node was asked to ship to another address, since the fulfillment order was as it was loaded.
    /// Cancelled ones go nowhere.
    pub(crate) fn follow_redirecting(&mut self, loaded: &Self) -> Redirected {
        let mut redirected = Redirected::default();
        for (line, before) in self.lines.iter_mut().zip(&loaded.lines) {
            let lost = (line.redirecting - line.open()).max(0);
            line.redirecting -= lost;
            let left = lost.min((line.shipped - before.shipped).max(0));
            let cancelled = (lost - left).min((line.cancelled - before.cancelled).max(0));
            for (units, quantity) in
                [(&mut redirected.left, left), (&mut redirected.elsewhere, lost - left - cancelled)]
            {
                if quantity > 0 {
                    units.push(line.units(quantity));
                }
            }
        }
        redirected
    }
}
