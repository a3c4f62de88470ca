//! Bearer tokens of an identity provider.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use mesh::{
    Server,
    credentials::{Authenticator, Config},
};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    probe::{Probe, descriptors, follow, question},
    provider::{Key, Provider, caller, encode, no_keys, now, pass, wrong},
};

#[tokio::test]
async fn a_good_token_says_who_calls() {
    let (ec, ed) = (Key::ec(), Key::ed());
    let provider = Provider::start(&[("ec", &ec), ("ed", &ed)]).await;
    let authenticator = provider.authenticator();
    for (id, key) in [("ec", &ec), ("ed", &ed)] {
        let alice = caller(&authenticator, &key.token(id, &provider.claims(|_| {}))).await.unwrap();
        assert_eq!(alice.to_string(), "person:alice");
    }
    let several = provider.claims(|claims| claims["aud"] = json!(["other", "waybill"]));
    assert!(caller(&authenticator, &ec.token("ec", &several)).await.is_ok());
    assert_eq!(provider.asked(), 1, "keys are fetched once");
}

#[tokio::test]
async fn every_claim_that_is_wrong_is_refused_and_named() {
    let key = Key::ec();
    let provider = Provider::start(&[("k", &key)]).await;
    let authenticator = provider.authenticator();
    let cases: [(&str, Value, &str); 14] = [
        ("iss", json!("https://elsewhere.example"), "issuer"),
        ("iss", json!(format!("{}/", provider.issuer())), "issuer"),
        ("iss", json!([provider.issuer()]), "issuer"),
        ("iss", Value::Null, "issuer"),
        ("aud", json!("other"), "audience"),
        ("aud", json!([]), "audience"),
        ("aud", Value::Null, "claim"),
        ("exp", json!(now() - 31), "expired"),
        ("exp", Value::Null, "claim"),
        ("exp", json!("never"), "claim"),
        ("nbf", json!(now() + 60), "not_yet_valid"),
        ("sub", Value::Null, "claim"),
        ("waybill_accounts", json!({"all": true}), "claim"),
        ("waybill_partner", json!("hanse"), "claim"),
    ];
    for (claim, value, refusal) in cases {
        let claims = provider.claims(|claims| claims[claim] = value.clone());
        assert_eq!(wrong(&authenticator, &key.token("k", &claims)).await, refusal, "{claim} = {value}");
    }
    for (claim, value) in [("exp", json!(now() - 20)), ("nbf", json!(now() + 20))] {
        let claims = provider.claims(|claims| claims[claim] = value);
        assert!(caller(&authenticator, &key.token("k", &claims)).await.is_ok(), "clocks may differ a little: {claim}");
    }
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused() {
    let (key, other) = (Key::ec(), Key::ec());
    let provider = Provider::start(&[("k", &key)]).await;
    let authenticator = provider.authenticator();
    let good = key.token("k", &provider.claims(|_| {}));
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let promoted = encode(provider.claims(|claims| claims["waybill_roles"] = json!(["administrator"])).to_string());
    assert_eq!(wrong(&authenticator, &format!("{head}.{promoted}.{signature}")).await, "signature");
    assert_eq!(wrong(&authenticator, &other.token("k", &provider.claims(|_| {}))).await, "signature");
    for rubbish in
        ["a.b.c", "a.b", "a", &good[..good.len() - 90], &format!("{good}.x"), &format!("{head}..{signature}")]
    {
        assert_eq!(wrong(&authenticator, rubbish).await, "malformed", "{rubbish}");
    }
}

#[tokio::test]
async fn the_caller_does_not_choose_how_its_token_is_checked() {
    let (ec, ed) = (Key::ec(), Key::ed());
    let provider = Provider::start(&[("ec", &ec), ("ed", &ed)]).await;
    let authenticator = provider.authenticator();
    let claims = encode(provider.claims(|_| {}).to_string());
    let signed = |header: Value, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let message = format!("{}.{claims}", encode(header.to_string()));
        format!("{message}.{}", encode(sign(message.as_bytes())))
    };
    let shared = hmac::Key::new(hmac::HMAC_SHA256, ec.public());
    let by_public_key = |message: &[u8]| hmac::sign(&shared, message).as_ref().to_vec();
    assert_eq!(wrong(&authenticator, &signed(json!({"alg": "HS256", "kid": "ec"}), &by_public_key)).await, "algorithm");
    for none in ["none", "None", "NONE"] {
        let token = format!("{}.{claims}.", encode(json!({"alg": none, "kid": "ec"}).to_string()));
        assert_eq!(wrong(&authenticator, &token).await, "malformed");
    }
    // The key of one algorithm is not another's.
    assert_eq!(wrong(&authenticator, &signed(json!({"alg": "EdDSA", "kid": "ec"}), &|m| ed.sign(m))).await, "key");
    assert_eq!(wrong(&authenticator, &signed(json!({"alg": "RS256", "kid": "ec"}), &|m| ec.sign(m))).await, "key");
    // A key the token brings along proves nothing.
    let mine = Key::ec();
    let brought = json!({
        "alg": "ES256", "kid": "mine", "jku": "http://127.0.0.1:1/keys",
        "jwk": {"kty": "EC", "crv": "P-256", "x": encode(&mine.public()[1..33]), "y": encode(&mine.public()[33..])},
    });
    assert_eq!(wrong(&authenticator, &signed(brought, &|m| mine.sign(m))).await, "key");
    let critical = json!({"alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": false});
    assert_eq!(wrong(&authenticator, &signed(critical, &|m| ec.sign(m))).await, "malformed");
    // Two keys could be meant; one could.
    assert!(caller(&authenticator, &signed(json!({"alg": "ES256"}), &|m| ec.sign(m))).await.is_ok());
    provider.publish(&[("ec", &ec), ("other", &Key::ec())]);
    let fresh = provider.authenticator();
    assert_eq!(wrong(&fresh, &signed(json!({"alg": "ES256"}), &|m| ec.sign(m))).await, "key");

    let only_ed = Config { oidc_algorithms: vec![mesh::credentials::Algorithm::EdDsa], ..provider.config() };
    let strict = Authenticator::new(&only_ed, no_keys()).unwrap();
    assert_eq!(wrong(&strict, &ec.token("ec", &provider.claims(|_| {}))).await, "algorithm");
}

