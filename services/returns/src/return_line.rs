//! A line of a return: which units may come back, came back, and what they are fit for.

use proto::returns::v1 as contract;
use types::{Fault, ReturnId};

use crate::rma::ReturnState;

store::text_enum! {
    /// What inspected units are fit for.
    pub(crate) enum Disposition = contract::DispositionKind {
        /// To be sold again.
        Restock = "RESTOCK",
        /// Kept apart until decided.
        Quarantine = "QUARANTINE",
        /// Thrown away.
        Scrap = "SCRAP",
        /// Sent back to the vendor.
        ReturnToVendor = "RETURN_TO_VENDOR",
        /// Sent back to the customer.
        ReturnToCustomer = "RETURN_TO_CUSTOMER",
    }
}

impl Disposition {
    /// Whether such units are credited.
    pub(crate) fn is_credited(self) -> bool {
        self != Self::ReturnToCustomer
    }
}

store::record! {
    /// A line of a return. All quantities are in base units.
    pub(crate) struct ReturnLine in "return_lines" key (return_id: ReturnId, line_number: i64) {
        /// The item.
        sku: String,
        /// Units that may come back.
        authorized: i64,
        /// Units that came back.
        received: i64,
        /// Units to be sold again.
        restock: i64,
        /// Units kept apart until decided.
        quarantine: i64,
        /// Units thrown away.
        scrap: i64,
        /// Units sent back to the vendor.
        return_to_vendor: i64,
        /// Units sent back to the customer.
        return_to_customer: i64,
        /// Units that the order service proposed a credit for.
        credited: i64,
        /// Units that came back and earn no credit, as the order service decided.
        credit_refused: i64,
        /// The proposed credit.
        credit_minor: i64,
    }
}

impl ReturnLine {
    /// A line of which nothing came back yet.
    pub(crate) fn new(return_id: ReturnId, line_number: i64, sku: String, authorized: i64) -> Self {
        Self {
            return_id,
            line_number,
            sku,
            authorized,
            received: 0,
            restock: 0,
            quarantine: 0,
            scrap: 0,
            return_to_vendor: 0,
            return_to_customer: 0,
            credited: 0,
            credit_refused: 0,
            credit_minor: 0,
            version: 0,
        }
    }

    /// Inspected units by what they are fit for.
    pub(crate) fn dispositions(&self) -> [(Disposition, i64); 5] {
        [
            (Disposition::Restock, self.restock),
            (Disposition::Quarantine, self.quarantine),
            (Disposition::Scrap, self.scrap),
            (Disposition::ReturnToVendor, self.return_to_vendor),
            (Disposition::ReturnToCustomer, self.return_to_customer),
        ]
    }

    /// Inspected units that are fit to be credited, and of which the order service has not decided yet.
    pub(crate) fn credit_pending(&self) -> i64 {
        let fit = self.dispositions().into_iter().filter(|(disposition, _)| disposition.is_credited());
        fit.map(|(_, units)| units).sum::<i64>() - self.credited - self.credit_refused
    }

    /// Units inspected.
    pub(crate) fn inspected(&self) -> i64 {
        self.dispositions().iter().map(|(_, units)| units).sum()
    }

    /// Units that came back and were not inspected.
    pub(crate) fn to_inspect(&self) -> i64 {
        self.received - self.inspected()
    }

    /// Units that no other return may have while this one is in a state.
    pub(crate) fn claim(&self, state: ReturnState) -> i64 {
        if state.is_ended() { self.received } else { self.authorized.max(self.received) }
    }

    /// Units that came back beyond what was authorized.
    pub(crate) fn over_received(&self) -> i64 {
        (self.received - self.authorized).max(0)
    }

    /// Expects no more units than came back. Units that came back without being authorized stay so.
    pub(crate) fn expect_no_more(&mut self) {
        self.authorized = self.authorized.min(self.received);
    }

    /// Counts units that came back; returns how many of them were not authorized.
    pub(crate) fn receive(&mut self, units: i64) -> i64 {
        let over_received = self.over_received();
        self.received = self.received.saturating_add(units);
        self.over_received() - over_received
    }

    /// Takes back units that were received and not inspected.
    pub(crate) fn retract(&mut self, units: i64) -> Result<(), Fault> {
        let to_inspect = self.to_inspect();
        if units > to_inspect {
            let message =
                format!("only {to_inspect} units of line {} came back and are not inspected", self.line_number);
            let fault = Fault::not_supported(message).fact("line_number", self.line_number);
            return Err(fault.fact("to_inspect", to_inspect));
        }
        self.received -= units;
        Ok(())
    }

    /// Records what received units are fit for.
    pub(crate) fn dispose(&mut self, disposition: Disposition, units: i64) -> Result<(), Fault> {
        let to_inspect = self.to_inspect();
        if units > to_inspect {
            let message = format!("line {} has only {to_inspect} units to inspect", self.line_number);
            let fault = Fault::not_supported(message).fact("line_number", self.line_number);
            return Err(fault.fact("to_inspect", to_inspect));
        }
        *match disposition {
            Disposition::Restock => &mut self.restock,
            Disposition::Quarantine => &mut self.quarantine,
            Disposition::Scrap => &mut self.scrap,
            Disposition::ReturnToVendor => &mut self.return_to_vendor,
            Disposition::ReturnToCustomer => &mut self.return_to_customer,
        } += units;
        Ok(())
    }
}
