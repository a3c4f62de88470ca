use std::sync::Arc;

use proto::{
    event::v1::{ExceptionOpened, ExceptionResolved},
    events::SharedEvent,
};
use testkit::database::each;
use types::{ManualClock, Timestamp};

mod rivals;

use super::*;
use crate::{
    Call, Column as _, Command, Db, Migration, NewEvent, Options, Task, Value, dialect::Dialect, failure::Failure,
    open, statement::Load,
};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "notes",
    sql: "CREATE TABLE notes (book TEXT NOT NULL, number BIGINT NOT NULL, text TEXT NOT NULL, version BIGINT NOT NULL, \
          PRIMARY KEY (book, number));",
}];

crate::record! {
    struct Note in "notes" key (book: String, number: i64) { text: String }
}

/// Writes a note, emits an event and schedules a task: one of everything a command can do.
struct Write(i64);

impl Command for Write {
    type Reply = ();
    const NAME: &'static str = "Write";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Note>(&("book".to_owned(), self.0));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let text = "text".to_owned();
        rows.put(Note { book: "book".to_owned(), number: self.0, text, version: 0 });
        cx.emit(NewEvent::new(SharedEvent::ExceptionResolved(ExceptionResolved::default()), "book", 1, self.0));
        cx.schedule(Task::new("read", self.0, cx.now()));
        Ok(())
    }
}

async fn open(url: &str) -> (Db, Applier) {
    let options = Options::new(url);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_micros(1)));
    let db = Db::open(&options, "notes", MIGRATIONS, clock.clone()).await.unwrap();
    let target = open::prepare(&options).unwrap();
    let writer = Writer::new(target.clone(), Connection::open(&target).await.unwrap());
    (db, Applier { writer, meters: Meters::new("notes"), source: "notes", clock, contended: 0, level: 0 })
}

fn request(number: i64) -> WriteRequest {
    let call = Call::new(types::Actor::service("tester")).request(&format!("request {number}"), &number);
    WriteRequest::interactive(call, Box::new(Write(number)), (tracing::Span::none(), tracing::Span::none()))
}

async fn rows(db: &Db) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["notes", "events", "tasks", "requests"] {
        let rows = db.query(format!("SELECT COUNT(*) FROM {table}"), Vec::new()).await.unwrap();
        counts.push(rows[0].at(0).unwrap());
    }
    counts.push(db.head().await.unwrap());
    counts
}

#[tokio::test]
async fn a_crash_before_the_commit_leaves_nothing() {
    each(|options| async move {
        let (db, mut applier) = open(&options.url).await;
        let requests = [request(1), request(2)];
        let now = applier.clock.now();
        let conn = applier.writer.connection().await.unwrap();
        conn.begin().await.unwrap();
        let (applied, changes) = decide(conn, "notes", now, &requests, (Scope::Transaction, Lock::Rows)).await.unwrap();
        conn.write(&changes, Scope::Transaction).await.unwrap();
        assert!(applied.answers.iter().all(Result::is_ok));
        // The process dies here.
        applier.writer.reset();
        assert_eq!(rows(&db).await, [0, 0, 0, 0, 0]);
        assert!(apply(&mut applier, &requests, 0).await.is_ok());
        assert_eq!(rows(&db).await, [2, 2, 2, 2, 2]);
        assert_eq!(log::verify(&db).await.unwrap().first_bad, None);
    })
    .await;
}

#[tokio::test]
async fn a_row_changed_by_another_since_it_was_loaded_is_a_conflict() {
    each(|options| async move {
        let (db, mut applier) = open(&options.url).await;
        db.run(Call::new(types::Actor::service("tester")), Write(1)).await.unwrap();
        let conn = applier.writer.connection().await.unwrap();
        let mut rows = Rows::default();
        let mut needs = Needs::default();
        let key = ("book".to_owned(), 1);
        needs.row::<Note>(&key);
        rows.load(conn, needs, Lock::Nothing).await.unwrap();
        let note = rows.get::<Note>(&key).unwrap().cloned().unwrap();
        rows.put(Note { text: "mine".to_owned(), ..note });
        rows.accept().unwrap();
        conn.execute("UPDATE notes SET text = 'theirs', version = 2", &[]).await.unwrap();
        for scope in [Scope::Transaction, Scope::Statement] {
            assert!(matches!(conn.write(&rows.updates().collect::<Vec<_>>(), scope).await, Err(Failure::Conflict)));
        }
        assert_eq!(db.load::<Note>(&key).await.unwrap().unwrap().text, "theirs");
    })
    .await;
}

#[tokio::test]
async fn rows_are_found_by_index_whatever_the_size_of_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let (db, mut applier) = open(&format!("sqlite:{}", directory.path().join("test.db").display())).await;
    let conn = applier.writer.connection().await.unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let keys = vec![vec![text("book"), 1_i64.to_value()], vec![text("book"), 2_i64.to_value()]];
    let (pairs, ids) = (vec![vec![text("a"), text("b")]], vec![vec![text("a")]]);
    for (head, table, columns, values) in [
        ("SELECT text FROM notes", "notes", &["book", "number"][..], keys),
        ("DELETE FROM tasks", "tasks", &["kind", "key"], pairs.clone()),
        ("SELECT reply FROM requests", "requests", &["scope", "request_id"], pairs),
        ("SELECT event_id FROM events", "events", &["event_id"], ids),
    ] {
        let load = Load::new(table, "", columns, values, columns);
        let sql = format!("EXPLAIN QUERY PLAN {head} WHERE {}", load.condition(Dialect::Sqlite, 1));
        let plan = conn.fetch(&sql, &load.values[0]).await.unwrap();
        let plan = plan.iter().map(|row| row.get::<String>("detail").unwrap()).collect::<String>();
        let whole_key = if columns.len() == 2 { "=? AND " } else { "=?" };
        assert!(plan.contains("SEARCH") && plan.contains(whole_key), "{head}: {plan}");
    }
    db.close().await;
}
