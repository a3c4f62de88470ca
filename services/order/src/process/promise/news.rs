//! News of units that are not in the order's hands any more, and the promises that they move.

use proto::{
    fulfillment::v1::{Node, Package},
    types::v1::LineQuantity,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    node::Nodes,
    order_line::{LineUnits, OrderLine},
    promise::{PromiseBasis, PromiseReason, dates},
    report::{read_id, read_units},
};

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
            // The carrier has found them.
            Self::Estimated(_) | Self::EstimateRetracted(_) => false,
        }
    }
}

impl ChangingOrder {
    fn record_news(&mut self, news: &News, nodes: &[Node]) {
        match news {
            News::Routed { .. } | News::Shipped { .. } => {
                for units in news.units() {
                    let Some(line) = self.line(units.line_number) else { continue };
                    let Some(promised) = self.after_news(line, units, news, nodes) else { continue };
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

    /// The line with its new promise; `None` when it stays.
    fn after_news(&self, line: &OrderLine, units: &LineUnits, news: &News, nodes: &[Node]) -> Option<OrderLine> {
        if !news.concerns(line) {
            return None;
        }
        let node = |node_id: &str| nodes.iter().find(|node| node.node_id == node_id);
        let mut promised = line.clone();
        match news {
            News::Routed { node_id, request_time, .. } => {
                let to = self.destination(line);
                let mut dates =
                    dates::dates(std::iter::once(node(node_id)?), &to, *request_time, self.order.requested_ship_time);
                // Other units of it are at another node, and may be later.
                if units.quantity < line.released {
                    dates.ship = line.promised_ship_time.map_or(dates.ship, |other| other.max(dates.ship));
                    dates.delivery = line.promised_delivery_time.zip(dates.delivery).map(|(one, other)| one.max(other));
                }
                // Most orders go where they were promised from, and nothing is written.
                if line.has_promised(&dates) {
                    return None;
                }
                promised.promise(PromiseBasis::Routed, PromiseReason::Routed, &dates);
            }
            News::Shipped { node_id, ship_time, .. } => {
                let (at, source) = dates::delivery_after(node(node_id)?, &self.destination(line), *ship_time)?;
                if line.promised_delivery_time.is_some_and(|promised| promised >= at) {
                    return None;
                }
                promised.promise_later(at, &source);
            }
            News::Estimated(_) | News::EstimateRetracted(_) => return None,
        }
        Some(promised)
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

impl Command for RecordNews {
    type Reply = ();

    const NAME: &'static str = "RecordNews";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
        let Ok(lines) = rows.under::<OrderLine>(&self.order_id) else { return };
        if lines.iter().any(|line| self.news.concerns(line)) {
            needs.row::<Nodes>(&Nodes::key());
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        let nodes = rows.get::<Nodes>(&Nodes::key()).ok().flatten().map_or(&[][..], Nodes::all);
        aggregate.change(cx.now(), |order| order.record_news(&self.news, nodes));
        aggregate.save(rows, cx).map(|_| ())
    }
}
