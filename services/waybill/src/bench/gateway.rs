//! What the gateway costs by itself: the same reads directly over gRPC, through it, and through Envoy.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use proto::order::v1::{GetOrderRequest, ListOrdersRequest, Order, order_service_client::OrderServiceClient};
use serde_json::Value;
use tonic::transport::Channel;

use super::{
    Plan,
    client::{Http, channel, channels},
    envoy,
    load::Load,
    place::order_service,
    process::Counted,
    record::{Record, Sample},
    server::Alone,
    world::World,
};

/// How many read at the same time.
pub(super) const CALLERS: usize = 16;
/// How many threads of the gateway, and of Envoy, work at the same time: what a call costs is asked of one core, without
/// what threads cost each other.
pub(super) const WORKERS: usize = 1;
/// Orders of the account, and on a page.
const ORDERS: u64 = 20;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// One order of five lines.
    Get,
    /// Twenty of them.
    List,
}

impl Read {
    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GetOrder, 5 lines",
            Self::List => "ListOrders, 20 orders of 5 lines",
        }
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Directly over gRPC: the processor time is the service's.
    Direct,
    /// REST through the gateway: the processor time is the gateway's alone.
    Gateway,
    /// REST through Envoy's transcoder: the processor time is Envoy's alone.
    Envoy,
}

/// The name of a measurement.
pub(super) fn what(read: Read, way: Way) -> String {
    let read = read.name();
    match way {
        Way::Direct => format!("{read}: direct gRPC, CPU of the service"),
        Way::Gateway => format!("{read}: REST, CPU of the gateway alone"),
        Way::Envoy => format!("{read}: REST by Envoy, CPU of Envoy alone"),
    }
}

/// All rounds.
pub(super) async fn rounds(world: &mut World, plan: &Plan, record: &mut Record) -> anyhow::Result<()> {
    let copy = world.copy("gateway", &[order::NAME]).await?;
    let order = order_service(world, &copy).await?;
    let gateway = Alone::gateway(&copy.directory, order.address, Some(WORKERS)).await?;
    let envoy = match &plan.envoy {
        Some(program) => Some(envoy::start(&copy.directory, program, order.address).await?),
        None => None,
    };
    let orders = place(world, order.address).await?;
    let ids: Vec<String> = orders.into_iter().map(|order| order.order_id).collect();
    let account_id = world.catalogue.account(0).0.to_owned();
    let scene = Scene { load: Load { callers: CALLERS, time: plan.time }, ids, account_id, next: AtomicU64::new(0) };
    check(&scene, gateway.address, envoy.as_ref().map(|envoy| envoy.address)).await?;

    for _ in 0..plan.repeats {
        for read in [Read::Get, Read::List] {
            let sample = scene.direct(read, order.address, &Counted::of([order.process.id])).await?;
            record.add('g', world.engine, what(read, Way::Direct), CALLERS, sample);
            let sample = scene.rest(read, gateway.address, &Counted::of([gateway.process.id])).await?;
            record.add('g', world.engine, what(read, Way::Gateway), CALLERS, sample);
            if let Some(envoy) = &envoy {
                let sample = scene.rest(read, envoy.address, &Counted::of([envoy.process.id])).await?;
                record.add('g', world.engine, what(read, Way::Envoy), CALLERS, sample);
            }
        }
    }
    if let Some(envoy) = envoy {
        envoy.process.end().await?;
    }
    gateway.process.end().await?;
    order.process.end().await?;
    world.discard(copy).await
}

/// Places a page of orders of one account.
async fn place(world: &World, order: SocketAddr) -> anyhow::Result<Vec<Order>> {
    let accounts = u64::try_from(world.catalogue.accounts.len())?;
    let mut client = OrderServiceClient::new(channel(order).await?);
    let mut placed = Vec::new();
    for number in 1..=ORDERS {
        placed.push(client.place_order(world.catalogue.request(number * accounts)).await?.into_inner());
    }
    Ok(placed)
}

/// The orders to read, and how.
struct Scene {
    load: Load,
    ids: Vec<String>,
    account_id: String,
    next: AtomicU64,
}

impl Scene {
    fn id(&self) -> &str {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = usize::try_from(number % ORDERS).unwrap_or(0);
        self.ids.get(at).map_or("", String::as_str)
    }

    fn path(&self, read: Read) -> String {
        match read {
            Read::Get => format!("/v1/orders/{}", self.id()),
            Read::List => format!("/v1/orders?accountId={}&pageSize={ORDERS}", self.account_id),
        }
    }

    async fn direct(&self, read: Read, address: SocketAddr, counted: &Counted) -> anyhow::Result<Sample> {
        let clients = channels(address, CALLERS).await?.into_iter().map(OrderServiceClient::new).collect();
        let call = async |client: &mut OrderServiceClient<Channel>, _| {
            match read {
                Read::Get => drop(client.get_order(GetOrderRequest { order_id: self.id().to_owned() }).await?),
                Read::List => {
                    let (account_id, page_size) = (self.account_id.clone(), i32::try_from(ORDERS)?);
                    let request = ListOrdersRequest { account_id, page_size, ..ListOrdersRequest::default() };
                    drop(client.list_orders(request).await?);
                }
            }
            Ok(())
        };
        self.load.run(counted, clients, call).await
    }

    async fn rest(&self, read: Read, address: SocketAddr, counted: &Counted) -> anyhow::Result<Sample> {
        let clients = Http::connect(address, CALLERS).await?;
        let call = async |client: &mut Http, _| client.get(&self.path(read)).await.map(|_| ());
        self.load.run(counted, clients, call).await
    }
}

/// Both ways must tell the same, or they do not do the same work.
async fn check(scene: &Scene, gateway: SocketAddr, envoy: Option<SocketAddr>) -> anyhow::Result<()> {
    for path in [format!("/v1/orders/{}", scene.id()), scene.path(Read::List)] {
        let mut told = Vec::new();
        for address in [Some(gateway), envoy].into_iter().flatten() {
            for mut client in Http::connect(address, 1).await? {
                told.push(serde_json::from_slice::<Value>(&client.get(&path).await?)?);
            }
        }
        let five = |order: &Value| order["lines"].as_array().is_some_and(|lines| lines.len() == 5);
        for answer in told {
            let orders = answer["orders"].as_array();
            let whole = orders.map_or_else(|| five(&answer), |orders| orders.len() == 20 && orders.iter().all(five));
            anyhow::ensure!(whole, "{path} was answered with something else");
        }
    }
    Ok(())
}
