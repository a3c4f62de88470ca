//! Keys: shown once, kept as hashes, two at a time.

use std::time::Duration;

use mesh::Principal;
use prost::Message as _;
use proto::partner::v1::{
    ApiKey, ApiKeyStanding, ConsumerState, CreateApiKeyRequest, CreateApiKeyResponse, ListApiKeysRequest,
    LookUpApiKeyRequest, LookUpApiKeyResponse, RevokeApiKeyRequest, UpdateConsumerRequest,
};
use sha2::{Digest as _, Sha256};
use testkit::database::each;
use tonic::Code;
use types::{Clock as _, Fault, Reason};

use crate::{calls::refusal, setup::World};

impl World {
    async fn make_key(&self, request: CreateApiKeyRequest) -> Result<CreateApiKeyResponse, Fault> {
        let made = self.consumers().create_api_key(request).await;
        made.map(tonic::Response::into_inner).map_err(|status| mesh::fault(&status))
    }

    /// Makes a key for a consumer; answers its description and the key.
    async fn key(&self, consumer_id: &str) -> (ApiKey, String) {
        let request = CreateApiKeyRequest { consumer_id: consumer_id.to_owned(), ..CreateApiKeyRequest::default() };
        let made = self.make_key(request).await.unwrap();
        (made.api_key.unwrap(), made.secret)
    }

    async fn revoke(&self, key: &ApiKey) -> Result<ApiKey, Fault> {
        let request = RevokeApiKeyRequest {
            request_id: String::new(),
            consumer_id: key.consumer_id.clone(),
            api_key_id: key.api_key_id.clone(),
        };
        let revoked = self.consumers().revoke_api_key(request).await;
        revoked.map(tonic::Response::into_inner).map_err(|status| mesh::fault(&status))
    }

    async fn look_up(&self, secret: &str) -> LookUpApiKeyResponse {
        let request = LookUpApiKeyRequest { sha256: Sha256::digest(secret).to_vec().into() };
        let mut members = self.consumers_of(&Principal::service("gateway"));
        members.look_up_api_key(request).await.unwrap().into_inner()
    }

    async fn standing(&self, secret: &str) -> ApiKeyStanding {
        self.look_up(secret).await.standing()
    }

    async fn keys(&self, consumer_id: &str) -> Vec<ApiKey> {
        let request = ListApiKeysRequest { consumer_id: consumer_id.to_owned(), ..ListApiKeysRequest::default() };
        self.consumers().list_api_keys(request).await.unwrap().into_inner().api_keys
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_hash_and_says_whose_it_is() {
    each(|options| async move {
        let world = World::open(options).await;
        let consumer = world.application("con_a").await;
        let (key, secret) = world.key("con_a").await;
        assert!(secret.starts_with(&format!("wbk_{}_", key.prefix)));
        let found = world.look_up(&secret).await;
        assert_eq!(found.standing(), ApiKeyStanding::Live);
        let whose = found.consumer.unwrap();
        assert_eq!((whose.consumer_id, whose.access), (consumer.consumer_id, consumer.access));
        assert_eq!(found.api_key.unwrap().api_key_id, key.api_key_id);
        assert_eq!(world.standing(&format!("{secret}x")).await, ApiKeyStanding::Unknown);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_without_the_key_which_is_kept_nowhere() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        let request = CreateApiKeyRequest {
            request_id: "r1".to_owned(),
            consumer_id: "con_a".to_owned(),
            scopes: vec!["read".to_owned()],
            expire_time: None,
        };
        let first = world.make_key(request.clone()).await.unwrap();
        let again = world.make_key(request.clone()).await.unwrap();
        assert_eq!(again, CreateApiKeyResponse { secret: String::new(), ..first.clone() });
        assert_eq!(world.keys("con_a").await.len(), 1);
        let other = CreateApiKeyRequest { scopes: Vec::new(), ..request };
        assert_eq!(refusal(world.make_key(other).await).0, Reason::RequestIdReused);

        let (_, hidden) = first.secret.rsplit_once('_').unwrap();
        for event in world.events().await {
            let bytes = event.encode_to_vec();
            assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{}", event.r#type);
        }
    })
    .await;
}

#[tokio::test]
async fn one_key_is_replaced_by_another_while_both_work() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        let (old, old_secret) = world.key("con_a").await;
        let (new, new_secret) = world.key("con_a").await;
        assert_eq!(world.standing(&old_secret).await, ApiKeyStanding::Live);
        assert_eq!(world.standing(&new_secret).await, ApiKeyStanding::Live);
        let third = CreateApiKeyRequest { consumer_id: "con_a".to_owned(), ..CreateApiKeyRequest::default() };
        assert_eq!(refusal(world.make_key(third.clone()).await).0, Reason::ActionNotSupported);

        let revoked = world.revoke(&old).await.unwrap();
        assert!(revoked.revoke_time.is_some());
        assert_eq!(world.revoke(&old).await.unwrap(), revoked, "revoking again changes nothing");
        assert_eq!(world.standing(&old_secret).await, ApiKeyStanding::Revoked);
        assert_eq!(world.standing(&new_secret).await, ApiKeyStanding::Live);
        assert!(world.make_key(third).await.is_ok(), "there is room for the next");
        let listed = world.keys("con_a").await;
        assert_eq!(listed.len(), 3);
        assert_eq!((&listed[1].api_key_id, &listed[2].api_key_id), (&new.api_key_id, &old.api_key_id), "newest first");
        let told = world.told().await;
        assert_eq!((told["api_key.created"], told["api_key.revoked"]), (3, 1));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_make_keys_at_once_two_succeed() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        let request = CreateApiKeyRequest { consumer_id: "con_a".to_owned(), ..CreateApiKeyRequest::default() };
        let made = futures::future::join_all((0..8).map(|_| world.make_key(request.clone()))).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 2);
        assert_eq!(world.keys("con_a").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_key_ends_when_its_time_is_over_and_makes_room() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        let end = world.clock.now().after(Duration::from_secs(60));
        let request = CreateApiKeyRequest {
            consumer_id: "con_a".to_owned(),
            expire_time: Some(mesh::wire::timestamp(end)),
            ..CreateApiKeyRequest::default()
        };
        let secret = world.make_key(request.clone()).await.unwrap().secret;
        world.make_key(request.clone()).await.unwrap();
        assert_eq!(world.standing(&secret).await, ApiKeyStanding::Live);
        world.after(Duration::from_secs(60)).await;
        assert_eq!(world.standing(&secret).await, ApiKeyStanding::Expired);
        assert_eq!(refusal(world.make_key(request).await).1, ["expire_time"], "it is over already");
        world.key("con_a").await;
    })
    .await;
}

