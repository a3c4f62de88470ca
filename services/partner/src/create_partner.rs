//! Creates a partner.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::PartnerEvent,
    partner::v1::{self, CreatePartnerRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, PartnerId, Reason, limits::MAX_NAME};

use crate::{
    connectors::rest,
    events,
    partner::{Partner, PartnerKind, PartnerState, is_scac},
    wire,
};

/// Creates a partner.
pub(crate) struct CreatePartner {
    partner_id: Option<PartnerId>,
    name: String,
    kind: PartnerKind,
    scac: String,
    endpoint_url: String,
}

impl CreatePartner {
    /// Reads the request.
    pub(crate) fn parse(request: &CreatePartnerRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let partner_id = checks.optional_id("partner_id", &request.partner_id);
        let name = checks.text("name", &request.name, MAX_NAME);
        let kind = checks.choice("kind", request.kind).and_then(PartnerKind::from_contract);
        if !request.scac.is_empty() && !is_scac(&request.scac) {
            checks.wrong("scac", "must be 2 to 4 capitals");
        }
        if let Err(wrong) = rest::check_endpoint(&request.endpoint_url) {
            checks.wrong("endpoint_url", wrong);
        }
        checks.done()?;
        Ok(Self {
            partner_id: checked(partner_id)?,
            name: checked(name)?,
            kind: checked(kind)?,
            scac: request.scac.clone(),
            endpoint_url: request.endpoint_url.clone(),
        })
    }
}

impl Command for CreatePartner {
    type Reply = v1::Partner;
    const NAME: &'static str = "CreatePartner";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Some(partner_id) = &self.partner_id {
            needs.row::<Partner>(partner_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Partner, Fault> {
        if let Some(partner_id) = &self.partner_id
            && rows.get::<Partner>(partner_id)?.is_some()
        {
            return Err(Fault::new(Reason::AlreadyExists, format!("partner {partner_id} exists already")));
        }
        let partner = rows.put(Partner {
            partner_id: self.partner_id.clone().unwrap_or_else(|| cx.new_id()),
            name: self.name.clone(),
            kind: self.kind,
            scac: self.scac.clone(),
            endpoint_url: self.endpoint_url.clone(),
            state: PartnerState::Live,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        cx.emit(events::partner(PartnerEvent::PartnerCreated, &partner));
        Ok(wire::partner(&partner))
    }
}
