//! Parses a database URL and explains why a database cannot be opened.

use std::path::{Path, PathBuf};

use crate::{
    connection::{
        Connection,
        postgres::{connect::Server, problem::ConnectProblem},
    },
    dialect::Dialect,
    error::Error,
    failure::Failure,
    options::Options,
};

/// Where to connect to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<Server>),
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
        let server = Server::parse(&options.url, options.pooled).map_err(|_| unknown())?;
        return Ok(Target::Postgres(Box::new(server)));
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
    Connection::open(target).await.map_err(|failure| explain(options, target, failure))
}

/// Why the connection was refused.
pub(crate) fn explain(options: &Options, target: &Target, failure: Failure) -> Error {
    let server = match target {
        Target::Sqlite(file) => return explain_file(file, failure),
        Target::Postgres(server) => server,
    };
    let source = failure.into_source();
    let problem = match source.downcast_ref() {
        Some(error) => ConnectProblem::of(error, server.is_local()),
        None => ConnectProblem::Unreachable,
    };
    Error::Connect { url: options.redacted_url(), problem, source }
}

/// Why a file could not be used.
pub(crate) fn explain_file(path: &Path, failure: Failure) -> Error {
    let shown = path.display().to_string();
    match failure.sqlite_code() {
        Some(8 | 14) => Error::ReadOnly { path: shown },
        Some(11 | 26) => Error::Corrupt { path: shown },
        _ => Error::Connect {
            url: format!("sqlite:{shown}"),
            problem: ConnectProblem::Other,
            source: failure.into_source(),
        },
    }
}
