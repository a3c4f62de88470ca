//! News of units that are not in the order's hands any more, and the promises that they move.

use proto::{
    fulfillment::v1::{Node, Package},
    order::v1::ShipTo,
    types::v1::LineQuantity,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    node::Nodes,
    order::Order,
    order_line::{LineUnits, OrderLine},
    promise::{PromiseBasis, PromiseReason, dates},
    report::{read_id, read_units},
    ship_to_group::ShipToGroup,
};

use super::destination;

/// What moves promises of units that are not in the order's hands any more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    /// A node was asked to ship.
    Routed {
        /// The node.
        node_id: String,
        /// When it was asked.
        request_time: Timestamp,
        /// What it was asked for.
        units: Vec<LineUnits>,
    },
    /// Units left a node.
    Shipped {
        /// The node.
        node_id: String,
        /// When they left.
        ship_time: Timestamp,
        /// The units.
        units: Vec<LineUnits>,
    },
    /// A carrier has estimated the delivery of a package.
    Estimated(EstimatedPackage),
    /// A report of a carrier about a package was taken back, or the package does not reach the customer this time.
    EstimateRetracted(EstimatedPackage),
}

/// What carriers estimate of a package by now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EstimatedPackage {
    /// The package.
    pub(crate) package_id: String,
    /// When it is to be delivered; `None` when no estimate counts.
    pub(crate) delivery_time: Option<Timestamp>,
    /// Its contents.
    pub(crate) units: Vec<LineUnits>,
}

impl EstimatedPackage {
    /// A package as an event has it.
    pub(crate) fn new(
        package_id: &str,
        delivery_time: Option<Timestamp>,
        lines: &[LineQuantity],
    ) -> Result<Self, Fault> {
        let mut units: Vec<LineUnits> = Vec::new();
        for read in read_units(lines)? {
            match units.iter_mut().find(|units| units.line_number == read.line_number) {
                Some(known) => known.quantity = known.quantity.saturating_add(read.quantity),
                None => units.push(read),
            }
        }
        Ok(Self { package_id: package_id.to_owned(), delivery_time, units })
    }

    /// The package as fulfillment has it.
    pub(crate) fn read(package: &Package) -> Result<Self, Fault> {
        let estimate = package.estimated_delivery_time.as_ref().and_then(mesh::wire::from_timestamp);
        Self::new(&package.package_id, estimate, &package.lines)
    }

    /// The package, without an estimate.
    pub(crate) fn read_without_estimate(package: &Package) -> Result<Self, Fault> {
        Ok(Self { delivery_time: None, ..Self::read(package)? })
    }
}

impl News {
    fn units(&self) -> &[LineUnits] {
        match self {
            Self::Routed { units, .. } | Self::Shipped { units, .. } => units,
            Self::Estimated(package) | Self::EstimateRetracted(package) => &package.units,
        }
    }

    /// Whether the dates of a line may have to be found again.
    fn concerns(&self, line: &OrderLine) -> bool {
        let basis = line.promise_basis;
        match self {
            Self::Routed { .. } => line.released > 0 && matches!(basis, PromiseBasis::Stock | PromiseBasis::Routed),
            Self::Shipped { ship_time, .. } => {
                matches!(basis, PromiseBasis::Stock | PromiseBasis::Routed | PromiseBasis::ShippedLate)
                    && line.promised_ship_time.is_some_and(|promised| promised < *ship_time)
            }
            // The carrier says the date; none is computed.
            Self::Estimated(_) | Self::EstimateRetracted(_) => false,
        }
    }

    /// The line with its new promise, of which it is about so many units; `None` when it stays.
    fn applied_to(
        &self,
        line: &OrderLine,
        units: i64,
        order: &Order,
        ship_to: &ShipTo,
        nodes: &[Node],
    ) -> Option<OrderLine> {
        if !self.concerns(line) {
            return None;
        }
        let node = |node_id: &str| nodes.iter().find(|node| node.node_id == node_id);
        let mut promised = line.clone();
        match self {
            Self::Routed { node_id, request_time, .. } => {
                let to = destination(ship_to);
                let mut dates =
                    dates::dates(std::iter::once(node(node_id)?), &to, *request_time, order.requested_ship_time);
                // Other units of it are at another node, and may be later.
                if units < line.released {
                    dates.ship = line.promised_ship_time.map_or(dates.ship, |other| other.max(dates.ship));
                    dates.delivery = line.promised_delivery_time.zip(dates.delivery).map(|(one, other)| one.max(other));
                }
                // Most orders go where they were promised from, and nothing is written.
                if line.has_promised(&dates) {
                    return None;
                }
                promised.promise(PromiseBasis::Routed, PromiseReason::Routed, &dates);
            }
            Self::Shipped { node_id, ship_time, .. } => {
                let (at, source) = dates::delivery_after(node(node_id)?, &destination(ship_to), *ship_time)?;
                if line.promised_delivery_time.is_some_and(|promised| promised >= at) {
                    return None;
                }
                promised.promise_later(at, &source);
            }
            Self::Estimated(_) | Self::EstimateRetracted(_) => return None,
        }
        Some(promised)
    }
}