#[tokio::test]
async fn the_keys_of_a_suspended_consumer_rest() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        let (_, secret) = world.key("con_a").await;
        for (state, standing) in
            [(ConsumerState::Suspended, ApiKeyStanding::Suspended), (ConsumerState::Live, ApiKeyStanding::Live)]
        {
            let request = UpdateConsumerRequest {
                consumer_id: "con_a".to_owned(),
                state: Some(state.into()),
                ..UpdateConsumerRequest::default()
            };
            world.consumers().update_consumer(request).await.unwrap();
            let found = world.look_up(&secret).await;
            assert_eq!(found.standing(), standing);
            assert_eq!(found.consumer.is_some(), standing == ApiKeyStanding::Live, "nothing is told of what rests");
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_use_is_known_to_five_minutes() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        let (key, secret) = world.key("con_a").await;
        assert_eq!(key.last_use_time, None);
        let used = |keys: Vec<ApiKey>| keys[0].last_use_time;
        let first = Some(mesh::wire::timestamp(world.clock.now()));
        world.look_up(&secret).await;
        assert_eq!(used(world.keys("con_a").await), first);
        world.after(Duration::from_secs(299)).await;
        world.look_up(&secret).await;
        assert_eq!(used(world.keys("con_a").await), first, "a busy key is not written all the time");
        world.after(Duration::from_secs(1)).await;
        world.look_up(&secret).await;
        assert_eq!(used(world.keys("con_a").await), Some(mesh::wire::timestamp(world.clock.now())));
        assert_eq!(world.told().await["api_key.created"], 1);
        assert!(!world.told().await.contains_key("api_key.used"));
    })
    .await;
}

#[tokio::test]
async fn a_key_that_can_not_be_made_or_ended_is_refused_and_says_why() {
    each(|options| async move {
        let world = World::open(options).await;
        world.application("con_a").await;
        world.application("con_b").await;
        let unknown = CreateApiKeyRequest { consumer_id: "con_x".to_owned(), ..CreateApiKeyRequest::default() };
        assert_eq!(refusal(world.make_key(unknown).await).0, Reason::NotFound);
        let scopes = CreateApiKeyRequest {
            consumer_id: "con_a".to_owned(),
            scopes: ["read", "everything", "waybill.order.v1.OrderService/Guess"].map(str::to_owned).into(),
            ..CreateApiKeyRequest::default()
        };
        assert_eq!(refusal(world.make_key(scopes).await).1, ["scopes[1]", "scopes[2]"]);
        let (key, _) = world.key("con_a").await;
        let anothers = ApiKey { consumer_id: "con_b".to_owned(), ..key };
        assert_eq!(refusal(world.revoke(&anothers).await).0, Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn only_members_look_keys_up() {
    each(|options| async move {
        let world = World::open(options).await;
        let operations = Principal { roles: mesh::Role::Operations.into(), ..Principal::service("x") };
        let request = LookUpApiKeyRequest { sha256: vec![0; 32].into() };
        let refused = world.consumers_of(&operations).look_up_api_key(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let short = LookUpApiKeyRequest { sha256: vec![0; 31].into() };
        let refused = world.consumers().look_up_api_key(short).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(refused).1, ["sha256"]);
    })
    .await;
}
