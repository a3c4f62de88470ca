//! A PostgreSQL server, and the databases that the bench creates on it.

use anyhow::Context as _;
use tokio_postgres::Client;

use super::postgres::connect;
use crate::{binary::Side, usage};

/// A PostgreSQL server, and the bench's databases of one binary on it.
pub(crate) struct Postgres {
    client: Client,
    url: String,
    /// The start of every database's name: no other bench has it.
    prefix: String,
    created: Vec<String>,
    /// The server's first process, when it runs on this machine.
    pub(crate) postmaster: Option<u32>,
    version: String,
}

impl Postgres {
    /// Connects to the database of the URL, beside which the others are created.
    pub(crate) async fn connect(url: &str, side: Side) -> anyhow::Result<Self> {
        let client = connect(&url.parse().context("reading the PostgreSQL URL")?).await?;
        let settings = "SELECT pg_backend_pid(), current_setting('server_version'), current_setting('fsync'), \
                        current_setting('synchronous_commit')";
        let row = client.query_one(settings, &[]).await?;
        let backend = u32::try_from(row.get::<_, i32>(0))?;
        let (version, fsync, commit): (&str, &str, &str) = (row.get(1), row.get(2), row.get(3));
        let version = format!("PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}");
        let prefix = format!("waybill_bench_{}_{}", std::process::id(), side.name());
        let postmaster = usage::postmaster(backend);
        Ok(Self { client, url: url.to_owned(), prefix, created: Vec::new(), postmaster, version })
    }

    /// What it is, how durable its commits are, and whether its processor time is measured.
    pub(crate) fn about(&self) -> Vec<String> {
        let elsewhere = "PostgreSQL runs elsewhere: its processor time is not measured".to_owned();
        [self.version.clone()].into_iter().chain(self.postmaster.is_none().then_some(elsewhere)).collect()
    }

    /// The URL of a database of this server.
    pub(crate) fn url(&self, database: &str) -> anyhow::Result<String> {
        let (server, query) = match self.url.split_once('?') {
            Some((server, query)) => (server, format!("?{query}")),
            None => (self.url.as_str(), String::new()),
        };
        let (server, _) =
            server.rsplit_once('/').filter(|(server, _)| server.contains("//")).context("no database in the URL")?;
        Ok(format!("{server}/{database}{query}"))
    }

    /// The name of a service's database under a label.
    pub(crate) fn database(&self, label: &str, service: &str) -> String {
        format!("{}_{label}_{service}", self.prefix)
    }

    /// Creates a database, empty or as a copy of another one, which must have no connections.
    pub(crate) async fn create(&mut self, database: String, copy_of: Option<&str>) -> anyhow::Result<()> {
        let copy = copy_of.map_or_else(String::new, |of| format!(" TEMPLATE {of} STRATEGY FILE_COPY"));
        self.client.batch_execute(&format!("CREATE DATABASE {database}{copy}")).await?;
        self.created.push(database);
        Ok(())
    }

    /// Drops the created databases that the filter picks.
    pub(crate) async fn drop_databases(&mut self, filter: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let dropped: Vec<String> = self.created.extract_if(.., |database| filter(database)).collect();
        for database in dropped {
            self.client.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await?;
        }
        Ok(())
    }

    /// Writes everything to disk, so that one measurement leaves no work to the next.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("CHECKPOINT").await?)
    }
}
