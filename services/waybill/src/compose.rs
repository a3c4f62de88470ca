//! Where the services are put together.
//!
//! A service is opened from its database, served, and given its workers; [`Members`] says how to reach each. In one process
//! the ways are in memory, in a cluster they are addresses: nothing else differs.

mod keys;
mod members;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use mesh::{Channel, Principal, Server, credentials::Authenticator};
use operations::UsageReporter;
use store::{Db, Migration, Options, Workers};
use types::Clock;

pub use members::Members;

/// The services that own a database, in the order an order passes them.
pub const SERVICES: [&str; 6] =
    [order::NAME, inventory::NAME, fulfillment::NAME, returns::NAME, partner::NAME, operations::NAME];

/// The same, each before those that call it. What goes the other way are events.
const CALLED_FIRST: [&str; 6] =
    [inventory::NAME, order::NAME, fulfillment::NAME, returns::NAME, partner::NAME, operations::NAME];

/// Settings of all services.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Of the chassis.
    pub mesh: mesh::Config,
    /// Of the credentials that are taken.
    pub credentials: mesh::credentials::Config,
    /// Of the order service.
    pub order: order::Config,
    /// Of the inventory service.
    pub inventory: inventory::Config,
    /// Of the fulfillment service.
    pub fulfillment: fulfillment::Config,
    /// Of the returns service.
    pub returns: returns::Config,
    /// Of the partner service.
    pub partner: partner::Config,
    /// Of the operations service.
    pub operations: operations::Config,
}

/// The migrations of a service.
pub fn migrations(service: &str) -> Option<&'static [Migration]> {
    match service {
        order::NAME => Some(order::MIGRATIONS),
        inventory::NAME => Some(inventory::MIGRATIONS),
        fulfillment::NAME => Some(fulfillment::MIGRATIONS),
        returns::NAME => Some(returns::MIGRATIONS),
        partner::NAME => Some(partner::MIGRATIONS),
        operations::NAME => Some(operations::MIGRATIONS),
        _ => None,
    }
}

/// Opens the database of a service.
pub async fn open(service: &'static str, options: &Options, clock: Arc<dyn Clock>) -> anyhow::Result<Db> {
    let migrations = migrations(service).with_context(|| format!("{service} has no database"))?;
    Db::open(options, service, migrations, clock)
        .await
        .with_context(|| format!("opening the database of {service} at {}", options.redacted_url()))
}

/// The server of one service. `members` are the ways its handlers take.
pub fn server(service: &str, db: &Db, members: &Members, config: &Config) -> anyhow::Result<Server> {
    let (db, to) = (db.clone(), members.on_behalf_of(service));
    Ok(match service {
        inventory::NAME => inventory::server(db, &config.inventory, &config.mesh)?,
        order::NAME => order::server(db, to.inventory, &config.order, &config.mesh)?,
        fulfillment::NAME => fulfillment::server(db, to.inventory, &config.fulfillment, &config.mesh)?,
        returns::NAME => returns::server(db, &config.returns, &config.mesh)?,
        partner::NAME => partner::server(db, to.fulfillment, to.inventory, &config.partner, &config.mesh)?,
        operations::NAME => operations::server(db, to.logs(), &config.operations, &config.mesh)?,
        _ => anyhow::bail!("there is no service {service}"),
    })
}

/// What a service does on its own: the logs it follows and the tasks it has.
pub fn workers(service: &str, db: &Db, members: &Members, config: &Config) -> anyhow::Result<Workers> {
    let (db, to) = (db.clone(), members.on_behalf_of(service));
    let workers = match service {
        inventory::NAME => {
            let peers = inventory::Peers { order: to.order, fulfillment: to.fulfillment, returns: to.returns };
            inventory::workers(db, peers, &config.inventory)
        }
        order::NAME => {
            let Members { order, inventory, fulfillment, returns, .. } = to;
            order::workers(db, order::Peers { order, inventory, fulfillment, returns }, &config.order)
        }
        fulfillment::NAME => {
            let Members { order, inventory, fulfillment, .. } = to;
            fulfillment::workers(db, fulfillment::Peers { order, inventory, fulfillment }, &config.fulfillment)
        }
        returns::NAME => {
            let peers = returns::Peers { order: to.order, fulfillment: to.fulfillment };
            returns::workers(db, peers, &config.returns)
        }
        partner::NAME => {
            let peers = partner::Peers { fulfillment: to.fulfillment, inventory: to.inventory };
            partner::workers(db, peers, &config.partner)
        }
        operations::NAME => operations::workers(db, to.logs(), &config.operations),
        _ => anyhow::bail!("there is no service {service}"),
    };
    Ok(workers.traced(|span, trace, work| Box::pin(mesh::telemetry::continue_from(span, trace, work))))
}

