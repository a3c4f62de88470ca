//! Starts that fail: the cause is printed, the exit code matches it, and nothing is damaged.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use store::{Db, Migration, Options};
use tokio::process::Command;
use types::SystemClock;

use crate::process::Process;

/// How long a process may take to fail; only a broken one takes as long.
const PATIENCE: Duration = Duration::from_secs(300);
const ANY_PORTS: [&str; 6] = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];

/// Runs a command to its end; returns its exit code and standard error.
pub(crate) async fn ended(command: &mut Command) -> (i32, String) {
    let command = command.env_clear().env("WAYBILL_LOG", "warn").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

pub(crate) fn waybill(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waybill"));
    command.args(arguments);
    command
}

/// Checks that `waybill up` on a directory ends with this code and names the cause.
async fn refused(data: &Path, code: i32, names: &[&str]) {
    let arguments = [&["up", "--data", data.to_str().unwrap()][..], &ANY_PORTS[..]].concat();
    let (ended, errors) = ended(&mut waybill(&arguments)).await;
    assert_eq!(ended, code, "{errors}");
    for name in names {
        assert!(errors.contains(name), "{errors} does not name {name}");
    }
}

/// The databases of a directory, byte by byte.
fn databases(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let databases = files.filter(|path| path.extension().is_some_and(|extension| extension == "db") && path.is_file());
    databases.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A directory on which a mesh has run and stopped.
pub(crate) async fn used() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (mut process, rest) = Process::up(directory.path()).await;
    let account = json!({
        "accountId": "acc_A", "name": "A", "currency": "USD", "billTo": waybill_e2e::address("DE"),
    });
    rest.ensure("/v1/accounts", "key", &account).await.unwrap();
    process.terminate().await;
    assert!(process.ended().await.success());
    directory
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let directory = used().await;
    let file = directory.path().join("inventory.db");
    let whole = std::fs::read(&file).unwrap();
    for damaged in [b"Dear reader, this is a letter. ".repeat(50), whole[..whole.len() / 2].to_vec()] {
        std::fs::write(&file, damaged).unwrap();
        let before = databases(directory.path());
        refused(directory.path(), 65, &[file.to_str().unwrap(), "damaged", "backup"]).await;
        assert!(before == databases(directory.path()), "nothing is changed");
    }
    std::fs::write(&file, whole).unwrap();
    let (_process, rest) = Process::up(directory.path()).await;
    assert_eq!(rest.get("/v1/accounts/acc_A").await.unwrap()["name"], "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    refused(&file, 73, &[file.to_str().unwrap()]).await;
    refused(&file.join("below"), 73, &["below"]).await;
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    // Not even root may make files here.
    refused(Path::new("/sys/waybill"), 73, &["/sys/waybill", "directory"]).await;
    std::fs::create_dir_all(directory.path().join("data/order.db")).unwrap();
    refused(&directory.path().join("data"), 73, &["order.db is a directory"]).await;
}

fn step(version: i64, name: &'static str) -> Migration {
    Migration { version, name, sql: "CREATE TABLE other (id BIGINT PRIMARY KEY);" }
}

async fn migrated(file: &Path, migrations: Vec<Migration>) {
    let options = Options::new(format!("sqlite:{}", file.display()));
    let db = Db::open(&options, "order", migrations.leak(), Arc::new(SystemClock)).await.unwrap();
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_does_not_fit_is_refused_and_left_as_it_is() {
    let mut newer = order::MIGRATIONS.to_vec();
    newer.push(step(999, "tomorrow"));
    let cases = [
        (newer, "newer", "tomorrow"),
        (vec![step(1, "order")], "changed", "order"),
        (vec![step(999, "tomorrow")], "missing", "order"),
    ];
    for (migrations, problem, names) in cases {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("order.db");
        migrated(&file, migrations).await;
        let before = databases(directory.path());
        refused(directory.path(), 78, &[file.to_str().unwrap(), problem, names]).await;
        assert!(before[&file] == databases(directory.path())[&file], "nothing is changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused_and_the_first_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (process, rest) = Process::up(directory.path()).await;
    refused(directory.path(), 75, &["order.db", "another waybill process"]).await;
    let database = format!("sqlite:{}/partner.db", directory.path().display());
    let (code, errors) = ended(&mut waybill(&["migrate", "partner", "--database-url", &database])).await;
    assert_eq!(code, 75, "{errors}");
    assert_eq!(rest.list("/v1/orders", "orders").await.unwrap().len(), 0);
    process.kill().await;
    // The claim ends with the process, however it ended.
    Process::up(directory.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let ports = ["up", "--data", data, "--http-port", &port, "--grpc-port", "0", "--admin-port", "0"];
    let (code, errors) = ended(&mut waybill(&ports)).await;
    assert_eq!(code, 71, "{errors}");
    assert!(errors.contains(&address), "{errors}");
    assert!(databases(directory.path()).is_empty(), "no database was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached_or_refuses_is_named_without_its_password() {
    let mut urls = vec![("postgres://me:s3cret@127.0.0.1:1/db".to_owned(), "host and port")];
    #[expect(clippy::disallowed_methods, reason = "tests have no command line")]
    if let Ok(server) = std::env::var("TEST_POSTGRES_URL") {
        let (_, host) = server.rsplit_once('@').unwrap_or(("", server.trim_start_matches("postgres://")));
        let host = host.split('/').next().unwrap().to_owned();
        let user = server.trim_start_matches("postgres://").split(['@', ':']).next().unwrap().to_owned();
        urls.push((format!("postgres://{user}:s3cret@{host}/waybill_not_there"), "create the database"));
        urls.push((format!("postgres://nobody_known:s3cret@{host}/postgres"), "create the user"));
        urls.push((format!("postgres://with_password:s3cret@{host}/postgres"), "password are right"));
        urls.push((format!("postgres://{user}:s3cret@{host}/postgres?sslmode=verify-full"), "sslrootcert"));
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    for (url, advice) in urls {
        std::fs::write(&file, format!("{url}\n")).unwrap();
        for given in [["--database-url", &url], ["--database-url-file", file.to_str().unwrap()]] {
            let (code, errors) = ended(&mut waybill(&[&["migrate", "order"], &given[..]].concat())).await;
            assert_eq!(code, 69, "{errors}");
            let shown = url.replace(":s3cret", "").replace("?sslmode=verify-full", "");
            assert!(errors.contains(&shown) && errors.contains(advice) && !errors.contains("s3cret"), "{errors}");
        }
    }
}

/// Simulates a full disk: no file may grow beyond `blocks` of 512 bytes.
fn limited(blocks: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_waybill")]).args(arguments);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_at_the_start_is_reported() {
    for blocks in ["0", "1", "20", "300"] {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().to_str().unwrap();
        let arguments = [&["up", "--data", data][..], &ANY_PORTS[..]].concat();
        let (code, errors) = ended(&mut limited(blocks, &arguments)).await;
        assert_eq!(code, 74, "{blocks}: {errors}");
        assert!(errors.contains(".db") && errors.contains("make room"), "{blocks}: {errors}");
        // With space again it starts on the existing files.
        Process::up(directory.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_refuses_for_a_while_and_loses_nothing() {
    let directory = used().await;
    let arguments = [&["up", "--data", directory.path().to_str().unwrap()][..], &ANY_PORTS[..]].concat();
    let (process, rest) = Process::up_with(limited("unlimited", &arguments)).await;
    let limit = |size: &'static str| {
        let id = process.id().to_string();
        async move {
            let arguments = ["--pid", &id, size];
            assert!(Command::new("prlimit").args(arguments).status().await.unwrap().success(), "prlimit is needed");
        }
    };
    let account =
        |id: &str| json!({"accountId": id, "name": id, "currency": "USD", "billTo": waybill_e2e::address("DE")});
    limit("--fsize=1:unlimited").await;
    let refused = reqwest::Client::new()
        .post(format!("{}/v1/accounts", rest.base()))
        .json(&account("acc_B"))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 503, "it may be retried");
    assert_eq!(rest.get("/v1/accounts/acc_A").await.unwrap()["name"], "A", "stored data is still read");
    limit("--fsize=unlimited:unlimited").await;
    rest.ensure("/v1/accounts", "again", &account("acc_B")).await.unwrap();
    assert_eq!(rest.list("/v1/accounts", "accounts").await.unwrap().len(), 2);
    waybill_e2e::laws(&rest).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_have_their_own_code_and_the_help_explains_the_codes() {
    let wrong: [&[&str]; 9] = [
        &["up", "--no-such-thing"],
        &["serve", "order"],
        &["serve", "order", "--database-url", "mysql://host/db"],
        &["migrate", "gateway"],
        &["up", "--database-template", "postgres://host/same-for-all"],
        &["serve", "order", "--database-url-file", "/not/there"],
        &["up", "--database-template-file", "/dev/null"],
        &["backup", "--to", "/not/there", "--database-template-file", "/dev/null"],
        &["migrate", "order", "--database-url", "sqlite:a.db", "--database-readers", "0"],
    ];
    for arguments in wrong {
        let ports: &[&str] = if arguments[0] == "serve" { &["--admin-listen", "127.0.0.1:0"] } else { &[] };
        let (code, errors) = ended(&mut waybill(&[arguments, ports].concat())).await;
        assert_eq!(code, 64, "{arguments:?}: {errors}");
    }
    let help = waybill(&["--help"]).output().await.unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("Exit codes:"));
}
