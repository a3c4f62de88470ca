//! A batch that is written in one statement after another writer was faster: nothing of it may remain.

use testkit::database::each;

use super::*;

fn call() -> Call {
    Call::new(types::Actor::service("tester"))
}

/// Changes the first note.
struct Rewrite;

impl Command for Rewrite {
    type Reply = ();
    const NAME: &'static str = "Rewrite";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Note>(&("book".to_owned(), 1));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let note = rows.get::<Note>(&("book".to_owned(), 1))?.cloned().ok_or_else(|| Fault::not_found("note", 1))?;
        rows.put(Note { text: "mine".to_owned(), ..note });
        cx.emit(NewEvent::new(SharedEvent::ExceptionOpened(ExceptionOpened::default()), "book", 1, 1));
        Ok(())
    }
}

/// Schedules the task that it is run for anew.
struct Again;

impl Command for Again {
    type Reply = ();
    const NAME: &'static str = "Again";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.schedule(Task::new("read", 2, cx.now()));
        Ok(())
    }
}

/// Write requests that write, between them, everything a batch may write.
fn everything() -> Vec<WriteRequest> {
    let finish = |number: i64, command: Box<dyn AnyCommand>| WriteRequest {
        groups: vec![Group::new(call(), vec![command], (tracing::Span::none(), tracing::Span::none()))],
        finishes: Finishes::Task { kind: "read".to_owned(), key: number.to_string(), claim: 0 },
    };
    let moves = Finishes::Subscription { name: "others", from: 0, to: 7 };
    vec![
        request(3),
        finish(1, Box::new(Rewrite)),
        finish(2, Box::new(Again)),
        WriteRequest { groups: Vec::new(), finishes: moves },
    ]
}

/// All that is stored, row by row.
async fn stored(db: &Db) -> Vec<String> {
    let mut stored = Vec::new();
    for rows in [
        "book || number || text || version FROM notes",
        "request_id FROM requests",
        "name || position FROM subscriptions",
        "kind || key || claim FROM tasks",
        "position || event_id FROM events",
        "position || hash FROM log_head",
    ] {
        let rows = db.query(format!("SELECT {rows} ORDER BY 1"), Vec::new()).await.unwrap();
        stored.extend(rows.iter().map(|row| row.at::<String>(0).unwrap()));
    }
    stored
}

#[tokio::test]
async fn a_conflict_in_any_part_leaves_nothing_behind() {
    let event = "INSERT INTO events SELECT position + 1, event_id || $1, type, subject, correlation_id, occur_time, \
                 record_time, body, hash FROM events WHERE position = 2";
    let rivals = [
        "UPDATE notes SET version = version + 1 WHERE number = 1",
        "INSERT INTO notes VALUES ('book', 3, 'theirs', 1)",
        "INSERT INTO requests SELECT scope, 'request 3', name, body_hash, reply, create_time FROM requests WHERE request_id = 'request 2'",
        "UPDATE subscriptions SET position = 6",
        "UPDATE tasks SET claim = claim + 1 WHERE key = '1'",
        "UPDATE tasks SET claim = claim + 1 WHERE key = '2'",
        "DELETE FROM tasks WHERE key = '1'",
        "UPDATE log_head SET position = position + 1",
        event,
    ];
    for rival in rivals {
        each(|options| async move {
            let (db, mut applier) = open(&options.url).await;
            apply(&mut applier, &[request(1), request(2)], 0).await.unwrap();
            let conn = applier.writer.connection().await.unwrap();
            if conn.dialect().is_embedded() {
                // There is no rival.
                return;
            }
            conn.script("INSERT INTO subscriptions VALUES ('others', 0)").await.unwrap();
            let now = applier.clock.now();
            let (_, changes) = decide(conn, "notes", now, &everything(), guard(conn.dialect(), 0)).await.unwrap();
            let args = if rival == event { vec![Value::Text("x".to_owned())] } else { Vec::new() };
            assert_eq!(conn.execute(rival, &args).await.unwrap(), 1, "{rival}");
            let before = stored(&db).await;
            let written = conn.write(&changes, Scope::Statement).await;
            assert!(matches!(written, Err(Failure::Conflict)), "{rival}: {written:?}");
            assert_eq!(stored(&db).await, before, "{rival}");
        })
        .await;
    }
}

#[tokio::test]
async fn everything_is_written_when_no_rival_was_faster() {
    each(|options| async move {
        let (db, mut applier) = open(&options.url).await;
        for number in [1, 2] {
            db.run(call(), Write(number)).await.unwrap();
        }
        let conn = applier.writer.connection().await.unwrap();
        conn.script("INSERT INTO subscriptions VALUES ('others', 0)").await.unwrap();
        let applied = apply(&mut applier, &everything(), 0).await.unwrap();
        assert!(applied.answers.iter().all(Result::is_ok), "{:?}", applied.answers);
        let stored = stored(&db).await;
        for row in ["book1mine2", "book3text1", "request 3", "others7", "read21", "read30"] {
            assert!(stored.iter().any(|stored| stored == row), "{row}: {stored:?}");
        }
        assert!(!stored.iter().any(|row| row.starts_with("read1")), "{stored:?}");
        assert_eq!(db.head().await, Ok(4));
        assert_eq!(log::verify(&db).await.unwrap().first_bad, None);
    })
    .await;
}

#[tokio::test]
async fn an_event_the_log_has_stays_one_event_whoever_wrote_it() {
    each(|options| async move {
        let (db, mut applier) = open(&options.url).await;
        db.run(call(), Write(1)).await.unwrap();
        for expected in [2, 2] {
            let requests =
                [WriteRequest::interactive(call(), Box::new(Rewrite), (tracing::Span::none(), tracing::Span::none()))];
            let mut attempt = 0;
            while let Err(failure) = apply(&mut applier, &requests, attempt).await {
                assert!(matches!(failure, Failure::Conflict) && attempt < 2, "{failure:?}");
                attempt += 1;
            }
            assert_eq!(db.head().await, Ok(expected));
        }
        assert_eq!(log::verify(&db).await.unwrap().first_bad, None);
    })
    .await;
}

#[tokio::test]
async fn other_processes_are_told_of_commits() {
    each(|options| async move {
        let ((db, _), (other, _)) = (open(&options.url).await, open(&options.url).await);
        if options.url.starts_with("sqlite") {
            // There are no others.
            return;
        }
        let mut told = other.listeners().head.subscribe();
        // What is committed before the other one listens is not told.
        for number in 1.. {
            db.run(call(), Write(number)).await.unwrap();
            if told.has_changed().unwrap() {
                break;
            }
        }
        assert!(*told.borrow_and_update() > 0);
    })
    .await;
}
