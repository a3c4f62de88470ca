//! The request state: what a node answers to a fulfillment order, and what is asked of the node.

use proto::types::v1::LineQuantity;
use types::{Fault, Timestamp};

use super::{FulfillmentLine, FulfillmentOrder, LateAcceptance, RequestState as State, line};

/// What an acceptance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acceptance {
    /// The node will ship the units.
    Accepted,
    /// The units had been withdrawn: the node is asked to stop.
    Late,
    /// Nothing: it is known already, or older than what is known.
    Nothing,
}

/// Open units that a node stops working on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stopped {
    /// Units that the order cancelled.
    pub(crate) cancelled: Vec<LineQuantity>,
    /// Units that another node has shipped.
    pub(crate) superseded: Vec<LineQuantity>,
    /// Units that another node is to ship: of this fulfillment order only the others were superseded.
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

/// What a rejection changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rejection {
    /// The open units were withdrawn, to be routed to another node.
    Withdrawn,
    /// The node had been asked to stop.
    Cancelled(Stopped),
    /// Nothing: it is known already, or no unit was open.
    Nothing,
}

/// What a request to stop changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cancellation {
    /// The node had not accepted: it stops at once.
    Cancelled(Stopped),
    /// The node is asked to stop.
    Requested,
    /// Nothing: the node was asked already.
    Nothing,
}

/// What a node's answer to a request to stop changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CancellationOutcome {
    /// The node stopped; no units when they had been withdrawn before.
    Stopped(Stopped),
    /// The node could not stop.
    TooLate,
    /// Nothing: it is known already, or the units were shipped since.
    Nothing,
}

impl FulfillmentOrder {
    /// The node accepts.
    pub(crate) fn accept(&mut self, at: Timestamp) -> Acceptance {
        if self.header.accept_time.is_some() {
            return Acceptance::Nothing;
        }
        self.header.accept_time = Some(at);
        match self.header.request_state {
            State::Submitted => {
                self.header.request_state = State::Accepted;
                Acceptance::Accepted
            }
            State::Rejected if self.header.reject_time.is_some_and(|rejected| at <= rejected) => Acceptance::Nothing,
            State::Rejected | State::TimedOut | State::CancellationAccepted => self.accept_late(),
            State::Accepted | State::CancellationRequested | State::CancellationRejected => Acceptance::Nothing,
        }
    }

    /// The node picks or packs units, which implies that it accepts.
    pub(crate) fn start(&mut self, at: Timestamp) -> Acceptance {
        match self.header.request_state {
            State::Submitted => self.accept(at),
            State::Rejected | State::TimedOut | State::CancellationAccepted => {
                self.header.accept_time.get_or_insert(at);
                self.accept_late()
            }
            State::Accepted | State::CancellationRequested | State::CancellationRejected => Acceptance::Nothing,
        }
    }

    fn accept_late(&mut self) -> Acceptance {
        if self.header.late_acceptance != LateAcceptance::None {
            return Acceptance::Nothing;
        }
        self.header.late_acceptance = LateAcceptance::Open;
        self.header.request_state = State::CancellationRequested;
        Acceptance::Late
    }

    /// The node rejects.
    pub(crate) fn reject(&mut self, at: Timestamp, reason: &str) -> Rejection {
        let overtaken = self.header.accept_time.is_some_and(|accepted| at < accepted);
        if self.header.reject_time.is_some() || overtaken {
            return Rejection::Nothing;
        }
        self.header.reject_time = Some(at);
        if self.ended() && self.header.request_state != State::CancellationRequested {
            return Rejection::Nothing;
        }
        match self.header.request_state {
            State::Submitted | State::Accepted => {
                reason.clone_into(&mut self.header.reason);
                self.header.request_state = State::Rejected;
                self.withdraw();
                Rejection::Withdrawn
            }
            State::CancellationRequested | State::CancellationRejected => Rejection::Cancelled(self.stop()),
            State::Rejected | State::TimedOut | State::CancellationAccepted => Rejection::Nothing,
        }
    }

    /// The node's time to accept ends, unless a hold blocks it. Returns whether the open units were withdrawn.
    pub(crate) fn time_out(&mut self) -> bool {
        let runs_out = self.header.request_state == State::Submitted && !self.ended() && !self.is_held();
        if runs_out {
            self.header.request_state = State::TimedOut;
            "not accepted in time".clone_into(&mut self.header.reason);
            self.withdraw();
        }
        runs_out
    }

    fn withdraw(&mut self) {
        for line in &mut self.lines {
            let open = line.open();
            line.withdrawn += open;
            line.pending_deallocation += open;
        }
    }

    fn stop(&mut self) -> Stopped {
        self.header.request_state = State::CancellationAccepted;
        self.resolve_late_acceptance();
        self.cancel_open()
    }

    pub(super) fn resolve_late_acceptance(&mut self) {
        if self.header.late_acceptance == LateAcceptance::Open {
            self.header.late_acceptance = LateAcceptance::Resolved;
        }
    }

