//! Runs the whole mesh in one process: `up`, and `demo` on top of it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its standard streams")]

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use anyhow::Context as _;
use mesh::{Stop, Tasks};
use tokio::net::TcpListener;
use types::SystemClock;

use super::{claim::Claim, exit::Unusable};
use crate::{
    compose::{Config, Databases, Mesh, SERVICES},
    demo,
    rest::Rest,
};

/// Data and addresses of the whole mesh.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Directory of the embedded databases, one file for each service. `waybill-data` when not given.
    #[arg(long, env = "WAYBILL_DATA")]
    pub(super) data: Option<PathBuf>,
    #[command(flatten)]
    databases: super::database::Databases,
    /// Address of all listeners.
    #[arg(long, env = "WAYBILL_HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port of the REST gateway; 0 takes a free one.
    #[arg(long, env = "WAYBILL_HTTP_PORT", default_value_t = 8080)]
    http_port: u16,
    /// Port of the first service's gRPC; the others follow. 0 takes free ones.
    #[arg(long, env = "WAYBILL_GRPC_PORT", default_value_t = 7001)]
    grpc_port: u16,
    /// Port of /metrics, /healthz and /readyz; 0 takes a free one.
    #[arg(long, env = "WAYBILL_ADMIN_PORT", default_value_t = 9000)]
    admin_port: u16,
}

