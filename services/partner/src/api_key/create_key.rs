//! Creates a key. It is generated before the command, which gets only its hash: the key is neither stored, nor emitted,
//! nor returned to a repeat.

use mesh::wire::{Checks, checked};
use proto::{
    events::PartnerEvent,
    partner::v1::{self, ApiKeyStatus, CreateApiKeyRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, Fault, Timestamp};

use super::{ApiKey, BY_API_CLIENT, MOST_LIVE, NewKey, parse_scopes};
use crate::{
    api_client::{ApiClient, bounds::Bounds},
    events,
    text_list::TextList,
    wire,
};

/// Stores a new key.
pub(crate) struct CreateApiKey {
    bounds: Bounds,
    api_client_id: ApiClientId,
    prefix: String,
    key_hash: String,
    scopes: TextList,
    expire_time: Option<Timestamp>,
}

impl CreateApiKey {
    /// Reads the request for this key, which may have no more than the caller's.
    pub(crate) fn parse(request: &CreateApiKeyRequest, key: &NewKey, bounds: Bounds) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let api_client_id = checks.id("api_client_id", &request.api_client_id);
        let scopes = parse_scopes(&mut checks, &request.scopes);
        let expire_time = checks.optional_time("expire_time", request.expire_time.as_ref());
        if let Some(expire_time) = expire_time {
            bounds.check_key(&mut checks, &scopes, expire_time);
        }
        checks.done()?;
        Ok(Self {
            bounds,
            api_client_id: checked(api_client_id)?,
            prefix: key.prefix().to_owned(),
            key_hash: key.hash(),
            scopes,
            expire_time: checked(expire_time)?,
        })
    }
}

impl Command for CreateApiKey {
    type Reply = v1::ApiKey;
    const NAME: &'static str = "CreateApiKey";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiClient>(&self.api_client_id);
        needs.by::<ApiKey>(BY_API_CLIENT, &self.api_client_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::ApiKey, Fault> {
        let api_client = rows.get::<ApiClient>(&self.api_client_id)?.cloned();
        let api_client = self.bounds.find(api_client, &self.api_client_id)?;
        self.bounds.check_covers(&api_client)?;
        if self.expire_time.is_some_and(|end| end <= cx.now()) {
            return Err(Fault::invalid("expire_time", "must be in the future"));
        }
        let keys = rows.by::<ApiKey>(BY_API_CLIENT, &self.api_client_id)?;
        if keys.into_iter().filter(|key| key.status(cx.now()) == ApiKeyStatus::Live).count() >= MOST_LIVE {
            let problem = format!("the API client has {MOST_LIVE} live keys: revoke one of them first");
            return Err(Fault::not_supported(problem));
        }
        rows.put(ApiClient { keys_created: api_client.keys_created + 1, ..api_client });
        let key = rows.put(ApiKey {
            api_key_id: cx.new_id(),
            api_client_id: self.api_client_id.clone(),
            prefix: self.prefix.clone(),
            key_hash: self.key_hash.clone(),
            scopes: self.scopes.clone(),
            create_time: cx.now(),
            expire_time: self.expire_time,
            last_use_time: None,
            revoke_time: None,
            version: 0,
        });
        cx.emit(events::api_key(PartnerEvent::ApiKeyCreated, &key));
        Ok(wire::api_key(&key))
    }
}
