//! The places that an order goes to, when it goes to more than one.
//!
//! A line goes to one place. A line that was ordered for several places is stored as one line for each of them (`place/split.rs`), so
//! that stock, work, shipments and returns of each part are told apart by their line numbers alone. Units are released, routed and
//! shipped by group (`process/release.rs`); what a group shows is derived from the counters of its lines.

use std::collections::BTreeMap;

use proto::order::v1 as contract;
use store::{Proto, Rows};
use types::{Fault, OrderId};

use crate::{
    aggregate::ChangingOrder,
    order::Order,
    order_line::{LineUnits, OrderLine},
    promise::PromiseReason,
};

store::record! {
    /// A place that an order goes to.
    pub(crate) struct ShipToGroup in "order_ship_to_groups" key (order_id: OrderId, group_number: i64) {
        /// Where its lines go, as it was when the order was placed or last changed.
        ship_to: Proto<contract::ShipTo>,
    }
}

/// The most places that an order goes to.
pub(crate) const MAX_GROUPS: usize = 1_000;

impl ShipToGroup {
    /// Writes it, if it is new or has changed.
    pub(crate) fn save(&mut self, rows: &mut Rows) -> Result<(), Fault> {
        let key = (self.order_id.clone(), self.group_number);
        if self.version == 0 || rows.get::<Self>(&key)? != Some(&*self) {
            *self = rows.put(self.clone());
        }
        Ok(())
    }
}

/// Where the lines of a group go; those without a group go where the order goes.
pub(crate) fn ship_to<'a>(order: &'a Order, groups: &'a [ShipToGroup], number: Option<i64>) -> &'a contract::ShipTo {
    let group = number.and_then(|number| groups.iter().find(|group| group.group_number == number));
    group.map_or(&order.ship_to.0, |group| &group.ship_to.0)
}

impl ChangingOrder {
    /// Units of lines, by the group that their line goes to.
    pub(crate) fn by_group(&self, units: Vec<LineUnits>) -> BTreeMap<Option<i64>, Vec<LineUnits>> {
        let mut groups: BTreeMap<Option<i64>, Vec<LineUnits>> = BTreeMap::new();
        for unit in units {
            groups.entry(self.line(unit.line_number).and_then(|line| line.ship_to_group)).or_default().push(unit);
        }
        groups
    }

    /// Where the lines of a group go.
    pub(crate) fn ship_to(&self, group: Option<i64>) -> &contract::ShipTo {
        ship_to(&self.order, &self.groups, group)
    }

    /// Sends what is not shipped of a group to another place.
    pub(crate) fn set_ship_to(&mut self, group: Option<i64>, ship_to: contract::ShipTo) {
        let moved = self.lines.iter_mut().filter(|line| line.ship_to_group == group && line.cancellable() > 0);
        moved.for_each(|line| line.promise_again(PromiseReason::OrderChanged));
        let at = group.and_then(|number| self.groups.iter().position(|group| group.group_number == number));
        if let Some(group) = at.and_then(|at| self.groups.get_mut(at)) {
            group.ship_to = Proto(ship_to.clone());
        }
        // An order that goes to several places shows the first of them.
        if at.is_none_or(|at| at == 0) {
            self.order.ship_to = Proto(ship_to);
        }
    }

    /// The lines that go to a group; all of an order that goes to one place.
    pub(crate) fn lines_of(&self, group: Option<i64>) -> impl Iterator<Item = &OrderLine> {
        self.lines.iter().filter(move |line| line.ship_to_group == group)
    }
}
