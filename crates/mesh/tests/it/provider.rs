//! An identity provider of the test's own: keys made on the spot, a discovery document and a key set over HTTP.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::FutureExt;
use http::{HeaderMap, HeaderValue};
use mesh::{
    Principal,
    credentials::{Authenticator, Config, KeyLookup, KeyStatus},
};
use ring::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use types::{Clock as _, Fault, SystemClock};

pub(crate) const AUDIENCE: &str = "waybill";

/// A key of the provider.
pub(crate) enum Key {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    pub(crate) fn ec() -> Self {
        let (algorithm, rng) = (&signature::ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &rng).unwrap())
    }

    pub(crate) fn ed() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Ec(pair) => pair.public_key().as_ref(),
            Self::Ed(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ec(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn document(&self, id: &str) -> Value {
        let public = self.public();
        match self {
            Self::Ec(_) => json!({
                "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256",
                "x": encode(&public[1..33]), "y": encode(&public[33..]),
            }),
            Self::Ed(_) => json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": encode(public)}),
        }
    }

    /// A token with these claims, signed with this key.
    pub(crate) fn token(&self, id: &str, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "kid": id, "typ": "at+jwt"});
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{message}.{}", encode(self.sign(message.as_bytes())))
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The provider.
#[derive(Clone)]
pub(crate) struct Provider {
    address: SocketAddr,
    published: Arc<Mutex<Vec<Value>>>,
    down: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    pub(crate) async fn start(keys: &[(&str, &Key)]) -> Self {
        mesh::install_process_defaults();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Self { address, published: Arc::default(), down: Arc::default(), asked: Arc::default() };
        provider.publish(keys);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(key_set))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Replaces the published keys, beside which there are always some that are of no use here.
    pub(crate) fn publish(&self, keys: &[(&str, &Key)]) {
        let odd = [json!({"kty": "lattice", "kid": "odd"}), json!("rubbish"), json!({"kty": "RSA", "kid": "half"})];
        let documents = keys.iter().map(|(id, key)| key.document(id));
        *self.published.lock().unwrap() = odd.into_iter().chain(documents).collect();
    }

    pub(crate) fn go_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// How often the keys were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(crate) fn config(&self) -> Config {
        Config { oidc_issuer: Some(self.issuer()), oidc_audience: vec![AUDIENCE.to_owned()], ..Config::default() }
    }

    pub(crate) fn authenticator(&self) -> Authenticator {
        Authenticator::new(&self.config(), no_keys()).unwrap()
    }

    /// What a good token of customer service says, changed by `change`.
    pub(crate) fn claims(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = json!({
            "iss": self.issuer(), "aud": AUDIENCE, "sub": "alice", "exp": now() + 300, "iat": now(),
            "waybill_roles": ["customer_service"], "waybill_accounts": "*",
        });
        change(&mut claims);
        claims
    }
}

async fn discovery(State(provider): State<Provider>) -> Result<Json<Value>, StatusCode> {
    if provider.down.load(Ordering::Relaxed) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let issuer = provider.issuer();
    Ok(Json(json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")})))
}

async fn key_set(State(provider): State<Provider>) -> Result<Json<Value>, StatusCode> {
    provider.asked.fetch_add(1, Ordering::Relaxed);
    if provider.down.load(Ordering::Relaxed) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({"keys": *provider.published.lock().unwrap()})))
}

/// There are no API keys.
pub(crate) fn no_keys() -> KeyLookup {
    Arc::new(|_| async { Ok(KeyStatus::Unknown) }.boxed())
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemClock.now().as_micros() / 1_000_000
}

/// Who calls with this bearer token.
pub(crate) async fn caller(authenticator: &Authenticator, token: &str) -> Result<Principal, Fault> {
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
    Ok(authenticator.authenticate(&headers, "/x.v1.X/Y", None).await?.principal)
}

/// The problem reported for this token.
pub(crate) async fn wrong(authenticator: &Authenticator, token: &str) -> String {
    let fault = caller(authenticator, token).await.unwrap_err();
    assert!(token.len() < 20 || !format!("{fault:?}").contains(token), "a refusal repeats no token");
    match fault.facts.as_slice() {
        [("credential", what)] => what.clone(),
        _ => fault.reason.as_str().to_owned(),
    }
}

/// Lets so much time pass at once. The clock moves by itself only outside of this, or it would run off while a call is
/// under way.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
