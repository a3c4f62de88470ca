//! Changes a partner.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::PartnerEvent,
    partner::v1::{self, UpdatePartnerRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, PartnerId, limits::MAX_NAME};

use crate::{
    connectors::rest,
    events,
    partner::{Partner, PartnerState},
    process::unsent,
    wire,
};

/// Changes the fields of a partner that are set.
pub(crate) struct UpdatePartner {
    partner_id: PartnerId,
    etag: String,
    name: Option<String>,
    endpoint_url: Option<String>,
    state: Option<PartnerState>,
}

impl UpdatePartner {
    /// Reads the request.
    pub(crate) fn parse(request: &UpdatePartnerRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let partner_id = checks.id("partner_id", &request.partner_id);
        let name = request.name.as_deref().and_then(|name| checks.text("name", name, MAX_NAME));
        if let Some(Err(wrong)) = request.endpoint_url.as_deref().map(rest::check_endpoint) {
            checks.wrong("endpoint_url", wrong);
        }
        let state = request.state.and_then(|state| checks.optional_choice("state", state));
        checks.done()?;
        Ok(Self {
            partner_id: checked(partner_id)?,
            etag: request.etag.clone(),
            name,
            endpoint_url: request.endpoint_url.clone(),
            state: state.map(|state| PartnerState::from_contract(state).unwrap_or(PartnerState::Live)),
        })
    }

    /// Whether messages are sent to the partner from now on.
    fn adds_endpoint(&self, present: &Partner) -> bool {
        !present.has_endpoint() && self.endpoint_url.as_ref().is_some_and(|endpoint_url| !endpoint_url.is_empty())
    }
}

impl Command for UpdatePartner {
    type Reply = v1::Partner;
    const NAME: &'static str = "UpdatePartner";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Partner>(&self.partner_id);
        if let Ok(Some(present)) = rows.get::<Partner>(&self.partner_id)
            && self.adds_endpoint(present)
        {
            unsent::need(&self.partner_id, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Partner, Fault> {
        let present = rows.get::<Partner>(&self.partner_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("partner", &self.partner_id))?;
        Fault::check_etag("partner", &self.etag, present.version)?;
        let changed = Partner {
            name: self.name.clone().unwrap_or_else(|| present.name.clone()),
            endpoint_url: self.endpoint_url.clone().unwrap_or_else(|| present.endpoint_url.clone()),
            state: self.state.unwrap_or(present.state),
            ..present.clone()
        };
        if changed == present {
            return Ok(wire::partner(&present));
        }
        if self.adds_endpoint(&present) {
            unsent::send(&self.partner_id, rows, cx)?;
        }
        let changed = rows.put(Partner { update_time: cx.now(), ..changed });
        cx.emit(events::partner(PartnerEvent::PartnerUpdated, &changed));
        Ok(wire::partner(&changed))
    }
}
