//! Creates an API client.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::PartnerEvent,
    partner::v1::{self, CreateApiClientRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, Fault, PartnerId, Reason, limits::MAX_NAME};

use super::{ApiClient, ApiClientKind, ApiClientState, access, bounds::Bounds};
use crate::{events, partner::Partner, wire};

/// Creates an API client.
pub(crate) struct CreateApiClient {
    api_client_id: Option<ApiClientId>,
    name: String,
    kind: ApiClientKind,
    access: access::Access,
    partner_id: Option<PartnerId>,
    contact: String,
}

impl CreateApiClient {
    /// Reads the request, which may give no more than the caller holds.
    pub(crate) fn parse(request: &CreateApiClientRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let api_client_id = checks.optional_id("api_client_id", &request.api_client_id);
        let name = checks.text("name", &request.name, MAX_NAME);
        let kind = checks.choice("kind", request.kind).and_then(ApiClientKind::from_contract);
        let access = kind.map(|kind| access::parse(&mut checks, kind, request.access.as_ref()));
        let partner_id = match kind {
            Some(ApiClientKind::Partner) => checks.id("partner_id", &request.partner_id).map(Some),
            _ if request.partner_id.is_empty() => Some(None),
            _ => {
                checks.wrong("partner_id", "only partners' programs belong to a partner");
                None
            }
        };
        let contact = checks.optional_text("contact", &request.contact, MAX_NAME);
        if let (Some(access), Some(partner_id)) = (&access, &partner_id) {
            Bounds(caller.clone()).check_access(&mut checks, access, partner_id.as_ref());
        }
        checks.done()?;
        Ok(Self {
            api_client_id: checked(api_client_id)?,
            name: checked(name)?,
            kind: checked(kind)?,
            access: checked(access)?,
            partner_id: checked(partner_id)?,
            contact: checked(contact)?,
        })
    }
}

impl Command for CreateApiClient {
    type Reply = v1::ApiClient;
    const NAME: &'static str = "CreateApiClient";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Some(api_client_id) = &self.api_client_id {
            needs.row::<ApiClient>(api_client_id);
        }
        if let Some(partner_id) = &self.partner_id {
            needs.row::<Partner>(partner_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::ApiClient, Fault> {
        if let Some(api_client_id) = &self.api_client_id
            && rows.get::<ApiClient>(api_client_id)?.is_some()
        {
            return Err(Fault::new(Reason::AlreadyExists, format!("API client {api_client_id} exists already")));
        }
        if let Some(partner_id) = &self.partner_id
            && rows.get::<Partner>(partner_id)?.is_none()
        {
            return Err(Fault::invalid("partner_id", format!("there is no partner {partner_id}")));
        }
        let api_client = rows.put(ApiClient {
            api_client_id: self.api_client_id.clone().unwrap_or_else(|| cx.new_id()),
            name: self.name.clone(),
            kind: self.kind,
            roles: self.access.roles.clone(),
            account_ids: self.access.account_ids.clone(),
            partner_id: self.partner_id.clone(),
            contact: self.contact.clone(),
            state: ApiClientState::Live,
            keys_created: 0,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        cx.emit(events::api_client(PartnerEvent::ApiClientCreated, &api_client));
        Ok(wire::api_client(&api_client))
    }
}
