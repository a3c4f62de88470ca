//! Servers under test: processes of the measured binary.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use waybill::{
    child_process::{Process, free_address},
    compose::service_names,
};

use crate::binary::{Binary, with_log};

/// The service that most scenarios call, as `waybill serve` names it.
pub(crate) const ORDER: &str = "order";
/// The service that reserves stock, as `waybill serve` names it.
pub(crate) const INVENTORY: &str = "inventory";

/// The whole mesh in one process.
#[derive(Debug)]
pub(crate) struct Mesh {
    pub(crate) process: Process,
    /// The address of the REST API.
    pub(crate) http: SocketAddr,
    /// The gRPC address of the order service.
    pub(crate) order: SocketAddr,
    /// How long it took from the start of the process until it was ready.
    pub(crate) startup: Duration,
}

impl Mesh {
    /// Starts it; `databases` are the arguments that say where those are.
    pub(crate) async fn start(binary: &Binary, directory: &Path, databases: Vec<String>) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let ports = ["up", "--log", "warn", "--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
        let arguments: Vec<String> = ports.into_iter().map(str::to_owned).chain(databases).collect();
        let mut process = binary.start(directory, &arguments, None)?;
        let rest = with_log(directory, process.line_with("  REST ").await)?;
        let startup = begun.elapsed();
        let order = process.line_with("  order").await?;
        Ok(Self { process, http: address(&rest)?, order: address(&order)?, startup })
    }
}

/// The address in a line that contains a URL.
fn address(line: &str) -> anyhow::Result<SocketAddr> {
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let address = url.and_then(|url| url.split('/').next()).context("a line without a URL")?;
    Ok(address.parse()?)
}

/// One service, or the gateway, in a process of its own.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a service on its database. No other service runs, so its followers have nothing to follow.
    pub(crate) async fn service(
        binary: &Binary,
        directory: &Path,
        role: &str,
        database_url: String,
    ) -> anyhow::Result<Self> {
        let address = free_address();
        let own = ["--listen".to_owned(), address.to_string(), "--database-url".to_owned(), database_url];
        let peers = service_names().into_iter().flat_map(peer_at(free_address()));
        Self::start(binary, directory, role, own.into_iter().chain(peers), address, None).await
    }

    /// Starts a gateway in front of the order service; see `Binary::start` for `workers`.
    pub(crate) async fn gateway(
        binary: &Binary,
        directory: &Path,
        order: SocketAddr,
        workers: Option<usize>,
    ) -> anyhow::Result<Self> {
        let address = free_address();
        let own = ["--listen".to_owned(), ANY_PORT.to_owned(), "--http-listen".to_owned(), address.to_string()];
        let others = service_names().into_iter().filter(|role| *role != ORDER).flat_map(peer_at(free_address()));
        let arguments = own.into_iter().chain(peer_at(order)(ORDER)).chain(others);
        Self::start(binary, directory, "gateway", arguments, address, workers).await
    }

    async fn start(
        binary: &Binary,
        directory: &Path,
        role: &str,
        own: impl Iterator<Item = String>,
        address: SocketAddr,
        workers: Option<usize>,
    ) -> anyhow::Result<Self> {
        let common = ["serve", role, "--log", "error", "--admin-listen", ANY_PORT].map(str::to_owned);
        let arguments: Vec<String> = common.into_iter().chain(own).collect();
        let mut process = binary.start(directory, &arguments, workers)?;
        with_log(directory, process.listens(address).await)?;
        Ok(Self { process, address })
    }
}

/// A loopback address whose port the system chooses.
const ANY_PORT: &str = "127.0.0.1:0";

/// The arguments that say where a service is.
fn peer_at(address: SocketAddr) -> impl Fn(&'static str) -> [String; 2] {
    move |role| [format!("--{role}-url"), format!("http://{address}")]
}
