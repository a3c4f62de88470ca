//! API keys: returned once, stored as hashes, two at a time.

use std::time::Duration;

use mesh::Principal;
use prost::Message as _;
use proto::{
    events::EventType,
    partner::v1::{
        ApiClientState, ApiKey, ApiKeyStatus, CreateApiKeyRequest, CreateApiKeyResponse, ListApiKeysRequest,
        LookUpApiKeyRequest, LookUpApiKeyResponse, RevokeApiKeyRequest, UpdateApiClientRequest,
    },
};
use sha2::{Digest as _, Sha256};
use testkit::{each, reason, wrong_fields};
use tonic::{Code, Response, Status};
use types::{Clock as _, Reason};

use crate::world::World;

impl World {
    async fn make_key(&self, request: CreateApiKeyRequest) -> Result<CreateApiKeyResponse, Status> {
        let made = self.api_clients().create_api_key(request).await;
        made.map(Response::into_inner)
    }

    /// Makes a key for an API client; answers its description and the key.
    async fn key(&self, api_client_id: &str) -> (ApiKey, String) {
        let request = CreateApiKeyRequest { api_client_id: api_client_id.to_owned(), ..CreateApiKeyRequest::default() };
        let made = self.make_key(request).await.unwrap();
        (made.api_key.unwrap(), made.secret)
    }

    async fn revoke(&self, key: &ApiKey) -> Result<ApiKey, Status> {
        let request = RevokeApiKeyRequest {
            request_id: String::new(),
            api_client_id: key.api_client_id.clone(),
            api_key_id: key.api_key_id.clone(),
        };
        let revoked = self.api_clients().revoke_api_key(request).await;
        revoked.map(Response::into_inner)
    }

    async fn look_up(&self, secret: &str) -> LookUpApiKeyResponse {
        let request = LookUpApiKeyRequest { sha256: Sha256::digest(secret).to_vec().into() };
        let mut members = self.api_clients_of(&Principal::service("gateway"));
        members.look_up_api_key(request).await.unwrap().into_inner()
    }

    async fn status(&self, secret: &str) -> ApiKeyStatus {
        self.look_up(secret).await.status()
    }

    async fn keys(&self, api_client_id: &str) -> Vec<ApiKey> {
        let request = ListApiKeysRequest { api_client_id: api_client_id.to_owned(), ..ListApiKeysRequest::default() };
        self.api_clients().list_api_keys(request).await.unwrap().into_inner().api_keys
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_hash_and_says_whose_it_is() {
    each(World::open, async |world| {
        let api_client = world.application("cli_a").await;
        let (key, secret) = world.key("cli_a").await;
        assert!(secret.starts_with(&format!("wbk_{}_", key.prefix)));
        let found = world.look_up(&secret).await;
        assert_eq!(found.status(), ApiKeyStatus::Live);
        let whose = found.api_client.unwrap();
        assert_eq!((whose.api_client_id, whose.access), (api_client.api_client_id, api_client.access));
        assert_eq!(found.api_key.unwrap().api_key_id, key.api_key_id);
        assert_eq!(world.status(&format!("{secret}x")).await, ApiKeyStatus::Unknown);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_without_the_key_which_is_kept_nowhere() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        let request = CreateApiKeyRequest {
            request_id: "r1".to_owned(),
            api_client_id: "cli_a".to_owned(),
            scopes: vec!["read".to_owned()],
            expire_time: None,
        };
        let first = world.make_key(request.clone()).await.unwrap();
        let again = world.make_key(request.clone()).await.unwrap();
        assert_eq!(again, CreateApiKeyResponse { secret: String::new(), ..first.clone() });
        assert_eq!(world.keys("cli_a").await.len(), 1);
        let other = CreateApiKeyRequest { scopes: Vec::new(), ..request };
        assert_eq!(reason(world.make_key(other).await), Reason::RequestIdReused);

        let (_, hidden) = first.secret.rsplit_once('_').unwrap();
        for event in world.events().await.iter() {
            let bytes = event.encode_to_vec();
            assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{}", event.r#type);
        }
    })
    .await;
}

#[tokio::test]
async fn one_key_is_replaced_by_another_while_both_work() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        let (old, old_secret) = world.key("cli_a").await;
        let (new, new_secret) = world.key("cli_a").await;
        assert_eq!(world.status(&old_secret).await, ApiKeyStatus::Live);
        assert_eq!(world.status(&new_secret).await, ApiKeyStatus::Live);
        let third = CreateApiKeyRequest { api_client_id: "cli_a".to_owned(), ..CreateApiKeyRequest::default() };
        assert_eq!(reason(world.make_key(third.clone()).await), Reason::ActionNotSupported);

        let revoked = world.revoke(&old).await.unwrap();
        assert!(revoked.revoke_time.is_some());
        assert_eq!(world.revoke(&old).await.unwrap(), revoked, "revoking again changes nothing");
        assert_eq!(world.status(&old_secret).await, ApiKeyStatus::Revoked);
        assert_eq!(world.status(&new_secret).await, ApiKeyStatus::Live);
        assert!(world.make_key(third).await.is_ok(), "there is room for the next");
        let listed = world.keys("cli_a").await;
        assert_eq!(listed.len(), 3);
        assert_eq!((&listed[1].api_key_id, &listed[2].api_key_id), (&new.api_key_id, &old.api_key_id), "newest first");
        assert_eq!((world.count(EventType::ApiKeyCreated).await, world.count(EventType::ApiKeyRevoked).await), (3, 1));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_make_keys_at_once_two_succeed() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        let request = CreateApiKeyRequest { api_client_id: "cli_a".to_owned(), ..CreateApiKeyRequest::default() };
        let made = futures::future::join_all((0..8).map(|_| world.make_key(request.clone()))).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 2);
        assert_eq!(world.keys("cli_a").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_key_ends_when_its_time_is_over_and_makes_room() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        let end = world.clock.now().after(Duration::from_secs(60));
        let request = CreateApiKeyRequest {
            api_client_id: "cli_a".to_owned(),
            expire_time: Some(mesh::wire::timestamp(end)),
            ..CreateApiKeyRequest::default()
        };
        let secret = world.make_key(request.clone()).await.unwrap().secret;
        world.make_key(request.clone()).await.unwrap();
        assert_eq!(world.status(&secret).await, ApiKeyStatus::Live);
        world.after(Duration::from_secs(60)).await;
        assert_eq!(world.status(&secret).await, ApiKeyStatus::Expired);
        assert_eq!(wrong_fields(world.make_key(request).await), ["expire_time"], "it is over already");
        world.key("cli_a").await;
    })
    .await;
}

