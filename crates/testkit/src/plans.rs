//! What statements cost on a database with a history: a service's own statements, run again and measured.
//!
//! Not the plans are compared, which differ between databases and versions, but what they read: SQLite counts the steps of its
//! machine, PostgreSQL the pages. Neither depends on the machine or on what else it does.

use rusqlite::StatementStatus;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, postgres::PgRow};
use store::{Db, Kind, Options, Statement, Value};
use tokio::sync::mpsc::UnboundedReceiver;

/// How many rows of each kind a history has. A statement that reads them all costs more than the most it may.
pub const HISTORY: i64 = 40_000;

/// The most steps of SQLite's machine that a statement may take.
const STEPS: i32 = 40_000;

/// The most pages that a statement may read on PostgreSQL. A page of the history's tables has 20 to 60 rows.
const PAGES: u64 = 400;

/// Settings of the store's connections that decide on plans.
const SETTINGS: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// How often a statement is run. From the sixth time on PostgreSQL may plan for any values instead of those it is given.
const TIMES: usize = 7;

/// A database with a history, and what it is asked.
#[derive(Debug)]
pub struct Plans {
    url: String,
    statements: UnboundedReceiver<Statement>,
}

impl Plans {
    /// Fills tables, each statement inserting the rows of `n(i)`, the numbers up to [`HISTORY`], and notes what `db` is asked from
    /// then on. `EMPTY_BYTES` stands for bytes, and `BYTES_TYPE` for their type. PostgreSQL does what it does by itself from time to time; SQLite has no statistics.
    pub async fn over(options: &Options, db: &Db, inserts: &[&str]) -> Self {
        let url = options.url.clone();
        for insert in inserts {
            let numbers =
                format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {HISTORY})");
            let (empty, bytes) = if url.starts_with("sqlite:") { ("x''", "BLOB") } else { ("''::bytea", "BYTEA") };
            let insert = insert.replace("EMPTY_BYTES", empty).replace("BYTES_TYPE", bytes);
            run(&url, &format!("{numbers} {insert}")).await;
        }
        if !url.starts_with("sqlite:") {
            run(&url, "VACUUM ANALYZE").await;
        }
        Self { url, statements: db.observe() }
    }

    /// Runs what the database was asked since the last time again; panics when any of it read the history.
    pub async fn check(&mut self, what: &str) {
        let mut any = false;
        while let Ok(statement) = self.statements.try_recv() {
            any = true;
            match self.url.strip_prefix("sqlite:") {
                Some(file) => {
                    let steps = steps(file, &statement);
                    assert!(steps < STEPS, "{what} takes {steps} steps: {}", statement.sql);
                }
                None => {
                    let (pages, plan) = pages(&self.url, &statement).await;
                    assert!(pages < PAGES, "{what} reads {pages} pages: {}\n{plan}", statement.sql);
                }
            }
        }
        assert!(any, "{what} asks nothing");
    }
}

async fn run(url: &str, statement: &str) {
    match url.strip_prefix("sqlite:") {
        Some(file) => {
            let connection = rusqlite::Connection::open(file).expect("the file");
            connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000").expect("settings");
            connection.execute_batch(statement).unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
        None => {
            let mut connection = PgConnection::connect(url).await.expect("the server");
            run_in(&mut connection, statement).await;
            connection.close().await.expect("the connection ends well");
        }
    }
}

/// Runs a statement whose changes are taken back.
fn steps(file: &str, Statement { sql, args }: &Statement) -> i32 {
    let connection = rusqlite::Connection::open(file).expect("the file");
    connection.execute_batch("PRAGMA busy_timeout = 5000; BEGIN").expect("a transaction");
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    for place in 1..=statement.parameter_count() {
        let number = statement.parameter_name(place).and_then(|name| name[1..].parse().ok()).unwrap_or(place);
        statement.raw_bind_parameter(place, &args[number - 1]).expect("an argument");
    }
    let mut rows = statement.raw_query();
    while rows.next().unwrap_or_else(|error| panic!("{error}: {sql}")).is_some() {}
    drop(rows);
    statement.get_status(StatementStatus::VmStep)
}

/// Runs a statement whose changes are taken back; also returns its plan.
async fn pages(url: &str, Statement { sql, args }: &Statement) -> (u64, String) {
    let kinds: Vec<&str> = args.iter().map(kind).collect();
    let literals: Vec<String> = args.iter().map(literal).collect();
    let list = |items: String| if items.is_empty() { items } else { format!("({items})") };
    let prepare = format!("{SETTINGS}; BEGIN; PREPARE asked {} AS {sql}", list(kinds.join(", ")));
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) EXECUTE asked {}", list(literals.join(", ")));

    let mut connection = PgConnection::connect(url).await.expect("the server");
    run_in(&mut connection, &prepare).await;
    let mut most = (0, String::new());
    for _ in 0..TIMES {
        run_in(&mut connection, "SAVEPOINT before").await;
        let lines = run_in(&mut connection, &explain).await;
        run_in(&mut connection, "ROLLBACK TO before").await;
        let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
        // The first line about buffers is of the whole statement: `Buffers: shared hit=7 read=2`.
        let buffers = plan.iter().find_map(|line| line.trim().strip_prefix("Buffers: shared ")).unwrap_or_default();
        let counts = buffers.split([',', ' ']).filter_map(|part| part.split_once('='));
        let read = counts.filter(|(what, _)| matches!(*what, "hit" | "read"));
        let pages: u64 = read.map(|(_, count)| count.parse::<u64>().unwrap()).sum();
        most = most.max((pages, plan.join("\n")));
    }
    connection.close().await.expect("the connection ends well");
    most
}

async fn run_in(connection: &mut PgConnection, statement: &str) -> Vec<PgRow> {
    let ran = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).fetch_all(connection).await;
    ran.unwrap_or_else(|error| panic!("{error}: {statement}"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) | Value::Null(Kind::Integer) => "BIGINT",
        Value::Text(_) | Value::Null(Kind::Text) => "TEXT",
        Value::Bytes(_) | Value::Null(Kind::Bytes) => "BYTEA",
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null(_) => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'\\x{digits}'")
        }
    }
}
