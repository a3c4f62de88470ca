//! Backups show one moment of a running mesh, and are restored completely or not at all.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::watch;
use waybill::{
    demo, northwind,
    rest::Rest,
    sandbox::{Chances, Sandbox},
};

use crate::{
    failing_starts::{ended, used, waybill},
    kill::furnish,
    process::Process,
};

const CHANCES: Chances = Chances { conflict: 0, reject: 0, short: 0, ..Chances::USUAL };

/// Runs a command to its end; returns its exit code and standard error.
async fn run(command: &str, option: &str, directory: &Path, data: &Path) -> (i32, String) {
    let arguments = [command, option, directory.to_str().unwrap(), "--data", data.to_str().unwrap()];
    ended(&mut waybill(&arguments)).await
}

async fn back_up(data: &Path, to: &Path) -> (i32, String) {
    run("backup", "--to", to, data).await
}

async fn restore(from: &Path, data: &Path) -> (i32, String) {
    run("restore", "--from", from, data).await
}

async fn done(outcome: impl Future<Output = (i32, String)>) {
    let (code, errors) = outcome.await;
    assert_eq!(code, 0, "{errors}");
}

/// Places orders until `stop` is set, and records those acknowledged.
async fn portal(rest: &Rest, acknowledged: &watch::Sender<BTreeMap<String, String>>, stop: &AtomicBool) {
    for number in 1.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let po = format!("PO-{number}");
        let body = json!({
            "accountId": "acc_K", "customerPo": po, "shipToAddress": waybill_e2e::address("DE"),
            "lines": [{"sku": "TEA", "quantity": 1}, {"sku": "COFFEE", "quantity": 2}],
        });
        let placed = rest.post("/v1/orders", Some(&format!("key-{number}")), &body).await.unwrap().unwrap();
        let id = placed["orderId"].as_str().unwrap().to_owned();
        acknowledged.send_modify(|orders| drop(orders.insert(po, id)));
    }
}

/// Purchase orders and ids of all orders.
async fn orders(rest: &Rest) -> BTreeMap<String, String> {
    let text = |order: &Value, name: &str| order[name].as_str().unwrap().to_owned();
    let orders = rest.list("/v1/orders", "orders").await.unwrap();
    let kept: BTreeMap<_, _> = orders.iter().map(|order| (text(order, "customerPo"), text(order, "orderId"))).collect();
    assert_eq!(orders.len(), kept.len(), "no order twice");
    kept
}

/// Waits until every order is delivered, and checks all laws.
async fn settled(rest: &Rest) {
    let partners = Sandbox::new(rest.clone(), 1, CHANCES);
    let (data, bar) = (northwind::load().unwrap(), demo::hidden_bar());
    tokio::select! {
        settled = demo::watch::until_settled(rest, &data, &partners, &bar) => drop(settled.unwrap()),
        ended = partners.play() => ended.unwrap(),
    }
    for order in rest.list("/v1/orders", "orders").await.unwrap() {
        assert_eq!(order["status"], "ORDER_STATUS_DELIVERED", "{order}");
    }
    waybill_e2e::laws(rest).await.unwrap();
}

fn manifest(backup: &Path) -> Value {
    serde_json::from_slice(&fs::read(backup.join("manifest.json")).unwrap()).unwrap()
}

