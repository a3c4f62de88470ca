//! The request axis: what a node says to work, and what is asked of it.

use proto::types::v1::LineQuantity;
use types::{Fault, Timestamp};

use super::{Fulfillment, Late, Request};

/// What a node's yes changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// The node will do the work.
    Accepted,
    /// The work is not the node's any more: it is asked to stop.
    Late,
    /// Known already, or older than what is known.
    Nothing,
}

/// What a node's no changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejection {
    /// The units are to be found another node.
    TakenBack,
    /// The node had been asked to stop: these units are cancelled.
    Cancelled(Vec<LineQuantity>),
    /// Known already, or nothing is left to refuse.
    Nothing,
}

/// What asking to stop changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancellation {
    /// The node had not accepted: these units are cancelled at once.
    Cancelled(Vec<LineQuantity>),
    /// The node was asked.
    Requested,
    /// The node was asked already.
    Nothing,
}

/// What a node's answer to the wish to stop changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It stopped: these units are cancelled; none when they had been taken from it before.
    Stopped(Vec<LineQuantity>),
    /// It could not stop.
    TooLate,
    /// Known already, or overtaken by a shipment.
    Nothing,
}

impl Fulfillment {
    /// The node says that it will do the work.
    pub fn accept(&mut self, at: Timestamp) -> Acceptance {
        if self.order.accept_time.is_some() {
            return Acceptance::Nothing;
        }
        self.order.accept_time = Some(at);
        match self.order.request_state {
            Request::Submitted => {
                self.order.request_state = Request::Accepted;
                Acceptance::Accepted
            }
            Request::Rejected if self.order.reject_time.is_some_and(|rejected| at <= rejected) => Acceptance::Nothing,
            Request::Rejected | Request::TimedOut | Request::CancellationAccepted => self.take_up_late(),
            Request::Accepted | Request::CancellationRequested | Request::CancellationRejected => Acceptance::Nothing,
        }
    }

    /// The node does some of the work, so it has accepted it.
    pub fn work_on(&mut self, at: Timestamp) -> Acceptance {
        match self.order.request_state {
            Request::Submitted => self.accept(at),
            Request::Rejected | Request::TimedOut | Request::CancellationAccepted => {
                self.order.accept_time.get_or_insert(at);
                self.take_up_late()
            }
            Request::Accepted | Request::CancellationRequested | Request::CancellationRejected => Acceptance::Nothing,
        }
    }

    fn take_up_late(&mut self) -> Acceptance {
        if self.order.late_acceptance != Late::None {
            return Acceptance::Nothing;
        }
        self.order.late_acceptance = Late::Open;
        self.order.request_state = Request::CancellationRequested;
        Acceptance::Late
    }

    /// The node says that it will not do the work.
    pub fn reject(&mut self, at: Timestamp, reason: &str) -> Rejection {
        let overtaken = self.order.accept_time.is_some_and(|accepted| at < accepted);
        if self.order.reject_time.is_some() || overtaken {
            return Rejection::Nothing;
        }
        self.order.reject_time = Some(at);
        if self.ended() && self.order.request_state != Request::CancellationRequested {
            return Rejection::Nothing;
        }
        match self.order.request_state {
            Request::Submitted | Request::Accepted => {
                reason.clone_into(&mut self.order.reason);
                self.order.request_state = Request::Rejected;
                self.take_back();
                Rejection::TakenBack
            }
            Request::CancellationRequested | Request::CancellationRejected => Rejection::Cancelled(self.stopped()),
            Request::Rejected | Request::TimedOut | Request::CancellationAccepted => Rejection::Nothing,
        }
    }

    /// The node's time to accept is over. Answers whether the units are taken from it.
    pub fn time_out(&mut self) -> bool {
        let waits = self.order.request_state == Request::Submitted && !self.ended();
        if waits {
            self.order.request_state = Request::TimedOut;
            "not accepted in time".clone_into(&mut self.order.reason);
            self.take_back();
        }
        waits
    }

    fn take_back(&mut self) {
        for line in &mut self.lines {
            let open = line.open();
            line.taken_back += open;
            line.in_return += open;
        }
    }

    fn stopped(&mut self) -> Vec<LineQuantity> {
        self.order.request_state = Request::CancellationAccepted;
        self.know_late_acceptance();
        self.cancel_open()
    }

    pub(super) fn know_late_acceptance(&mut self) {
        if self.order.late_acceptance == Late::Open {
            self.order.late_acceptance = Late::Resolved;
        }
    }

    fn cancel_open(&mut self) -> Vec<LineQuantity> {
        let open = self.open();
        for line in &mut self.lines {
            line.cancelled += line.open();
        }
        open
    }

    /// The order does not want the units any more.
    pub fn request_cancellation(&mut self, at: Timestamp, reason: &str) -> Result<Cancellation, Fault> {
        if self.order.request_state == Request::CancellationRequested {
            self.order.cancel_time.get_or_insert(at);
            return Ok(Cancellation::Nothing);
        }
        if self.ended() {
            return Err(Fault::not_supported("the work has ended"));
        }
        reason.clone_into(&mut self.order.reason);
        self.order.cancel_time.get_or_insert(at);
        if self.order.request_state == Request::Submitted {
            self.order.request_state = Request::CancellationAccepted;
            return Ok(Cancellation::Cancelled(self.cancel_open()));
        }
        self.order.request_state = Request::CancellationRequested;
        Ok(Cancellation::Requested)
    }

    /// The node says that it stopped.
    pub fn stop(&mut self) -> Result<Answer, Fault> {
        match self.order.request_state {
            Request::CancellationRequested => Ok(Answer::Stopped(self.stopped())),
            Request::CancellationRejected if !self.ended() => Ok(Answer::Stopped(self.stopped())),
            Request::CancellationRejected | Request::CancellationAccepted => Ok(Answer::Nothing),
            Request::Submitted | Request::Accepted | Request::Rejected | Request::TimedOut => Err(never_asked()),
        }
    }

    /// The node says that it is too late to stop.
    pub fn refuse_to_stop(&mut self, reason: &str) -> Result<Answer, Fault> {
        match self.order.request_state {
            Request::CancellationRequested => {
                self.order.request_state = Request::CancellationRejected;
                reason.clone_into(&mut self.order.reason);
                Ok(Answer::TooLate)
            }
            Request::CancellationRejected | Request::CancellationAccepted => Ok(Answer::Nothing),
            Request::Submitted | Request::Accepted | Request::Rejected | Request::TimedOut => Err(never_asked()),
        }
    }
}

fn never_asked() -> Fault {
    Fault::not_supported("the node was not asked to stop")
}
