//! Opening databases, and why one is not opened.

use std::os::unix::fs::PermissionsExt as _;

use store::{Db, Error, Migrate, Migration, Options};
use testkit::database::each;

use crate::stock::{MIGRATIONS, Receive, call, clock, open, open_with};

const LATER: &[Migration] =
    &[MIGRATIONS[0], Migration { version: 2, name: "later", sql: "CREATE TABLE later (id BIGINT PRIMARY KEY);" }];

const CHANGED: &[Migration] =
    &[Migration { version: 1, name: "stock", sql: "CREATE TABLE stock (sku TEXT PRIMARY KEY);" }];

const BROKEN: &[Migration] = &[
    MIGRATIONS[0],
    Migration { version: 2, name: "broken", sql: "CREATE TABLE half (id BIGINT PRIMARY KEY); CREATE TABLE nonsense" },
];

async fn refused(options: &Options, migrations: &'static [Migration]) -> Error {
    Db::open(options, "stock", migrations, clock()).await.expect_err("the database is not opened")
}

#[tokio::test]
async fn a_schema_newer_than_the_program_is_refused() {
    each(|options| async move {
        Db::open(&options, "stock", LATER, clock()).await.unwrap().close().await;
        let error = refused(&options, MIGRATIONS).await;
        assert!(matches!(&error, Error::SchemaNewer { name, .. } if name == "later"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    each(|options| async move {
        open(&options).await.close().await;
        let error = refused(&options, CHANGED).await;
        assert!(matches!(&error, Error::MigrationChanged { name, .. } if name == "stock"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_was_left_out_is_refused() {
    each(|options| async move {
        const FURTHER: &[Migration] =
            &[LATER[0], LATER[1], Migration { version: 3, name: "further", sql: "SELECT 1;" }];
        const LEFT_OUT: &[Migration] = &[FURTHER[0], FURTHER[2]];
        Db::open(&options, "stock", LEFT_OUT, clock()).await.unwrap().close().await;
        let error = refused(&options, FURTHER).await;
        assert!(matches!(&error, Error::MigrationMissing { name, .. } if name == "later"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    each(|options| async move {
        let error = refused(&options, BROKEN).await;
        assert!(matches!(&error, Error::Migration { name, .. } if name == "broken"), "{error}");
        let db = Db::open(&options, "stock", LATER, clock()).await.unwrap();
        assert!(db.rows("SELECT id FROM half", Vec::new()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_program_that_may_not_migrate_waits_for_the_one_that_does() {
    each(|options| async move {
        let cautious = Options { migrate: Migrate::Require, ..options.clone() };
        let error = refused(&cautious, MIGRATIONS).await;
        assert!(matches!(error, Error::SchemaOlder { .. }), "{error}");
        open(&options).await;
        open(&cautious).await;
        let error = refused(&cautious, LATER).await;
        assert!(matches!(&error, Error::SchemaOlder { name, .. } if name == "later"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    each(|options| async move {
        let (one, two, three) = tokio::join!(open(&options), open(&options), open(&options));
        for db in [one, two, three] {
            assert!(db.ready().await);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_opening_again() {
    each(|options| async move {
        let db = open_with(&options, 5).await;
        db.close().await;
        assert!(!db.ready().await);
        let refused = db.run(call(), Receive { sku: "A".to_owned(), quantity: 1 }).await.unwrap_err();
        assert!(refused.is_transient(), "{refused}");
        let again = open_with(&options, 2).await;
        assert_eq!(again.load::<crate::stock::Stock>(&"A".to_owned()).await.unwrap().unwrap().on_hand, 7);
    })
    .await;
}

#[tokio::test]
async fn a_missing_directory_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options::new(format!("sqlite:{}", directory.path().join("not/yet/a %3F#b.db").display()));
    open(&options).await;
    assert!(directory.path().join("not/yet/a %3F#b.db").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("letter.db");
    std::fs::write(&file, "Dear reader, this is not a database at all. ".repeat(200)).unwrap();
    let error = refused(&Options::new(format!("sqlite:{}", file.display())), MIGRATIONS).await;
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.db");
    let options = Options::new(format!("sqlite:{}", file.display()));
    open(&options).await.close().await;
    let whole = std::fs::read(&file).unwrap();
    for length in [1, 50, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        let error = refused(&options, MIGRATIONS).await;
        assert!(matches!(error, Error::Corrupt { .. }), "{length}: {error:?}");
        assert_eq!(std::fs::read(&file).unwrap(), &whole[..length]);
    }
    std::fs::write(&file, &whole).unwrap();
    open(&options).await;
}

#[tokio::test]
async fn a_directory_is_no_database() {
    let directory = tempfile::tempdir().unwrap();
    let error = refused(&Options::new(format!("sqlite:{}", directory.path().display())), MIGRATIONS).await;
    assert!(matches!(error, Error::NotAFile { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_can_not_be_written_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.db");
    let options = Options::new(format!("sqlite:{}", file.display()));
    open(&options).await.close().await;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
    // Whoever may write everything, as root does, is not refused.
    if std::fs::OpenOptions::new().append(true).open(&file).is_err() {
        let error = refused(&options, MIGRATIONS).await;
        assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
    }
    let below_a_file = Options::new(format!("sqlite:{}/below/test.db", file.display()));
    let error = refused(&below_a_file, MIGRATIONS).await;
    assert!(matches!(error, Error::Directory { .. }), "{error:?}");
}

#[tokio::test]
async fn a_url_of_another_database_is_refused() {
    for url in ["mysql://me:secret@host/db", "orders.db", "sqlite:"] {
        let error = refused(&Options::new(url), MIGRATIONS).await;
        assert!(matches!(error, Error::Url { .. }), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let error = refused(&Options::new("postgres://me:secret@127.0.0.1:1/db"), MIGRATIONS).await;
    assert!(matches!(error, Error::Connect { .. }) && !error.to_string().contains("secret"), "{error:?}");
}