#[tokio::test]
async fn the_keys_of_a_suspended_api_client_rest() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        let (_, secret) = world.key("cli_a").await;
        for (state, status) in
            [(ApiClientState::Suspended, ApiKeyStatus::Suspended), (ApiClientState::Live, ApiKeyStatus::Live)]
        {
            let request = UpdateApiClientRequest {
                api_client_id: "cli_a".to_owned(),
                state: Some(state.into()),
                ..UpdateApiClientRequest::default()
            };
            world.api_clients().update_api_client(request).await.unwrap();
            let found = world.look_up(&secret).await;
            assert_eq!(found.status(), status);
            assert_eq!(
                found.api_client.is_some(),
                status == ApiKeyStatus::Live,
                "nothing is returned of a suspended client"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_use_is_known_to_five_minutes() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        let (key, secret) = world.key("cli_a").await;
        assert_eq!(key.last_use_time, None);
        let used = |keys: Vec<ApiKey>| keys[0].last_use_time;
        let first = Some(mesh::wire::timestamp(world.clock.now()));
        world.look_up(&secret).await;
        assert_eq!(used(world.keys("cli_a").await), first);
        world.after(Duration::from_secs(299)).await;
        world.look_up(&secret).await;
        assert_eq!(used(world.keys("cli_a").await), first, "a busy key is not written all the time");
        world.after(Duration::from_secs(1)).await;
        world.look_up(&secret).await;
        assert_eq!(used(world.keys("cli_a").await), Some(mesh::wire::timestamp(world.clock.now())));
        assert_eq!(world.count(EventType::ApiKeyCreated).await, 1);
        let emitted = world.events().await.types();
        assert_eq!(emitted, [EventType::ApiClientCreated, EventType::ApiKeyCreated]);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_cannot_be_made_or_ended_is_refused_and_says_why() {
    each(World::open, async |world| {
        world.application("cli_a").await;
        world.application("cli_b").await;
        let unknown = CreateApiKeyRequest { api_client_id: "cli_x".to_owned(), ..CreateApiKeyRequest::default() };
        assert_eq!(reason(world.make_key(unknown).await), Reason::NotFound);
        let scopes = CreateApiKeyRequest {
            api_client_id: "cli_a".to_owned(),
            scopes: ["read", "everything", "waybill.order.v1.OrderService/Guess"].map(str::to_owned).into(),
            ..CreateApiKeyRequest::default()
        };
        assert_eq!(wrong_fields(world.make_key(scopes).await), ["scopes[1]", "scopes[2]"]);
        let (key, _) = world.key("cli_a").await;
        let anothers = ApiKey { api_client_id: "cli_b".to_owned(), ..key };
        assert_eq!(reason(world.revoke(&anothers).await), Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn only_members_look_keys_up() {
    each(World::open, async |world| {
        let operations = Principal { roles: mesh::Role::Operations.into(), ..Principal::service("x") };
        let request = LookUpApiKeyRequest { sha256: vec![0; 32].into() };
        let refused = world.api_clients_of(&operations).look_up_api_key(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let short = LookUpApiKeyRequest { sha256: vec![0; 31].into() };
        let refused = world.api_clients().look_up_api_key(short).await;
        assert_eq!(wrong_fields(refused), ["sha256"]);
    })
    .await;
}
