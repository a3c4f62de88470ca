//! Changes an API client.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::PartnerEvent,
    partner::v1::{self, ApiClientAccess, UpdateApiClientRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, Fault, limits::MAX_NAME};

use super::{ApiClient, ApiClientState, access, bounds::Bounds};
use crate::{events, wire};

/// Changes the fields of an API client that are set.
pub(crate) struct UpdateApiClient {
    bounds: Bounds,
    api_client_id: ApiClientId,
    etag: String,
    name: Option<String>,
    access: Option<ApiClientAccess>,
    contact: Option<String>,
    state: Option<ApiClientState>,
}

impl UpdateApiClient {
    /// Reads the request. Which access is allowed depends on the stored kind, so that access is parsed with the decision.
    pub(crate) fn parse(request: &UpdateApiClientRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let api_client_id = checks.id("api_client_id", &request.api_client_id);
        let name = request.name.as_deref().and_then(|name| checks.text("name", name, MAX_NAME));
        let contact = request.contact.as_deref().and_then(|contact| checks.optional_text("contact", contact, MAX_NAME));
        let state = request.state.and_then(|state| checks.optional_choice("state", state));
        checks.done()?;
        Ok(Self {
            bounds: Bounds(caller.clone()),
            api_client_id: checked(api_client_id)?,
            etag: request.etag.clone(),
            name,
            access: request.access.clone(),
            contact,
            state: state.map(|state| ApiClientState::from_contract(state).unwrap_or(ApiClientState::Live)),
        })
    }
}

impl Command for UpdateApiClient {
    type Reply = v1::ApiClient;
    const NAME: &'static str = "UpdateApiClient";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiClient>(&self.api_client_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::ApiClient, Fault> {
        let present = rows.get::<ApiClient>(&self.api_client_id)?.cloned();
        let present = self.bounds.find(present, &self.api_client_id)?;
        Fault::check_etag("API client", &self.etag, present.version)?;
        let mut changed = ApiClient {
            name: self.name.clone().unwrap_or_else(|| present.name.clone()),
            contact: self.contact.clone().unwrap_or_else(|| present.contact.clone()),
            state: self.state.unwrap_or(present.state),
            ..present.clone()
        };
        // Everybody who sees it may suspend it. Whoever gives its keys something holds it all.
        if self.access.is_some() || self.state == Some(ApiClientState::Live) {
            self.bounds.check_covers(&present)?;
            self.bounds.check_unscoped()?;
        }
        if self.access.is_some() {
            let mut checks = Checks::new();
            let access = access::parse(&mut checks, present.kind, self.access.as_ref());
            self.bounds.check_access(&mut checks, &access, present.partner_id.as_ref());
            checks.done()?;
            (changed.roles, changed.account_ids) = (access.roles, access.account_ids);
        }
        if changed == present {
            return Ok(wire::api_client(&present));
        }
        let changed = rows.put(ApiClient { update_time: cx.now(), ..changed });
        cx.emit(events::api_client(PartnerEvent::ApiClientUpdated, &changed));
        Ok(wire::api_client(&changed))
    }
}
