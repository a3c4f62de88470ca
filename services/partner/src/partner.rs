//! Outside parties.

use types::{Fault, PartnerId, Timestamp};

store::text_enum! {
    /// What a partner does for us.
    pub(crate) enum Kind {
        /// Keeps and ships our goods.
        Warehouse = "WAREHOUSE",
        /// Carries them.
        Carrier = "CARRIER",
        /// Keeps our books.
        Erp = "ERP",
        /// Buys from us over EDI.
        Customer = "CUSTOMER",
    }
}

store::text_enum! {
    /// Whether messages are exchanged with a partner.
    pub(crate) enum State {
        /// They are.
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
        /// What it does for us.
        kind: Kind,
        /// Standard carrier alpha code; empty for those who are no carrier.
        scac: String,
        /// Where work is sent to; empty when the partner fetches it.
        endpoint_url: String,
        /// Whether messages are exchanged.
        state: State,
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
            State::Live => Ok(()),
            State::Suspended => Err(Fault::not_supported(format!("partner {} is suspended", self.partner_id))),
        }
    }

    /// Whether work is sent to it.
    pub(crate) fn is_sent_work(&self) -> bool {
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
