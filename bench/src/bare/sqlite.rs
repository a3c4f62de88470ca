//! SQLite without the services: its own rate, and many rows at once.

use std::{
    ops::Range,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::Context as _;
use rusqlite::{
    Connection, ToSql, TransactionBehavior, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::{
    load::Load,
    placed::Placed,
    rows::{Field, Rows},
    sample::Sample,
    usage::Meter,
};

/// The settings of the services, with the same durability.
const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; \
                     PRAGMA wal_autocheckpoint = 10000; PRAGMA foreign_keys = ON";

/// How many orders are stored in one transaction.
const CHUNK: u64 = 10_000;

impl ToSql for Field {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(integer) => ToSqlOutput::Owned(Value::Integer(*integer)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn open(file: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(file).with_context(|| format!("opening {}", file.display()))?;
    connection.execute_batch(SETUP)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The rows of a table in which `column` is `value`.
pub(crate) fn rows(file: &Path, table: &'static str, column: &str, value: &str) -> anyhow::Result<Rows> {
    let connection = open(file)?;
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} WHERE {column} = ?1"))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let found = statement.query_map([value], |row| (0..width).map(|at| Ok(field(row.get_ref(at)?))).collect())?;
    let rows: Vec<Vec<Field>> = found.collect::<Result<_, _>>()?;
    anyhow::ensure!(!rows.is_empty(), "no row of {table} has {column} {value}");
    Ok(Rows { table, columns, rows })
}

fn field(value: ValueRef<'_>) -> Field {
    match value {
        ValueRef::Null => Field::Null,
        ValueRef::Integer(integer) => Field::Integer(integer),
        ValueRef::Text(text) => Field::Text(String::from_utf8_lossy(text).into_owned()),
        // These databases have no fractions.
        ValueRef::Real(real) => Field::Text(real.to_string()),
        ValueRef::Blob(bytes) => Field::Bytes(bytes.to_vec()),
    }
}

fn insert(connection: &Connection, rows: &Rows) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(&rows.insert(rows.rows.len(), |_| "?".to_owned()))?;
    statement.execute(params_from_iter(rows.rows.iter().flatten()))
}

/// The statements of one `PlaceOrder` in a transaction of their own.
fn place(connection: &mut Connection, mut placed: Placed) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    insert(&tx, &placed.order)?;
    insert(&tx, &placed.lines)?;
    insert(&tx, &placed.request)?;
    let (position, hash) = tx
        .prepare_cached("SELECT position, hash FROM log_head WHERE id = 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let (position, hash) = placed.chain(position, &hash);
    insert(&tx, &placed.event)?;
    tx.prepare_cached("UPDATE log_head SET position = ?1, hash = ?2 WHERE id = 1")?.execute((position, hash))?;
    tx.commit()
}

/// Measures how fast orders are placed by hand. SQLite has one writer: callers wait for the connection.
pub(crate) fn measure(file: &Path, placed: &Placed, load: Load) -> anyhow::Result<Sample> {
    let connection = Mutex::new(open(file)?);
    let next = AtomicU64::new(1);
    let meter = Meter::of([std::process::id()]);
    let (begin, before) = (Instant::now(), meter.cpu_ms());
    let end = begin + load.time;
    let call = || {
        let mut took = Vec::new();
        while Instant::now() < end {
            let called = Instant::now();
            let copy = placed.another(next.fetch_add(1, Ordering::Relaxed));
            let mut connection = connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            place(&mut connection, copy)?;
            drop(connection);
            took.push(called.elapsed());
        }
        anyhow::Ok(took)
    };
    let took = thread::scope(|scope| {
        let calling: Vec<_> = (0..load.callers).map(|_| scope.spawn(call)).collect();
        let joined = calling.into_iter().map(|caller| caller.join().map_err(|_| anyhow::anyhow!("a caller panicked")));
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let took = took.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
    let cpu_ms = before.zip(meter.cpu_ms()).map(|(before, after)| after - before);
    Ok(Sample::of_calls(took, begin.elapsed(), cpu_ms, None))
}

/// Stores rows for every number, in transactions of many.
pub(crate) fn fill(file: &Path, numbers: Range<u64>, rows: impl Fn(u64) -> Vec<Rows>) -> anyhow::Result<()> {
    let mut connection = open(file)?;
    // A crash loses nothing that is needed: the copy is measured once.
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + CHUNK);
        let tx = connection.transaction()?;
        for rows in (from..to).flat_map(&rows) {
            insert(&tx, &rows)?;
        }
        tx.commit()?;
        from = to;
    }
    connection.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
