//! Copies of databases while others write them.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::future::join_all;
use store::{Db, Error, Options, backup};

use crate::stock::{Reserve, call, open, open_with, reserved, tamper};

/// In the order in which one calls the next.
const NAMES: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "last"];
const CALLERS: usize = 6;

fn options(file: &Path) -> Options {
    Options::new(format!("sqlite:{}", file.display()))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    NAMES.iter().map(|name| directory.join(name).with_extension("db")).collect()
}

async fn cut(files: &[PathBuf]) -> Vec<backup::Pinned> {
    let files = files.to_vec();
    tokio::task::spawn_blocking(move || backup::cut(&files)).await.unwrap().unwrap()
}

/// The heads of all logs.
async fn heads(dbs: &[Db]) -> Vec<i64> {
    join_all(dbs.iter().map(async |db| db.head().await.unwrap())).await
}

/// Reserves from the last to the first, as one that is called commits before its caller does, until it is stopped.
async fn work(dbs: &[Db], caller: usize, stop: &AtomicBool) {
    for round in 0.. {
        for db in dbs.iter().rev() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            loop {
                match db.run(call(), Reserve::new("A", format!("{caller}/{round}"), 1)).await {
                    Ok(_) => break,
                    Err(fault) => assert!(fault.is_transient(), "{fault}"),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_what_was_there_at_one_moment_whatever_is_written_before_they_are_made() {
    let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut files = files(directory.path());
    let dbs: Vec<Db> = join_all(files.iter().map(async |file| open_with(&options(file), 1_000_000).await)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let working: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (dbs, stop) = (dbs.clone(), stop.clone());
            tokio::spawn(async move { work(&dbs, caller, &stop).await })
        })
        .collect();
    for round in 0..8 {
        // In whatever order they are taken.
        files.reverse();
        let before = heads(&dbs).await;
        let mut pinned = cut(&files).await;
        pinned.sort_by_key(|pinned| NAMES.iter().position(|name| pinned.file().file_stem().unwrap() == *name));
        let after = heads(&dbs).await;
        // What is pinned has to stay, however much is written now.
        while heads(&dbs).await.iter().zip(&after).any(|(now, then)| *now < then + 20) {
            tokio::task::yield_now().await;
        }
        let mut contents = Vec::new();
        for (at, pinned) in pinned.into_iter().enumerate() {
            let copy = copies.path().join(format!("{round}-{}.db", NAMES[at]));
            let there = copy.clone();
            tokio::task::spawn_blocking(move || pinned.copy_to(&there)).await.unwrap().unwrap();
            let found = backup::inspect(&copy).unwrap();
            assert!(before[at] <= found.position && found.position <= after[at], "{found:?}: {before:?}, {after:?}");
            let copied = open(&options(&copy)).await;
            let position = found.position;
            assert_eq!(reserved(&copied).await, (position, position, position));
            contents.push(found);
        }
        for pair in contents.windows(2) {
            let (caller, callee) = (pair[0].position, pair[1].position);
            let waiting = i64::try_from(CALLERS).unwrap();
            assert!(caller <= callee && callee <= caller + waiting, "{caller} of {callee}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    for working in working {
        working.await.unwrap();
    }
    for db in &dbs {
        let head = db.head().await.unwrap();
        assert_eq!(reserved(db).await, (head, head, head), "those who wrote meanwhile have lost nothing");
        assert_eq!(store::log::verify(db).await.unwrap().first_bad, None);
    }
}

/// A database with five events that nobody uses any more, and a copy of it.
async fn copied(directory: &Path) -> PathBuf {
    let (file, copy) = (directory.join("a.db"), directory.join("b.db"));
    let db = open_with(&options(&file), 10).await;
    for reference in 0..5 {
        db.run(call(), Reserve::new("A", reference, 1)).await.unwrap();
    }
    db.close().await;
    for pinned in cut(&[file]).await {
        pinned.copy_to(&copy).unwrap();
    }
    copy
}

#[tokio::test]
async fn a_copy_is_one_file_that_says_what_is_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let copy = copied(directory.path()).await;
    let found = backup::inspect(&copy).unwrap();
    assert_eq!((found.position, found.hash.len(), found.schema), (5, 64, 1));
    assert!(found.followed.is_empty());
    for suffix in ["-wal", "-shm", "-journal"] {
        assert!(!directory.path().join(format!("b.db{suffix}")).exists(), "{suffix}");
    }
    assert_eq!(reserved(&open(&options(&copy)).await).await, (5, 5, 5));
}

#[tokio::test]
async fn a_log_that_was_changed_is_named_with_its_event() {
    let changes = [
        ("UPDATE events SET subject = 'B' WHERE position = 3 RETURNING position", "event 3"),
        ("DELETE FROM events WHERE position = 4 RETURNING position", "event 4"),
        ("UPDATE log_head SET hash = 'x' RETURNING position", "event 5"),
        ("DELETE FROM log_head RETURNING position", "head"),
    ];
    for (change, named) in changes {
        let directory = tempfile::tempdir().unwrap();
        let copy = copied(directory.path()).await;
        tamper(&options(&copy), change).await;
        let error = backup::inspect(&copy).unwrap_err();
        assert!(matches!(&error, Error::Damaged { path, .. } if *path == copy.display().to_string()), "{error:?}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[tokio::test]
async fn pages_that_were_overwritten_or_cut_off_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let copy = copied(directory.path()).await;
    let whole = std::fs::read(&copy).unwrap();
    for page in 1..whole.len() / 4_096 {
        let mut damaged = whole.clone();
        // The head of the page, which says what it is.
        damaged[page * 4_096..page * 4_096 + 8].fill(0xA5);
        std::fs::write(&copy, damaged).unwrap();
        let error = backup::inspect(&copy).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. } | Error::Corrupt { .. }), "page {page}: {error:?}");
    }
    std::fs::write(&copy, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(backup::inspect(&copy).unwrap_err(), Error::Corrupt { .. }));
    std::fs::write(&copy, &whole).unwrap();
    backup::inspect(&copy).unwrap();
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_neither_copied_nor_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (copy, letter) = (copied(directory.path()).await, directory.path().join("letter.db"));
    let missing = directory.path().join("missing.db");
    assert!(matches!(backup::cut(&[copy.clone(), missing.clone()]).unwrap_err(), Error::Missing { .. }));
    assert!(!missing.exists(), "looking for it does not make it");
    std::fs::write(&letter, "Dear reader, this is not a database at all. ".repeat(200)).unwrap();
    assert!(matches!(backup::cut(&[copy, letter.clone()]).unwrap_err(), Error::Corrupt { .. }));
    assert!(matches!(backup::inspect(&letter).unwrap_err(), Error::Corrupt { .. }));
    std::fs::write(&letter, "").unwrap();
    let error = backup::inspect(&letter).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.to_string().contains("log_head"), "{error:?}");
}
