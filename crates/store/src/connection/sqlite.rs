//! SQLite, in this process: a statement is a function call on the calling thread.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{
    CachedStatement, OpenFlags, ToSql,
    backup::{Backup, StepResult},
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    dialect::Dialect,
    failure::Failure,
    row::Row,
    statement::{Change, Load},
    value::{Kind, Value},
};

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// Settings of the connection that writes.
pub(crate) const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; \
                                 PRAGMA wal_autocheckpoint = 10000; PRAGMA foreign_keys = ON";

/// Settings of a connection that only reads.
pub(crate) const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON";

/// What is done with a file that is there already.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Whether and when a lock held by another connection is tried again. A busy writer releases its lock for less than a
/// millisecond between two commits: trying less often may never succeed.
const TIMES: i32 = 50_000;
const SOON: Duration = Duration::from_micros(100);

fn retry_lock(times: i32) -> bool {
    std::thread::sleep(SOON);
    times < TIMES
}

/// A connection to a file.
#[derive(Debug)]
pub(crate) struct Connection(Mutex<rusqlite::Connection>);

impl Connection {
    /// Opens a file, which is made when it is missing, with one of the settings above.
    pub(crate) fn open(file: &Path, settings: &str) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(file, flags)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(settings)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Opens a file that is there, and nothing else.
    pub(crate) fn open_existing(file: &Path, access: Access) -> Result<Self, Failure> {
        let flags = match access {
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let mut connection = rusqlite::Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_handler(Some(retry_lock))?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Copies the whole database, as this connection sees it, into a new file.
    pub(crate) fn copy_to(&self, file: &Path) -> Result<(), Failure> {
        let mut copy = rusqlite::Connection::open(file)?;
        // A partial copy is useless: it needs no journal, and the caller syncs the whole file.
        copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        let source = self.lock();
        // In one step: what others write meanwhile would have a second step begin again.
        if Backup::new(&source, &mut copy)?.step(-1)? != StepResult::Done {
            return Err(Failure::Conflict);
        }
        // Its header says, like that of its source, that it has a write-ahead log. Without one it is a single file.
        drop(copy);
        let copy = rusqlite::Connection::open(file)?;
        copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE")?;
        Ok(())
    }

    /// Every statement is complete before the lock is released: a panic in between leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, rusqlite::Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `$2` is the second argument wherever it stands.
    pub(crate) fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(sql)?;
        bind_numbered(&mut statement, args)?;
        let mut found = Vec::new();
        read(&mut statement, None, &mut found)?;
        Ok(found)
    }

    /// `$2` is the second argument wherever it stands.
    pub(crate) fn execute(&self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(sql)?;
        bind_numbered(&mut statement, args)?;
        Ok(statement.raw_execute()? as u64)
    }

    /// The rows of a load, whose text is run for each value. They are read by position: their columns have no names.
    pub(crate) fn load(&self, load: &Load) -> Result<Vec<Row>, Failure> {
        let Load { table, select, values, .. } = load;
        let sql = format!("SELECT {select} FROM {table} WHERE {}", load.condition(Dialect::Sqlite, 1));
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&sql)?;
        let (unnamed, mut found) = (Some(Arc::default()), Vec::with_capacity(values.len()));
        for args in values {
            bind(&mut statement, args)?;
            read(&mut statement, unnamed.clone(), &mut found)?;
        }
        Ok(found)
    }

    /// Writes a change, whose text is run for each row.
    pub(crate) fn write(&self, change: &Change) -> Result<(), Failure> {
        if change.rows.is_empty() {
            return Ok(());
        }
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&change.text(Dialect::Sqlite, 1))?;
        let mut changed = 0;
        for args in &change.rows {
            bind(&mut statement, args)?;
            changed += statement.raw_execute()? as u64;
        }
        change.check(changed)
    }

    pub(crate) fn script(&self, sql: &str) -> Result<(), Failure> {
        let connection = self.lock();
        match sql {
            "BEGIN IMMEDIATE" | "COMMIT" | "ROLLBACK" => drop(connection.prepare_cached(sql)?.raw_execute()?),
            _ => connection.execute_batch(sql)?,
        }
        Ok(())
    }

    /// Rolls back what a transaction that was not ended has left.
    pub(crate) fn leave_transaction(&self) -> Result<(), Failure> {
        let connection = self.lock();
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

/// Arguments are bound by their position, which is also what `?2` means.
fn bind(statement: &mut CachedStatement<'_>, args: &[Value]) -> Result<(), rusqlite::Error> {
    for (index, value) in args.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

fn bind_numbered(statement: &mut CachedStatement<'_>, args: &[Value]) -> Result<(), rusqlite::Error> {
    for place in 1..=statement.parameter_count() {
        let number = statement.parameter_name(place).and_then(|name| name.get(1..)?.parse().ok()).unwrap_or(place);
        if let Some(value) = args.get(number - 1) {
            statement.raw_bind_parameter(place, value)?;
        }
    }
    Ok(())
}

/// Runs a statement that is bound, and adds its rows, with the names of its columns when none are given.
fn read(
    statement: &mut CachedStatement<'_>,
    mut names: Option<Arc<[String]>>,
    found: &mut Vec<Row>,
) -> Result<(), Failure> {
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(width);
        for column in 0..width {
            values.push(value(row.get_ref(column)?));
        }
        let names = names.get_or_insert_with(|| row.as_ref().column_names().map(str::to_owned).collect());
        found.push(Row::new(names.clone(), values));
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_) => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null(Kind::Text),
        ValueRef::Integer(integer) => Value::Integer(integer),
        // No column is of this kind.
        ValueRef::Real(real) => Value::Text(real.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}