#[tokio::test]
async fn new_keys_are_found_but_nobody_makes_us_ask_all_the_time() {
    let (old, new) = (Key::ec(), Key::ec());
    let provider = Provider::start(&[("old", &old)]).await;
    let authenticator = provider.authenticator();
    assert!(caller(&authenticator, &old.token("old", &provider.claims(|_| {}))).await.is_ok());

    provider.publish(&[("new", &new)]);
    let token = new.token("new", &provider.claims(|_| {}));
    for _ in 0..20 {
        assert_eq!(wrong(&authenticator, &token).await, "key");
    }
    assert_eq!(provider.asked(), 1);
    pass(Duration::from_secs(30)).await;
    let callers = futures::future::join_all((0..20).map(|_| caller(&authenticator, &token))).await;
    assert!(callers.iter().all(Result::is_ok), "{callers:?}");
    assert_eq!(provider.asked(), 2, "once for all who wait");
    assert_eq!(wrong(&authenticator, &old.token("old", &provider.claims(|_| {}))).await, "key", "the old key is gone");
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn while_the_provider_is_down_the_keys_that_are_known_go_on_working() {
    let (key, other) = (Key::ec(), Key::ec());
    let provider = Provider::start(&[("k", &key)]).await;
    let authenticator = provider.authenticator();
    let token = key.token("k", &provider.claims(|_| {}));

    provider.go_down(true);
    assert_eq!(wrong(&authenticator, &token).await, "UNAVAILABLE", "nothing is known yet");
    provider.go_down(false);
    assert_eq!(wrong(&authenticator, &token).await, "UNAVAILABLE", "it was asked a moment ago");
    pass(Duration::from_secs(30)).await;
    assert!(caller(&authenticator, &token).await.is_ok());

    provider.go_down(true);
    pass(Duration::from_hours(24)).await;
    for _ in 0..3 {
        assert!(caller(&authenticator, &token).await.is_ok());
    }
    let unknown = other.token("other", &provider.claims(|_| {}));
    assert_eq!(wrong(&authenticator, &unknown).await, "UNAVAILABLE", "it may be a new key");
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_taken_a_few_minutes_longer_at_most() {
    let (stolen, new) = (Key::ec(), Key::ec());
    let provider = Provider::start(&[("stolen", &stolen)]).await;
    let authenticator = provider.authenticator();
    let token = stolen.token("stolen", &provider.claims(|_| {}));
    assert!(caller(&authenticator, &token).await.is_ok());
    provider.publish(&[("new", &new)]);
    pass(Duration::from_mins(10)).await;
    // This one call is answered by what is known, and has the keys fetched behind its back.
    assert!(caller(&authenticator, &token).await.is_ok());
    while caller(&authenticator, &token).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(wrong(&authenticator, &token).await, "key");
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let key = Key::ec();
    let provider = Provider::start(&[("k", &key)]).await;
    let issuer = provider.issuer().replace("127.0.0.1", "localhost");
    let config = Config { oidc_issuer: Some(issuer.clone()), ..provider.config() };
    let authenticator = Authenticator::new(&config, no_keys()).unwrap();
    let token = key.token("k", &provider.claims(|claims| claims["iss"] = json!(issuer)));
    assert_eq!(wrong(&authenticator, &token).await, "UNAVAILABLE");
    let direct = Config { oidc_jwks_url: Some(format!("{}/keys", provider.issuer())), ..config };
    let authenticator = Authenticator::new(&direct, no_keys()).unwrap();
    assert!(caller(&authenticator, &token).await.is_ok(), "its keys may be named");
}

#[test]
fn keys_from_an_unsafe_place_are_not_configured() {
    let config = Config {
        oidc_issuer: Some("http://id.example".to_owned()),
        oidc_audience: vec!["waybill".to_owned()],
        ..Config::default()
    };
    let error = Authenticator::new(&config, no_keys()).unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let key = Key::ec();
    let provider = Provider::start(&[("k", &key)]).await;
    let channel = Server::new("probe", &mesh::Config::default(), descriptors())
        .with_authenticator(Arc::new(provider.authenticator()))
        .add_service(Probe::default())
        .into_channel()
        .unwrap();
    let claims = provider.claims(|claims| {
        claims["exp"] = json!(now() + 60);
        claims["waybill_roles"] = json!(["operations"]);
    });
    let mut request = question("never");
    let bearer = format!("Bearer {}", key.token("k", &claims));
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let mut stream = follow(&channel, request).await.unwrap();
    stream.message().await.unwrap().unwrap();
    pass(Duration::from_secs(55)).await;
    assert!(stream.message().now_or_never().is_none());
    pass(Duration::from_secs(36)).await;
    let refused = stream.message().await.unwrap_err();
    assert_eq!((refused.code(), mesh::fault(&refused).facts[0].1.as_str()), (tonic::Code::Unauthenticated, "expired"));
}
