//! Orders placed: on the bare database without the services, over gRPC, over REST, and while the whole mesh processes
//! them.
//!
//! Over gRPC and REST the order service runs alone, as in a cluster, so that its usage is that of placing orders. The
//! bare database does the least that stores the same rows: the service also looks up the account, the items, earlier
//! orders with the same number and earlier answers.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use proto::order::v1::order_service_client::OrderServiceClient;
use tonic::transport::Channel;
use waybill::compose::service_names;

use crate::{
    bare::{pgbench, postgres, sqlite},
    catalogue::Catalogue,
    client::{Http, channels},
    databases::Engine,
    load::Load,
    options::Plan,
    placed::request_id,
    sample::Sample,
    server::{ORDER, Server},
    testbed::Testbed,
    usage::Meter,
};

pub(crate) const BY_HAND: &str = "the statements of PlaceOrder by hand, a transaction each";
pub(crate) const PGBENCH: &str = "the same by pgbench";
pub(crate) const GRPC: &str = "PlaceOrder over gRPC";
pub(crate) const REST: &str = "PlaceOrder over REST";
pub(crate) const BUSY: &str = "PlaceOrder over gRPC while the whole mesh processes the orders";

/// One round with a number of callers.
pub(crate) async fn round(testbed: &mut Testbed, plan: &Plan, callers: usize, round: usize) -> anyhow::Result<()> {
    let (fewest, most) = plan.fewest_and_most_callers();
    let load = Load { callers, time: plan.time };
    if plan.runs('a') && testbed.is_candidate() && [fewest, most].contains(&callers) {
        by_hand(testbed, load).await?;
    }
    if plan.runs('b') || plan.runs('c') {
        over_the_wire(testbed, plan, load, round).await?;
    }
    if plan.runs('b') && callers == most {
        busy(testbed, load).await?;
    }
    Ok(())
}

async fn by_hand(testbed: &mut Testbed, load: Load) -> anyhow::Result<()> {
    let copy = testbed.databases.copy("by_hand", &[ORDER]).await?;
    let (url, placed) = (testbed.databases.url(&copy, ORDER)?, &testbed.samples.placed);
    let sample = match testbed.engine() {
        Engine::Sqlite => sqlite::measure(&copy.file(ORDER), placed, load)?,
        Engine::Postgres => postgres::measure(&url, placed, load, testbed.databases.postmaster()).await?,
    };
    testbed.add('a', BY_HAND, load.callers, sample);
    testbed.databases.discard(copy).await?;
    if testbed.engine() == Engine::Postgres && pgbench::installed() {
        let copy = testbed.databases.copy("pgbench", &[ORDER]).await?;
        let (url, placed) = (testbed.databases.url(&copy, ORDER)?, &testbed.samples.placed);
        if let Some(sample) = pgbench::measure(&copy.directory, &url, placed, load, &testbed.meter([])).await? {
            testbed.add('a', PGBENCH, load.callers, sample);
        }
        testbed.databases.discard(copy).await?;
    }
    Ok(())
}

/// gRPC and REST take turns in being the first: the second finds a larger database.
async fn over_the_wire(testbed: &mut Testbed, plan: &Plan, load: Load, round: usize) -> anyhow::Result<()> {
    let copy = testbed.databases.copy("wire", &[ORDER]).await?;
    let order = testbed.service(&copy, ORDER).await?;
    let gateway = Server::gateway(&testbed.binary, &copy.directory, order.address, None).await?;
    let next = AtomicU64::new(1);
    for turn in 0..2 {
        let grpc_now = (turn + round).is_multiple_of(2);
        if grpc_now && plan.runs('b') {
            let meter = testbed.meter([order.process.id()]);
            let sample = grpc(&testbed.catalogue, order.address, load, &meter, &next).await?;
            testbed.add('b', GRPC, load.callers, sample);
        } else if !grpc_now && plan.runs('c') {
            let meter = testbed.meter([order.process.id(), gateway.process.id()]);
            let sample = rest(&testbed.catalogue, gateway.address, load, &meter, &next).await?;
            testbed.add('c', REST, load.callers, sample);
        }
    }
    gateway.process.kill().await?;
    order.process.kill().await?;
    testbed.databases.discard(copy).await
}

/// Each order is reserved, released, routed and reported to partners while the next ones are placed.
async fn busy(testbed: &mut Testbed, load: Load) -> anyhow::Result<()> {
    let copy = testbed.databases.copy("busy", &service_names()).await?;
    let mesh = testbed.mesh(&copy).await?;
    let meter = testbed.meter([mesh.process.id()]);
    let sample = grpc(&testbed.catalogue, mesh.order, load, &meter, &AtomicU64::new(1)).await?;
    testbed.add('b', BUSY, load.callers, sample);
    mesh.process.kill().await?;
    testbed.databases.discard(copy).await
}

async fn grpc(
    catalogue: &Catalogue,
    address: SocketAddr,
    load: Load,
    meter: &Meter,
    next: &AtomicU64,
) -> anyhow::Result<Sample> {
    let clients = channels(address, load.callers).await?.into_iter().map(OrderServiceClient::new).collect();
    let place = async |client: &mut OrderServiceClient<Channel>, _| {
        client.place_order(catalogue.request(next.fetch_add(1, Ordering::Relaxed))).await?;
        Ok(())
    };
    load.run(meter, clients, place).await
}

async fn rest(
    catalogue: &Catalogue,
    address: SocketAddr,
    load: Load,
    meter: &Meter,
    next: &AtomicU64,
) -> anyhow::Result<Sample> {
    let clients = Http::connect(address, load.callers).await?;
    let place = async |client: &mut Http, _| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        client.post("/v1/orders", &request_id(number), catalogue.json(number)).await?;
        Ok(())
    };
    load.run(meter, clients, place).await
}
