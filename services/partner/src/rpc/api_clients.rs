//! Answers the calls of the API client service.

use std::sync::Arc;

use chassis::Answers;
use mesh::{CallInfo, Principal, credentials::KeyChanges, wire::one_id};
use proto::partner::v1::{
    self, ApiKeyStatus, CreateApiClientRequest, CreateApiKeyRequest, CreateApiKeyResponse, GetApiClientRequest,
    ListApiClientsRequest, ListApiClientsResponse, ListApiKeysRequest, ListApiKeysResponse, LookUpApiKeyRequest,
    LookUpApiKeyResponse, RevokeApiKeyRequest, UpdateApiClientRequest, api_client_service_server::ApiClientService,
};
use store::Db;
use types::{ApiClientId, Fault, Reason};

use crate::{
    api_client::{ApiClient, bounds::Bounds, create_client::CreateApiClient, update_client::UpdateApiClient},
    api_key::{
        ApiKey, NewKey,
        create_key::CreateApiKey,
        record_use::{self, RecordUse},
        revoke_key::RevokeApiKey,
    },
    store as lists, wire,
};

/// Answers calls about API clients and keys.
pub(crate) struct ApiClients {
    db: Db,
    keys: KeyChanges,
}

impl Answers for ApiClients {
    fn db(&self) -> &Db {
        &self.db
    }
}

chassis::rpc! {
    ApiClientService for ApiClients {
        commands {
            create_api_client(CreateApiClientRequest) -> v1::ApiClient = CreateApiClient::parse;
        }
        calls {
            update_api_client(UpdateApiClientRequest) -> v1::ApiClient;
            revoke_api_key(RevokeApiKeyRequest) -> v1::ApiKey;
            get_api_client(GetApiClientRequest) -> v1::ApiClient;
            list_api_clients(ListApiClientsRequest) -> ListApiClientsResponse;
            create_api_key(CreateApiKeyRequest) -> CreateApiKeyResponse;
            list_api_keys(ListApiKeysRequest) -> ListApiKeysResponse;
            look_up_api_key(LookUpApiKeyRequest) -> LookUpApiKeyResponse;
        }
    }
}

impl ApiClients {
    /// Answers from this database.
    pub(crate) fn new(db: Db, keys: &KeyChanges) -> Self {
        Self { db, keys: keys.clone() }
    }

    async fn update_api_client(
        &self,
        info: &CallInfo,
        request: UpdateApiClientRequest,
    ) -> Result<v1::ApiClient, Fault> {
        self.check_limited(&request.api_client_id, &info.principal).await?;
        let updated = chassis::command(self, info, &request, UpdateApiClient::parse).await;
        self.announced(updated)
    }

    async fn revoke_api_key(&self, info: &CallInfo, request: RevokeApiKeyRequest) -> Result<v1::ApiKey, Fault> {
        self.check_limited(&request.api_client_id, &info.principal).await?;
        let revoked = chassis::command(self, info, &request, RevokeApiKey::parse).await;
        self.announced(revoked)
    }

    /// Announces a change of what keys give before it is answered. One whose outcome is not known may have been made.
    fn announced<T>(&self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        let is_refusal = |fault: &Fault| !matches!(fault.reason, Reason::Internal | Reason::Unavailable);
        if !outcome.as_ref().is_err_and(is_refusal) {
            self.keys.announce();
        }
        outcome
    }

    async fn api_client(&self, api_client_id: &ApiClientId) -> Result<ApiClient, Fault> {
        let found = self.db.load::<ApiClient>(api_client_id).await?;
        found.ok_or_else(|| Fault::not_found("API client", api_client_id))
    }

    /// The API client, when the caller sees it.
    async fn seen(&self, api_client_id: &ApiClientId, caller: &Principal) -> Result<ApiClient, Fault> {
        let found = self.db.load::<ApiClient>(api_client_id).await?;
        Bounds(Arc::new(caller.clone())).find(found, api_client_id)
    }