/// No follower is ahead of the log it follows.
fn no_follower_is_ahead(backup: &Path) {
    let manifest = manifest(backup);
    let databases = manifest["databases"].as_array().unwrap();
    let mut subscriptions = 0;
    for database in databases {
        let service = database["service"].as_str().unwrap();
        for (subscription, position) in database["subscriptions"].as_object().unwrap() {
            let (_, source) = subscription.split_once('.').unwrap();
            let log = databases.iter().find(|database| database["service"] == source).unwrap();
            assert!(position.as_i64() <= log["logPosition"].as_i64(), "{service}: {subscription}: {manifest}");
            subscriptions += 1;
        }
    }
    assert!(subscriptions > 10, "{manifest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_mesh_is_restored_and_goes_on_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (process, rest) = Process::up(&data).await;
    furnish(&rest).await;
    let (acknowledged, stop) = (watch::Sender::new(BTreeMap::new()), AtomicBool::new(false));
    let backing_up = async {
        let mut backups = Vec::new();
        for number in 1..=3 {
            // Until every database has some data.
            let mut seen = acknowledged.subscribe();
            let before = seen.wait_for(|orders| orders.len() >= number * 12).await.unwrap().clone();
            let backup = directory.path().join(format!("backup-{number}"));
            done(back_up(&data, &backup)).await;
            backups.push((backup, before));
        }
        stop.store(true, Ordering::SeqCst);
        backups
    };
    let partners = Sandbox::new(rest.clone(), 1, CHANCES);
    let backups = tokio::select! {
        (backups, ()) = async { tokio::join!(backing_up, portal(&rest, &acknowledged, &stop)) } => backups,
        ended = partners.play() => { ended.unwrap(); unreachable!("partners play on") }
    };
    settled(&rest).await;
    let acknowledged = acknowledged.borrow().clone();
    assert_eq!(orders(&rest).await, acknowledged, "writers during the backups have lost nothing");

    for (backup, before) in backups {
        no_follower_is_ahead(&backup);
        let data = backup.with_extension("data");
        done(restore(&backup, &data)).await;
        let (process, rest) = Process::up(&data).await;
        let there = orders(&rest).await;
        assert!(before.iter().all(|(po, id)| there.get(po) == Some(id)), "{before:?} not all in {there:?}");
        assert!(there.iter().all(|(po, id)| acknowledged.get(po) == Some(id)), "{there:?} not all of {acknowledged:?}");
        settled(&rest).await;
        assert_eq!(orders(&rest).await, there);
        process.kill().await;
    }
    process.kill().await;
}

/// A backup of a mesh that was stopped.
async fn backup(directory: &Path) -> PathBuf {
    let (data, backup) = (used().await, directory.join("backup"));
    done(back_up(data.path(), &backup)).await;
    backup
}

/// Neither a data directory nor a partial one exists.
fn nothing_is_left(data: &Path) {
    assert!(!data.exists() && !data.with_extension("restoring").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_backup_is_refused_with_the_name_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (backup, data) = (backup(directory.path()).await, directory.path().join("data"));
    let file = backup.join("inventory.db");
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [flipped, whole[..whole.len() - 1].to_vec(), Vec::new()] {
        fs::write(&file, damaged).unwrap();
        refused(&backup, &data, 65, "inventory.db").await;
    }
    fs::remove_file(&file).unwrap();
    refused(&backup, &data, 65, "inventory.db").await;
    fs::write(&file, &whole).unwrap();

    let extra = backup.join("inventory.db-wal");
    fs::write(&extra, "more").unwrap();
    refused(&backup, &data, 65, "inventory.db-wal").await;
    fs::remove_file(&extra).unwrap();

    let path = backup.join("manifest.json");
    let written = manifest(&backup);
    let changes: [(&str, Value, i32, &str); 5] = [
        ("/format", json!(2), 78, "manifest.json"),
        ("/databases/1/logPosition", json!(7), 65, "inventory.db"),
        ("/databases/1/sha256", json!("00"), 65, "inventory.db"),
        ("/databases/1/file", json!("../inventory.db"), 65, "manifest.json"),
        ("/databases", json!([]), 65, "manifest.json"),
    ];
    for (pointer, value, code, named) in changes {
        let mut changed = written.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        fs::write(&path, changed.to_string()).unwrap();
        refused(&backup, &data, code, named).await;
    }
    fs::write(&path, "{").unwrap();
    refused(&backup, &data, 65, "manifest.json").await;
    fs::remove_file(&path).unwrap();
    refused(&backup, &data, 65, "manifest.json").await;

    fs::write(&path, written.to_string()).unwrap();
    done(restore(&backup, &data)).await;
    let (_process, rest) = Process::up(&data).await;
    assert_eq!(rest.get("/v1/accounts/acc_A").await.unwrap()["name"], "A");
}

async fn refused(backup: &Path, data: &Path, code: i32, named: &str) {
    let (ended, errors) = restore(backup, data).await;
    assert_eq!(ended, code, "{errors}");
    assert!(errors.contains(named), "{errors} does not name {named}");
    nothing_is_left(data);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_directory_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let backup = backup(directory.path()).await;
    let before = fs::read(backup.join("manifest.json")).unwrap();
    let data = directory.path().join("data");
    let (_process, rest) = Process::up(&data).await;
    for (outcome, named) in [(back_up(&data, &backup).await, "backup"), (restore(&backup, &data).await, "data")] {
        let (code, errors) = outcome;
        assert_eq!(code, 73, "{errors}");
        assert!(errors.contains(&format!("{named} exists already")), "{errors}");
    }
    assert!(before == fs::read(backup.join("manifest.json")).unwrap());
    assert_eq!(rest.list("/v1/accounts", "accounts").await.unwrap().len(), 0);
    waybill_e2e::laws(&rest).await.unwrap();

    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let (code, errors) = back_up(&empty, &directory.path().join("of-nothing")).await;
    assert_eq!(code, 64, "{errors}");
    assert!(!directory.path().join("of-nothing").exists());
    done(restore(&backup, &empty)).await;

    let server = ["--database-template", "postgres://me:s3cret@host/waybill_{service}"];
    for command in [["backup", "--to"], ["restore", "--from"]] {
        let (code, errors) = ended(&mut waybill(&[&command[..], &["elsewhere"], &server].concat())).await;
        assert_eq!(code, 64, "{errors}");
        assert!(errors.contains("pg_basebackup") && !errors.contains("s3cret"), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_leaves_nothing_that_passes_for_a_backup() {
    let directory = tempfile::tempdir().unwrap();
    let (data, backup) = (directory.path().join("data"), directory.path().join("backup"));
    let (partial, restored) = (directory.path().join("backup.partial"), directory.path().join("restored"));
    let (_process, rest) = Process::up(&data).await;
    furnish(&rest).await;
    let mut interrupted = 0;
    for millis in [0, 0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
        kill_once_begun(&partial, millis, &["backup", "--to", path(&backup), "--data", path(&data)]).await;
        if backup.exists() {
            fs::remove_dir_all(&backup).unwrap();
            continue;
        }
        refused(&backup, &restored, 65, "backup").await;
        if partial.exists() {
            interrupted += 1;
            refused(&partial, &restored, 65, "not finished").await;
        }
        rest.post("/v1/locations/nod_hamburg:receive", None, &json!({"items": [{"sku": "TEA", "quantity": 1}]}))
            .await
            .unwrap()
            .unwrap();
    }
    assert!(interrupted > 0, "no moment was within a backup");
    done(back_up(&data, &backup)).await;
    assert!(!partial.exists());

    for millis in [0, 0, 1, 3, 8, 21, 55] {
        let begun = restored.with_extension("restoring");
        kill_once_begun(&begun, millis, &["restore", "--from", path(&backup), "--data", path(&restored)]).await;
        if restored.exists() {
            fs::remove_dir_all(&restored).unwrap();
        }
    }
    done(restore(&backup, &restored)).await;
    assert!(!restored.with_extension("restoring").exists());
    let (_restored, there) = Process::up(&restored).await;
    for rest in [rest, there] {
        waybill_e2e::laws(&rest).await.unwrap();
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Starts a command and kills it so long after it has created the directory, unless it has ended by then.
async fn kill_once_begun(directory: &Path, millis: u64, arguments: &[&str]) {
    // The command first removes what an earlier attempt left, so this file shows when it has begun.
    let earlier = directory.join("earlier.db");
    if directory.exists() {
        fs::write(&earlier, "").unwrap();
    }
    let mut process = Process::start(arguments);
    let begun = async {
        while !directory.exists() || earlier.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = begun => {}
        _ = process.ended_within(Duration::MAX) => {}
    }
    process.ended_within(Duration::from_millis(millis)).await;
    process.kill().await;
}
