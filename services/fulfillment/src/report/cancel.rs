//! The wish to stop, and what the node says to it.

use proto::fulfillment::v1::FulfillmentOrder;
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, Timestamp};

use crate::{
    dossier::Dossier,
    fulfillment_order::{Answer, Cancellation},
};

/// The work is not wanted any more.
#[derive(Debug)]
pub struct RequestCancellation {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// Why.
    pub reason: String,
}

/// What a node says when it is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It stopped.
    Stopped,
    /// It is too late.
    TooLate,
}

/// A node was asked to stop, and answers.
#[derive(Debug)]
pub struct AnswerCancellation {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// What it said.
    pub said: Said,
    /// Why, for people.
    pub reason: String,
    /// When it said so; now when absent.
    pub occur_time: Option<Timestamp>,
}

impl Dossier {
    /// Asks for the work to be stopped, and tells what came of it.
    pub(super) fn cancel(&mut self, reason: &str, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let cancellation = self.work.request_cancellation(cx.now(), reason)?;
        self.save(rows, cx)?;
        match cancellation {
            Cancellation::Cancelled(lines) => self.tell_cancelled(lines, cx.now(), cx),
            Cancellation::Requested => self.tell_changed("fulfillment.cancellation_requested", cx.now(), cx),
            Cancellation::Nothing => {}
        }
        Ok(())
    }
}

impl Command for RequestCancellation {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "RequestCancellation";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        dossier.cancel(&self.reason, rows, cx)?;
        dossier.tell_end(cx.now(), cx);
        Ok(dossier.image())
    }
}

impl Command for AnswerCancellation {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "AnswerCancellation";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        let at = self.occur_time.unwrap_or_else(|| cx.now());
        let answer = match self.said {
            Said::Stopped => dossier.work.stop()?,
            Said::TooLate => dossier.work.refuse_to_stop(&self.reason)?,
        };
        dossier.save(rows, cx)?;
        match answer {
            Answer::Stopped(lines) => dossier.tell_cancelled(lines, at, cx),
            Answer::TooLate => dossier.tell_changed("fulfillment.cancellation_rejected", at, cx),
            Answer::Nothing => {}
        }
        dossier.tell_end(at, cx);
        Ok(dossier.image())
    }
}
