//! The databases of one binary on one engine: prepared once, and copied for each measurement.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{bare::postgres_server::Postgres, binary::Side};

/// The label of the databases that the others are copied from.
const BASE: &str = "base";

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// As people write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A copy of the databases of some services, with a directory of its own.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    label: String,
    pub(crate) directory: PathBuf,
}

impl Copy {
    /// The file of a service's database, on SQLite.
    pub(crate) fn file(&self, service: &str) -> PathBuf {
        self.directory.join(format!("{service}.db"))
    }
}

/// Databases of all services, and copies of them.
pub(crate) struct Databases {
    root: PathBuf,
    postgres: Option<Postgres>,
}

impl Databases {
    /// SQLite files below a directory.
    pub(crate) fn sqlite(root: &Path) -> Self {
        Self { root: root.join("sqlite"), postgres: None }
    }

    /// Databases on a PostgreSQL server; logs are below the directory.
    pub(crate) async fn postgres(root: &Path, side: Side, url: &str) -> anyhow::Result<Self> {
        Ok(Self { root: root.join("postgres"), postgres: Some(Postgres::connect(url, side).await?) })
    }

    pub(crate) fn engine(&self) -> Engine {
        if self.postgres.is_some() { Engine::Postgres } else { Engine::Sqlite }
    }

    /// What the database server says about itself.
    pub(crate) fn about(&self) -> Vec<String> {
        self.postgres.iter().flat_map(Postgres::about).collect()
    }

    /// The first process of the database server, when it runs on this machine.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        self.postgres.as_ref().and_then(|server| server.postmaster)
    }

    /// Creates the empty databases of services, from which the others are copied.
    pub(crate) async fn base(&mut self, services: &[&str]) -> anyhow::Result<Copy> {
        let base = self.empty(BASE)?;
        if let Some(server) = &mut self.postgres {
            for service in services {
                server.create(server.database(BASE, service), None).await?;
            }
        }
        Ok(base)
    }

    /// Copies the prepared databases of some services. No server may use those.
    pub(crate) async fn copy(&mut self, label: &str, services: &[&str]) -> anyhow::Result<Copy> {
        let copy = self.empty(label)?;
        let Some(server) = &mut self.postgres else {
            for entry in fs::read_dir(self.root.join(BASE))? {
                let entry = entry?;
                let name = entry.file_name();
                // A database and its write-ahead log.
                if services.iter().any(|service| name.to_string_lossy().starts_with(&format!("{service}.db"))) {
                    fs::copy(entry.path(), copy.directory.join(name))?;
                }
            }
            return Ok(copy);
        };
        for service in services {
            let base = server.database(BASE, service);
            server.create(server.database(label, service), Some(&base)).await?;
        }
        server.checkpoint().await?;
        Ok(copy)
    }

    /// Creates an empty directory under a label.
    pub(crate) fn empty(&self, label: &str) -> anyhow::Result<Copy> {
        let copy = Copy { label: label.to_owned(), directory: self.root.join(label) };
        fs::create_dir_all(&copy.directory)?;
        Ok(copy)
    }

    /// Removes a copy that no server uses any more.
    pub(crate) async fn discard(&mut self, copy: Copy) -> anyhow::Result<()> {
        fs::remove_dir_all(&copy.directory)?;
        if let Some(server) = &mut self.postgres {
            let prefix = server.database(&copy.label, "");
            server.drop_databases(|database| database.starts_with(&prefix)).await?;
        }
        Ok(())
    }

    /// Removes everything from a database server. Files are removed with their directory.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        match &mut self.postgres {
            Some(server) => server.drop_databases(|_| true).await,
            None => Ok(()),
        }
    }

    /// The URL of a service's database.
    pub(crate) fn url(&self, copy: &Copy, service: &str) -> anyhow::Result<String> {
        match &self.postgres {
            Some(server) => server.url(&server.database(&copy.label, service)),
            None => Ok(format!("sqlite:{}", copy.file(service).display())),
        }
    }

    /// The arguments with which the whole mesh runs on a copy.
    pub(crate) fn arguments(&self, copy: &Copy) -> anyhow::Result<Vec<String>> {
        Ok(match &self.postgres {
            Some(_) => vec!["--database-template".to_owned(), self.url(copy, "{service}")?],
            None => vec!["--data".to_owned(), copy.directory.display().to_string()],
        })
    }
}
