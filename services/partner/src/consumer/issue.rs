//! Making a key. The key is made before the command, which knows only its hash: nothing that is kept, told or repeated
//! has the key in it.

use mesh::wire::Checks;
use proto::partner::v1::{ApiKey as ApiKeyReply, CreateApiKeyRequest};
use store::{Command, Context, Needs, Work};
use types::{ConsumerId, Fault, Timestamp};

use super::{
    Consumer,
    key::{self, ApiKey, BY_CONSUMER, MOST_LIVE, NewKey, Standing},
    wire,
    words::Words,
};

/// Keeps what is known of a new key.
pub(crate) struct CreateApiKey {
    consumer_id: ConsumerId,
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
        let consumer_id = checks.id("consumer_id", &request.consumer_id);
        let scopes = key::scopes(&mut checks, &request.scopes);
        let expire_time = checks.optional_time("expire_time", request.expire_time.as_ref());
        checks.done()?;
        let (Some(consumer_id), Some(expire_time)) = (consumer_id, expire_time) else {
            return Err(Fault::internal("a checked request can not be read"));
        };
        Ok(Self { consumer_id, prefix: key.prefix().to_owned(), key_hash: key.hash(), scopes, expire_time })
    }
}

impl Command for CreateApiKey {
    type Reply = ApiKeyReply;
    const NAME: &'static str = "CreateApiKey";

    fn needs(&self, _: &Work, needs: &mut Needs) {
        needs.row::<Consumer>(&self.consumer_id);
        needs.by::<ApiKey>(BY_CONSUMER, &self.consumer_id);
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<ApiKeyReply, Fault> {
        let consumer = work.get::<Consumer>(&self.consumer_id)?.cloned();
        let consumer = consumer.ok_or_else(|| Fault::not_found("consumer", &self.consumer_id))?;
        if self.expire_time.is_some_and(|end| end <= cx.now()) {
            return Err(Fault::invalid("expire_time", "must be in the future"));
        }
        let keys = work.by::<ApiKey>(BY_CONSUMER, &self.consumer_id)?;
        if keys.into_iter().filter(|key| key.standing(cx.now()) == Standing::Live).count() >= MOST_LIVE {
            let told = format!("the consumer has {MOST_LIVE} live keys: revoke one of them first");
            return Err(Fault::not_supported(told));
        }
        work.put(Consumer { keys_made: consumer.keys_made + 1, ..consumer });
        let key = work.put(ApiKey {
            api_key_id: cx.new_id(),
            consumer_id: self.consumer_id.clone(),
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
