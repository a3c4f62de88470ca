//! The destination of a fulfillment order changes, with the events. The process is in `process/ship_to_change.rs`.

use std::collections::BTreeMap;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{FulfillmentShipToChange, ShipToChange as Asked},
    types::v1::{Address, LineQuantity},
};
use store::{Context, Proto, Rows};
use types::{Fault, ShipmentId, Timestamp};

use super::{FulfillmentOrderAggregate, PendingEvent};
use crate::{
    fulfillment_order::{FulfillmentOrderHeader, RequestState},
    package::{Package, add},
    process::ship_to_change::{self, ALREADY_SHIPPED},
    ship_to_change::ShipToChange,
    wire::count,
};

/// The event of a change, and what it says of it.
#[derive(Debug)]
pub(super) struct ShipToEvent {
    pub(super) event: fn(FulfillmentShipToChange) -> FulfillmentEvent,
    pub(super) change_number: i64,
    pub(super) ship_to: Address,
    pub(super) reason: String,
    pub(super) lines: Vec<LineQuantity>,
    pub(super) at: Timestamp,
}

impl FulfillmentOrderAggregate {
    /// The units should go to another address. What has left stays; a node that has not accepted gives the units up, and one that
    /// has is asked, until `expire_time`. Counts each of them in the change, of which it is a part from now on.
    pub(crate) fn change_ship_to(&mut self, change: &mut ShipToChange, expire_time: Timestamp, now: Timestamp) {
        let superseded = format!("superseded by change {} of the destination", change.change_number);
        let was_asked = self.order.header.ship_to_change.is_some();
        self.end_ship_to_request(&superseded, now);
        let header = &self.order.header;
        if header.ship_to == change.ship_to && !was_asked {
            change.accept(self.order.open_units());
            self.order.header.ship_to_change_number = change.change_number;
            return;
        }
        for line in &self.order.lines {
            let (left, coming_back) =
                (line.shipped - line.written_off, line.pending_deallocation - line.cancel_pending);
            change.reject(positive(line.units(left)), ALREADY_SHIPPED);
            change.accept(positive(line.units(coming_back)));
        }
        let open = self.order.open_units();
        if open.is_empty() {
            return;
        }
        if header.request_state == RequestState::Submitted {
            change.accept(open);
            self.withdraw_for_ship_to(now);
            return;
        }
        change.nodes_asked += 1;
        self.order.ask_ship_to(Asked {
            change_number: count(change.change_number),
            ship_to: Some(change.ship_to.0.clone()),
            request_time: Some(mesh::wire::timestamp(now)),
            expire_time: Some(mesh::wire::timestamp(expire_time)),
        });
        self.pending.push(PendingEvent::ShipTo(Box::new(ShipToEvent {
            event: FulfillmentEvent::FulfillmentShipToChangeRequested,
            change_number: change.change_number,
            ship_to: change.ship_to.0.clone(),
            reason: String::new(),
            lines: open,
            at: now,
        })));
    }

    /// The node, which has not accepted, gives the units up, because they go elsewhere: they are routed again.
    pub(super) fn withdraw_for_ship_to(&mut self, now: Timestamp) {
        let stopped = self.order.withdraw_unanswered(ship_to_change::CHANGED);
        self.stopped(stopped, now);
        self.pending.push(PendingEvent::Ended(now));
    }

    /// The node ships to the address of a change, which it may accept after the request ended. One that is older than what it
    /// accepted before, and one of which it has no unit any more, changes nothing.
    pub(crate) fn accept_ship_to(&mut self, change: &mut ShipToChange, at: Timestamp) {
        let number = change.change_number;
        let open = self.order.open_units();
        if number <= self.order.header.ship_to_change_number || open.is_empty() {
            return;
        }
        if self.order.ship_to_asked() == number {
            let asked = self.order.end_ship_to_request();
            self.answered_ship_to = true;
            change.nodes_asked -= 1;
            change.accept(asked.clone());
            change.accept_late(crate::package::difference(&open, &asked));
        } else {
            change.accept_late(open.clone());
        }
        // A release that went back to the old address goes to the new one again.
        let release = self.release.release();
        if release.ship_to_change_number == number && release.ship_to != change.ship_to {
            change.accept_late(self.release.redirect(number, &change.ship_to.0));
        }
        self.void_for_ship_to(at);
        self.order.redirect(number, change.ship_to.0.clone());
        self.pending.push(PendingEvent::ShipTo(Box::new(ShipToEvent {
            event: FulfillmentEvent::FulfillmentShipToChangeAccepted,
            change_number: number,
            ship_to: change.ship_to.0.clone(),
            reason: String::new(),
            lines: open,
            at,
        })));
    }

