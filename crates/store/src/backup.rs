//! Copies of embedded databases that belong together, taken while others write them.
//!
//! Services call each other and follow each other's logs. Copies made one after the other would contradict each other: a
//! caller would know of what its callee does not, a follower would be ahead of its log. So all are copied as they were at
//! one moment, the *cut*: every file's write lock is taken, each file is pinned for reading, and the locks are released.
//! That takes milliseconds; the copying that follows may take long.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use types::Fault;

use crate::{
    connection::sqlite::{Access, Connection},
    error::Error,
    failure::Failure,
    file,
    log::{Chain, HEAD},
    migrate::OWN_NUMBERS,
    open::explain_file,
    row::Row,
};

/// A file as it was at the cut, whatever is written after it.
#[derive(Debug)]
pub struct Pinned {
    file: PathBuf,
    connection: Connection,
}

/// What a database has in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The log's last position.
    pub position: i64,
    /// Hash of the last event, hexadecimal.
    pub hash: String,
    /// The service's last migration.
    pub schema: i64,
    /// How far each subscription has followed its log.
    pub followed: BTreeMap<String, i64>,
}

/// Pins all files as they are at one moment. Those who write them wait meanwhile, and lose nothing.
pub fn cut(files: &[PathBuf]) -> Result<Vec<Pinned>, Error> {
    for file in files {
        if !file.exists() {
            return Err(Error::Missing { path: file.display().to_string() });
        }
        // Before any is open: closing a file releases all locks this process has on it.
        file::check(file)?;
    }
    // All that takes its time comes before the locks.
    let writers = each(files, |file| Connection::open_existing(file, Access::Write))?;
    let pinned = each(files, Pinned::open)?;
    // No writer waits for another file while it has one, so neither does anybody wait for these in a circle.
    for (writer, pinned) in writers.iter().zip(&pinned) {
        writer.script("BEGIN IMMEDIATE").map_err(|failure| explain(&pinned.file, failure))?;
    }
    for pinned in &pinned {
        pinned.pin().map_err(|failure| explain(&pinned.file, failure))?;
    }
    drop(writers);
    Ok(pinned)
}

fn each<T>(files: &[PathBuf], open: impl Fn(&Path) -> Result<T, Failure>) -> Result<Vec<T>, Error> {
    files.iter().map(|file| open(file).map_err(|failure| explain(file, failure))).collect()
}

impl Pinned {
    fn open(file: &Path) -> Result<Self, Failure> {
        // Reading beside writers needs the right to write: readers note in a file that they read.
        let connection = Connection::open_existing(file, Access::Write)?;
        connection.script("PRAGMA query_only = ON")?;
        Ok(Self { file: file.to_owned(), connection })
    }

    /// The first read is what pins.
    fn pin(&self) -> Result<(), Failure> {
        self.connection.script("BEGIN; SELECT * FROM sqlite_schema LIMIT 1")
    }

    /// The file that is pinned.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Copies it into a file that is not there yet, durably. The copy is one file that needs no other.
    pub fn copy_to(&self, copy: &Path) -> Result<(), Error> {
        self.connection.copy_to(copy).map_err(|failure| {
            let of_source = failure.sqlite_code().is_some_and(|code| matches!(code, 11 | 26));
            explain(if of_source { &self.file } else { copy }, failure)
        })?;
        let durable = File::open(copy).and_then(|file| file.sync_all());
        durable.map_err(|error| explain(copy, Failure::lost(error)))
    }
}

/// Checks that a file without writers is a consistent database of this store: its pages and
/// indexes, and the hash chain of its log. Returns what is in it.
pub fn inspect(file: &Path) -> Result<Contents, Error> {
    file::check(file)?;
    look(file).map_err(|problem| match problem {
        Problem::Damaged(problem) => Error::Damaged { path: file.display().to_string(), problem },
        Problem::Failure(failure) => explain(file, failure),
    })
}

enum Problem {
    Damaged(String),
    Failure(Failure),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match (failure.sqlite_code(), failure) {
            // No such table, no such column.
            (Some(1), failure) => Self::Damaged(failure.into_source().to_string()),
            (_, failure) => Self::Failure(failure),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Damaged(fault.to_string())
    }
}

fn look(file: &Path) -> Result<Contents, Problem> {
    let connection = Connection::open_existing(file, Access::Read)?;
    let fetch = |sql: &str| connection.fetch(sql, &[]);
    let problem: String = first(&fetch("PRAGMA integrity_check(1)")?)?.at(0)?;
    if problem != "ok" {
        return Err(Problem::Damaged(problem));
    }
    let mut chain = Chain::new(&fetch(HEAD)?)?;
    while let Some((sql, args)) = chain.wanted() {
        chain.read(&connection.fetch(&sql, &args)?)?;
    }
    let log = chain.end();
    if let Some((position, problem)) = log.first_bad {
        return Err(Problem::Damaged(format!("event {position} of its log: {problem}")));
    }
    let schema: i64 = first(&fetch("SELECT MAX(version) FROM schema_migrations")?)?.at(0)?;
    let followed = fetch("SELECT name, position FROM subscriptions")?;
    let followed = followed.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect::<Result<_, Fault>>()?;
    Ok(Contents { position: log.head_position, hash: log.head_hash, schema: schema - OWN_NUMBERS, followed })
}

fn first(rows: &[Row]) -> Result<&Row, Fault> {
    rows.first().ok_or_else(|| Fault::internal("no answer"))
}

fn explain(file: &Path, failure: Failure) -> Error {
    if matches!(failure, Failure::Conflict) {
        return Error::Busy { path: file.display().to_string() };
    }
    explain_file(file, failure)
}
