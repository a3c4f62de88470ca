//! One service in a process of its own, as in a cluster.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use mesh::{Channel, Secret, Stop, Tasks, credentials::Authenticator};
use operations::UsageReporter;
use store::Migrate;
use tokio::net::TcpListener;
use types::SystemClock;

use super::{claim::Claim, exit::Unusable};
use crate::compose::{self, Config, Members};

/// What runs alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    Order,
    Inventory,
    Fulfillment,
    Returns,
    Partner,
    Operations,
    Gateway,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Order => order::NAME,
            Self::Inventory => inventory::NAME,
            Self::Fulfillment => fulfillment::NAME,
            Self::Returns => returns::NAME,
            Self::Partner => partner::NAME,
            Self::Operations => operations::NAME,
            Self::Gateway => "gateway",
        }
    }

    /// The port `up` serves it at too.
    fn port(self) -> u16 {
        match self {
            Self::Order => 7001,
            Self::Inventory => 7002,
            Self::Fulfillment => 7003,
            Self::Returns => 7004,
            Self::Partner => 7005,
            Self::Operations => 7006,
            Self::Gateway => 7000,
        }
    }
}

/// One service, where it listens and how it finds the others.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// What to run.
    role: Role,
    /// Where gRPC is served; where the others look for it when they are told nothing, if this is told nothing.
    #[arg(long, env = "WAYBILL_LISTEN")]
    listen: Option<SocketAddr>,
    /// Where the gateway serves REST.
    #[arg(long, env = "WAYBILL_HTTP_LISTEN", default_value = "127.0.0.1:8080")]
    http_listen: SocketAddr,
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(long, env = "WAYBILL_ADMIN_LISTEN", default_value = "127.0.0.1:9000")]
    admin_listen: SocketAddr,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    peers: Peers,
}

impl Options {
    pub(super) fn name(&self) -> &'static str {
        self.role.name()
    }

    fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, self.role.port()).into())
    }
}

/// The database of a service.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Database {
    /// `sqlite:PATH` or `postgres://user:password@host/database`. The gateway has none.
    #[arg(long, env = "WAYBILL_DATABASE_URL", hide_env_values = true)]
    database_url: Option<Secret>,
}

impl Database {
    pub(super) fn options(&self) -> anyhow::Result<store::Options> {
        let required = || Unusable("--database-url is required: sqlite:PATH or postgres://…".to_owned());
        let url = self.database_url.as_ref().ok_or_else(required)?;
        Ok(store::Options::new(url.reveal()))
    }
}

/// Addresses of the services.
#[derive(Debug, Args)]
#[group(skip)]
struct Peers {
    /// Address of the order service, or several with commas between.
    #[arg(long, env = "WAYBILL_ORDER_URL", default_value = "http://127.0.0.1:7001")]
    order_url: String,
    /// Address of the inventory service, or several with commas between.
    #[arg(long, env = "WAYBILL_INVENTORY_URL", default_value = "http://127.0.0.1:7002")]
    inventory_url: String,
    /// Address of the fulfillment service, or several with commas between.
    #[arg(long, env = "WAYBILL_FULFILLMENT_URL", default_value = "http://127.0.0.1:7003")]
    fulfillment_url: String,
    /// Address of the returns service, or several with commas between.
    #[arg(long, env = "WAYBILL_RETURNS_URL", default_value = "http://127.0.0.1:7004")]
    returns_url: String,
    /// Address of the partner service, or several with commas between.
    #[arg(long, env = "WAYBILL_PARTNER_URL", default_value = "http://127.0.0.1:7005")]
    partner_url: String,
    /// Address of the operations service, or several with commas between.
    #[arg(long, env = "WAYBILL_OPERATIONS_URL", default_value = "http://127.0.0.1:7006")]
    operations_url: String,
}

impl Peers {
    fn connect(&self, certificates: &mesh::tls::Files) -> anyhow::Result<Members> {
        let tls = mesh::tls::Client::load(certificates)?;
        Ok(Members {
            order: Channel::connect_over(&self.order_url, tls.as_ref())?,
            inventory: Channel::connect_over(&self.inventory_url, tls.as_ref())?,
            fulfillment: Channel::connect_over(&self.fulfillment_url, tls.as_ref())?,
            returns: Channel::connect_over(&self.returns_url, tls.as_ref())?,
            partner: Channel::connect_over(&self.partner_url, tls.as_ref())?,
            operations: Channel::connect_over(&self.operations_url, tls.as_ref())?,
        })
    }
}

