//! Assembles the services into a mesh.
//!
//! A [`Service`] is opened from its database, served, and given its workers; [`ServiceClients`] are the channels
//! between them. In one process the channels are in memory, in a cluster they lead to addresses. Both pass the same
//! layers of the server; only channels over the network choose among replicas and repeat calls.

mod clients;
mod keys;
mod services;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use mesh::{
    Channel, Intake, Principal, Server,
    credentials::{Authenticator, KeyChanges},
};
use operations::UsageReporter;
use store::{Db, Options, Workers};
use types::Clock;

pub use clients::ServiceClients;
pub use services::{SERVICES, Service, service_names};

/// Settings of all services.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Settings of every service.
    #[command(flatten)]
    pub mesh: mesh::Config,
    /// Settings of the check of credentials.
    #[command(flatten)]
    pub credentials: mesh::credentials::Config,
    /// Settings of the order service.
    #[command(flatten)]
    pub order: order::Config,
    /// Settings of the inventory service.
    #[command(flatten)]
    pub inventory: inventory::Config,
    /// Settings of the fulfillment service.
    #[command(flatten)]
    pub fulfillment: fulfillment::Config,
    /// Settings of the returns service.
    #[command(flatten)]
    pub returns: returns::Config,
    /// Settings of the partner service.
    #[command(flatten)]
    pub partner: partner::Config,
    /// Settings of the operations service.
    #[command(flatten)]
    pub operations: operations::Config,
}

/// Checks the credentials of callers from outside, if any are configured. `partner` is a channel to the service that
/// stores API keys, which announces its changes there when it is in this process.
pub fn authenticator(
    partner: &Channel,
    changes: &KeyChanges,
    config: &Config,
) -> anyhow::Result<Option<Arc<Authenticator>>> {
    if !config.credentials.is_configured() {
        return Ok(None);
    }
    let authenticator = Authenticator::new(&config.credentials, keys::look_up(partner))?;
    Ok(Some(Arc::new(authenticator.with_key_changes(changes.clone()))))
}

/// A channel that looks up API keys in the partner service's database, when that is in this process.
pub fn key_channel(db: &Db, changes: &KeyChanges, config: &Config) -> anyhow::Result<Channel> {
    Ok(partner::key_server(db.clone(), changes, &config.mesh).into_channel()?)
}

/// Adds the check of credentials to a server, and the bounds of what comes into the process. Without an authenticator, calls without an identity act as `caller`.
pub fn guarded(
    server: Server,
    authenticator: Option<&Arc<Authenticator>>,
    caller: &Principal,
    intake: &Intake,
) -> Server {
    let server = server.with_intake(intake);
    match authenticator {
        Some(authenticator) => server.with_authenticator(authenticator.clone()),
        None => server.with_default_principal(caller.clone()),
    }
}

/// The file of a service's embedded database in the directory of a whole mesh.
pub fn database_file(directory: &Path, service: &str) -> PathBuf {
    directory.join(format!("{service}.db"))
}

/// Where the databases of a whole mesh are: options with a URL in which `{service}` stands for the service.
#[derive(Debug, Clone)]
pub struct Databases(Options);

impl Databases {
    /// One SQLite file for each service in a directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self(Options::new(format!("sqlite:{}", database_file(directory, "{service}").display())))
    }

    /// A URL in which `{service}` stands for the service.
    pub fn from_template(template: impl Into<String>) -> anyhow::Result<Self> {
        Self::from_options(Options::new(template))
    }

    /// Options whose URL is such a template.
    pub fn from_options(options: Options) -> anyhow::Result<Self> {
        anyhow::ensure!(
            options.url.contains("{service}"),
            "the database URL needs {{service}} in it: one for each service"
        );
        Ok(Self(options))
    }

    /// The database of one service.
    pub fn of(&self, service: &str) -> Options {
        Options { url: self.0.url.replace("{service}", service), ..self.0.clone() }
    }
}

/// A whole mesh in one process, before it listens and its workers run.
#[derive(Debug)]
pub struct Mesh {
    /// A channel to every service.
    pub clients: ServiceClients,
    /// Every service's server.
    pub servers: Vec<(&'static str, Server)>,
    /// Every service's usage reporter.
    pub usage: Vec<UsageReporter>,
    /// Every service's workers.
    pub workers: Vec<(&'static str, Workers)>,
    /// Every service's database.
    pub databases: Vec<(&'static str, Db)>,
    /// What comes in over all of its listeners.
    pub intake: Intake,
    /// The check of credentials from outside the mesh, if any are configured.
    pub authenticator: Option<Arc<Authenticator>>,
}

impl Mesh {
    /// Opens all databases and assembles the services.
    ///
    /// Where no credentials are configured, calls without an identity act as `caller`.
    pub async fn open(
        databases: &Databases,
        config: &Config,
        clock: Arc<dyn Clock>,
        caller: &Principal,
    ) -> anyhow::Result<Self> {
        let mut opened = Vec::new();
        for service in SERVICES {
            opened.push((service, service.open(&databases.of(service.name), clock.clone()).await?));
        }
        let keys =
            opened.iter().find(|(service, _)| service.name == partner::NAME).context("no service stores the keys")?;
        let (mut clients, mut servers) = (ServiceClients::unconfigured()?, Vec::new());
        let (changes, intake) = (clients.key_changes().clone(), Intake::of(&config.mesh.intake));
        let authenticator = authenticator(&key_channel(&keys.1, &changes, config)?, &changes, config)?;
        while servers.len() < opened.len() {
            let made = |name: &str| servers.iter().any(|(made, _)| *made == name);
            let next =
                opened.iter().find(|(service, _)| !made(service.name) && service.calls.iter().all(|name| made(name)));
            let (service, db) =
                next.context("services call each other in a circle: one of them has to follow events")?;
            let server = guarded(service.server(db, &clients, config)?, authenticator.as_ref(), caller, &intake);
            clients = clients.with(service.name, server.clone().into_channel()?);
            servers.push((service.name, server));
        }
        servers.sort_by_key(|(name, _)| SERVICES.iter().position(|service| service.name == *name));
        let to = clients.to(operations::NAME);
        let usage = servers.iter().map(|(name, server)| UsageReporter::new(name, server.usage(), &to)).collect();
        let workers =
            opened.iter().map(|(service, db)| (service.name, service.workers(db, &clients, config))).collect();
        let databases = opened.into_iter().map(|(service, db)| (service.name, db)).collect();
        Ok(Self { clients, servers, usage, workers, databases, intake, authenticator })
    }

    /// Runs every worker until none has anything left to do.
    pub async fn drain(&self) -> anyhow::Result<()> {
        loop {
            let mut done = 0;
            for (_, workers) in &self.workers {
                done += workers.drain().await?;
            }
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// Sends every service's usage report.
    pub async fn report_usage(&self) {
        for reporter in &self.usage {
            reporter.flush().await;
        }
    }

    /// Whether every service is ready.
    pub async fn ready(&self) -> bool {
        for (_, db) in &self.databases {
            if !db.ready().await {
                return false;
            }
        }
        true
    }

    /// Closes all databases.
    pub async fn close(&self) {
        for (_, db) in &self.databases {
            db.close().await;
        }
    }
}
