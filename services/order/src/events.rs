//! The pending events of an order: collected while it changes, emitted when it is saved.

use proto::{
    event::v1::ExceptionType,
    events::OrderEvent,
    order::v1 as contract,
    types::v1::{HandlingClass, LineQuantity},
};
use store::{Context, Exception, NewEvent, Rows};
use types::{ReturnId, ShipmentId};

use crate::{
    aggregate::SavedOrder,
    hold::Hold,
    order::Order,
    order_line::{LineUnits, OrderLine},
    process::settlement::{InvoiceReadiness, ProposedCredit},
    wire,
};

/// An event that waits until its order is saved. It carries the order as saved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PendingEvent {
    /// The order was placed.
    Submitted,
    /// Stock was reserved or backordered for every line.
    Confirmed,
    /// The fill policy could not be met.
    Rejected,
    /// More units than before wait for stock; these are all that wait now.
    Backordered(Vec<LineUnits>),
    /// Reserved units are to be fulfilled.
    Released(Vec<LineUnits>),
    /// Released units left with a shipment of a node that was no longer to ship them.
    ReleaseSuperseded(ShipmentId, Vec<LineUnits>),
    /// A hold was placed; its row is written.
    HoldPlaced(Hold),
    /// A hold was released; its row is written.
    HoldReleased(Hold),
    /// Units that were not at nodes are cancelled.
    LinesCancelled(Vec<LineUnits>),
    /// Units at nodes should not be shipped.
    CancelRequested,
    /// Every unit is cancelled.
    Cancelled,
    /// Units were shipped although their cancellation had been requested.
    CancelLost(ShipmentId, Vec<LineUnits>),
    /// Units became ready to invoice; their row is written.
    InvoiceReady(InvoiceReadiness),
    /// A credit is proposed; its row is written.
    CreditProposed(ProposedCredit),
    /// Units of a return earn no credit.
    CreditRefused(ReturnId, Vec<LineUnits>),
    /// Nothing is open any more.
    Closed,
    /// A person decides about units of a shipment.
    Exception(ShipmentException),
    /// No more units are shipped than were wanted.
    OverShippedResolved,
}

/// An exception about units of a shipment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShipmentException {
    /// Its type.
    pub(crate) exception_type: ExceptionType,
    /// The id of what it is about.
    pub(crate) subject: String,
    /// One line for a person.
    pub(crate) summary: &'static str,
    /// The shipment.
    pub(crate) shipment_id: ShipmentId,
    /// The units.
    pub(crate) units: Vec<LineUnits>,
}

