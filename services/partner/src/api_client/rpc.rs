//! The gRPC face of API clients and their keys.

use mesh::wire::Checks;
use proto::partner::v1::{
    ApiClient as ApiClientReply, ApiKey as ApiKeyReply, CreateApiClientRequest, CreateApiKeyRequest,
    CreateApiKeyResponse, GetApiClientRequest, ListApiClientsRequest, ListApiClientsResponse, ListApiKeysRequest,
    ListApiKeysResponse, LookUpApiKeyRequest, LookUpApiKeyResponse, RevokeApiKeyRequest, UpdateApiClientRequest,
    api_client_service_server::ApiClientService,
};
use store::{Call, Db};
use tonic::{Request, Response, Status};
use types::{ApiClientId, Fault};

use super::{
    ApiClient,
    create::CreateApiClient,
    issue::CreateApiKey,
    key::{ApiKey, KeyStatus, NewKey},
    lists,
    revoke::RevokeApiKey,
    update::UpdateApiClient,
    used::{self, NoteUse},
    wire,
};

/// Answers calls about API clients and keys.
pub(crate) struct ApiClients {
    db: Db,
}

impl ApiClients {
    /// Answers from this database.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    async fn api_client(&self, api_client_id: &ApiClientId) -> Result<ApiClient, Fault> {
        let found = self.db.load::<ApiClient>(api_client_id).await?;
        found.ok_or_else(|| Fault::not_found("API client", api_client_id))
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
        let api_client_id = id(&request.api_client_id)?;
        self.api_client(&api_client_id).await?;
        let (keys, next) = lists::keys(&self.db, &api_client_id, request.page_size, &request.page_token).await?;
        Ok(ListApiKeysResponse { api_keys: keys.iter().map(wire::key).collect(), next_page_token: next })
    }

    async fn look_up(&self, call: Call, request: &LookUpApiKeyRequest) -> Result<LookUpApiKeyResponse, Fault> {
        if request.sha256.len() != 32 {
            return Err(Fault::invalid("sha256", "must be 32 bytes"));
        }
        let hash: String = request.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let without = |status| LookUpApiKeyResponse { status: wire::status(status).into(), ..Default::default() };
        let Some(key) = lists::key_with_hash(&self.db, &hash).await? else { return Ok(without(KeyStatus::Unknown)) };
        let api_client = self.api_client(&key.api_client_id).await?;
        match key.status_of(&api_client, self.db.clock().now()) {
            KeyStatus::Live => {
                self.note_use(call, &key).await;
                Ok(LookUpApiKeyResponse {
                    api_client: Some(wire::api_client(&api_client)),
                    api_key: Some(wire::key(&key)),
                    ..without(KeyStatus::Live)
                })
            }
            status => Ok(without(status)),
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

fn id(text: &str) -> Result<ApiClientId, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("api_client_id", text);
    checks.done()?;
    id.ok_or_else(|| Fault::internal("a checked id can not be read"))
}

fn call_of<T>(request: &Request<T>) -> Call {
    let info = mesh::call(request);
    let trace = Some(info.trace_parent).filter(|trace| !trace.is_empty());
    Call::new(info.principal.actor()).trace(trace)
}

fn reply<T>(result: Result<T, Fault>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(mesh::status)
}

#[tonic::async_trait]
impl ApiClientService for ApiClients {
    async fn create_api_client(
        &self,
        request: Request<CreateApiClientRequest>,
    ) -> Result<Response<ApiClientReply>, Status> {
        let call = call_of(&request);
        let request = request.into_inner();
        let command = CreateApiClient::parse(&request).map_err(mesh::status)?;
        reply(self.db.run(call.request(&request.request_id, &request), command).await)
    }

    async fn get_api_client(&self, request: Request<GetApiClientRequest>) -> Result<Response<ApiClientReply>, Status> {
        let api_client_id = id(&request.get_ref().api_client_id).map_err(mesh::status)?;
        reply(self.api_client(&api_client_id).await.map(|api_client| wire::api_client(&api_client)))
    }

    async fn list_api_clients(
        &self,
        request: Request<ListApiClientsRequest>,
    ) -> Result<Response<ListApiClientsResponse>, Status> {
        let request = request.into_inner();
        let listed = lists::api_clients(&self.db, request.page_size, &request.page_token).await;
        reply(listed.map(|(api_clients, next_page_token)| ListApiClientsResponse {
            api_clients: api_clients.iter().map(wire::api_client).collect(),
            next_page_token,
        }))
    }

    async fn update_api_client(
        &self,
        request: Request<UpdateApiClientRequest>,
    ) -> Result<Response<ApiClientReply>, Status> {
        let call = call_of(&request);
        let request = request.into_inner();
        let command = UpdateApiClient::parse(&request).map_err(mesh::status)?;
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
