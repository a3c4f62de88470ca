//! What must not be told is told nowhere: logs, errors, metrics, help, answers and databases are searched for it.

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

/// A token that nobody issued, and a password that opens nothing.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzM2NyZXQtc3ViamVjdCJ9.c2VjcmV0LXNpZ25hdHVyZQ";
const PASSWORD: &str = "p4ssw0rd-of-the-database";

/// Everything that was said, by where it was said.
#[derive(Default)]
struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    fn hear(&mut self, from: impl Into<String>, what: impl Into<Vec<u8>>) {
        self.0.push((from.into(), what.into()));
    }

    fn hear_files(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            self.hear(path.display().to_string(), fs::read(&path).unwrap());
        }
    }

    fn has(&self, text: &str) -> Vec<&str> {
        let there = |what: &[u8]| what.windows(text.len()).any(|window| window == text.as_bytes());
        self.0.iter().filter(|(_, what)| there(what)).map(|(from, _)| from.as_str()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_anywhere() {
    let (tokens, data, logs) = (Tokens::make(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [[admin_setting, admin], [mesh_setting, mesh]] = tokens.settings();
    let mut heard = Heard::default();

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
    heard.hear("the repeat", again.to_string());
    heard.hear("the list of keys", rest.get("/v1/api-clients/cli_a/api-keys").await.unwrap().to_string());

    let http = reqwest::Client::new();
    let wrong = format!("{key}x");
    for credential in [&key, TOKEN, Tokens::ADMIN, Tokens::MESH, &wrong] {
        for path in ["/v1/partners", "/v1/api-clients", "/v1/api-clients/cli_b", "/v1/nothing"] {
            let answer = http.get(format!("{}{path}", at.rest)).bearer_auth(credential).send().await.unwrap();
            heard.hear(format!("the headers of {path}"), format!("{:?}", answer.headers()));
            heard.hear(format!("the answer of {path}"), answer.bytes().await.unwrap());
        }
        let mut request = Request::new(GetPartnerRequest { partner_id: "par_x".to_owned() });
        request.metadata_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
        let mut partners = PartnerServiceClient::new(Channel::connect(&at.grpc["partner"]).unwrap());
        heard.hear("an answer of gRPC", format!("{:?}", partners.get_partner(request).await));
    }
    heard.hear("metrics", http.get(&at.metrics).send().await.unwrap().bytes().await.unwrap());
    process.terminate().await;
    assert!(process.ended().await.success());
    heard.hear("the log", fs::read(&log).unwrap());
    heard.hear_files(data.path());

    // A member that has the password of a database which is not there, in its arguments and its environment.
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
        let said = command.output().await.unwrap();
        assert_eq!(said.status.success(), arguments.contains(&"--help"), "{arguments:?}");
        heard.hear(format!("{arguments:?}"), [said.stdout, said.stderr].concat());
    }

    for (name, secret) in [
        ("the API key", key.rsplit_once('_').unwrap().1),
        ("the bearer token", TOKEN.rsplit_once('.').unwrap().1),
        ("the administrator's token", Tokens::ADMIN),
        ("the mesh's token", Tokens::MESH),
        ("the database's password", PASSWORD),
    ] {
        assert_eq!(heard.has(secret), [""; 0], "{name} was told");
    }
    // The search finds what is there: the prefix may be known, and the mesh said that it serves.
    assert!(heard.has(made["apiKey"]["prefix"].as_str().unwrap()).len() >= 3);
    assert!(heard.has("serving").contains(&"the log"));
    assert!(heard.has("credentials_refused{what=\"unknown\"}").contains(&"metrics"));
}
