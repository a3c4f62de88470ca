//! Making a key. The key is made before the command, which knows only its hash: nothing that is kept, told or repeated
//! has the key in it.

use mesh::wire::Checks;
use proto::partner::v1::{ApiKey as ApiKeyReply, CreateApiKeyRequest};
use store::{Command, Context, Needs, Rows};
use types::{ApiClientId, Fault, Timestamp};

use super::{
    ApiClient,
    key::{self, ApiKey, BY_CONSUMER, KeyStatus, MOST_LIVE, NewKey},
    wire,
    words::Words,
};

/// Keeps what is known of a new key.
pub(crate) struct CreateApiKey {
    api_client_id: ApiClientId,
    prefix: String,
    key_hash: String,
    scopes: Words,
    expire_time: Option<Timestamp>,
}

impl CreateApiKey {
    /// Reads the request for this key.
    pub(crate) fn parse(request: &CreateApiKeyRequest, key: &NewKey) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let api_client_id = checks.id("api_client_id", &request.api_client_id);
        let scopes = key::scopes(&mut checks, &request.scopes);
        let expire_time = checks.optional_time("expire_time", request.expire_time.as_ref());
        checks.done()?;
        let (Some(api_client_id), Some(expire_time)) = (api_client_id, expire_time) else {
            return Err(Fault::internal("a checked request can not be read"));
        };
        Ok(Self { api_client_id, prefix: key.prefix().to_owned(), key_hash: key.hash(), scopes, expire_time })
    }
}

impl Command for CreateApiKey {
    type Reply = ApiKeyReply;
    const NAME: &'static str = "CreateApiKey";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiClient>(&self.api_client_id);
        needs.by::<ApiKey>(BY_CONSUMER, &self.api_client_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<ApiKeyReply, Fault> {
        let api_client = rows.get::<ApiClient>(&self.api_client_id)?.cloned();
        let api_client = api_client.ok_or_else(|| Fault::not_found("API client", &self.api_client_id))?;
        if self.expire_time.is_some_and(|end| end <= cx.now()) {
            return Err(Fault::invalid("expire_time", "must be in the future"));
        }
        let keys = rows.by::<ApiKey>(BY_CONSUMER, &self.api_client_id)?;
        if keys.into_iter().filter(|key| key.status(cx.now()) == KeyStatus::Live).count() >= MOST_LIVE {
            let told = format!("the api_client has {MOST_LIVE} live keys: revoke one of them first");
            return Err(Fault::not_supported(told));
        }
        rows.put(ApiClient { keys_made: api_client.keys_made + 1, ..api_client });
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
        cx.emit(key::told("api_key.created", &key));
        Ok(wire::key(&key))
    }
}
