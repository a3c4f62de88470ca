//! Changing an API client.

use mesh::wire::Checks;
use proto::partner::v1::{ApiClient as ApiClientReply, ApiClientAccess, ApiClientState, UpdateApiClientRequest};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, Fault};

use super::{ApiClient, State, access, told, wire};

/// Changes the fields of an API client that are set.
pub(crate) struct UpdateApiClient {
    api_client_id: ApiClientId,
    etag: String,
    name: Option<String>,
    access: Option<ApiClientAccess>,
    contact: Option<String>,
    state: Option<State>,
}

impl UpdateApiClient {
    /// Reads the request. What access it may have depends on the API client, and is read when that is known.
    pub(crate) fn parse(request: &UpdateApiClientRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let api_client_id = checks.id("api_client_id", &request.api_client_id);
        let name = request.name.as_deref().and_then(|name| checks.text("name", name, 200));
        let contact = request.contact.as_deref().and_then(|contact| checks.optional_text("contact", contact, 200));
        let state = request.state.and_then(|state| checks.optional_choice::<ApiClientState>("state", state));
        checks.done()?;
        Ok(Self {
            api_client_id: api_client_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?,
            etag: request.etag.clone(),
            name,
            access: request.access.clone(),
            contact,
            state: state.map(wire::state),
        })
    }
}

impl Command for UpdateApiClient {
    type Reply = ApiClientReply;
    const NAME: &'static str = "UpdateApiClient";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiClient>(&self.api_client_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<ApiClientReply, Fault> {
        let present = rows.get::<ApiClient>(&self.api_client_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("API client", &self.api_client_id))?;
        Fault::check_etag("API client", &self.etag, present.version)?;
        let mut changed = ApiClient {
            name: self.name.clone().unwrap_or_else(|| present.name.clone()),
            contact: self.contact.clone().unwrap_or_else(|| present.contact.clone()),
            state: self.state.unwrap_or(present.state),
            ..present.clone()
        };
        if self.access.is_some() {
            let mut checks = Checks::new();
            let access = access::read(&mut checks, present.kind, self.access.as_ref());
            checks.done()?;
            (changed.roles, changed.account_ids) = (access.roles, access.account_ids);
        }
        if changed == present {
            return Ok(wire::api_client(&present));
        }
        let changed = rows.put(ApiClient { update_time: cx.now(), ..changed });
        cx.emit(told("api_client.updated", &changed));
        Ok(wire::api_client(&changed))
    }
}