/// Serves until it is told to stop.
pub(super) async fn run(options: Options, config: &Config, gateway: &gateway::Config) -> anyhow::Result<()> {
    super::refuse_exposure("--listen", options.listen().ip(), config)?;
    if options.role == Role::Gateway {
        super::refuse_exposure("--http-listen", options.http_listen.ip(), config)?;
    }
    let mesh_token = config.credentials.mesh_token()?;
    if mesh_token.is_none() && config.mesh.tls.client_ca.is_none() && config.credentials.is_configured() {
        let why = "services that run apart and check credentials have to know each other: set --mesh-token-file, or \
                   certificates by --tls-client-ca, for all of them";
        return Err(Unusable(why.to_owned()).into());
    }
    let stop = Stop::new();
    let tasks = Tasks::new(stop.clone());
    tasks.spawn("signals", mesh::on_signals(&stop, config.mesh.shutdown_delay)?);
    let members = options.peers.connect(&config.mesh.tls)?.with_mesh_token(mesh_token.as_ref());
    let admin = bind(options.admin_listen).await?;
    if options.role == Role::Gateway {
        return serve_gateway(&options, &members, config, gateway, (tasks, admin)).await;
    }

    let service = options.role.name();
    let mut database = options.database.options()?;
    if database.url.starts_with("postgres") {
        // A job of its own migrates, so that replicas that start together do not race.
        database.migrate = Migrate::Require;
    }
    let _claim = Claim::of(&database)?;
    let db = compose::open(service, &database, Arc::new(SystemClock)).await?;
    let keys = if options.role == Role::Partner { compose::key_way(&db, config)? } else { members.partner.clone() };
    let authenticator = authenticator(&keys, config)?;
    let server = compose::server(service, &db, &members, config)?;
    let server = compose::guarded(server, authenticator.as_ref(), &super::caller(config));
    let workers = compose::workers(service, &db, &members, config)?;
    // Operations can still be reached by itself when it takes no more calls.
    let to_operations =
        if options.role == Role::Operations { server.clone().into_channel()? } else { members.operations.clone() };
    let usage = UsageReporter::new(service, server.usage(), &to_operations);
    let every = Duration::from_secs(config.operations.usage_report_seconds);
    let listener = bind(options.listen()).await?;

    tasks.spawn("workers", {
        let stop = stop.clone();
        async move { workers.run(stop.token()).await }
    });
    tasks.spawn("usage", {
        let (usage, stop) = (usage.clone(), stop.clone());
        async move { usage.run(every, stop).await }
    });
    let admin = spawn_admin(&stop, admin, {
        let db = db.clone();
        move || {
            let db = db.clone();
            async move { db.ready().await }
        }
    });
    let served = server.serve(listener, stop.clone()).await;
    stop.request();
    let joined = tasks.join(config.mesh.drain_timeout).await;
    usage.flush().await;
    db.close().await;
    admin.stop().request();
    admin.join(config.mesh.drain_timeout).await?;
    served?;
    joined.map_err(Into::into)
}

async fn serve_gateway(
    options: &Options,
    members: &Members,
    config: &Config,
    gateway: &gateway::Config,
    (tasks, admin): (Tasks, TcpListener),
) -> anyhow::Result<()> {
    let stop = tasks.stop().clone();
    let authenticator = authenticator(&members.partner, config)?;
    let router = gateway::router(proto::pool(), &members.rest(&super::caller(config)), authenticator, gateway)?;
    let http = bind(options.http_listen).await?;
    // Only health: probes ask the gateway as they ask every other member.
    let health = mesh::Server::new("gateway", &config.mesh, proto::pool());
    let listener = bind(options.listen()).await?;
    tasks.spawn("health", {
        let stop = stop.clone();
        async move {
            if let Err(error) = health.serve(listener, stop.clone()).await {
                tracing::error!(error = %error, "serving health failed");
                stop.request();
            }
        }
    });
    let admin = spawn_admin(&stop, admin, || async { true });
    tracing::info!(address = %http.local_addr()?, "serving REST");
    let served = gateway::serve(http, router, stop.clone(), &config.mesh).await;
    stop.request();
    let joined = tasks.join(config.mesh.drain_timeout).await;
    admin.stop().request();
    admin.join(config.mesh.drain_timeout).await?;
    served?;
    joined.map_err(Into::into)
}

/// What checks the credentials of callers from outside, if any are configured.
fn authenticator(keys: &Channel, config: &Config) -> anyhow::Result<Option<Arc<Authenticator>>> {
    let authenticator = compose::authenticator(keys, config)?;
    if authenticator.is_none() {
        tracing::warn!("no credentials are configured: every caller is the local administrator");
    }
    Ok(authenticator)
}

/// Serves what a member is watched by, until the returned tasks are stopped, which is after everything else.
fn spawn_admin<F, R>(process: &Stop, listener: TcpListener, ready: F) -> Tasks
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = bool> + Send + 'static,
{
    let tasks = Tasks::new(Stop::new());
    let (process, end) = (process.clone(), tasks.stop().clone());
    tasks.spawn("admin", async move {
        if let Err(error) = mesh::admin::serve(listener, &process, end, ready).await {
            tracing::error!(error = %error, "the admin listener failed");
        }
    });
    tasks
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}
