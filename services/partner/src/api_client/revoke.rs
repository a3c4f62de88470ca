//! Ending a key.

use mesh::wire::Checks;
use proto::partner::v1::{ApiKey as ApiKeyReply, RevokeApiKeyRequest};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, ApiKeyId, Fault};

use super::{
    key::{self, ApiKey},
    wire,
};

/// Ends a key for good.
pub(crate) struct RevokeApiKey {
    api_client_id: ApiClientId,
    api_key_id: ApiKeyId,
}

impl RevokeApiKey {
    /// Reads the request.
    pub(crate) fn parse(request: &RevokeApiKeyRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let api_client_id = checks.id("api_client_id", &request.api_client_id);
        let api_key_id = checks.id("api_key_id", &request.api_key_id);
        checks.done()?;
        let (Some(api_client_id), Some(api_key_id)) = (api_client_id, api_key_id) else {
            return Err(Fault::internal("a checked request can not be read"));
        };
        Ok(Self { api_client_id, api_key_id })
    }
}

impl Command for RevokeApiKey {
    type Reply = ApiKeyReply;
    const NAME: &'static str = "RevokeApiKey";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiKey>(&self.api_key_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<ApiKeyReply, Fault> {
        let present =
            rows.get::<ApiKey>(&self.api_key_id)?.filter(|key| key.api_client_id == self.api_client_id).cloned();
        let present = present.ok_or_else(|| Fault::not_found("API key", &self.api_key_id))?;
        if present.revoke_time.is_some() {
            return Ok(wire::key(&present));
        }
        let revoked = rows.put(ApiKey { revoke_time: Some(cx.now()), ..present });
        cx.emit(key::told("api_key.revoked", &revoked));
        Ok(wire::key(&revoked))
    }
}
