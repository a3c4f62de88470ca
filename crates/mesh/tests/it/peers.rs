//! From which peers a server accepts the header that names the principal.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use mesh::{
    Config, Principal, Role, Secret, Server,
    credentials::{self, Authenticator, Grant, KeyChanges, KeyLookup, KeyStatus},
};
use tonic::{Code, Request};
use types::Reason;

use crate::{
    probe::{ASK, Probe, Question, ask, ask_with, both, descriptors, follow, question, serve},
    provider::no_keys,
};

const ADMIN: &str = "admin-token-0123456789abcdef0123456789";
const MESH: &str = "mesh-token-0123456789abcdef01234567890";
const OLD_MESH: &str = "old-mesh-token-0123456789abcdef0123456";

/// A configuration with tokens in files that are there as long as the directory.
fn config() -> (credentials::Config, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        Some(path)
    };
    let config = credentials::Config {
        admin_token_file: file("admin", format!("{ADMIN}\n")),
        mesh_token_file: file("mesh", format!("{MESH}\n{OLD_MESH}\n")),
        ..credentials::Config::default()
    };
    (config, directory)
}

fn guarded(keys: KeyLookup) -> Server {
    let (config, _directory) = config();
    Server::new("probe", &Config::default(), descriptors())
        .with_default_principal(Principal::local_administrator())
        .with_authenticator(Arc::new(Authenticator::new(&config, keys).unwrap()))
        .add_service(Probe::default())
}