    /// Refuses a caller that is limited to some accounts when it does not see the API client, also when an answer was kept.
    async fn check_limited(&self, id: &str, caller: &Principal) -> Result<(), Fault> {
        if !caller.sees_all() {
            self.seen(&one_id("api_client_id", id)?, caller).await?;
        }
        Ok(())
    }

    async fn get_api_client(&self, info: &CallInfo, request: GetApiClientRequest) -> Result<v1::ApiClient, Fault> {
        let id = one_id("api_client_id", &request.api_client_id)?;
        let api_client = self.seen(&id, &info.principal).await?;
        Ok(wire::api_client(&api_client))
    }

    async fn list_api_clients(
        &self,
        info: &CallInfo,
        request: ListApiClientsRequest,
    ) -> Result<ListApiClientsResponse, Fault> {
        let bounds = Bounds(info.principal.clone());
        let (found, next_page_token) =
            lists::api_clients(&self.db, &bounds, request.page_size, &request.page_token).await?;
        Ok(ListApiClientsResponse { api_clients: found.iter().map(wire::api_client).collect(), next_page_token })
    }

    async fn create_api_key(
        &self,
        info: &CallInfo,
        request: CreateApiKeyRequest,
    ) -> Result<CreateApiKeyResponse, Fault> {
        let new = NewKey::generate();
        self.check_limited(&request.api_client_id, &info.principal).await?;
        let command = CreateApiKey::parse(&request, &new, Bounds(info.principal.clone()))?;
        let key = self.db.run(chassis::repeatable_call(info, &request)?, command).await?;
        // A repeat is answered with the first key, whose secret is not stored.
        let secret = if key.prefix == new.prefix() { new.reveal() } else { String::new() };
        Ok(CreateApiKeyResponse { api_key: Some(key), secret })
    }

    async fn list_api_keys(&self, info: &CallInfo, request: ListApiKeysRequest) -> Result<ListApiKeysResponse, Fault> {
        let api_client_id = one_id("api_client_id", &request.api_client_id)?;
        self.seen(&api_client_id, &info.principal).await?;
        let (keys, next_page_token) =
            lists::api_keys(&self.db, &api_client_id, &info.principal, request.page_size, &request.page_token).await?;
        Ok(ListApiKeysResponse { api_keys: keys.iter().map(wire::api_key).collect(), next_page_token })
    }

    async fn look_up_api_key(
        &self,
        info: &CallInfo,
        request: LookUpApiKeyRequest,
    ) -> Result<LookUpApiKeyResponse, Fault> {
        if request.sha256.len() != 32 {
            return Err(Fault::invalid("sha256", "must be 32 bytes"));
        }
        let hash: String = request.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let only = |status: ApiKeyStatus| LookUpApiKeyResponse { status: status.into(), ..Default::default() };
        let Some(key) = lists::key_with_hash(&self.db, &hash).await? else { return Ok(only(ApiKeyStatus::Unknown)) };
        let api_client = self.api_client(&key.api_client_id).await?;
        let status = key.status_of(&api_client, self.db.clock().now());
        if status != ApiKeyStatus::Live {
            return Ok(only(status));
        }
        self.record_use(info, &key).await;
        let (api_client, api_key) = (Some(wire::api_client(&api_client)), Some(wire::api_key(&key)));
        Ok(LookUpApiKeyResponse { api_client, api_key, ..only(status) })
    }

    /// Records the use of a key. A fault is logged, and the key is accepted all the same.
    async fn record_use(&self, info: &CallInfo, key: &ApiKey) {
        if record_use::is_due(key, self.db.clock().now())
            && let Err(fault) = self.db.run(chassis::call(info), RecordUse(key.api_key_id.clone())).await
        {
            tracing::warn!(api_key_id = %key.api_key_id, %fault, "the use of a key was not recorded");
        }
    }
}
