//! A node says whether it will do the work, or says nothing in time.

use proto::fulfillment::v1::FulfillmentOrder;
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, Id as _, Timestamp};

use crate::{
    dossier::Dossier,
    fulfillment_order::{Acceptance, Rejection},
    keys,
};

/// A node will do the work.
#[derive(Debug)]
pub struct AcceptWork {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// When it said so; now when absent.
    pub occur_time: Option<Timestamp>,
}

/// A node will not do the work.
#[derive(Debug)]
pub struct RejectWork {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// Why.
    pub reason: String,
    /// When it said so; now when absent.
    pub occur_time: Option<Timestamp>,
}

/// A node's time to accept is over.
#[derive(Debug)]
pub struct TimeOutWork {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
}

impl Command for AcceptWork {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "AcceptFulfillmentOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        let at = self.occur_time.unwrap_or_else(|| cx.now());
        let acceptance = dossier.work.accept(at);
        dossier.save(rows, cx)?;
        if acceptance != Acceptance::Nothing {
            dossier.tell_acceptance(acceptance, at, cx);
        }
        Ok(dossier.image())
    }
}

impl Command for RejectWork {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "RejectFulfillmentOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        let at = self.occur_time.unwrap_or_else(|| cx.now());
        let rejection = dossier.work.reject(at, &self.reason);
        if rejection == Rejection::TakenBack {
            dossier.exclude_node();
        }
        dossier.save(rows, cx)?;
        match rejection {
            Rejection::TakenBack => {
                cx.unschedule(keys::ACCEPT, self.fulfillment_order_id.as_str());
                dossier.tell_changed("fulfillment.rejected", at, cx);
            }
            Rejection::Cancelled(lines) => dossier.tell_cancelled(lines, at, cx),
            Rejection::Nothing => {}
        }
        dossier.tell_end(at, cx);
        Ok(dossier.image())
    }
}

impl Command for TimeOutWork {
    type Reply = ();
    const NAME: &'static str = "TimeOutFulfillmentOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        if dossier.work.time_out() {
            dossier.exclude_node();
            dossier.save(rows, cx)?;
            dossier.tell_changed("fulfillment.timed_out", cx.now(), cx);
            dossier.tell_end(cx.now(), cx);
        }
        Ok(())
    }
}
