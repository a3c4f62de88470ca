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
    package::difference,
    process::{cancellation::CANCELLED_BY_ORDER, deallocation::RecordDeallocation, unfulfillable},
    release::{OpenHold, Unassigned},
};

/// Units that were returned to the order.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    /// All of them.
    pub(crate) units: Vec<LineQuantity>,
    /// Those that are not set off yet against others that were to be cancelled.
    pub(crate) left: Vec<LineQuantity>,
}

impl FulfillmentOrderAggregate {
    /// A fulfillment order that is created now. When its release was cancelled meanwhile, or was planned for another
    /// country than it goes to by now, it ends before any node sees it.
    pub(crate) fn create(order: FulfillmentOrder, rows: &Rows, now: Timestamp) -> Result<Self, Fault> {
        let mut aggregate = Self::new(order, rows)?;
        let of_release = aggregate.release.release();
        let is_for_another_country = aggregate.order.header.attempt < of_release.ship_to_attempt;
        if aggregate.release.is_cancelled() {
            let reason = aggregate.release.release().cancel_reason.clone();
            aggregate.request_cancellation(now, &reason)?;
        } else if is_for_another_country {
            aggregate.withdraw_for_ship_to(now);
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
                self.pending.push(PendingEvent::AskedToStop(at));
                self.pending.push(PendingEvent::LateAcceptance);
            }
            Acceptance::Nothing => {}
        }
    }

    /// The node rejects it: the release is not routed to the node again.
    pub(crate) fn reject(&mut self, at: Timestamp, reason: &str) {
        match self.order.reject(at, reason) {
            Rejection::Withdrawn(units) => {
                self.release.exclude(&self.order.header.node_id, None);
                self.pending.push(PendingEvent::Withdrawn(FulfillmentEvent::FulfillmentRejected, units, at));
            }
            Rejection::Cancelled(stopped) => {
                if !stopped.reassigned.is_empty() {
                    self.release.exclude(&self.order.header.node_id, None);
                }
                self.stopped(stopped, at);
            }
            Rejection::Nothing => {}
        }
        self.pending.push(PendingEvent::Ended(at));
    }

    /// The node's time to accept ends: an unanswered release is not routed to the node again.
    pub(crate) fn time_out(&mut self, now: Timestamp) {
        let units = self.order.time_out();
        if !units.is_empty() {
            self.release.exclude(&self.order.header.node_id, None);
            self.pending.push(PendingEvent::Withdrawn(FulfillmentEvent::FulfillmentTimedOut, units, now));
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

    /// The order cancels open units, beyond those that the node is asked to stop already. Returns which of them it cancels here.
    pub(crate) fn cancel_units(&mut self, units: &[LineQuantity], reason: &str, now: Timestamp) -> Vec<LineQuantity> {
        let (cancelled, cancellation) = self.order.cancel_units(units, reason);
        self.cancelling(cancellation, now);
        cancelled
    }

    /// The order cancels units that inventory is still to deallocate. Returns which.
    pub(crate) fn cancel_pending(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        self.order.cancel_pending(units)
    }

    /// The order cancels units that it has back, instead of as many here that inventory is still to deallocate. Takes these off.
    pub(crate) fn keep_pending(&mut self, returned: &mut [LineQuantity]) {
        self.order.keep_pending(returned);
    }

    /// The order cancels units that it has back, instead of as many that the node is asked to stop. Takes these off.
    pub(crate) fn keep_asked(&mut self, returned: &mut [LineQuantity]) {
        self.order.keep_asked(returned);
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
            Cancellation::Requested => self.pending.push(PendingEvent::AskedToStop(now)),
            Cancellation::Nothing => {}
        }
        self.pending.push(PendingEvent::Ended(now));
    }

    /// The node answers whether it stopped: when it did, what it was asked for, or of each line at most the named units.
    pub(crate) fn answer_cancellation(
        &mut self,
        answer: CancellationAnswer,
        named: Option<&[LineQuantity]>,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let outcome = match answer {
            CancellationAnswer::Accepted => self.order.confirm_cancellation(named)?,
            CancellationAnswer::Rejected | CancellationAnswer::Unspecified => self.order.refuse_cancellation(reason)?,
        };
        match outcome {
            CancellationOutcome::Stopped(stopped, refused) => {
                self.stopped(stopped, at);
                if !refused.is_empty() {
                    self.pending.push(PendingEvent::NotStopped(refused, at));
                }
            }
            CancellationOutcome::TooLate(asked) => self.pending.push(PendingEvent::NotStopped(asked, at)),
            CancellationOutcome::Nothing => {}
        }
        self.pending.push(PendingEvent::Ended(at));
        Ok(())
    }

    /// Inventory deallocated withdrawn or short units: they are routed again, returned to the order, or cancelled. Units that the
    /// node shipped meanwhile are not. Returns the units that are returned to the order, and those of them that it may still cancel
    /// instead of others.
    pub(crate) fn deallocated(&mut self, deallocation: &RecordDeallocation) -> Returned {
        let deallocated = self.order.deallocated(&deallocation.lines);
        if deallocated.is_empty() {
            return Returned::default();
        }
        let returned_to_order =
            unfulfillable::units_returned_to_order(&deallocated, deallocation, self.release.release());
        let returned = returned_to_order.as_ref().map(|(payload, _)| payload.lines.clone()).unwrap_or_default();
        let mut cancelled = self.order.take_cancelled(&difference(&deallocated, &returned));
        let mut left = returned.clone();
        self.order.keep_pending(&mut left);
        self.release.reassign(&deallocated, returned_to_order);
        self.release.cancel_units(&mut cancelled, Unassigned::Unrouted, CANCELLED_BY_ORDER);
        Returned { units: returned, left }
    }

    fn changed(&mut self, event: fn(FulfillmentOrderChanged) -> FulfillmentEvent, at: Timestamp) {
        self.pending.push(PendingEvent::Changed(event, at));
    }

    fn picked(&mut self, event: fn(FulfillmentPicked) -> FulfillmentEvent, lines: Vec<LineQuantity>, at: Timestamp) {
        if !lines.is_empty() {
            self.pending.push(PendingEvent::Picked(event, lines, at));
        }
    }

    pub(super) fn stopped(&mut self, stopped: Stopped, at: Timestamp) {
        if stopped != Stopped::default() {
            self.pending.push(PendingEvent::Stopped(stopped, at));
        }
    }
}
