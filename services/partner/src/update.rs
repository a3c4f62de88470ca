//! Changing a partner.

use mesh::wire::Checks;
use proto::partner::v1::{Partner as PartnerReply, PartnerChanged, PartnerState, UpdatePartnerRequest};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, PartnerId};

use crate::{
    connectors::rest,
    partner::{Partner, State},
    sending, wire,
};

/// Changes the fields of a partner that are set.
pub(crate) struct UpdatePartner {
    partner_id: PartnerId,
    etag: String,
    name: Option<String>,
    endpoint_url: Option<String>,
    state: Option<State>,
}

impl UpdatePartner {
    /// Reads the request.
    pub(crate) fn parse(request: &UpdatePartnerRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let partner_id = checks.id("partner_id", &request.partner_id);
        let name = request.name.as_deref().and_then(|name| checks.text("name", name, 200));
        if let Some(Err(wrong)) = request.endpoint_url.as_deref().map(rest::check_endpoint) {
            checks.wrong("endpoint_url", wrong);
        }
        let state = request.state.and_then(|state| checks.optional_choice::<PartnerState>("state", state));
        checks.done()?;
        Ok(Self {
            partner_id: partner_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?,
            etag: request.etag.clone(),
            name,
            endpoint_url: request.endpoint_url.clone(),
            state: state.map(wire::partner_state),
        })
    }
}

impl UpdatePartner {
    /// Whether the partner is sent its work from now on.
    fn begins_sending(&self, present: &Partner) -> bool {
        !present.is_sent_work() && self.endpoint_url.as_ref().is_some_and(|endpoint_url| !endpoint_url.is_empty())
    }
}

impl Command for UpdatePartner {
    type Reply = PartnerReply;
    const NAME: &'static str = "UpdatePartner";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Partner>(&self.partner_id);
        if let Ok(Some(present)) = rows.get::<Partner>(&self.partner_id)
            && self.begins_sending(present)
        {
            sending::needs(needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerReply, Fault> {
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
        if self.begins_sending(&present) {
            sending::begin(&self.partner_id, rows, cx)?;
        }
        let changed = rows.put(Partner { update_time: cx.now(), ..changed });
        let told = wire::partner(&changed);
        let fact = PartnerChanged { partner: Some(told.clone()) };
        cx.emit(NewEvent::untyped("partner.updated", &changed.partner_id, changed.version, changed.version, &fact));
        Ok(told)
    }
}
