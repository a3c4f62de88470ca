//! Partners: outside parties that messages are exchanged with.

use proto::partner::v1;
use types::{Fault, PartnerId, Timestamp};

store::text_enum! {
    /// What a partner does for the distributor.
    pub(crate) enum PartnerKind = v1::PartnerKind {
        /// Stores and ships goods.
        Warehouse = "WAREHOUSE",
        /// Carries packages.
        Carrier = "CARRIER",
        /// Runs the distributor's accounting.
        Erp = "ERP",
        /// Buys over EDI.
        Customer = "CUSTOMER",
    }
}

store::text_enum! {
    /// Whether messages are exchanged with a partner.
    pub(crate) enum PartnerState = v1::PartnerState {
        /// Messages are exchanged.
        Live = "LIVE",
        /// Reports are refused and nothing is sent.
        Suspended = "SUSPENDED",
    }
}

store::record! {
    /// An outside party.
    pub(crate) struct Partner in "partners" key (partner_id: PartnerId) {
        /// Name.
        name: String,
        /// What it does for the distributor.
        kind: PartnerKind,
        /// Standard carrier alpha code; empty for a partner that is not a carrier.
        scac: String,
        /// Where messages are sent to; empty when the partner fetches them.
        endpoint_url: String,
        /// Whether messages are exchanged.
        state: PartnerState,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

impl Partner {
    /// Refuses to exchange messages with a suspended partner.
    pub(crate) fn check_live(&self) -> Result<(), Fault> {
        match self.state {
            PartnerState::Live => Ok(()),
            PartnerState::Suspended => Err(Fault::not_supported(format!("partner {} is suspended", self.partner_id))),
        }
    }

    /// Whether messages are sent to it; it fetches them otherwise.
    pub(crate) fn has_endpoint(&self) -> bool {
        !self.endpoint_url.is_empty()
    }
}

/// Whether a text is a standard carrier alpha code: 2 to 4 capitals.
pub(crate) fn is_scac(text: &str) -> bool {
    (2..=4).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_code_is_two_to_four_capitals() {
        assert!(is_scac("UP") && is_scac("PRCL"));
        assert!(!is_scac("U") && !is_scac("prcl") && !is_scac("PARCL") && !is_scac("ÄB"));
    }
}
