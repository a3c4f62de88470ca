//! Credentials over REST and gRPC: tokens, API keys, and meshes without any.

use std::{fs, path::PathBuf, process::Output};

use mesh::{Channel, Principal, Secret};
use proto::{
    event::v1::{FollowEventsRequest, event_service_client::EventServiceClient},
    partner::v1::{GetPartnerRequest, partner_service_client::PartnerServiceClient},
};
use serde_json::{Value, json};
use tokio::process::Command;
use tonic::{Code, Request};
use waybill::rest::Rest;

use crate::process::{Addresses, Process, rest_client};

/// Tokens in files, as a mesh reads them.
pub(crate) struct Tokens {
    directory: tempfile::TempDir,
}

impl Tokens {
    pub(crate) const ADMIN: &'static str = "adm1n-0f3e5b7c9d1a2b4c6d8e0f1a3b5c7d9e";
    pub(crate) const MESH: &'static str = "m3sh-1a2b3c4d5e6f708192a3b4c5d6e7f809";

    pub(crate) fn make() -> Self {
        let tokens = Self { directory: tempfile::tempdir().unwrap() };
        for (path, token) in tokens.paths().iter().zip([Self::ADMIN, Self::MESH]) {
            fs::write(path, format!("{token}\n")).unwrap();
        }
        tokens
    }

    fn paths(&self) -> [PathBuf; 2] {
        ["admin", "mesh"].map(|name| self.directory.path().join(name))
    }

    /// The arguments that name the files: of the administrator's token and of the mesh's.
    pub(crate) fn settings(&self) -> [[String; 2]; 2] {
        let [admin, mesh] = self.paths().map(|path| path.display().to_string());
        [["--admin-token-file".to_owned(), admin], ["--mesh-token-file".to_owned(), mesh]]
    }

    pub(crate) fn admin(&self) -> Secret {
        Secret::from(Self::ADMIN.to_owned())
    }
}

/// A mesh that checks credentials and caches no API key.
async fn up(tokens: &Tokens, data: &tempfile::TempDir, host: &str) -> (Process, Addresses) {
    let [[setting, file], _] = tokens.settings();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0", "--api-key-cache", "0s"];
    let own = ["up", "--host", host, &setting, &file, "--data", data.path().to_str().unwrap()];
    let mut process = Process::start(&[&own[..], &ports].concat());
    let addresses = process.addresses().await;
    (process, addresses)
}

async fn send(base: &str, path: &str, credential: Option<(&str, &str)>) -> reqwest::Response {
    let mut request = reqwest::Client::new().get(format!("{base}{path}"));
    if let Some((header, value)) = credential {
        request = request.header(header, value);
    }
    request.send().await.unwrap()
}

/// The status of a GET with a bearer token or key.
pub(crate) async fn status(base: &str, path: &str, credential: Option<&str>) -> u16 {
    let bearer = credential.map(|credential| format!("Bearer {credential}"));
    send(base, path, bearer.as_deref().map(|bearer| ("authorization", bearer))).await.status().as_u16()
}