/// Where a running mesh can be reached.
struct Addresses {
    http: SocketAddr,
    grpc: Vec<(&'static str, SocketAddr)>,
    admin: SocketAddr,
    /// URL scheme of all but the admin address.
    scheme: &'static str,
}

/// A running mesh.
struct Running {
    tasks: Tasks,
    /// The admin listener, which is stopped after everything else.
    admin: Tasks,
    stop: Stop,
    mesh: Arc<Mesh>,
    addresses: Addresses,
    drain: std::time::Duration,
    /// Held until the databases are closed.
    _claims: Vec<Claim>,
}

/// Runs until it is asked to stop.
pub(super) async fn run(options: &Options, config: &Config, gateway: &gateway::Config) -> anyhow::Result<()> {
    let begun = Instant::now();
    let running = start(options, config, gateway).await?;
    println!("waybill is up after {} ms, data in {}", begun.elapsed().as_millis(), data_location(options)?);
    print_addresses(&running.addresses);
    running.stop.requested().await;
    running.end().await
}

/// Runs the demo, and then stays up if asked to.
pub(super) async fn demo(
    options: &Options,
    demo: &demo::Options,
    config: &Config,
    gateway: &gateway::Config,
) -> anyhow::Result<()> {
    let credential = config.credentials.admin_token()?;
    if credential.is_none() && config.credentials.is_configured() {
        let why = "the demo calls as an administrator: where credentials are configured it needs --admin-token-file";
        return Err(Unusable(why.to_owned()).into());
    }
    println!("Northwind Traders on the whole mesh, data in {}", data_location(options)?);
    // The demo calls its own gateway by its address, for which no certificate is valid: it serves without TLS.
    let mesh = mesh::Config { tls: mesh::tls::Files::default(), ..config.mesh.clone() };
    let running = start(options, &Config { mesh, ..config.clone() }, gateway).await?;
    let rest = Rest::new(format!("http://{}", running.addresses.http))?.with_credential(credential);
    let ran = tokio::select! {
        ran = demo::run(&rest, demo) => ran.map(|_| ()),
        () = running.stop.requested() => Ok(()),
    };
    if ran.is_ok() && demo.keep && !running.stop.is_requested() {
        println!();
        print_addresses(&running.addresses);
        running.stop.requested().await;
    }
    running.stop.request();
    running.end().await?;
    ran
}

async fn start(options: &Options, config: &Config, gateway: &gateway::Config) -> anyhow::Result<Running> {
    super::refuse_exposure("--host", options.host, config)?;
    let caller = super::caller(config);
    let drain = config.mesh.drain_timeout;
    let stop = Stop::new();
    let signals = mesh::on_signals(&stop, config.mesh.shutdown_delay)?;

    let http = listen(options, options.http_port).await?;
    let admin = listen(options, options.admin_port).await?;
    let databases = Databases::from_options(options.databases.options(&directory(options))?)
        .map_err(|error| Unusable(error.to_string()))?;
    let claims =
        SERVICES.iter().map(|service| Claim::of(&databases.of(service.name))).collect::<anyhow::Result<_>>()?;
    let mesh = Arc::new(Mesh::open(&databases, config, Arc::new(SystemClock), &caller).await?);
    let channels = mesh.clients.rest(&caller);
    let router = gateway::router(proto::pool(), &channels, mesh.authenticator.clone(), gateway)?;
    if mesh.authenticator.is_none() {
        eprintln!("no credentials are configured: every caller is the local administrator");
    }

    let (tasks, admin_tasks) = (Tasks::new(stop.clone()), Tasks::new(Stop::new()));
    tasks.spawn("signals", signals);
    let scheme = if config.mesh.tls.cert.is_some() { "https" } else { "http" };
    let mut addresses = Addresses { http: http.local_addr()?, grpc: Vec::new(), admin: admin.local_addr()?, scheme };
    for (number, (service, server)) in mesh.servers.iter().cloned().enumerate() {
        let port = if options.grpc_port == 0 { 0 } else { options.grpc_port + u16::try_from(number)? };
        let listener = listen(options, port).await?;
        addresses.grpc.push((service, listener.local_addr()?));
        let stop = stop.clone();
        tasks.spawn(service, async move {
            if let Err(error) = server.serve(listener, stop.clone()).await {
                tracing::error!(service, error = %error, "serving failed");
                stop.request();
            }
        });
    }
    for (service, workers) in mesh.workers.iter().cloned() {
        let stop = stop.clone();
        tasks.spawn(service, async move { workers.run(stop.token()).await });
    }
    let every = std::time::Duration::from_secs(config.operations.usage_report_seconds);
    for reporter in &mesh.usage {
        let (reporter, stop) = (reporter.clone(), stop.clone());
        tasks.spawn("usage", async move { reporter.run(every, stop).await });
    }
    tasks.spawn("gateway", {
        let (stop, mesh, intake) = (stop.clone(), config.mesh.clone(), mesh.intake.clone());
        async move {
            if let Err(error) = gateway::serve(http, router, stop.clone(), &mesh, &intake).await {
                tracing::error!(error = %error, "the gateway failed");
                stop.request();
            }
        }
    });
    let (asked, process, end) = (mesh.clone(), stop.clone(), admin_tasks.stop().clone());
    admin_tasks.spawn("admin", async move {
        let ready = move || {
            let mesh = asked.clone();
            async move { mesh.ready().await }
        };
        if let Err(error) = mesh::admin::serve(admin, &process, end, ready).await {
            tracing::error!(error = %error, "the admin listener failed");
        }
    });
    Ok(Running { tasks, admin: admin_tasks, stop, mesh, addresses, drain, _claims: claims })
}

impl Running {
    async fn end(self) -> anyhow::Result<()> {
        let joined = self.tasks.join(self.drain + std::time::Duration::from_secs(5)).await;
        self.mesh.report_usage().await;
        self.mesh.close().await;
        self.admin.stop().request();
        self.admin.join(self.drain).await?;
        joined.map_err(Into::into)
    }
}

async fn listen(options: &Options, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(options.host, port);
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

fn directory(options: &Options) -> PathBuf {
    options.data.clone().unwrap_or_else(|| PathBuf::from("waybill-data"))
}

/// Where the data is, for display.
fn data_location(options: &Options) -> anyhow::Result<String> {
    let directory = directory(options);
    if options.databases.are_elsewhere() {
        return Ok(options.databases.options(&directory)?.redacted_url());
    }
    Ok(directory.display().to_string())
}

fn print_addresses(addresses: &Addresses) {
    let Addresses { http, grpc, admin, scheme } = addresses;
    println!("  REST    {scheme}://{http}/v1/orders");
    println!("  try it  {scheme}://{http}/docs");
    for (service, address) in grpc {
        println!("  gRPC    {scheme}://{address}  {service}");
    }
    println!("  watch   http://{admin}/metrics");
}