impl PendingEvent {
    /// Emits the event of an order that was saved, and writes the row that belongs to it.
    pub(crate) fn emit(self, saved: &SavedOrder, rows: &mut Rows, cx: &mut Context<'_>) {
        let order = saved.order();
        let (order_id, reason) = (order.order_id.to_string(), order.reason.clone());
        let payload = match self {
            Self::Submitted => {
                let order = Some(saved.to_contract([]));
                OrderEvent::OrderSubmitted(contract::OrderSubmitted { order })
            }
            Self::Confirmed => {
                let lines = saved.lines().iter().map(wire::line).collect();
                OrderEvent::OrderConfirmed(contract::OrderConfirmed { order_id, lines })
            }
            Self::Rejected => OrderEvent::OrderRejected(contract::OrderRejected { order_id, reason }),
            Self::Backordered(units) => {
                let lines = saved.quantities(&units);
                OrderEvent::OrderBackordered(contract::OrderBackordered { order_id, lines })
            }
            Self::Released(units) => OrderEvent::OrderReleased(saved.released(&units)),
            Self::ReleaseSuperseded(shipment_id, units) => {
                let (shipment_id, lines) = (shipment_id.to_string(), saved.quantities(&units));
                OrderEvent::OrderReleaseSuperseded(contract::OrderReleaseSuperseded { order_id, shipment_id, lines })
            }
            Self::HoldPlaced(hold) => OrderEvent::OrderHoldPlaced(saved.hold_changed(&rows.put(hold))),
            Self::HoldReleased(hold) => OrderEvent::OrderHoldReleased(saved.hold_changed(&rows.put(hold))),
            Self::LinesCancelled(units) => {
                let lines = saved.quantities(&units);
                OrderEvent::OrderLineCancelled(contract::OrderLinesCancelled { order_id, lines, reason })
            }
            Self::CancelRequested => {
                OrderEvent::OrderCancelRequested(contract::OrderCancelRequested { order_id, reason })
            }
            Self::Cancelled => OrderEvent::OrderCancelled(contract::OrderCancelled { order_id, reason }),
            Self::CancelLost(shipment_id, units) => OrderEvent::OrderCancelLost(contract::OrderCancelLost {
                order_id,
                shipment_id: shipment_id.to_string(),
                lines: saved.quantities(&units),
            }),
            Self::InvoiceReady(row) => {
                let readiness = Some(rows.put(row).readiness.0);
                OrderEvent::OrderInvoiceReady(contract::OrderInvoiceReady { readiness })
            }
            Self::CreditProposed(row) => {
                let credit = Some(rows.put(row).credit.0);
                OrderEvent::OrderCreditProposed(contract::OrderCreditProposed { credit })
            }
            Self::CreditRefused(return_id, units) => OrderEvent::OrderCreditRefused(contract::OrderCreditRefused {
                order_id,
                return_id: return_id.to_string(),
                lines: saved.quantities(&units),
            }),
            Self::Closed => {
                let status = contract::OrderStatus::from(order.status).into();
                OrderEvent::OrderClosed(contract::OrderClosed { order_id, status })
            }
            Self::Exception(exception) => return exception.open(saved, cx),
            Self::OverShippedResolved => {
                let exception = exception(ExceptionType::OverShipped, order.order_id.to_string(), order);
                return exception.resolve(cx, "no more units are shipped than are wanted");
            }
        };
        let event = NewEvent::new(payload, &order.order_id, order.version, order.version);
        cx.emit(event.order(&order.order_id).account(&order.account_id));
    }
}

impl ShipmentException {
    fn open(self, saved: &SavedOrder, cx: &mut Context<'_>) {
        let order = saved.order();
        let units: Vec<_> =
            self.units.iter().map(|units| format!("{}:{}", units.line_number, units.quantity)).collect();
        let facts = [("shipment_id", self.shipment_id.to_string()), ("units_by_line", units.join(" "))];
        exception(self.exception_type, self.subject, order).open(cx, self.summary, facts);
    }
}

fn exception(exception_type: ExceptionType, subject: String, order: &Order) -> Exception {
    Exception::new(exception_type, subject, order.version)
        .version(order.version)
        .order(&order.order_id)
        .account(&order.account_id)
}

impl SavedOrder {
    fn line(&self, line_number: i64) -> Option<&OrderLine> {
        let at = self.lines().binary_search_by_key(&line_number, |line| line.line_number).ok()?;
        self.lines().get(at)
    }

    fn quantities(&self, units: &[LineUnits]) -> Vec<LineQuantity> {
        let quantity = |units: &LineUnits| Some(wire::quantity(self.line(units.line_number)?, units.quantity));
        units.iter().filter_map(quantity).collect()
    }

    fn hold_changed(&self, hold: &Hold) -> contract::OrderHoldChanged {
        contract::OrderHoldChanged {
            order_id: self.order().order_id.to_string(),
            hold: Some(wire::hold(hold)),
            open_holds: wire::small(self.order().open_holds),
        }
    }

    fn released(&self, units: &[LineUnits]) -> contract::OrderReleased {
        let order = self.order();
        let line = |units: &LineUnits| {
            let line = self.line(units.line_number)?;
            Some(contract::ReleasedLine {
                line_number: wire::small(line.line_number),
                sku: line.sku.clone(),
                quantity: units.quantity,
                handling_class: HandlingClass::from(line.handling_class).into(),
            })
        };
        contract::OrderReleased {
            order_id: order.order_id.to_string(),
            release_number: wire::small(order.release_number),
            account_id: order.account_id.to_string(),
            customer_po: order.customer_po.clone(),
            ship_to: order.ship_to.0.address.clone(),
            lines: units.iter().filter_map(line).collect(),
            requested_ship_time: order.requested_ship_time.map(mesh::wire::timestamp),
        }
    }
}
