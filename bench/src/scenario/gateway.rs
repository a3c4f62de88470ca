//! The cost of the gateway: the same reads directly over gRPC, through the gateway, and through Envoy.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context as _;
use proto::order::v1::{GetOrderRequest, ListOrdersRequest, OrderView, order_service_client::OrderServiceClient};
use serde_json::Value;
use tonic::transport::Channel;

use super::envoy;
use crate::{
    client::{Http, channel, channels},
    databases::Copy,
    load::Load,
    options::Plan,
    sample::Sample,
    server::{ORDER, Server},
    testbed::{Testbed, in_turn},
    usage::Meter,
};

/// How many read at the same time.
pub(crate) const CALLERS: usize = 16;
/// How many threads of the gateway, and of Envoy, work at the same time: the cost of a call is measured on one core,
/// without contention between threads.
pub(crate) const WORKERS: usize = 1;
/// Orders of the account, and on a page.
const ORDERS: u64 = 20;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// One order of five lines.
    Get,
    /// Twenty of them.
    List,
}

impl Read {
    /// As the report names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GetOrder, 5 lines",
            Self::List => "ListOrders, 20 orders of 5 lines",
        }
    }
}

/// The path of a call to the order service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Directly over gRPC: measures the processor time of the service.
    Direct,
    /// REST through the gateway: measures the processor time of the gateway alone.
    Gateway,
    /// REST through Envoy's transcoder: measures the processor time of Envoy alone.
    Envoy,
}

/// As the report names the measurement.
pub(crate) fn what(read: Read, path: Path) -> String {
    let read = read.name();
    match path {
        Path::Direct => format!("{read}: direct gRPC, CPU of the service"),
        Path::Gateway => format!("{read}: REST, CPU of the gateway alone"),
        Path::Envoy => format!("{read}: REST by Envoy, CPU of Envoy alone"),
    }
}

/// All rounds on the servers of all binaries: each reads the same orders in every round.
pub(crate) async fn rounds(testbeds: &mut [Testbed], plan: &Plan) -> anyhow::Result<()> {
    let mut scenes = Vec::new();
    for testbed in testbeds {
        let scene = Scene::start(testbed, plan).await?;
        scenes.push((testbed, scene));
    }
    for round in 0..plan.repeats {
        for read in [Read::Get, Read::List] {
            for (testbed, scene) in in_turn(&mut scenes, round) {
                for (path, server) in scene.servers() {
                    testbed.add('g', what(read, path), CALLERS, scene.measure(read, path, server).await?);
                }
            }
        }
    }
    for (testbed, scene) in scenes {
        for server in [Some(scene.order), Some(scene.gateway), scene.envoy].into_iter().flatten() {
            server.process.kill().await?;
        }
        testbed.databases.discard(scene.copy).await?;
    }
    Ok(())
}

/// Places a page of orders of one account, and returns their ids.
async fn place(testbed: &Testbed, order: SocketAddr) -> anyhow::Result<Vec<String>> {
    let accounts = u64::try_from(testbed.catalogue.accounts.len())?;
    let mut client = OrderServiceClient::new(channel(order).await?);
    let mut placed = Vec::new();
    for number in 1..=ORDERS {
        placed.push(client.place_order(testbed.catalogue.request(number * accounts)).await?.into_inner().order_id);
    }
    Ok(placed)
}

/// The servers of one binary, and the orders to read.
struct Scene {
    copy: Copy,
    order: Server,
    gateway: Server,
    envoy: Option<Server>,
    load: Load,
    ids: Vec<String>,
    account_id: String,
    next: AtomicU64,
}

impl Scene {
    async fn start(testbed: &mut Testbed, plan: &Plan) -> anyhow::Result<Self> {
        let copy = testbed.databases.copy("gateway", &[ORDER]).await?;
        let order = testbed.service(&copy, ORDER).await?;
        let gateway = Server::gateway(&testbed.binary, &copy.directory, order.address, Some(WORKERS)).await?;
        let envoy = match plan.envoy.as_ref().filter(|_| testbed.is_candidate()) {
            Some(program) => Some(envoy::start(&copy.directory, program, order.address).await?),
            None => None,
        };
        let ids = place(testbed, order.address).await?;
        let account_id = testbed.catalogue.account(0).0.to_owned();
        let load = Load { callers: CALLERS, time: plan.time };
        let scene = Self { copy, order, gateway, envoy, load, ids, account_id, next: AtomicU64::new(0) };
        scene.check().await?;
        Ok(scene)
    }

    fn servers(&self) -> impl Iterator<Item = (Path, &Server)> {
        let envoy = self.envoy.iter().map(|envoy| (Path::Envoy, envoy));
        [(Path::Direct, &self.order), (Path::Gateway, &self.gateway)].into_iter().chain(envoy)
    }

    async fn measure(&self, read: Read, path: Path, server: &Server) -> anyhow::Result<Sample> {
        let meter = Meter::of([server.process.id()]);
        match path {
            Path::Direct => self.direct(read, server.address, &meter).await,
            Path::Gateway | Path::Envoy => self.rest(read, server.address, &meter).await,
        }
    }

    fn id(&self) -> &str {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = usize::try_from(number % ORDERS).unwrap_or(0);
        self.ids.get(at).map_or("", String::as_str)
    }

    fn url_path(&self, read: Read) -> String {
        match read {
            Read::Get => format!("/v1/orders/{}", self.id()),
            Read::List => {
                format!("/v1/orders?accountId={}&pageSize={ORDERS}&view=ORDER_VIEW_FULL", self.account_id)
            }
        }
    }

    async fn direct(&self, read: Read, address: SocketAddr, meter: &Meter) -> anyhow::Result<Sample> {
        let clients = channels(address, CALLERS).await?.into_iter().map(OrderServiceClient::new).collect();
        let call = async |client: &mut OrderServiceClient<Channel>, _| {
            match read {
                Read::Get => drop(client.get_order(GetOrderRequest { order_id: self.id().to_owned() }).await?),
                Read::List => {
                    let (account_id, page_size) = (self.account_id.clone(), i32::try_from(ORDERS)?);
                    let view = OrderView::Full.into();
                    let request = ListOrdersRequest { account_id, page_size, view, ..ListOrdersRequest::default() };
                    drop(client.list_orders(request).await?);
                }
            }
            Ok(())
        };
        self.load.run(meter, clients, call).await
    }

    async fn rest(&self, read: Read, address: SocketAddr, meter: &Meter) -> anyhow::Result<Sample> {
        let clients = Http::connect(address, CALLERS).await?;
        let call = async |client: &mut Http, _| client.get(&self.url_path(read)).await.map(|_| ());
        self.load.run(meter, clients, call).await
    }
    /// Checks that the gateway and Envoy answer with whole orders, so that they do the same work.
    async fn check(&self) -> anyhow::Result<()> {
        let is_whole = |order: &Value| order["lines"].as_array().is_some_and(|lines| lines.len() == 5);
        for (path, server) in self.servers().filter(|(path, _)| *path != Path::Direct) {
            for read in [Read::Get, Read::List] {
                let url_path = self.url_path(read);
                let mut client = Http::connect(server.address, 1).await?.pop().context("no connection")?;
                let answer: Value = serde_json::from_slice(&client.get(&url_path).await?)?;
                let all_whole = match read {
                    Read::Get => is_whole(&answer),
                    Read::List => answer["orders"]
                        .as_array()
                        .is_some_and(|orders| orders.len() == 20 && orders.iter().all(is_whole)),
                };
                anyhow::ensure!(all_whole, "{url_path} by {path:?}: an unexpected answer: {answer}");
            }
        }
        Ok(())
    }
}