impl ChangingOrder {
    fn record_news(&mut self, news: &News, nodes: &[Node]) {
        match news {
            News::Routed { .. } | News::Shipped { .. } => {
                for units in news.units() {
                    let Some(line) = self.line(units.line_number) else { continue };
                    let ship_to = self.ship_to(line.ship_to_group);
                    let Some(promised) = news.applied_to(line, units.quantity, &self.order, ship_to, nodes) else {
                        continue;
                    };
                    self.with_line(units.line_number, |line| *line = promised);
                }
            }
            News::Estimated(package) => {
                let Some(at) = package.delivery_time else { return };
                self.each_of(&package.units, |line, units| line.estimate(&package.package_id, units, at));
            }
            News::EstimateRetracted(EstimatedPackage { package_id, delivery_time, units }) => {
                self.each_of(units, |line, units| line.retract_estimate(package_id, units, *delivery_time));
            }
        }
    }
}

/// Records news that may move promises.
#[derive(Debug)]
pub(crate) struct RecordNews {
    order_id: OrderId,
    news: News,
}

/// The command that records news about an order, if it is about any units.
pub(crate) fn record_news(order_id: &str, news: News) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    if news.units().is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Box::new(RecordNews { order_id: read_id(order_id)?, news })])
}

impl RecordNews {
    /// The lines that it is about, with how many units of each.
    fn lines<'r>(&self, rows: &'r Rows) -> Vec<(&'r OrderLine, i64)> {
        let line = |units: &LineUnits| {
            let line = rows.get::<OrderLine>(&(self.order_id.clone(), units.line_number)).ok()??;
            Some((line, units.quantity))
        };
        self.news.units().iter().filter_map(line).collect()
    }

    /// Whether a line may be another one after it.
    fn moves(&self, rows: &Rows) -> Result<bool, Fault> {
        if matches!(self.news, News::Estimated(_) | News::EstimateRetracted(_)) {
            return Ok(true);
        }
        let order = rows.get::<Order>(&self.order_id)?.ok_or_else(|| Fault::not_found("order", &self.order_id))?;
        for (line, units) in self.lines(rows).into_iter().filter(|(line, _)| self.news.concerns(line)) {
            let nodes = rows.get::<Nodes>(&Nodes::key())?.map_or(&[][..], Nodes::all);
            let group = match line.ship_to_group {
                Some(number) => rows.get::<ShipToGroup>(&(self.order_id.clone(), number))?,
                None => None,
            };
            let ship_to = group.map_or(&order.ship_to.0, |group| &group.ship_to.0);
            if self.news.applied_to(line, units, order, ship_to, nodes).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Most news moves no promise. So the lines that it is about are looked at first, and the others are read only when it does: an order
/// may have thousands, and as many nodes asked.
impl Command for RecordNews {
    type Reply = ();

    const NAME: &'static str = "RecordNews";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Order>(&self.order_id);
        for units in self.news.units() {
            needs.row::<OrderLine>(&(self.order_id.clone(), units.line_number));
        }
        for (line, _) in self.lines(rows).into_iter().filter(|(line, _)| self.news.concerns(line)) {
            needs.row::<Nodes>(&Nodes::key());
            if let Some(number) = line.ship_to_group {
                needs.row::<ShipToGroup>(&(self.order_id.clone(), number));
            }
        }
        if self.moves(rows).is_ok_and(|moves| moves) {
            OrderAggregate::needs(&self.order_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        if !self.moves(rows)? {
            return Ok(());
        }
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        let nodes = rows.get::<Nodes>(&Nodes::key()).ok().flatten().map_or(&[][..], Nodes::all);
        aggregate.change(cx.now(), |order| order.record_news(&self.news, nodes));
        aggregate.save(rows, cx).map(|_| ())
    }
}
