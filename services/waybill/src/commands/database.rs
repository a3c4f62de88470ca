//! Settings of databases: where they are and how they are used.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use mesh::Secret;
use store::Options;

use super::exit::Unusable;

/// The database of a service.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Database {
    /// `sqlite:PATH` or `postgres://user:password@host/database?sslmode=verify-full&sslrootcert=FILE`. The gateway has none.
    ///
    /// `sslmode` is one of disable (the default for a server on this machine), prefer (the default for others), require,
    /// verify-ca and verify-full. The last two trust the authorities of the system besides those of `sslrootcert`: only
    /// verify-full checks that the certificate is that of the host. `sslcert` and `sslkey` are the client's own certificate
    /// and its key.
    #[arg(long, env = "WAYBILL_DATABASE_URL", hide_env_values = true)]
    database_url: Option<Secret>,
    /// A file whose first line is the URL, so that its password is neither in the arguments nor in the environment.
    #[arg(long, env = "WAYBILL_DATABASE_URL_FILE", value_name = "FILE", conflicts_with = "database_url")]
    database_url_file: Option<PathBuf>,
    #[command(flatten)]
    connections: Connections,
}

impl Database {
    pub(super) fn options(&self) -> anyhow::Result<Options> {
        let url = one_of(self.database_url.as_ref(), self.database_url_file.as_deref())?;
        let required = "--database-url or --database-url-file is required: sqlite:PATH or postgres://…";
        let url = url.ok_or_else(|| Unusable(required.to_owned()))?;
        Ok(self.connections.to(&url))
    }
}

/// The databases of a whole mesh, if they are not files of one directory.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Databases {
    /// Databases elsewhere: a URL with {service} in it, such as `postgres://user@host/waybill_{service}`; see `waybill serve
    /// --help` for TLS.
    #[arg(long, env = "WAYBILL_DATABASE_TEMPLATE", conflicts_with = "data", hide_env_values = true)]
    database_template: Option<Secret>,
    /// A file whose first line is such a URL.
    #[arg(
        long,
        env = "WAYBILL_DATABASE_TEMPLATE_FILE",
        value_name = "FILE",
        conflicts_with_all = ["data", "database_template"]
    )]
    database_template_file: Option<PathBuf>,
    #[command(flatten)]
    connections: Connections,
}

impl Databases {
    /// The options of the databases, with `{service}` in their URL; `sqlite:DIRECTORY/{service}.db` when none is given.
    pub(super) fn options(&self, directory: &Path) -> anyhow::Result<Options> {
        let template = one_of(self.database_template.as_ref(), self.database_template_file.as_deref())?;
        let files = || format!("sqlite:{}", crate::compose::database_file(directory, "{service}").display()).into();
        Ok(self.connections.to(&template.unwrap_or_else(files)))
    }

    /// Whether they are on a server.
    pub(super) fn are_elsewhere(&self) -> bool {
        self.database_template.is_some() || self.database_template_file.is_some()
    }
}

/// How databases are used.
#[derive(Debug, Args)]
#[group(skip)]
struct Connections {
    /// How many connections of a service read.
    ///
    /// On PostgreSQL each replica of a service takes two more: one that writes, and one that listens for what other replicas
    /// commit. `max_connections` of the server has to be at least that sum over all services and their replicas, beside what
    /// it reserves: six services with two replicas each and 8 readers take 6 × 2 × (8 + 2) = 120.
    #[arg(long, env = "WAYBILL_DATABASE_READERS", default_value_t = store::READERS, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    database_readers: u32,
    /// PostgreSQL is behind a pooler that shares connections between transactions.
    ///
    /// No settings are made on connections, and commits of other replicas are looked for every second instead of listened
    /// for. The pooler has to know named prepared statements (PgBouncer from 1.21 with max_prepared_statements of at least
    /// 500), because statements are prepared in one round trip and run in the next. In place of the settings, run `ALTER ROLE
    /// … SET plan_cache_mode = force_custom_plan`, or plans made for empty tables stay.
    #[arg(long, env = "WAYBILL_DATABASE_POOLER")]
    database_pooler: bool,
}

impl Connections {
    fn to(&self, url: &Secret) -> Options {
        Options { readers: self.database_readers, pooled: self.database_pooler, ..Options::new(url.reveal()) }
    }
}

/// The value given directly or in a file.
fn one_of(given: Option<&Secret>, file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let Some(path) = file else { return Ok(given.cloned()) };
    let text = fs::read_to_string(path).map_err(|error| {
        Unusable(format!("the file of the database URL, {}, cannot be read: {error}", path.display()))
    })?;
    match text.lines().next().map(str::trim) {
        Some(url) if !url.is_empty() => Ok(Some(url.to_owned().into())),
        _ => Err(Unusable(format!("the file of the database URL, {}, has an empty first line", path.display())).into()),
    }
}
