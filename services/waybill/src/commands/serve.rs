//! Runs one service in a process of its own, as in a cluster.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use mesh::{Channel, Intake, Stop, Tasks, credentials::Authenticator};
use operations::UsageReporter;
use store::Migrate;
use tokio::net::TcpListener;
use types::SystemClock;

use super::{
    claim::Claim,
    database::Database,
    exit::Unusable,
    role::{Role, ServiceUrls},
};
use crate::compose::{self, Config, ServiceClients};

/// The service to run, its addresses and those of the others.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// The service to run.
    #[arg(value_parser = Role::parser())]
    role: Role,
    /// Address of gRPC. By default 127.0.0.1 and the port that the other services call by default.
    #[arg(long, env = "WAYBILL_LISTEN")]
    listen: Option<SocketAddr>,
    /// Address of the REST API; only the gateway has one.
    #[arg(long, env = "WAYBILL_HTTP_LISTEN", default_value = "127.0.0.1:8080")]
    http_listen: SocketAddr,
    /// Address of /metrics, /healthz and /readyz.
    #[arg(long, env = "WAYBILL_ADMIN_LISTEN", default_value = "127.0.0.1:9000")]
    admin_listen: SocketAddr,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    urls: ServiceUrls,
}

impl Options {
    pub(super) fn name(&self) -> &'static str {
        self.role.name()
    }

    fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, self.role.port()).into())
    }
}

/// Serves until it is asked to stop.
pub(super) async fn run(options: Options, config: &Config, gateway: &gateway::Config) -> anyhow::Result<()> {
    super::refuse_exposure("--listen", options.listen().ip(), config)?;
    if matches!(options.role, Role::Gateway) {
        super::refuse_exposure("--http-listen", options.http_listen.ip(), config)?;
    }
    let mesh_token = config.credentials.mesh_token()?;
    if mesh_token.is_none() && config.mesh.tls.client_ca.is_none() && config.credentials.is_configured() {
        let why = "services in separate processes that check credentials have to authenticate each other: set \
                   --mesh-token-file, or certificates by --tls-client-ca, for all of them";
        return Err(Unusable(why.to_owned()).into());
    }
    let stop = Stop::new();
    let tasks = Tasks::new(stop.clone());
    tasks.spawn("signals", mesh::on_signals(&stop, config.mesh.shutdown_delay)?);
    let clients = options.urls.connect(&config.mesh.tls)?.with_mesh_token(mesh_token.as_ref());
    let admin = bind(options.admin_listen).await?;
    let Role::Service(service) = options.role else {
        return serve_gateway(&options, &clients, config, gateway, (tasks, admin)).await;
    };

    let mut database = options.database.options()?;
    if database.url.starts_with("postgres") {
        // A job of its own migrates, so that replicas that start together do not race.
        database.migrate = Migrate::Require;
    }
    let _claim = Claim::of(&database)?;
    let db = service.open(&database, Arc::new(SystemClock)).await?;
    let has_keys = service.name == partner::NAME;
    let keys =
        if has_keys { compose::key_channel(&db, clients.key_changes(), config)? } else { clients.to(partner::NAME) };
    let authenticator = authenticator(&keys, &clients, config)?;
    let server = service.server(&db, &clients, config)?;
    let server =
        compose::guarded(server, authenticator.as_ref(), &super::caller(config), &Intake::of(&config.mesh.intake));
    let workers = service.workers(&db, &clients, config);
    // Operations reports to itself in memory, which still works when its listener is closed.
    let is_operations = service.name == operations::NAME;
    let to_operations = if is_operations { server.clone().into_channel()? } else { clients.to(operations::NAME) };
    let usage = UsageReporter::new(service.name, server.usage(), &to_operations);
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
    clients: &ServiceClients,
    config: &Config,
    gateway: &gateway::Config,
    (tasks, admin): (Tasks, TcpListener),
) -> anyhow::Result<()> {
    let stop = tasks.stop().clone();
    let authenticator = authenticator(&clients.to(partner::NAME), clients, config)?;
    let router = gateway::router(proto::pool(), &clients.rest(&super::caller(config)), authenticator, gateway)?;
    let http = bind(options.http_listen).await?;
    // Only health: probes call the gateway like every service.
    let intake = Intake::of(&config.mesh.intake);
    let health = mesh::Server::new("gateway", &config.mesh, proto::pool()).with_intake(&intake);
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
    let served = gateway::serve(http, router, stop.clone(), &config.mesh, &intake).await;
    stop.request();
    let joined = tasks.join(config.mesh.drain_timeout).await;
    admin.stop().request();
    admin.join(config.mesh.drain_timeout).await?;
    served?;
    joined.map_err(Into::into)
}

/// The check of credentials from outside the mesh, if any are configured.
fn authenticator(
    keys: &Channel,
    clients: &ServiceClients,
    config: &Config,
) -> anyhow::Result<Option<Arc<Authenticator>>> {
    let authenticator = compose::authenticator(keys, clients.key_changes(), config)?;
    if authenticator.is_none() {
        tracing::warn!("no credentials are configured: every caller is the local administrator");
    }
    Ok(authenticator)
}

/// Serves metrics and probes until the returned tasks are stopped, which is after everything else.
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
