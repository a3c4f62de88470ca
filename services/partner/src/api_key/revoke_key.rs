//! Revokes a key.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::PartnerEvent,
    partner::v1::{self, RevokeApiKeyRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, ApiKeyId, Fault};

use super::ApiKey;
use crate::{events, wire};

/// Revokes a key for good.
pub(crate) struct RevokeApiKey {
    api_client_id: ApiClientId,
    api_key_id: ApiKeyId,
}

impl RevokeApiKey {
    /// Reads the request.
    pub(crate) fn parse(request: &RevokeApiKeyRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let api_client_id = checks.id("api_client_id", &request.api_client_id);
        let api_key_id = checks.id("api_key_id", &request.api_key_id);
        checks.done()?;
        Ok(Self { api_client_id: checked(api_client_id)?, api_key_id: checked(api_key_id)? })
    }
}

impl Command for RevokeApiKey {
    type Reply = v1::ApiKey;
    const NAME: &'static str = "RevokeApiKey";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiKey>(&self.api_key_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::ApiKey, Fault> {
        let present =
            rows.get::<ApiKey>(&self.api_key_id)?.filter(|key| key.api_client_id == self.api_client_id).cloned();
        let present = present.ok_or_else(|| Fault::not_found("API key", &self.api_key_id))?;
        if present.revoke_time.is_some() {
            return Ok(wire::api_key(&present));
        }
        let revoked = rows.put(ApiKey { revoke_time: Some(cx.now()), ..present });
        cx.emit(events::api_key(PartnerEvent::ApiKeyRevoked, &revoked));
        Ok(wire::api_key(&revoked))
    }
}
