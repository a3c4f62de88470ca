//! The pending events of an order: collected while it changes, emitted when it is saved.

use std::collections::HashMap;

use proto::{
    event::v1::ExceptionType,
    events::{EventPayload as _, EventType, OrderEvent},
    order::v1 as contract,
    types::v1::{HandlingClass, LineQuantity},
};
use store::{Context, Exception, NewEvent, Rows};
use types::{ReturnId, ShipmentId};

use crate::{
    aggregate::SavedOrder,
    change::OrderChange,
    hold::Hold,
    invoice::{Balance, Invoice, InvoiceKind},
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
    /// Reserved units of one ship-to group are to be fulfilled, under a release number.
    Released(Option<i64>, i64, Vec<LineUnits>),
    /// Released units left with a shipment of a node that was no longer to ship them.
    ReleaseSuperseded(ShipmentId, Vec<LineUnits>),
    /// A hold was placed; its row is written.
    HoldPlaced(Hold),
    /// A hold was released; its row is written.
    HoldReleased(Hold),
    /// Units that were not at nodes are cancelled.
    LinesCancelled(Vec<LineUnits>),
    /// Units at nodes should not be shipped; all of the order when no line is named.
    CancelRequested(Vec<LineUnits>),
    /// What is released of a ship-to group should go to its new place, by a change.
    ShipToChangeRequested(i64, Option<i64>),
    /// A change is proposed.
    ChangeProposed,
    /// A change was made.
    ChangeConfirmed,
    /// A change ended without being made, or nodes have answered it.
    ChangeEnded,
    /// A node has accepted another place after its change had ended; the change's row is written.
    ChangeCorrected(Box<OrderChange>),
    /// Lines got dates that they had not.
    PromiseSet(Vec<contract::PromiseChange>),
    /// Dates of lines changed, or were taken back.
    PromiseChanged(Vec<contract::PromiseChange>),
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
    /// An invoice or a credit memo was recorded; its row is written.
    Invoiced(Invoice),
    /// An invoice or a credit memo does not fit what is owed of some lines.
    InvoiceMismatched(String, Vec<i64>),
    /// Every invoice fits what is owed.
    InvoiceMatches,
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
    /// Emits the event of an order that was saved, and writes the row that belongs to it. `emitted` counts the events of each type
    /// that were emitted with the same version of the order, so that each is an event of its own.
    pub(crate) fn emit(
        self,
        saved: &SavedOrder,
        emitted: &mut HashMap<EventType, usize>,
        rows: &mut Rows,
        cx: &mut Context<'_>,
    ) {
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
            Self::Released(group, number, units) => OrderEvent::OrderReleased(saved.released(group, number, &units)),
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
            Self::CancelRequested(units) => {
                let (lines, returned) = (saved.quantities(&units), saved.returned_by_nodes(&units));
                OrderEvent::OrderCancelRequested(contract::OrderCancelRequested { order_id, reason, lines, returned })
            }
            Self::ShipToChangeRequested(change_number, group) => {
                OrderEvent::OrderShipToChangeRequested(saved.ship_to_change(change_number, group))
            }
            Self::ChangeProposed => {
                OrderEvent::OrderChangeProposed(contract::OrderChangeProposed { change: saved.change_to_contract() })
            }
            Self::ChangeConfirmed => {
                let (change, order) = (saved.change_to_contract(), Some(saved.changed_order()));
                OrderEvent::OrderChangeConfirmed(contract::OrderChangeConfirmed { change, order })
            }
            Self::ChangeEnded => {
                let is_declined =
                    |change: &contract::OrderChange| change.ship_tos.iter().any(|place| place.declined > 0);
                let order = saved.change().is_some_and(is_declined).then(|| saved.changed_order());
                OrderEvent::OrderChangeEnded(contract::OrderChangeEnded { change: saved.change_to_contract(), order })
            }
            Self::ChangeCorrected(change) => {
                let (change, order) = (rows.put(*change).to_contract(order), Some(saved.to_contract([])));
                OrderEvent::OrderChangeEnded(contract::OrderChangeEnded { change: Some(change), order })
            }
            Self::PromiseSet(lines) => OrderEvent::OrderPromiseSet(saved.promise_changed(lines)),
            Self::PromiseChanged(lines) => OrderEvent::OrderPromiseChanged(saved.promise_changed(lines)),
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
            Self::Invoiced(invoice) => {
                let kind = invoice.kind;
                let invoiced = saved.invoiced(rows.put(invoice));
                match kind {
                    InvoiceKind::Invoice => OrderEvent::OrderInvoiced(invoiced),
                    InvoiceKind::CreditMemo => OrderEvent::OrderCreditPosted(invoiced),
                }
            }
            Self::InvoiceMismatched(number, lines) => return saved.open_invoice_mismatch(number, &lines, cx),
            Self::InvoiceMatches => {
                let exception = exception(ExceptionType::InvoiceMismatch, order.order_id.to_string(), order);
                return exception.resolve(cx, "what is invoiced fits what is owed");
            }
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
        let nth = emitted.entry(payload.event_type()).and_modify(|count| *count += 1).or_default();
        let key = if *nth == 0 { order.version.to_string() } else { format!("{}.{nth}", order.version) };
        let event = NewEvent::new(payload, &order.order_id, order.version, key);
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

    /// Units of the same lines that nodes have returned.
    fn returned_by_nodes(&self, units: &[LineUnits]) -> Vec<LineQuantity> {
        let lines = units.iter().filter_map(|units| self.line(units.line_number));
        let returned = lines.filter(|line| line.returned_by_nodes > 0);
        returned.map(|line| wire::quantity(line, line.returned_by_nodes)).collect()
    }

    fn invoiced(&self, invoice: Invoice) -> contract::OrderInvoiced {
        let (order, balance) = (self.order(), Balance::of(self.lines()));
        contract::OrderInvoiced {
            invoice: Some(invoice.invoice.0),
            invoicing_status: order.invoicing_status(self.lines(), &balance).into(),
            to_invoice: Some(wire::money(order.currency, balance.to_invoice_minor)),
            to_credit: Some(wire::money(order.currency, balance.to_credit_minor)),
        }
    }

    fn open_invoice_mismatch(&self, invoice_number: String, line_numbers: &[i64], cx: &mut Context<'_>) {
        let (mut invoiced, mut owed) = (Vec::new(), Vec::new());
        for line in line_numbers.iter().filter_map(|number| self.line(*number)) {
            let (units, minor) = line.owed_now();
            owed.push(format!("{}:{units}:{minor}", line.line_number));
            let (units, minor) =
                (line.invoiced - line.credit_posted, line.invoiced_minor.saturating_sub(line.credit_posted_minor));
            invoiced.push(format!("{}:{units}:{minor}", line.line_number));
        }
        let facts = [
            ("invoice_number", invoice_number),
            ("invoiced_by_line", invoiced.join(" ")),
            ("owed_by_line", owed.join(" ")),
        ];
        let order = self.order();
        let exception = exception(ExceptionType::InvoiceMismatch, order.order_id.to_string(), order);
        exception.open(cx, "the ERP invoiced or credited more than fits what is owed", facts);
    }

    fn hold_changed(&self, hold: &Hold) -> contract::OrderHoldChanged {
        contract::OrderHoldChanged {
            order_id: self.order().order_id.to_string(),
            hold: Some(wire::hold(hold)),
            open_holds: wire::small(self.order().open_holds),
        }
    }

    fn ship_to_change(&self, change_number: i64, group: Option<i64>) -> contract::OrderShipToChangeRequested {
        contract::OrderShipToChangeRequested {
            order_id: self.order().order_id.to_string(),
            change_number: wire::small(change_number),
            ship_to_group: wire::group(group),
            ship_to: self.ship_to(group).address.clone(),
        }
    }

    /// The order with those of its lines that its change is about, and all of them when it changes a place or the times.
    fn changed_order(&self) -> contract::Order {
        let mut order = self.to_contract([]);
        if let Some(change) = self.change().filter(|change| change.ship_tos.is_empty() && change.times.is_none()) {
            order.lines.retain(|line| change.lines.iter().any(|changed| changed.line_number == line.line_number));
        }
        order
    }

    fn promise_changed(&self, lines: Vec<contract::PromiseChange>) -> contract::OrderPromiseChanged {
        let sums = &self.order().sums.0;
        contract::OrderPromiseChanged {
            order_id: self.order().order_id.to_string(),
            lines,
            promised_delivery_time: sums.promised_delivery_time,
            promise_is_partial: sums.promise_is_partial,
        }
    }

    fn released(&self, group: Option<i64>, release_number: i64, units: &[LineUnits]) -> contract::OrderReleased {
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
            release_number: wire::small(release_number),
            account_id: order.account_id.to_string(),
            customer_po: order.customer_po.clone(),
            ship_to: self.ship_to(group).address.clone(),
            ship_to_group: wire::group(group),
            lines: units.iter().filter_map(line).collect(),
            requested_ship_time: order.requested_ship_time.map(mesh::wire::timestamp),
        }
    }
}