    /// The node does not ship to the address that it is asked for, or the request ends.
    pub(crate) fn reject_ship_to(&mut self, reason: &str, at: Timestamp) {
        self.end_ship_to_request(reason, at);
    }

    fn end_ship_to_request(&mut self, reason: &str, at: Timestamp) {
        let (number, Some(asked)) = (self.order.ship_to_asked(), self.order.header.ship_to_change.clone()) else {
            return;
        };
        let lines = self.order.end_ship_to_request();
        self.ended_change = Some((lines.clone(), reason.to_owned()));
        self.pending.push(PendingEvent::ShipTo(Box::new(ShipToEvent {
            event: FulfillmentEvent::FulfillmentShipToChangeRejected,
            change_number: number,
            ship_to: asked.0.ship_to.unwrap_or_default(),
            reason: reason.to_owned(),
            lines,
            at,
        })));
    }

    /// Labels of packages that have not left are void; what has left, and what leaves under a void label, goes to the old address.
    fn void_for_ship_to(&mut self, at: Timestamp) {
        let old = &self.order.header.ship_to;
        for shipment in &mut self.shipments {
            let left = |package: &Package| package.shipment_id == shipment.shipment_id && package.has_left();
            if self.packages.iter().any(left) {
                shipment.ship_to.get_or_insert_with(|| old.clone());
            }
        }
        let mut voided: BTreeMap<ShipmentId, Vec<LineQuantity>> = BTreeMap::new();
        for package in self.packages.iter_mut().filter(|one| !one.has_left() && one.void_time.is_none()) {
            package.void_time = Some(at);
            package.ship_to.get_or_insert_with(|| old.clone());
            add(voided.entry(package.shipment_id.clone()).or_default(), package.lines().to_vec());
        }
        let voided = voided.into_iter().map(|(shipment_id, lines)| PendingEvent::Voided(shipment_id, lines, at));
        self.pending.extend(voided);
    }

    /// Where a package goes that is labelled or leaves now, when that is not where its shipment goes.
    pub(super) fn own_ship_to(&self, shipment_id: &ShipmentId) -> Option<Proto<Address>> {
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == *shipment_id)?;
        let of_shipment = shipment.ship_to.as_ref()?;
        let of_order = &self.order.header.ship_to;
        (of_shipment != of_order).then(|| of_order.clone())
    }

    /// Counts in the change that the node was asked for what became of its units, and ends the request with the last of them.
    /// Returns the change if it is another one by that.
    pub(super) fn follow_ship_to_change(
        &mut self,
        rows: &Rows,
        cx: &mut Context<'_>,
    ) -> Result<Option<ShipToChange>, Fault> {
        let number = self.loaded.ship_to_asked();
        let mut change = if number > 0 { Some(self.ship_to_change(number, rows)?) } else { None };
        if let Some(change) = change.as_mut().filter(|_| number == self.order.ship_to_asked()) {
            let redirected = self.order.follow_redirecting(&self.loaded);
            let has_left = !redirected.left.is_empty();
            change.reject(redirected.left, ALREADY_SHIPPED);
            change.accept(redirected.elsewhere);
            if self.order.ended() {
                let reason = if has_left { ALREADY_SHIPPED } else { "the fulfillment order has ended" };
                self.end_ship_to_request(reason, cx.now());
            }
        }
        if let (Some(change), Some((lines, reason))) = (&mut change, self.ended_change.take()) {
            change.nodes_asked -= 1;
            change.reject(lines, &reason);
            // What the node gives up later goes where the rest of it went.
            if change.is_declined() && self.release.release().ship_to_change_number == number {
                self.release.redirect(number, &self.order.header.ship_to.0);
            }
        }
        ship_to_change::follow_request(&self.loaded, &self.order, cx);
        Ok(change.filter(|_| !self.answered_ship_to))
    }

    fn ship_to_change(&self, number: i64, rows: &Rows) -> Result<ShipToChange, Fault> {
        let FulfillmentOrderHeader { order_id, ship_to_group, .. } = &self.order.header;
        let change = rows.get::<ShipToChange>(&(order_id.clone(), number, *ship_to_group))?.cloned();
        change.ok_or_else(|| Fault::internal(format!("change {number} of the destination of {order_id} is missing")))
    }
}

fn positive(units: LineQuantity) -> Vec<LineQuantity> {
    if units.quantity > 0 { vec![units] } else { Vec::new() }
}
