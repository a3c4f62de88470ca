//! The gRPC face of consumers and their keys.

use mesh::wire::Checks;
use proto::partner::v1::{
    ApiKey as ApiKeyReply, Consumer as ConsumerReply, CreateApiKeyRequest, CreateApiKeyResponse, CreateConsumerRequest,
    GetConsumerRequest, ListApiKeysRequest, ListApiKeysResponse, ListConsumersRequest, ListConsumersResponse,
    LookUpApiKeyRequest, LookUpApiKeyResponse, RevokeApiKeyRequest, UpdateConsumerRequest,
    consumer_service_server::ConsumerService,
};
use store::{Call, Db};
use tonic::{Request, Response, Status};
use types::{ConsumerId, Fault};

use super::{
    Consumer,
    create::CreateConsumer,
    issue::CreateApiKey,
    key::{ApiKey, NewKey, Standing},
    lists,
    revoke::RevokeApiKey,
    update::UpdateConsumer,
    used::{self, NoteUse},
    wire,
};

/// Answers calls about consumers and keys.
pub(crate) struct Consumers {
    db: Db,
}

impl Consumers {
    /// Answers from this database.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    async fn consumer(&self, consumer_id: &ConsumerId) -> Result<Consumer, Fault> {
        let found = self.db.load::<Consumer>(consumer_id).await?;
        found.ok_or_else(|| Fault::not_found("consumer", consumer_id))
    }

    async fn create_key(&self, call: Call, request: &CreateApiKeyRequest) -> Result<CreateApiKeyResponse, Fault> {
        let new = NewKey::generate();
        let command = CreateApiKey::parse(request, &new)?;
        let key = self.db.run(call.request(&request.request_id, request), command).await?;
        // The answer to a repeat is about the first key, which nobody has any more.
        let secret = if key.prefix == new.prefix() { new.reveal() } else { String::new() };
        Ok(CreateApiKeyResponse { api_key: Some(key), secret })
    }

    async fn list_keys(&self, request: &ListApiKeysRequest) -> Result<ListApiKeysResponse, Fault> {
        let consumer_id = id(&request.consumer_id)?;
        self.consumer(&consumer_id).await?;
        let (keys, next) = lists::keys(&self.db, &consumer_id, request.page_size, &request.page_token).await?;
        Ok(ListApiKeysResponse { api_keys: keys.iter().map(wire::key).collect(), next_page_token: next })
    }

    async fn look_up(&self, call: Call, request: &LookUpApiKeyRequest) -> Result<LookUpApiKeyResponse, Fault> {
        if request.sha256.len() != 32 {
            return Err(Fault::invalid("sha256", "must be 32 bytes"));
        }
        let hash: String = request.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let without =
            |standing| LookUpApiKeyResponse { standing: wire::standing(standing).into(), ..Default::default() };
        let Some(key) = lists::key_with_hash(&self.db, &hash).await? else { return Ok(without(Standing::Unknown)) };
        let consumer = self.consumer(&key.consumer_id).await?;
        match key.standing_of(&consumer, self.db.clock().now()) {
            Standing::Live => {
                self.note_use(call, &key).await;
                Ok(LookUpApiKeyResponse {
                    consumer: Some(wire::consumer(&consumer)),
                    api_key: Some(wire::key(&key)),
                    ..without(Standing::Live)
                })
            }
            standing => Ok(without(standing)),
        }
    }

    /// A key works also when its use can not be noted.
    async fn note_use(&self, call: Call, key: &ApiKey) {
        if used::is_news(key, self.db.clock().now())
            && let Err(fault) = self.db.run(call, NoteUse(key.api_key_id.clone())).await
        {
            tracing::warn!(api_key_id = %key.api_key_id, %fault, "the use of a key was not noted");
        }
    }
}

fn id(text: &str) -> Result<ConsumerId, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("consumer_id", text);
    checks.done()?;
    id.ok_or_else(|| Fault::internal("a checked id can not be read"))
}

fn call_of<T>(request: &Request<T>) -> Call {
    let info = mesh::call(request);
    let trace = Some(info.trace_parent).filter(|trace| !trace.is_empty());
    Call::new(&info.principal.subject).trace(trace)
}

fn reply<T>(result: Result<T, Fault>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(mesh::status)
}

#[tonic::async_trait]
impl ConsumerService for Consumers {
    async fn create_consumer(
        &self,
        request: Request<CreateConsumerRequest>,
    ) -> Result<Response<ConsumerReply>, Status> {
        let call = call_of(&request);
        let request = request.into_inner();
        let command = CreateConsumer::parse(&request).map_err(mesh::status)?;
        reply(self.db.run(call.request(&request.request_id, &request), command).await)
    }

    async fn get_consumer(&self, request: Request<GetConsumerRequest>) -> Result<Response<ConsumerReply>, Status> {
        let consumer_id = id(&request.get_ref().consumer_id).map_err(mesh::status)?;
        reply(self.consumer(&consumer_id).await.map(|consumer| wire::consumer(&consumer)))
    }

    async fn list_consumers(
        &self,
        request: Request<ListConsumersRequest>,
    ) -> Result<Response<ListConsumersResponse>, Status> {
        let request = request.into_inner();
        let listed = lists::consumers(&self.db, request.page_size, &request.page_token).await;
        reply(listed.map(|(consumers, next_page_token)| ListConsumersResponse {
            consumers: consumers.iter().map(wire::consumer).collect(),
            next_page_token,
        }))
    }

    async fn update_consumer(
        &self,
        request: Request<UpdateConsumerRequest>,
    ) -> Result<Response<ConsumerReply>, Status> {
        let call = call_of(&request);
        let request = request.into_inner();
        let command = UpdateConsumer::parse(&request).map_err(mesh::status)?;
        reply(self.db.run(call.request(&request.request_id, &request), command).await)
    }

    async fn create_api_key(
        &self,
        request: Request<CreateApiKeyRequest>,
    ) -> Result<Response<CreateApiKeyResponse>, Status> {
        let call = call_of(&request);
        reply(self.create_key(call, request.get_ref()).await)
    }

    async fn list_api_keys(
        &self,
        request: Request<ListApiKeysRequest>,
    ) -> Result<Response<ListApiKeysResponse>, Status> {
        reply(self.list_keys(request.get_ref()).await)
    }

    async fn revoke_api_key(&self, request: Request<RevokeApiKeyRequest>) -> Result<Response<ApiKeyReply>, Status> {
        let call = call_of(&request);
        let request = request.into_inner();
        let command = RevokeApiKey::parse(&request).map_err(mesh::status)?;
        reply(self.db.run(call.request(&request.request_id, &request), command).await)
    }

    async fn look_up_api_key(
        &self,
        request: Request<LookUpApiKeyRequest>,
    ) -> Result<Response<LookUpApiKeyResponse>, Status> {
        let call = call_of(&request);
        reply(self.look_up(call, request.get_ref()).await)
    }
}