/// Checks the credentials of callers from outside, if any are configured. `partner` is the way to who knows whose a key is.
pub fn authenticator(partner: &Channel, config: &Config) -> anyhow::Result<Option<Arc<Authenticator>>> {
    if !config.credentials.is_configured() {
        return Ok(None);
    }
    let authenticator = Authenticator::new(&config.credentials, keys::look_up(partner))?;
    Ok(Some(Arc::new(authenticator)))
}

/// The way to who knows whose a key is, when the partner service's database is in this process.
pub fn key_way(db: &Db, config: &Config) -> anyhow::Result<Channel> {
    Ok(partner::key_server(db.clone(), &config.mesh).into_channel()?)
}

/// The same server, taking credentials; without any everybody who does not say who calls is taken for `caller`.
pub fn guarded(server: Server, authenticator: Option<&Arc<Authenticator>>, caller: &Principal) -> Server {
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

/// A whole mesh in one process, not serving or working yet.
#[derive(Debug)]
pub struct Mesh {
    /// The way to every service.
    pub members: Members,
    /// Every service's server, for those who serve it over the network too.
    pub servers: Vec<(&'static str, Server)>,
    /// Every service's reports of who called it.
    pub usage: Vec<UsageReporter>,
    /// Every service's workers.
    pub workers: Vec<(&'static str, Workers)>,
    /// Every service's database.
    pub databases: Vec<(&'static str, Db)>,
    /// What checks the credentials of callers from outside, if any are configured.
    pub authenticator: Option<Arc<Authenticator>>,
}

impl Mesh {
    /// Opens all databases and puts the services together.
    ///
    /// Where no credentials are configured, calls that do not say who calls are made by `caller`.
    pub async fn open(
        databases: &Databases,
        config: &Config,
        clock: Arc<dyn Clock>,
        caller: &Principal,
    ) -> anyhow::Result<Self> {
        let mut opened = Vec::new();
        for service in SERVICES {
            opened.push((service, open(service, &databases.of(service), clock.clone()).await?));
        }
        Self::of(opened, config, caller)
    }

    fn of(databases: Vec<(&'static str, Db)>, config: &Config, caller: &Principal) -> anyhow::Result<Self> {
        let db = |service: &str| databases.iter().find(|(name, _)| *name == service).map(|(_, db)| db);
        let db = |service: &str| db(service).with_context(|| format!("{service} has no database"));
        let authenticator = authenticator(&key_way(db(partner::NAME)?, config)?, config)?;
        let (mut members, mut servers) = (Members::nowhere()?, Vec::new());
        for service in CALLED_FIRST {
            let server = guarded(server(service, db(service)?, &members, config)?, authenticator.as_ref(), caller);
            members = members.with(service, server.clone().into_channel()?)?;
            servers.push((service, server));
        }
        servers.sort_by_key(|(name, _)| SERVICES.iter().position(|service| service == name));
        let to = &members.operations;
        let usage = servers.iter().map(|(name, server)| UsageReporter::new(name, server.usage(), to)).collect();
        let workers = databases
            .iter()
            .map(|(service, db)| Ok((*service, workers(service, db, &members, config)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { members, servers, usage, workers, databases, authenticator })
    }

    /// Lets every worker do what there is to do, until none finds anything.
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

    /// Has every service report who called it until now.
    pub async fn report_usage(&self) {
        for reporter in &self.usage {
            reporter.flush().await;
        }
    }

    /// Whether every service can do its work.
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
