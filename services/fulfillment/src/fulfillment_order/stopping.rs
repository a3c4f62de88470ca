//! What a node is asked to stop, and what it stops.
//!
//! A node is asked for units of lines, and goes on with the others. Of the open units of a line it is asked for those that the
//! order cancels (`cancel_requested`), for those that another node has shipped (`superseded`), and for those that it was asked
//! for and is to ship after all (`restored`): it may have stopped them by now. What it ships or cannot find meanwhile it does not
//! stop. A node that has not accepted stops at once and as a whole, because a request cannot be changed: the units that are not
//! asked for go to another node.

use proto::types::v1::LineQuantity;
use types::{Fault, Timestamp};

use super::{FulfillmentOrder, RequestState as State, line};

/// Open units that a node stops working on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stopped {
    /// Units that the order cancelled.
    pub(crate) cancelled: Vec<LineQuantity>,
    /// Units that another node has shipped.
    pub(crate) superseded: Vec<LineQuantity>,
    /// Units that another node is to ship.
    pub(crate) reassigned: Vec<LineQuantity>,
}

/// Where the units of a shipment are that another node takes back.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Restored {
    /// Units that this node ships, or has shipped.
    pub(crate) here: Vec<LineQuantity>,
    /// Units that this node stopped: no node has them.
    pub(crate) free: Vec<LineQuantity>,
}

/// What a request to stop changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cancellation {
    /// The node had not accepted: it stops at once.
    Cancelled(Stopped),
    /// The node is asked to stop, or for more units than before.
    Requested,
    /// Nothing: the node was asked already.
    Nothing,
}

/// What a node's answer to a request to stop changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CancellationOutcome {
    /// The node stopped units, none when they had been withdrawn before; the others that it was asked for it did not stop.
    Stopped(Stopped, Vec<LineQuantity>),
    /// The node stopped nothing of what it was asked for.
    TooLate(Vec<LineQuantity>),
    /// Nothing: it is known already, or the units were shipped since.
    Nothing,
}

impl FulfillmentOrder {
    /// The units that the node is asked to stop.
    pub(crate) fn asked(&self) -> Vec<LineQuantity> {
        self.lines.iter().filter(|line| line.asked() > 0).map(|line| line.units(line.asked())).collect()
    }

    /// Units of a line that the node can still be asked to stop.
    pub(crate) fn stoppable(&self, line_number: i64) -> i64 {
        let was_refused = self.header.request_state == State::CancellationRejected;
        let line = self.lines.iter().find(|line| line.line_number == line_number);
        line.map_or(0, |line| line.open() - line.superseded - if was_refused { 0 } else { line.cancel_requested })
    }

    fn units_asked(&self) -> i64 {
        self.lines.iter().map(|line| line.asked()).sum()
    }

    /// Whether the node is asked to stop some unit.
    pub(super) fn is_asked(&self) -> bool {
        self.units_asked() > 0
    }

    /// The order cancels all open units.
    pub(crate) fn request_cancellation(&mut self, at: Timestamp, reason: &str) -> Result<Cancellation, Fault> {
        if self.ended() && self.header.request_state != State::CancellationRequested {
            return Err(Fault::not_supported("the fulfillment order has ended"));
        }
        self.header.cancel_time.get_or_insert(at);
        let open: Vec<_> = self.lines.iter().map(|line| line.units(line.open())).collect();
        let before = self.units_asked();
        self.mark_cancelled(&open);
        Ok(self.ask(before, reason))
    }

    /// The order cancels units, beyond those that the node is asked to stop already. Returns which of them it cancels here.
    pub(crate) fn cancel_units(&mut self, units: &[LineQuantity], reason: &str) -> (Vec<LineQuantity>, Cancellation) {
        let before = self.units_asked();
        let cancelled = self.mark_cancelled(units);
        let cancellation = if cancelled.is_empty() { Cancellation::Nothing } else { self.ask(before, reason) };
        (cancelled, cancellation)
    }

