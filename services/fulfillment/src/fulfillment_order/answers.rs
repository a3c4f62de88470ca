//! The request state: what a node answers to a fulfillment order. What it is asked to stop is in `stopping.rs`.

use proto::types::v1::LineQuantity;
use types::Timestamp;

use super::{FulfillmentOrder, LateAcceptance, RequestState as State, Stopped};

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

/// What a rejection changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rejection {
    /// These open units were withdrawn, to be routed to another node.
    Withdrawn(Vec<LineQuantity>),
    /// The node had been asked to stop.
    Cancelled(Stopped),
    /// Nothing: it is known already, or no unit was open.
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
                Rejection::Withdrawn(self.withdraw())
            }
            State::CancellationRequested | State::CancellationRejected => Rejection::Cancelled(self.stop_all()),
            State::Rejected | State::TimedOut | State::CancellationAccepted => Rejection::Nothing,
        }
    }

    /// The node's time to accept ends, unless a hold blocks it. Returns the open units, which are withdrawn.
    pub(crate) fn time_out(&mut self) -> Vec<LineQuantity> {
        if self.header.request_state != State::Submitted || self.ended() || self.is_held() {
            return Vec::new();
        }
        self.header.request_state = State::TimedOut;
        "not accepted in time".clone_into(&mut self.header.reason);
        self.withdraw()
    }

    fn withdraw(&mut self) -> Vec<LineQuantity> {
        let mut withdrawn = Vec::new();
        for line in self.lines.iter_mut().filter(|line| line.open() > 0) {
            let open = line.open();
            line.withdrawn += open;
            line.pending_deallocation += open;
            line.fit();
            withdrawn.push(line.units(open));
        }
        withdrawn
    }

    pub(super) fn resolve_late_acceptance(&mut self) {
        if self.header.late_acceptance == LateAcceptance::Open {
            self.header.late_acceptance = LateAcceptance::Resolved;
        }
    }
}