fn bearing(name: &'static str, value: &str) -> Request<Question> {
    let mut request = question("echo");
    request.metadata_mut().insert(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn a_strangers_word_on_who_calls_is_not_taken() {
    let served = serve(guarded(no_keys())).await;
    for claimed in
        [served.channel.for_principal(&Principal::local_administrator()), served.channel.for_service("order")]
    {
        let refused = ask(&claimed, "echo").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert_eq!(refused.metadata().get("www-authenticate").unwrap(), "Bearer realm=\"waybill\"");
    }
    let guess = Secret::from("mesh-token-0123456789abcdef0123456789X".to_owned());
    let guessing = served.channel.for_service("order").with_mesh_token(Some(&guess));
    assert_eq!(ask(&guessing, "echo").await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_members_word_is_taken_in_the_process_and_with_the_meshs_token() {
    let server = guarded(no_keys());
    let inside = server.clone().into_channel().unwrap();
    let outside = serve(server).await.channel;
    let members = [MESH, OLD_MESH].map(|token| outside.with_mesh_token(Some(&Secret::from(token.to_owned()))));
    for member in [&inside].into_iter().chain(&members) {
        let answer = ask(&member.for_service("order"), "echo").await.unwrap().into_inner();
        assert_eq!(answer.principal, "service:order");
        assert_eq!(ask(member, "echo").await.unwrap_err().code(), Code::Unauthenticated, "nobody by default");
    }
    let (config, _directory) = config();
    assert_eq!(config.mesh_token().unwrap().unwrap().reveal(), MESH, "the first is shown");
}

#[tokio::test]
async fn the_holder_of_the_first_token_is_an_administrator() {
    for channel in both(guarded(no_keys())).await {
        let answer = ask_with(&channel, bearing("authorization", &format!("Bearer {ADMIN}")), ASK).await.unwrap();
        assert_eq!(answer.into_inner().principal, "application:admin-token");
        let refused = ask_with(&channel, bearing("authorization", "Bearer something-else"), ASK).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        let challenge = refused.metadata().get("www-authenticate").unwrap().to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert!(!format!("{refused:?}").contains("something-else"));
        assert_eq!(mesh::fault(&refused).facts, [("credential", "unknown".to_owned())]);
    }
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_cover() {
    let keys: KeyLookup = Arc::new(|_| {
        let principal =
            Principal { subject: "con_1".to_owned(), roles: Role::Customer.into(), ..Principal::anonymous() };
        let scopes = ["waybill.test.v1.ProbeService/Ask".to_owned()].into_iter().collect();
        async move { Ok(KeyStatus::Live(Grant { principal, scopes })) }.boxed()
    });
    for channel in both(guarded(keys)).await {
        for (name, value) in [("authorization", "Bearer wbk_a_b"), ("x-api-key", "wbk_a_b")] {
            let answer = ask_with(&channel, bearing(name, value), ASK).await.unwrap().into_inner();
            assert_eq!(answer.principal, "person:con_1");
            let follow = "/waybill.test.v1.ProbeService/Follow";
            let refused = ask_with(&channel, bearing(name, value), follow).await.unwrap_err();
            assert_eq!(mesh::fault(&refused).reason, Reason::PermissionDenied);
        }
    }
}

#[tokio::test]
async fn a_key_that_does_not_work_is_refused_and_told_why() {
    for (status, credential) in [
        (KeyStatus::Unknown, "unknown"),
        (KeyStatus::Expired, "expired"),
        (KeyStatus::Revoked, "revoked"),
        (KeyStatus::Suspended, "suspended"),
    ] {
        let keys: KeyLookup = Arc::new(move |_| {
            let status = status.clone();
            async move { Ok(status) }.boxed()
        });
        let channel = guarded(keys).into_channel().unwrap();
        let refused = ask_with(&channel, bearing("x-api-key", "wbk_a_b"), ASK).await.unwrap_err();
        assert_eq!(mesh::fault(&refused).facts, [("credential", credential.to_owned())]);
    }
}

#[tokio::test]
async fn a_caller_that_is_known_but_may_nothing_is_told_that_it_may_not() {
    let keys: KeyLookup = Arc::new(|_| {
        let principal = Principal { subject: "con_1".to_owned(), ..Principal::anonymous() };
        async move { Ok(KeyStatus::Live(Grant { principal, scopes: [].into_iter().collect() })) }.boxed()
    });
    let channel = guarded(keys).into_channel().unwrap();
    let refused = ask_with(&channel, bearing("x-api-key", "wbk_a_b"), ASK).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[test]
fn a_file_without_a_proper_token_is_refused_without_showing_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    for text in ["", "\n", "short", "a token with spaces in it that is long enough", &format!("{ADMIN}\nshort")] {
        fs::write(&path, text).unwrap();
        let config = credentials::Config { admin_token_file: Some(path.clone()), ..credentials::Config::default() };
        let error = format!("{:?}", Authenticator::new(&config, no_keys()).unwrap_err());
        assert!(text.trim().is_empty() || !error.contains(text), "{error}");
    }
    let missing = credentials::Config { mesh_token_file: Some("/nowhere".into()), ..credentials::Config::default() };
    assert!(Authenticator::new(&missing, no_keys()).unwrap_err().to_string().contains("/nowhere"));
}

/// Keys of a customer that live until they are revoked, and how often they were looked up.
fn revocable() -> (KeyLookup, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (revoked, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_revoked, count) = (revoked.clone(), asked.clone());
    let keys: KeyLookup = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let roles = [Role::Customer, Role::Operations].into_iter().collect();
        let principal = Principal { subject: "cli_1".to_owned(), roles, ..Principal::anonymous() };
        let live = KeyStatus::Live(Grant { principal, scopes: [].into_iter().collect() });
        let status = if is_revoked.load(Ordering::Relaxed) { KeyStatus::Revoked } else { live };
        async move { Ok(status) }.boxed()
    });
    (keys, revoked, asked)
}

fn following() -> Request<Question> {
    let mut request = question("never");
    request.metadata_mut().insert("x-api-key", "wbk_a_b".parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_key_is_revoked_elsewhere() {
    let (keys, revoked, asked) = revocable();
    let channel = guarded(keys).into_channel().unwrap();
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = follow(&channel, following()).await.unwrap();
        stream.message().await.unwrap().unwrap();
        streams.push(stream);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let mut reading: Vec<_> = streams.iter_mut().map(|stream| Box::pin(stream.message())).collect();
    let mut all = futures::future::join_all(reading.iter_mut());
    for look_ups in 2..12 {
        tokio::select! {
            biased;
            ended = &mut all => panic!("{ended:?}"),
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= look_ups, "one look-up for all streams in five seconds: {asked}");
    }
    revoked.store(true, Ordering::Relaxed);
    let begun = tokio::time::Instant::now();
    for ended in all.await {
        let refused = ended.unwrap_err();
        assert_eq!((refused.code(), mesh::fault(&refused).facts[0].1.as_str()), (Code::Unauthenticated, "revoked"));
    }
    assert!(begun.elapsed() <= Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_in_the_process_stops_there_at_once() {
    let (keys, revoked, asked) = revocable();
    let (config, _directory) = config();
    let changes = KeyChanges::default();
    let config = credentials::Config { api_key_cache: Duration::from_hours(1), ..config };
    let authenticator = Authenticator::new(&config, keys).unwrap().with_key_changes(changes.clone());
    let channel = Server::new("probe", &Config::default(), descriptors())
        .with_authenticator(Arc::new(authenticator))
        .add_service(Probe::default())
        .into_channel()
        .unwrap();
    let mut stream = follow(&channel, following()).await.unwrap();
    stream.message().await.unwrap().unwrap();
    changes.announce();
    assert!(stream.message().now_or_never().is_none(), "another key's change ends no stream");
    revoked.store(true, Ordering::Relaxed);
    changes.announce();
    let begun = tokio::time::Instant::now();
    let refused = ask_with(&channel, bearing("x-api-key", "wbk_a_b"), ASK).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(asked.load(Ordering::Relaxed) <= 3);
}
