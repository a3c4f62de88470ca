//! Fresh databases: SQLite always, PostgreSQL too when `TEST_POSTGRES_URL` names a server.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::atomic::{AtomicU32, Ordering},
};

use futures::FutureExt;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Runs a test on an empty SQLite file, then on an empty PostgreSQL database when there is a server. Both are removed.
pub async fn each<F>(test: impl Fn(store::Options) -> F)
where
    F: Future<Output = ()>,
{
    let directory = tempfile::tempdir().expect("a temporary directory");
    test(store::Options::new(format!("sqlite:{}", directory.path().join("test.db").display()))).await;

    let Some(server) = postgres() else { return };
    let name = fresh_name();
    administer(&server, format!("CREATE DATABASE {name}")).await;
    let outcome = AssertUnwindSafe(test(store::Options::new(database_url(&server, &name)))).catch_unwind().await;
    administer(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// As [`each`] for a whole mesh: the test is given a URL in which `{service}` stands for each of `services`.
pub async fn each_of<F>(services: &[&str], test: impl Fn(String) -> F)
where
    F: Future<Output = ()>,
{
    let directory = tempfile::tempdir().expect("a temporary directory");
    test(format!("sqlite:{}/{{service}}.db", directory.path().display())).await;

    let Some(server) = postgres() else { return };
    let name = fresh_name();
    for service in services {
        administer(&server, format!("CREATE DATABASE {name}_{service}")).await;
    }
    let template = database_url(&server, &format!("{name}_{{service}}"));
    let outcome = AssertUnwindSafe(test(template)).catch_unwind().await;
    for service in services {
        administer(&server, format!("DROP DATABASE {name}_{service} WITH (FORCE)")).await;
    }
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
fn postgres() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}

/// Changes a database behind the store's back; returns how many rows the statement returned.
pub async fn tamper(url: &str, statement: &str) -> usize {
    match url.strip_prefix("sqlite:") {
        Some(file) => {
            let connection = rusqlite::Connection::open(file).expect("the file");
            let mut statement = connection.prepare(statement).expect("the statement");
            statement.query_map([], |_| Ok(())).expect("it runs").count()
        }
        None => administer(url, statement.to_owned()).await,
    }
}

/// Inserts numbered copies of rows: `insert` selects them, with `n(i)`, the numbers up to `times`.
pub async fn multiply(url: &str, times: usize, insert: &str) {
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})");
    assert!(tamper(url, &format!("{numbers} {insert} RETURNING 1")).await >= times, "no copies: {insert}");
}

/// Bytes as a literal of the database.
pub fn literal(url: &str, bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if url.starts_with("sqlite:") { format!("x'{digits}'") } else { format!("'\\x{digits}'::bytea") }
}

async fn administer(server: &str, statement: String) -> usize {
    let mut connection = PgConnection::connect(server).await.expect("the server of TEST_POSTGRES_URL");
    let rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(&mut connection).await;
    let rows = rows.expect("TEST_POSTGRES_URL may create databases").len();
    connection.close().await.expect("the connection ends well");
    rows
}

/// The server's URL with another database.
fn database_url(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, None), |(base, query)| (base, Some(query)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &base[..end])
}

fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = types::Clock::now(&types::SystemClock).as_micros();
    format!("test_{}_{now}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        assert_eq!(database_url("postgres://me@host:1/postgres?a=b", "t"), "postgres://me@host:1/t?a=b");
        assert_eq!(database_url("postgres://me@host", "t"), "postgres://me@host/t");
    }
}