    /// Closes the open units: superseded ones, and the others as cancelled, or as withdrawn when nobody cancelled them: the
    /// fulfillment order is stopped because units of it were superseded.
    fn cancel_open(&mut self) -> Stopped {
        let only_superseded = self.header.cancel_time.is_none();
        let mut stopped = Stopped::default();
        for line in self.lines.iter_mut().filter(|line| line.open() > 0) {
            let superseded = std::mem::take(&mut line.superseded);
            let others = line.open() - superseded;
            let (cancelled, reassigned) = if only_superseded { (0, others) } else { (others, 0) };
            line.cancelled += superseded + cancelled;
            line.freed += superseded;
            line.doubled = line.doubled.min(line.shipped);
            line.withdrawn += reassigned;
            line.pending_deallocation += reassigned;
            let units = [
                (&mut stopped.superseded, superseded),
                (&mut stopped.cancelled, cancelled),
                (&mut stopped.reassigned, reassigned),
            ];
            for (units, quantity) in units.into_iter().filter(|(_, quantity)| *quantity > 0) {
                units.push(line.units(quantity));
            }
        }
        stopped
    }

    /// Whether every open unit is among the units.
    fn is_whole(&self, units: &[LineQuantity]) -> bool {
        let among = |line: &FulfillmentLine| {
            let named = units.iter().filter(|unit| i64::from(unit.line_number) == line.line_number);
            named.map(|unit| unit.quantity).sum::<i64>() >= line.open()
        };
        self.lines.iter().all(among)
    }

    /// Another node shipped units: open ones of this fulfillment order are not to be shipped any more. Returns which. An accepted
    /// fulfillment order stops as a whole, so it goes on while it has other units; and a node that could not stop before is not
    /// asked again.
    pub(crate) fn supersede(&mut self, shipped: &[LineQuantity], reason: &str) -> (Vec<LineQuantity>, Cancellation) {
        let mut superseded = Vec::new();
        let stops = match self.header.request_state {
            State::Submitted | State::CancellationRequested => true,
            State::Accepted => self.is_whole(shipped),
            State::Rejected | State::TimedOut | State::CancellationAccepted | State::CancellationRejected => false,
        };
        if stops {
            for (line, quantity) in line::matched(&mut self.lines, shipped) {
                let quantity = quantity.min(line.open() - line.superseded);
                if quantity > 0 {
                    line.superseded += quantity;
                    superseded.push(line.units(quantity));
                }
            }
        }
        let cancellation = match self.header.request_state {
            _ if superseded.is_empty() => Cancellation::Nothing,
            State::Submitted => {
                self.header.request_state = State::CancellationAccepted;
                Cancellation::Cancelled(self.cancel_open())
            }
            State::Accepted => {
                self.header.request_state = State::CancellationRequested;
                Cancellation::Requested
            }
            State::CancellationRequested
            | State::Rejected
            | State::TimedOut
            | State::CancellationAccepted
            | State::CancellationRejected => Cancellation::Nothing,
        };
        if cancellation != Cancellation::Nothing {
            reason.clone_into(&mut self.header.reason);
        }
        (superseded, cancellation)
    }

    /// Another node shipped units that this one cannot be stopped from shipping too. Returns which.
    pub(crate) fn double(&mut self, shipped: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut doubled = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, shipped) {
            let quantity = quantity.min(line.open() - line.superseded - line.doubled);
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
        }
    }

    /// The order cancels the open units.
    pub(crate) fn request_cancellation(&mut self, at: Timestamp, reason: &str) -> Result<Cancellation, Fault> {
        if self.header.request_state == State::CancellationRequested {
            self.header.cancel_time.get_or_insert(at);
            return Ok(Cancellation::Nothing);
        }
        if self.ended() {
            return Err(Fault::not_supported("the fulfillment order has ended"));
        }
        reason.clone_into(&mut self.header.reason);
        self.header.cancel_time.get_or_insert(at);
        if self.header.request_state == State::Submitted {
            self.header.request_state = State::CancellationAccepted;
            return Ok(Cancellation::Cancelled(self.cancel_open()));
        }
        self.header.request_state = State::CancellationRequested;
        Ok(Cancellation::Requested)
    }

    /// The node answers that it stopped.
    pub(crate) fn confirm_cancellation(&mut self) -> Result<CancellationOutcome, Fault> {
        match self.header.request_state {
            State::CancellationRequested => Ok(CancellationOutcome::Stopped(self.stop())),
            State::CancellationRejected if !self.ended() => Ok(CancellationOutcome::Stopped(self.stop())),
            State::CancellationRejected | State::CancellationAccepted => Ok(CancellationOutcome::Nothing),
            State::Submitted | State::Accepted | State::Rejected | State::TimedOut => Err(never_asked()),
        }
    }

    /// The node answers that it is too late to stop.
    pub(crate) fn refuse_cancellation(&mut self, reason: &str) -> Result<CancellationOutcome, Fault> {
        match self.header.request_state {
            State::CancellationRequested => {
                self.header.request_state = State::CancellationRejected;
                reason.clone_into(&mut self.header.reason);
                Ok(CancellationOutcome::TooLate)
            }
            State::CancellationRejected | State::CancellationAccepted => Ok(CancellationOutcome::Nothing),
            State::Submitted | State::Accepted | State::Rejected | State::TimedOut => Err(never_asked()),
        }
    }
}

fn never_asked() -> Fault {
    Fault::not_supported("the node was not asked to stop")
}
