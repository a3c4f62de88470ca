use std::sync::Arc;

use proto::event::v1::ExceptionResolved;
use testkit::database::each;
use types::{ManualClock, Timestamp};

use super::*;
use crate::{Column as _, Command, Db, Draft, Migration, Options, Task, Value, connection::Purpose, open, statement};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "notes",
    sql: "CREATE TABLE notes (book TEXT NOT NULL, number BIGINT NOT NULL, text TEXT NOT NULL, version BIGINT NOT NULL, \
          PRIMARY KEY (book, number));",
}];

crate::record! {
    struct Note in "notes" key (book: String, number: i64) { text: String }
}

/// Writes a note, tells it, schedules a task: one of everything a command can do.
struct Write(i64);

impl Command for Write {
    type Reply = ();
    const NAME: &'static str = "Write";

    fn needs(&self, _: &Work, needs: &mut Needs) {
        needs.row::<Note>(&("book".to_owned(), self.0));
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<(), Fault> {
        let text = "text".to_owned();
        work.put(Note { book: "book".to_owned(), number: self.0, text, version: 0 });
        cx.emit(Draft::new("note.written", "book", 1, self.0, &ExceptionResolved::default()));
        cx.schedule(Task::new("read", self.0, cx.now()));
        Ok(())
    }
}

async fn open(url: &str) -> (Db, Place) {
    let options = Options::new(url);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_micros(1)));
    let db = Db::open(&options, "notes", MIGRATIONS, clock.clone()).await.unwrap();
    let target = open::prepare(&options).unwrap();
    let writer = Writer::new(target.clone(), Connection::open(&target, Purpose::Write).await.unwrap());
    (db, Place { writer, meters: Meters::new("notes"), source: "notes", clock })
}

fn unit(number: i64) -> Unit {
    let call = Call::new("tester").request(&format!("request {number}"), &number);
    Unit::direct(call, Box::new(Write(number)), (tracing::Span::none(), tracing::Span::none()))
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
        let (db, mut place) = open(&options.url).await;
        let units = [unit(1), unit(2)];
        let now = place.clock.now();
        let conn = place.writer.connection().await.unwrap();
        let (applied, wrote) = decide_and_save(conn, "notes", now, &units, 0).await.unwrap();
        assert!(wrote && applied.answers.iter().all(Result::is_ok));
        // The process dies here.
        place.writer.reset();
        assert_eq!(rows(&db).await, [0, 0, 0, 0, 0]);
        assert!(apply(&mut place, &units, 0).await.is_ok());
        assert_eq!(rows(&db).await, [2, 2, 2, 2, 2]);
        assert_eq!(log::verify(&db).await.unwrap().first_bad, None);
    })
    .await;
}

#[tokio::test]
async fn a_row_changed_by_another_since_it_was_loaded_is_a_conflict() {
    each(|options| async move {
        let (db, mut place) = open(&options.url).await;
        db.run(Call::new("tester"), Write(1)).await.unwrap();
        let conn = place.writer.connection().await.unwrap();
        let mut work = Work::default();
        let mut needs = Needs::default();
        let key = ("book".to_owned(), 1);
        needs.row::<Note>(&key);
        work.load(conn, needs, "").await.unwrap();
        let note = work.get::<Note>(&key).unwrap().cloned().unwrap();
        work.put(Note { text: "mine".to_owned(), ..note });
        work.accept().unwrap();
        conn.execute("UPDATE notes SET text = 'theirs', version = 2", &[]).await.unwrap();
        assert!(matches!(work.save(conn).await, Err(Failure::Conflict)));
        assert_eq!(db.load::<Note>(&key).await.unwrap().unwrap().text, "theirs");
    })
    .await;
}

#[tokio::test]
async fn rows_are_found_by_index_whatever_the_size_of_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let (db, mut place) = open(&format!("sqlite:{}", directory.path().join("test.db").display())).await;
    let conn = place.writer.connection().await.unwrap();
    let keys: Vec<Vec<Value>> =
        (1..4_i64).map(|number| vec!["book".to_owned().to_value(), number.to_value()]).collect();
    let ids: Vec<Vec<Value>> = keys.iter().map(|key| vec![key[0].clone()]).collect();
    let explain = |select: &str| format!("EXPLAIN QUERY PLAN {select}");
    let mut plans = Vec::new();
    for (select, columns, values) in [
        ("SELECT text FROM notes", &["book", "number"][..], keys.clone()),
        ("DELETE FROM tasks", &["kind", "key"], vec![vec![ids[0][0].clone(); 2]; 3]),
        ("SELECT reply FROM requests", &["scope", "request_id"], vec![vec![ids[0][0].clone(); 2]; 3]),
        ("SELECT event_id FROM events", &["event_id"], ids),
    ] {
        let rows = statement::select(conn, &explain(select), columns, values, "").await.unwrap();
        let details: Vec<String> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
        plans.push((select, columns.len(), details.concat()));
    }
    for (select, columns, plan) in plans {
        let whole_key = if columns == 2 { "=? AND " } else { "=?" };
        assert!(plan.contains("SEARCH") && plan.contains(whole_key), "{select}: {plan}");
    }
    db.close().await;
}
