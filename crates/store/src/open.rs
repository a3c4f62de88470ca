//! Before a connection is made: which database, where, and why not.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_postgres::Config;

use crate::{
    connection::{Connection, Purpose},
    dialect::Dialect,
    error::Error,
    failure::Failure,
    options::Options,
};

/// How long a server may take to answer at all.
const CONNECT: Duration = Duration::from_secs(5);

/// Where to connect to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<Config>),
}

impl Target {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

/// Reads the URL. Creates the directory of a SQLite file.
pub(crate) fn prepare(options: &Options) -> Result<Target, Error> {
    let unknown = || Error::Url { url: options.redacted_url() };
    if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
        let mut config: Config = options.url.parse().map_err(|_| unknown())?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("waybill");
        }
        return Ok(Target::Postgres(Box::new(config)));
    }
    let file = file(&options.url).ok_or_else(unknown)?;
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)
        .map_err(|source| Error::Directory { path: directory.display().to_string(), source })?;
    crate::file::check(file)?;
    Ok(Target::Sqlite(file.to_owned()))
}

/// The file of a `sqlite:` URL, which is a plain path.
fn file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    (!path.is_empty()).then(|| Path::new(path))
}

/// The connection that writes, or why there is none.
pub(crate) async fn connect(options: &Options, target: &Target) -> Result<Connection, Error> {
    let opened = tokio::time::timeout(CONNECT, Connection::open(target, Purpose::Write)).await;
    let connection = opened.unwrap_or_else(|_| Err(Failure::lost("it does not answer")));
    connection.map_err(|failure| explain(options, failure))
}

/// Why the connection was refused.
pub(crate) fn explain(options: &Options, failure: Failure) -> Error {
    match file(&options.url) {
        Some(path) => explain_file(path, failure),
        None => Error::Connect { url: options.redacted_url(), source: failure.into_source() },
    }
}

/// Why a file could not be used.
pub(crate) fn explain_file(path: &Path, failure: Failure) -> Error {
    let shown = path.display().to_string();
    match failure.sqlite_code() {
        Some(8 | 14) => Error::ReadOnly { path: shown },
        Some(11 | 26) => Error::Corrupt { path: shown },
        _ => Error::Connect { url: format!("sqlite:{shown}"), source: failure.into_source() },
    }
}
