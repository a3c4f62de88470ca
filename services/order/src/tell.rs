//! The events of an order's news.

use prost::{Message, Name};
use proto::{event::v1::ExceptionOpened, order::v1 as wire, types::v1 as common};
use store::{Context, NewEvent, Proto, Rows};
use types::ShipmentId;

use crate::{
    account::InvoicePolicy,
    fact::Units,
    hold::Hold,
    invoice::InvoiceReadiness,
    line::{Line, Ready},
    news::News,
    order::Order,
    progress::Progress,
};

/// Appends the events of what is new about an order, which was saved before.
pub(crate) fn tell(progress: &Progress, rows: &mut Rows, cx: &mut Context<'_>) {
    let teller = Teller { progress, order_id: progress.order.order_id.to_string() };
    for news in &progress.news {
        teller.tell(news, rows, cx);
    }
}

struct Teller<'a> {
    progress: &'a Progress,
    order_id: String,
}

impl Teller<'_> {
    fn tell(&self, news: &News, rows: &mut Rows, cx: &mut Context<'_>) {
        let (order_id, reason) = (self.order_id.clone(), self.order().reason.clone());
        match news {
            News::HoldPlaced(hold) => self.emit(cx, "order.hold_placed", &self.hold_changed(hold)),
            News::HoldReleased(hold) => self.emit(cx, "order.hold_released", &self.hold_changed(hold)),
            News::Confirmed => {
                let lines = self.progress.lines.iter().map(crate::wire::line).collect();
                self.emit(cx, "order.confirmed", &wire::OrderConfirmed { order_id, lines });
            }
            News::Rejected => self.emit(cx, "order.rejected", &wire::OrderRejected { order_id, reason }),
            News::Backordered(units) => {
                self.emit(cx, "order.backordered", &wire::OrderBackordered { order_id, lines: self.quantities(units) });
            }
            News::Released(units) => self.emit(cx, "order.released", &self.released(units)),
            News::LinesCancelled(units) => {
                let lines = self.quantities(units);
                self.emit(cx, "order.line_cancelled", &wire::OrderLinesCancelled { order_id, lines, reason });
            }
            News::CancelRequested => {
                self.emit(cx, "order.cancel_requested", &wire::OrderCancelRequested { order_id, reason });
            }
            News::Cancelled => self.emit(cx, "order.cancelled", &wire::OrderCancelled { order_id, reason }),
            News::CancelLost(shipment_id, units) => {
                let lost = wire::OrderCancelLost {
                    order_id,
                    shipment_id: shipment_id.to_string(),
                    lines: self.quantities(units),
                };
                self.emit(cx, "order.cancel_lost", &lost);
                let summary = "shipped although its cancellation had been asked for";
                self.open_exception(cx, "CANCEL_LOST", &self.order_id, summary, shipment_id, units);
            }
            News::OverShipped(shipment_id, units) => {
                let summary = "more units were shipped than were wanted";
                self.open_exception(cx, "OVER_SHIPPED", shipment_id.to_string().as_str(), summary, shipment_id, units);
            }
            News::InvoiceReady { shipment_id, lines } => {
                let readiness = self.readiness(shipment_id, lines, cx);
                rows.put(InvoiceReadiness {
                    order_id: self.order().order_id.clone(),
                    invoice_number: self.order().invoice_count,
                    account_id: self.order().account_id.clone(),
                    ready_time: cx.now(),
                    readiness: Proto(readiness.clone()),
                    version: 0,
                });
                self.emit(cx, "order.invoice_ready", &wire::OrderInvoiceReady { readiness: Some(readiness) });
            }
            News::Closed => {
                let status = crate::wire::status(self.order().status).into();
                self.emit(cx, "order.closed", &wire::OrderClosed { order_id, status });
            }
        }
    }

    fn order(&self) -> &Order {
        &self.progress.order
    }

    fn emit<M: Message + Name>(&self, cx: &mut Context<'_>, kind: &'static str, fact: &M) {
        let order = self.order();
        let draft = NewEvent::untyped(kind, &order.order_id, order.version, order.version, fact);
        cx.emit(draft.order(&order.order_id).account(&order.account_id));
    }

    fn open_exception(
        &self,
        cx: &mut Context<'_>,
        kind: &str,
        subject: &str,
        summary: &str,
        shipment_id: &ShipmentId,
        units: &[Units],
    ) {
        let order = self.order();
        let units = units.iter().map(|units| format!("{}:{}", units.line_number, units.quantity));
        let opened = ExceptionOpened {
            r#type: kind.to_owned(),
            subject: subject.to_owned(),
            order_id: self.order_id.clone(),
            summary: summary.to_owned(),
            facts: [
                ("shipment_id".to_owned(), shipment_id.to_string()),
                ("units_by_line".to_owned(), units.collect::<Vec<_>>().join(" ")),
            ]
            .into(),
        };
        let key = format!("{kind}/{}", order.version);
        let draft = NewEvent::untyped("exception.opened", subject, order.version, key, &opened);
        cx.emit(draft.order(&order.order_id).account(&order.account_id));
    }

    fn line(&self, line_number: i64) -> Option<&Line> {
        let at = self.progress.lines.binary_search_by_key(&line_number, |line| line.line_number).ok()?;
        self.progress.lines.get(at)
    }

    fn quantities(&self, units: &[Units]) -> Vec<common::LineQuantity> {
        let quantity = |units: &Units| Some(crate::wire::quantity(self.line(units.line_number)?, units.quantity));
        units.iter().filter_map(quantity).collect()
    }

    fn hold_changed(&self, hold: &Hold) -> wire::OrderHoldChanged {
        wire::OrderHoldChanged {
            order_id: self.order_id.clone(),
            hold: Some(crate::wire::hold(hold)),
            open_holds: crate::wire::small(self.order().open_holds),
        }
    }

    fn released(&self, units: &[Units]) -> wire::OrderReleased {
        let order = self.order();
        let line = |units: &Units| {
            let line = self.line(units.line_number)?;
            Some(wire::ReleasedLine {
                line_number: crate::wire::small(line.line_number),
                sku: line.sku.clone(),
                quantity: units.quantity,
                handling_class: crate::wire::handling_class(line.handling_class).into(),
            })
        };
        wire::OrderReleased {
            order_id: self.order_id.clone(),
            release_number: crate::wire::small(order.release_number),
            account_id: order.account_id.to_string(),
            customer_po: order.customer_po.clone(),
            ship_to: order.ship_to.0.address.clone(),
            lines: units.iter().filter_map(line).collect(),
            requested_ship_time: order.requested_ship_time.map(mesh::wire::timestamp),
        }
    }

    fn readiness(&self, shipment_id: &ShipmentId, lines: &[(i64, Ready)], cx: &Context<'_>) -> wire::InvoiceReadiness {
        let order = self.order();
        let ready = |(line_number, ready): &(i64, Ready)| {
            let line = self.line(*line_number)?;
            Some(wire::InvoiceReadyLine {
                line_number: crate::wire::small(line.line_number),
                sku: line.sku.clone(),
                quantity: ready.units,
                amount_minor: ready.amount_minor,
            })
        };
        let reason = match order.invoice_policy {
            InvoicePolicy::OnShipment => "SHIPPED",
            InvoicePolicy::OnDelivery => "DELIVERED",
        };
        wire::InvoiceReadiness {
            order_id: self.order_id.clone(),
            shipment_id: shipment_id.to_string(),
            account_id: order.account_id.to_string(),
            amount: Some(crate::wire::money(order.currency, lines.iter().map(|(_, ready)| ready.amount_minor).sum())),
            lines: lines.iter().filter_map(ready).collect(),
            reason: reason.to_owned(),
            ready_time: Some(mesh::wire::timestamp(cx.now())),
        }
    }
}
