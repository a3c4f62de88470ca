//! What a node answers to a fulfillment order and what is asked of it, with the events. The rules of the request state
//! are in `fulfillment_order/answers.rs`.

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{CancellationAnswer, FulfillmentOrderChanged, FulfillmentPicked},
    types::v1::LineQuantity,
};
use store::Rows;
use types::{Fault, Timestamp};

use super::{FulfillmentOrderAggregate, PendingEvent};
use crate::{
    fulfillment_order::{
        Acceptance, Cancellation, CancellationOutcome, FulfillmentOrder, Rejection, Restored, Stopped,
    },
    process::{deallocation::RecordDeallocation, unfulfillable},
    release::OpenHold,
};

impl FulfillmentOrderAggregate {
    /// A fulfillment order that is created now. When its release was cancelled meanwhile, it is cancelled before any node sees
    /// it.
    pub(crate) fn create(order: FulfillmentOrder, rows: &Rows, now: Timestamp) -> Result<Self, Fault> {
        let mut aggregate = Self::new(order, rows)?;
        if aggregate.release.is_cancelled() {
            let reason = aggregate.release.release().cancel_reason.clone();
            aggregate.request_cancellation(now, &reason)?;
        } else {
            aggregate.changed(FulfillmentEvent::FulfillmentRequested, now);
        }
        Ok(aggregate)
    }

    /// The node accepts it.
    pub(crate) fn accept(&mut self, at: Timestamp) {
        let acceptance = self.order.accept(at);
        self.accepted(acceptance, at);
    }

    pub(super) fn accepted(&mut self, acceptance: Acceptance, at: Timestamp) {
        match acceptance {
            Acceptance::Accepted => self.changed(FulfillmentEvent::FulfillmentAccepted, at),
            Acceptance::Late => {
                self.changed(FulfillmentEvent::FulfillmentCancellationRequested, at);
                self.pending.push(PendingEvent::LateAcceptance);
            }
            Acceptance::Nothing => {}
        }
    }

    /// The node rejects it: the release is not routed to the node again.
    pub(crate) fn reject(&mut self, at: Timestamp, reason: &str) {
        match self.order.reject(at, reason) {
            Rejection::Withdrawn => {
                self.release.exclude(&self.order.header.node_id, None);
                self.changed(FulfillmentEvent::FulfillmentRejected, at);
            }
            Rejection::Cancelled(stopped) => self.stopped(stopped, at),
            Rejection::Nothing => {}
        }
        self.pending.push(PendingEvent::Ended(at));
    }

    /// The node's time to accept ends: an unanswered release is not routed to the node again.
    pub(crate) fn time_out(&mut self, now: Timestamp) {
        if self.order.time_out() {
            self.release.exclude(&self.order.header.node_id, None);
            self.changed(FulfillmentEvent::FulfillmentTimedOut, now);
            self.pending.push(PendingEvent::Ended(now));
        }
    }

    /// A hold of the order is placed; it is recorded if it blocks the fulfillment order.
    pub(crate) fn place_hold(&mut self, hold_number: i64, hold: &OpenHold, now: Timestamp) {
        if self.order.place_hold(hold_number, hold) {
            self.changed(FulfillmentEvent::FulfillmentHoldPlaced, now);
        }
    }

    /// A hold of the order is released.
    pub(crate) fn release_hold(&mut self, hold_number: i64, now: Timestamp) {
        if self.order.release_hold(hold_number) {
            self.changed(FulfillmentEvent::FulfillmentHoldReleased, now);
        }
    }

    /// The node picked units, and could not find others: their items are not routed to the node again.
    pub(crate) fn pick(&mut self, picked: Vec<LineQuantity>, short: &[LineQuantity], at: Timestamp) {
        let acceptance = self.order.start(at);
        self.accepted(acceptance, at);
        self.order.pick(&picked);
        let short = self.order.short(short);
        for unit in &short {
            self.release.exclude(&self.order.header.node_id, Some(&unit.sku));
        }
        let picked = picked.into_iter().filter(|unit| unit.quantity > 0).collect();
        self.picked(FulfillmentEvent::FulfillmentPicked, picked, at);
        self.picked(FulfillmentEvent::FulfillmentShortPicked, short, at);
        self.pending.push(PendingEvent::Ended(at));
    }

    /// The order cancels the open units.
    pub(crate) fn request_cancellation(&mut self, now: Timestamp, reason: &str) -> Result<(), Fault> {
        let cancellation = self.order.request_cancellation(now, reason)?;
        self.cancelling(cancellation, now);
        Ok(())
    }

    /// Another node shipped units: open ones are not to be shipped any more. Returns which.
    pub(crate) fn supersede(&mut self, shipped: &[LineQuantity], reason: &str, now: Timestamp) -> Vec<LineQuantity> {
        let (superseded, cancellation) = self.order.supersede(shipped, reason);
        self.cancelling(cancellation, now);
        superseded
    }

    /// Another node shipped units that this one cannot be stopped from shipping too. Returns which.
    pub(crate) fn double(&mut self, shipped: &[LineQuantity]) -> Vec<LineQuantity> {
        self.order.double(shipped)
    }

    /// Another node takes its shipment of units back.
    pub(crate) fn restore(&mut self, taken_back: &[LineQuantity]) -> Restored {
        self.order.restore(taken_back)
    }

    fn cancelling(&mut self, cancellation: Cancellation, now: Timestamp) {
        match cancellation {
            Cancellation::Cancelled(stopped) => self.stopped(stopped, now),
            Cancellation::Requested => self.changed(FulfillmentEvent::FulfillmentCancellationRequested, now),
            Cancellation::Nothing => {}
        }
        self.pending.push(PendingEvent::Ended(now));
    }

    /// The node answers whether it stopped.
    pub(crate) fn answer_cancellation(
        &mut self,
        answer: CancellationAnswer,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let outcome = match answer {
            CancellationAnswer::Accepted => self.order.confirm_cancellation()?,
            CancellationAnswer::Rejected | CancellationAnswer::Unspecified => self.order.refuse_cancellation(reason)?,
        };
        match outcome {
            CancellationOutcome::Stopped(stopped) => self.stopped(stopped, at),
            CancellationOutcome::TooLate => self.changed(FulfillmentEvent::FulfillmentCancellationRejected, at),
            CancellationOutcome::Nothing => {}
        }
        self.pending.push(PendingEvent::Ended(at));
        Ok(())
    }

    /// Inventory deallocated withdrawn or short units: they are routed again, or returned to the order. Units that the node
    /// shipped meanwhile are not.
    pub(crate) fn deallocated(&mut self, deallocation: &RecordDeallocation) {
        let deallocated = self.order.deallocated(&deallocation.lines);
        if !deallocated.is_empty() {
            let returned_to_order =
                unfulfillable::units_returned_to_order(&deallocated, deallocation, self.release.release());
            self.release.reassign(&deallocated, returned_to_order);
        }
    }

    fn changed(&mut self, event: fn(FulfillmentOrderChanged) -> FulfillmentEvent, at: Timestamp) {
        self.pending.push(PendingEvent::Changed(event, at));
    }

    fn picked(&mut self, event: fn(FulfillmentPicked) -> FulfillmentEvent, lines: Vec<LineQuantity>, at: Timestamp) {
        if !lines.is_empty() {
            self.pending.push(PendingEvent::Picked(event, lines, at));
        }
    }

    fn stopped(&mut self, stopped: Stopped, at: Timestamp) {
        if stopped != Stopped::default() {
            self.pending.push(PendingEvent::Stopped(stopped, at));
        }
    }
}