/// Creates two partners, and an API key for the first. Returns the key and its secret.
async fn furnish(rest: &Rest) -> (Value, String) {
    for partner in ["par_a", "par_b"] {
        let body = json!({"partnerId": partner, "name": partner, "kind": "PARTNER_KIND_WAREHOUSE"});
        rest.ensure("/v1/partners", partner, &body).await.unwrap();
    }
    let kind = "API_CLIENT_KIND_PARTNER";
    let api_client = json!({"apiClientId": "cli_a", "name": "WMS", "kind": kind, "partnerId": "par_a"});
    rest.ensure("/v1/api-clients", "cli_a", &api_client).await.unwrap();
    let made = rest.post("/v1/api-clients/cli_a/api-keys", Some("key"), &json!({})).await.unwrap().unwrap();
    let again = rest.post("/v1/api-clients/cli_a/api-keys", Some("key"), &json!({})).await.unwrap().unwrap();
    assert_eq!((&again["apiKey"], again["secret"].as_str().unwrap_or_default()), (&made["apiKey"], ""));
    (made["apiKey"].clone(), made["secret"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_over_rest_and_grpc_until_it_is_revoked() {
    let (tokens, data) = (Tokens::make(), tempfile::tempdir().unwrap());
    let (_process, at) = up(&tokens, &data, "127.0.0.1").await;
    let rest = rest_client(&at.rest).with_credential(Some(tokens.admin()));
    let (key, secret) = furnish(&rest).await;

    let partners = PartnerServiceClient::new(Channel::connect(&at.grpc["partner"]).unwrap());
    let call = |credential: &str, partner: &str| {
        let mut request = Request::new(GetPartnerRequest { partner_id: partner.to_owned() });
        request.metadata_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
        let mut partners = partners.clone();
        async move { partners.get_partner(request).await }
    };
    assert_eq!(status(&at.rest, "/v1/partners/par_a", Some(&secret)).await, 200);
    assert_eq!(send(&at.rest, "/v1/partners/par_a", Some(("x-api-key", &secret))).await.status(), 200);
    assert_eq!(call(&secret, "par_a").await.unwrap().into_inner().name, "par_a");
    assert_eq!(call(Tokens::ADMIN, "par_b").await.unwrap().into_inner().name, "par_b");

    // The key sees its own partner only and administers nothing.
    assert_eq!(status(&at.rest, "/v1/partners/par_b", Some(&secret)).await, 404);
    assert_eq!(call(&secret, "par_b").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(status(&at.rest, "/v1/api-clients", Some(&secret)).await, 403);

    let path = format!("/v1/api-clients/cli_a/api-keys/{}:revoke", key["apiKeyId"].as_str().unwrap());
    rest.post(&path, None, &json!({})).await.unwrap().unwrap();
    let refused = send(&at.rest, "/v1/partners/par_a", Some(("x-api-key", &secret))).await;
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains("invalid_token") && challenge.contains("revoked"), "{challenge}");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(
        (&problem["reason"], &problem["metadata"]["credential"]),
        (&json!("UNAUTHENTICATED"), &json!("revoked"))
    );
    assert_eq!(call(&secret, "par_a").await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_limited_to_its_scopes() {
    let (tokens, data) = (Tokens::make(), tempfile::tempdir().unwrap());
    let (_process, at) = up(&tokens, &data, "127.0.0.1").await;
    let rest = rest_client(&at.rest).with_credential(Some(tokens.admin()));
    let access = json!({"roles": ["ROLE_OPERATIONS"], "accountIds": ["*"]});
    let api_client =
        json!({"apiClientId": "cli_o", "name": "O", "kind": "API_CLIENT_KIND_APPLICATION", "access": access});
    rest.ensure("/v1/api-clients", "cli_o", &api_client).await.unwrap();
    let made = rest.post("/v1/api-clients/cli_o/api-keys", None, &json!({"scopes": ["read"]})).await.unwrap().unwrap();
    let reader = rest_client(&at.rest).with_credential(Some(made["secret"].as_str().unwrap().to_owned().into()));
    assert!(reader.get("/v1/partners").await.is_ok());
    let body = json!({"name": "X", "kind": "PARTNER_KIND_CARRIER", "scac": "XX"});
    let refused = reader.post("/v1/partners", None, &body).await.unwrap().unwrap_err();
    assert_eq!((refused.status, refused.reason.as_str()), (403, "PERMISSION_DENIED"));
    let listed = rest.get("/v1/api-clients/cli_o/api-keys").await.unwrap();
    assert!(listed["apiKeys"][0]["lastUseTime"].is_string(), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_valid_credentials_is_refused_everywhere() {
    let (tokens, data) = (Tokens::make(), tempfile::tempdir().unwrap());
    let (_process, at) = up(&tokens, &data, "127.0.0.1").await;
    let forged = r#"{"kind":"person","subject":"root","roles":["administrator"],"accounts":"all"}"#;
    for credential in [
        None,
        Some(("authorization", "Bearer nonsense")),
        Some(("authorization", "Basic cm9vdDpyb290")),
        Some(("x-api-key", "wbk_aaaaaaaa_bbbbbbbb")),
        Some(("waybill-principal", forged)),
        Some(("waybill-mesh-token", Tokens::ADMIN)),
    ] {
        let refused = send(&at.rest, "/v1/orders", credential).await;
        assert_eq!(refused.status(), 401, "{credential:?}");
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer realm"));
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["reason"], "UNAUTHENTICATED");
    }
    for address in at.grpc.values() {
        let claimed = Channel::connect(address).unwrap().for_principal(&Principal::local_administrator());
        let refused = PartnerServiceClient::new(claimed).get_partner(GetPartnerRequest::default()).await.unwrap_err();
        assert!(matches!(refused.code(), Code::Unauthenticated | Code::Unimplemented), "{refused:?}");
    }
    // What contains no data of the mesh needs no credentials.
    for path in ["/openapi.json", "/docs"] {
        assert_eq!(status(&at.rest, path, None).await, 200);
    }
}

/// The output of a `waybill` that ends at once.
async fn output(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waybill")).args(arguments).env_clear().output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_other_machines_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().to_str().unwrap();
    let database = format!("sqlite:{directory}/order.db");
    let alone = ["--admin-listen", "127.0.0.1:0", "--database-url", &database];
    for arguments in [
        &["up", "--data", directory, "--host", "0.0.0.0"][..],
        &["up", "--data", directory, "--host", "::"],
        &["demo", "--data", directory, "--host", "0.0.0.0"],
        &[&["serve", "order", "--listen", "0.0.0.0:0"][..], &alone].concat(),
        &[&["serve", "gateway", "--listen", "127.0.0.1:0", "--http-listen", "0.0.0.0:0"][..], &alone[..2]].concat(),
    ] {
        let output = output(arguments).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {text}");
        assert!(text.contains("no credentials are configured") && text.contains("--oidc-issuer"), "{text}");
    }
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "no file was created");

    let tokens = Tokens::make();
    let [[setting, file], _] = tokens.settings();
    let without = output(&[&["serve", "order", "--listen", "127.0.0.1:0", &setting, &file][..], &alone].concat()).await;
    assert_eq!(without.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&without.stderr).contains("--mesh-token-file"));

    let (_process, at) = up(&tokens, &data, "0.0.0.0").await;
    let base = at.rest.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(status(&base, "/v1/orders", None).await, 401);
    assert_eq!(status(&base, "/v1/orders", Some(Tokens::ADMIN)).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_runs_with_credentials() {
    let (tokens, data) = (Tokens::make(), tempfile::tempdir().unwrap());
    let [[setting, file], [mesh_setting, mesh_file]] = tokens.settings();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
    let own = ["demo", "--data", data.path().to_str().unwrap(), "--orders", "3", "--ample"];
    let mut demo = Process::start(&[&own[..], &ports, &[&setting, &file]].concat());
    demo.line_with("Ready to invoice").await;
    assert!(demo.ended().await.success());
    let without = output(&[&own[..], &ports, &[&mesh_setting, &mesh_file]].concat()).await;
    assert!(String::from_utf8_lossy(&without.stderr).contains("--admin-token-file"));
}

/// Creates a program of the distributor with a key; returns the path of the key and its secret.
async fn program(rest: &Rest, name: &str) -> (String, String) {
    let access = json!({"roles": ["ROLE_OPERATIONS"], "accountIds": ["*"]});
    let path = format!("/v1/api-clients/{name}");
    let api_client =
        json!({"apiClientId": name, "name": name, "kind": "API_CLIENT_KIND_APPLICATION", "access": access});
    rest.ensure("/v1/api-clients", name, &api_client).await.unwrap();
    let made = rest.post(&format!("{path}/api-keys"), None, &json!({})).await.unwrap().unwrap();
    let key = made["apiKey"]["apiKeyId"].as_str().unwrap();
    (format!("{path}/api-keys/{key}"), made["secret"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stops_at_once_and_ends_its_streams() {
    let (tokens, data) = (Tokens::make(), tempfile::tempdir().unwrap());
    let [[setting, file], _] = tokens.settings();
    // So long that nothing here ends because it was forgotten.
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0", "--api-key-cache", "60m"];
    let own = ["up", "--data", data.path().to_str().unwrap(), &setting, &file];
    let mut process = Process::start(&[&own[..], &ports].concat());
    let at = process.addresses().await;
    let rest = rest_client(&at.rest).with_credential(Some(tokens.admin()));
    let other = program(&rest, "cli_other").await.1;
    let account =
        json!({"accountId": "acc_1", "name": "Acme", "currency": "EUR", "billTo": waybill_e2e::address("DE")});
    rest.post("/v1/accounts", None, &account).await.unwrap().unwrap();
    let item = json!({"sku": "TEA", "name": "Tea", "handlingClass": "HANDLING_CLASS_AMBIENT", "listPrice": {"currency": "EUR", "minorUnits": 500}});
    rest.post("/v1/items", None, &item).await.unwrap().unwrap();
    let order = json!({
        "accountId": "acc_1", "customerPo": "PO-1", "shipToAddress": waybill_e2e::address("DE"),
        "lines": [{"sku": "TEA", "quantity": 1}],
    });
    let order = rest.post("/v1/orders", None, &order).await.unwrap().unwrap();
    let follow = format!("/v1/orders/{}/timeline:follow", order["orderId"].as_str().unwrap());
    assert_eq!(status(&at.rest, "/v1/orders", Some(&other)).await, 200);

    for way in ["revoke", "suspend", "narrow"] {
        let name = format!("cli_{way}");
        let (key, secret) = program(&rest, &name).await;
        assert_eq!(status(&at.rest, "/v1/orders", Some(&secret)).await, 200);
        let timeline = loop {
            // Until operations has heard of the order.
            let answer = send(&at.rest, &follow, Some(("x-api-key", &secret))).await;
            if answer.status() != 404 {
                break answer;
            }
        };
        assert_eq!(timeline.status(), 200);
        let mut request = Request::new(FollowEventsRequest::default());
        request.metadata_mut().insert("x-api-key", secret.parse().unwrap());
        let mut log = EventServiceClient::new(Channel::connect(&at.grpc["partner"]).unwrap());
        let mut events = log.follow_events(request).await.unwrap().into_inner();

        let client = reqwest::Client::new();
        let (call, body) = match way {
            "revoke" => (client.post(format!("{}{key}:revoke", at.rest)), json!({})),
            "suspend" => (
                client.patch(format!("{}/v1/api-clients/{name}", at.rest)),
                json!({"state": "API_CLIENT_STATE_SUSPENDED"}),
            ),
            _ => {
                let access = json!({"roles": ["ROLE_OPERATIONS"], "accountIds": ["acc_1"]});
                (client.patch(format!("{}/v1/api-clients/{name}", at.rest)), json!({"access": access}))
            }
        };
        let changed = call.bearer_auth(Tokens::ADMIN).json(&body).send().await.unwrap();
        assert_eq!(changed.status(), 200, "{way}");
        let expected = if way == "narrow" { 200 } else { 401 };
        assert_eq!(status(&at.rest, "/v1/orders", Some(&secret)).await, expected, "{way}");
        let ended = loop {
            match events.message().await {
                Ok(Some(_)) => {}
                ended => break ended,
            }
        };
        assert_eq!(ended.unwrap_err().code(), Code::Unauthenticated, "{way}");
        let text = timeline.text().await.unwrap();
        assert!(text.contains("UNAUTHENTICATED"), "{way}: {text}");
        assert_eq!(status(&at.rest, "/v1/orders", Some(&other)).await, 200, "other keys go on");
    }
}
