//! No secret appears in logs, errors, metrics, help, answers or databases.

use std::{fs, path::Path};

use mesh::Channel;
use proto::partner::v1::{GetPartnerRequest, partner_service_client::PartnerServiceClient};
use serde_json::json;
use tokio::process::Command;
use tonic::Request;

use crate::{
    credentials::Tokens,
    process::{Process, rest_client},
};

/// A token without an issuer, and a password of no database.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzM2NyZXQtc3ViamVjdCJ9.c2VjcmV0LXNpZ25hdHVyZQ";
const PASSWORD: &str = "p4ssw0rd-of-the-database";

/// All outputs by their source.
#[derive(Default)]
struct Outputs(Vec<(String, Vec<u8>)>);

impl Outputs {
    fn add(&mut self, from: impl Into<String>, what: impl Into<Vec<u8>>) {
        self.0.push((from.into(), what.into()));
    }

    fn add_files(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            self.add(path.display().to_string(), fs::read(&path).unwrap());
        }
    }

    fn sources_with(&self, text: &str) -> Vec<&str> {
        let there = |what: &[u8]| what.windows(text.len()).any(|window| window == text.as_bytes());
        self.0.iter().filter(|(_, what)| there(what)).map(|(from, _)| from.as_str()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_disclosed_anywhere() {
    let (tokens, data, logs) = (Tokens::make(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [[admin_setting, admin], [mesh_setting, mesh]] = tokens.settings();
    let mut outputs = Outputs::default();

    let log = logs.path().join("log");
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0", "--log", "trace"];
    let own = ["up", "--data", data.path().to_str().unwrap(), &admin_setting, &admin, &mesh_setting, &mesh];
    let mut process = Process::start_logging(&[&own[..], &ports].concat(), fs::File::create(&log).unwrap());
    let at = process.addresses().await;
    let rest = rest_client(&at.rest).with_credential(Some(tokens.admin()));

    let api_client = json!({"apiClientId": "cli_a", "name": "A", "kind": "API_CLIENT_KIND_APPLICATION"});
    rest.ensure("/v1/api-clients", "cli_a", &api_client).await.unwrap();
    let made = rest.post("/v1/api-clients/cli_a/api-keys", Some("key"), &json!({})).await.unwrap().unwrap();
    let key = made["secret"].as_str().unwrap().to_owned();
    let again = rest.post("/v1/api-clients/cli_a/api-keys", Some("key"), &json!({})).await.unwrap().unwrap();
    outputs.add("the repeat", again.to_string());
    outputs.add("the list of keys", rest.get("/v1/api-clients/cli_a/api-keys").await.unwrap().to_string());

    let http = reqwest::Client::new();
    let wrong = format!("{key}x");
    for credential in [&key, TOKEN, Tokens::ADMIN, Tokens::MESH, &wrong] {
        for path in ["/v1/partners", "/v1/api-clients", "/v1/api-clients/cli_b", "/v1/nothing"] {
            let answer = http.get(format!("{}{path}", at.rest)).bearer_auth(credential).send().await.unwrap();
            outputs.add(format!("the headers of {path}"), format!("{:?}", answer.headers()));
            outputs.add(format!("the answer of {path}"), answer.bytes().await.unwrap());
        }
        let mut request = Request::new(GetPartnerRequest { partner_id: "par_x".to_owned() });
        request.metadata_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
        let mut partners = PartnerServiceClient::new(Channel::connect(&at.grpc["partner"]).unwrap());
        outputs.add("an answer of gRPC", format!("{:?}", partners.get_partner(request).await));
    }
    outputs.add("metrics", http.get(&at.metrics).send().await.unwrap().bytes().await.unwrap());
    process.terminate().await;
    assert!(process.ended().await.success());
    outputs.add("the log", fs::read(&log).unwrap());
    outputs.add_files(data.path());

    // Processes with the password of a missing database in their environment.
    let url = format!("postgres://waybill:{PASSWORD}@127.0.0.1:1/order");
    let template = format!("postgres://waybill:{PASSWORD}@127.0.0.1:1/{{service}}");
    for arguments in [
        &["serve", "order", "--log", "trace", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"][..],
        &["migrate", "order", "--log", "trace"],
        &["up", "--log", "trace", "--http-port", "0", "--grpc-port", "0", "--admin-port", "0"],
        &["serve", "order", "--listen", "nonsense"],
        &["up", "--host", "nonsense"],
        &["serve", "--help"],
        &["migrate", "--help"],
        &["up", "--help"],
        &["sandbox", "--help"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waybill"));
        command.args(arguments).env_clear();
        command.env("WAYBILL_DATABASE_URL", &url).env("WAYBILL_DATABASE_TEMPLATE", &template);
        command.env("WAYBILL_ADMIN_TOKEN_FILE", &admin).env("WAYBILL_MESH_TOKEN_FILE", &mesh);
        let output = command.output().await.unwrap();
        assert_eq!(output.status.success(), arguments.contains(&"--help"), "{arguments:?}");
        outputs.add(format!("{arguments:?}"), [output.stdout, output.stderr].concat());
    }

    for (name, secret) in [
        ("the API key", key.rsplit_once('_').unwrap().1),
        ("the bearer token", TOKEN.rsplit_once('.').unwrap().1),
        ("the administrator's token", Tokens::ADMIN),
        ("the mesh's token", Tokens::MESH),
        ("the database's password", PASSWORD),
    ] {
        assert_eq!(outputs.sources_with(secret), [""; 0], "{name} was disclosed");
    }
    // The search finds texts that are present: the key's prefix, which is no secret, and known logs and metrics.
    assert!(outputs.sources_with(made["apiKey"]["prefix"].as_str().unwrap()).len() >= 3);
    assert!(outputs.sources_with("serving").contains(&"the log"));
    assert!(outputs.sources_with("credentials_refused{what=\"unknown\"}").contains(&"metrics"));
}