    fn mark_cancelled(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        if self.header.request_state == State::CancellationRejected {
            // What the node did not stop it is not asked for again, unless it is among the units.
            self.lines.iter_mut().for_each(|line| (line.cancel_requested, line.restored) = (0, 0));
        }
        let mut cancelled = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let quantity = quantity.min(line.open() - line.superseded - line.cancel_requested);
            line.cancel_requested += quantity;
            line.restored -= quantity.min(line.restored);
            if quantity > 0 {
                cancelled.push(line.units(quantity));
            }
        }
        cancelled
    }

    /// Another node shipped units: open ones of this fulfillment order are not to be shipped any more. Returns which. A node that
    /// could not stop before is not asked again.
    pub(crate) fn supersede(&mut self, shipped: &[LineQuantity], reason: &str) -> (Vec<LineQuantity>, Cancellation) {
        let stops =
            matches!(self.header.request_state, State::Submitted | State::Accepted | State::CancellationRequested);
        let before = self.units_asked();
        let mut superseded = Vec::new();
        if stops {
            for (line, quantity) in line::matched(&mut self.lines, shipped) {
                let quantity = quantity.min(line.open() - line.superseded);
                line.superseded += quantity;
                line.restored -= quantity.min(line.restored);
                line.fit();
                if quantity > 0 {
                    superseded.push(line.units(quantity));
                }
            }
        }
        let cancellation = if superseded.is_empty() { Cancellation::Nothing } else { self.ask(before, reason) };
        (superseded, cancellation)
    }

    /// Asks the node for what it is to stop by now, if that is more than before.
    fn ask(&mut self, before: i64, reason: &str) -> Cancellation {
        let asked = self.units_asked();
        let is_asked_for_more = asked > before || self.header.request_state != State::CancellationRequested;
        if asked == 0 || !is_asked_for_more {
            return Cancellation::Nothing;
        }
        reason.clone_into(&mut self.header.reason);
        if self.header.request_state == State::Submitted {
            return Cancellation::Cancelled(self.stop_all());
        }
        self.header.request_state = State::CancellationRequested;
        Cancellation::Requested
    }

    /// The node, which has not accepted, gives all open units up: they go to another one.
    pub(crate) fn withdraw_unanswered(&mut self, reason: &str) -> Stopped {
        reason.clone_into(&mut self.header.reason);
        self.stop_all()
    }

    /// The node ships nothing of it any more. Open units that it is not asked to stop go to another node.
    pub(super) fn stop_all(&mut self) -> Stopped {
        let (mut stopped, _) = self.stop_asked(None);
        for line in self.lines.iter_mut().filter(|line| line.open() > 0) {
            let others = line.open();
            line.withdrawn += others;
            line.pending_deallocation += others;
            line.doubled = line.doubled.min(line.shipped);
            crate::package::add(&mut stopped.reassigned, vec![line.units(others)]);
        }
        self.header.request_state = State::CancellationAccepted;
        self.resolve_late_acceptance();
        stopped
    }

    /// Closes the units that the node is asked to stop, of each line at most these when some are named, and those first that
    /// another node has shipped. Returns them, and those that it does not stop, for which it is asked no more.
    fn stop_asked(&mut self, named: Option<&[LineQuantity]>) -> (Stopped, Vec<LineQuantity>) {
        let (mut stopped, mut refused) = (Stopped::default(), Vec::new());
        for line in self.lines.iter_mut().filter(|line| line.asked() > 0) {
            let asked = line.asked();
            let mut most = named.map_or(asked, |units| units_of(units, line.line_number));
            let mut take = |counter: &mut i64| {
                let taken = most.min(*counter);
                most -= taken;
                (taken, std::mem::take(counter) - taken)
            };
            let (superseded, doubled) = take(&mut line.superseded);
            let (cancelled, _) = take(&mut line.cancel_requested);
            let (reassigned, _) = take(&mut line.restored);
            line.cancelled += superseded + cancelled;
            line.freed += superseded;
            line.withdrawn += reassigned;
            line.pending_deallocation += reassigned;
            line.doubled = (line.doubled + doubled).min(line.open() + line.shipped);
            let units = [
                (&mut stopped.superseded, superseded),
                (&mut stopped.cancelled, cancelled),
                (&mut stopped.reassigned, reassigned),
                (&mut refused, asked - superseded - cancelled - reassigned),
            ];
            for (units, quantity) in units.into_iter().filter(|(_, quantity)| *quantity > 0) {
                units.push(line.units(quantity));
            }
        }
        (stopped, refused)
    }

    /// The node answers that it stopped: what it was asked for, or of each line at most these.
    pub(crate) fn confirm_cancellation(
        &mut self,
        named: Option<&[LineQuantity]>,
    ) -> Result<CancellationOutcome, Fault> {
        match self.header.request_state {
            State::CancellationRequested => {}
            State::CancellationRejected if self.is_asked() => {}
            State::CancellationRejected | State::CancellationAccepted => return Ok(CancellationOutcome::Nothing),
            State::Accepted if self.has_stopped() => return Ok(CancellationOutcome::Nothing),
            State::Submitted | State::Accepted | State::Rejected | State::TimedOut => return Err(never_asked()),
        }
        let (stopped, refused) = self.stop_asked(named);
        self.header.request_state = match (refused.is_empty(), self.ended()) {
            (false, _) => State::CancellationRejected,
            (true, true) => State::CancellationAccepted,
            (true, false) => State::Accepted,
        };
        self.resolve_late_acceptance();
        Ok(CancellationOutcome::Stopped(stopped, refused))
    }

    /// The node answers that it is too late to stop. When it stops all the same, it stops what it was asked for.
    pub(crate) fn refuse_cancellation(&mut self, reason: &str) -> Result<CancellationOutcome, Fault> {
        match self.header.request_state {
            State::CancellationRequested => {
                self.header.request_state = State::CancellationRejected;
                reason.clone_into(&mut self.header.reason);
                Ok(CancellationOutcome::TooLate(self.asked()))
            }
            State::CancellationRejected | State::CancellationAccepted => Ok(CancellationOutcome::Nothing),
            State::Accepted if self.has_stopped() => Ok(CancellationOutcome::Nothing),
            State::Submitted | State::Accepted | State::Rejected | State::TimedOut => Err(never_asked()),
        }
    }

    /// Whether the node stopped units before or could not find them, so that an answer is a repeat or comes late.
    fn has_stopped(&self) -> bool {
        self.lines.iter().any(|line| line.cancelled + line.withdrawn + line.short > 0)
    }

    /// Nothing is left of what the node was asked to stop, because it could not find the units.
    pub(super) fn end_moot_request(&mut self, was_asked: bool) {
        if was_asked && !self.is_asked() && self.header.request_state == State::CancellationRequested {
            let is_cancelled = self.header.cancel_time.is_some();
            self.header.request_state = if is_cancelled { State::CancellationAccepted } else { State::Accepted };
        }
    }

    /// The order cancels units that it has back, instead of as many that were to be cancelled once they are deallocated. Takes these
    /// off the units.
    pub(crate) fn keep_pending(&mut self, returned: &mut [LineQuantity]) {
        for unit in returned {
            let number = i64::from(unit.line_number);
            let Some(line) = self.lines.iter_mut().find(|line| line.line_number == number) else { continue };
            let kept = unit.quantity.min(line.cancel_pending);
            line.cancel_pending -= kept;
            unit.quantity -= kept;
        }
        self.lines.iter_mut().for_each(super::FulfillmentLine::fit);
    }

    /// The order cancels units that it has back, instead of as many that the node is asked to stop. Takes these off the units.
    pub(crate) fn keep_asked(&mut self, returned: &mut [LineQuantity]) {
        // What the node has declined to stop nobody waits for.
        if self.header.request_state != State::CancellationRequested {
            return;
        }
        for unit in returned {
            let number = i64::from(unit.line_number);
            let Some(line) = self.lines.iter_mut().find(|line| line.line_number == number) else { continue };
            let kept = unit.quantity.min(line.cancel_requested);
            line.cancel_requested -= kept;
            line.restored += kept;
            unit.quantity -= kept;
        }
    }

    /// The order cancels units that inventory is still to deallocate. Returns which.
    pub(crate) fn cancel_pending(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut cancelled = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let quantity = quantity.min(line.pending_deallocation - line.cancel_pending);
            line.cancel_pending += quantity;
            if quantity > 0 {
                cancelled.push(line.units(quantity));
            }
        }
        cancelled
    }

    /// Of units that inventory deallocated and that were not returned to the order, those that it cancels. What is left to be
    /// cancelled is set off against the returned ones next.
    pub(crate) fn take_cancelled(&mut self, deallocated: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut cancelled = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, deallocated) {
            let quantity = quantity.min(line.cancel_pending);
            line.cancel_pending -= quantity;
            if quantity > 0 {
                cancelled.push(line.units(quantity));
            }
        }
        cancelled
    }

    /// Another node shipped units that this one cannot be stopped from shipping too. Returns which.
    pub(crate) fn double(&mut self, shipped: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut doubled = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, shipped) {
            let quantity = quantity.min(line.open() - line.superseded - line.doubled).max(0);
            if quantity > 0 {
                line.doubled += quantity;
                doubled.push(line.units(quantity));
            }
        }
        doubled
    }

    /// Another node takes its shipment of units back: this one is to ship them, or has shipped them, unless it has stopped.
    pub(crate) fn restore(&mut self, taken_back: &[LineQuantity]) -> Restored {
        let mut restored = Restored::default();
        for (line, quantity) in line::matched(&mut self.lines, taken_back) {
            let doubled = quantity.min(line.doubled);
            let superseded = (quantity - doubled).min(line.superseded);
            let freed = (quantity - doubled - superseded).min(line.freed);
            line.doubled -= doubled;
            line.superseded -= superseded;
            line.restored += superseded;
            // They are with nobody now, and not cancelled.
            line.freed -= freed;
            line.cancelled -= freed;
            line.withdrawn += freed;
            for (units, quantity) in [(&mut restored.here, doubled + superseded), (&mut restored.free, freed)] {
                if quantity > 0 {
                    units.push(line.units(quantity));
                }
            }
        }
        restored
    }

    /// Units that were taken back are with another node, or with none.
    pub(crate) fn leave_to_others(&mut self, units: &[LineQuantity]) {
        for (line, quantity) in line::matched(&mut self.lines, units) {
            line.withdrawn += quantity.min(line.open());
            line.fit();
        }
    }
}

fn units_of(units: &[LineQuantity], line_number: i64) -> i64 {
    let named = units.iter().filter(|unit| i64::from(unit.line_number) == line_number);
    named.fold(0_i64, |sum, unit| sum.saturating_add(unit.quantity))
}

fn never_asked() -> Fault {
    Fault::not_supported("the node was not asked to stop")
}
