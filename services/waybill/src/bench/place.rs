//! Orders placed: by hand on the bare database, over gRPC, over REST, and with the whole mesh at work behind.
//!
//! Over the wire the order service runs alone, as in a cluster: what it uses is for placing orders and nothing else. The
//! bare database does the least that keeps the same rows: the service also looks up the account, the items, earlier
//! orders with the same number and earlier answers.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use proto::order::v1::order_service_client::OrderServiceClient;
use tonic::transport::Channel;

use super::{
    Plan,
    client::{Http, channels},
    load::Load,
    order::Catalogue,
    pgbench, postgres,
    process::Counted,
    record::{Engine, Record, Sample},
    row::request_id,
    server::{Alone, Whole},
    sqlite,
    world::{Copy, Samples, World},
};
use crate::compose::service_names;

pub(super) const BY_HAND: &str = "the statements of PlaceOrder by hand, a transaction each";
pub(super) const PGBENCH: &str = "the same by pgbench";
pub(super) const GRPC: &str = "PlaceOrder over gRPC";
pub(super) const REST: &str = "PlaceOrder over REST";
pub(super) const BUSY: &str = "PlaceOrder over gRPC, the whole mesh at work behind";

/// One round of all of it.
pub(super) async fn round(
    world: &mut World,
    samples: &Samples,
    plan: &Plan,
    round: usize,
    record: &mut Record,
) -> anyhow::Result<()> {
    let (fewest, most) = plan.fewest_and_most();
    for callers in plan.callers.clone() {
        let load = Load { callers, time: plan.time };
        if plan.runs('a') && [fewest, most].contains(&callers) {
            by_hand(world, samples, load, record).await?;
        }
        if plan.runs('b') || plan.runs('c') {
            over_the_wire(world, plan, load, round, record).await?;
        }
        if plan.runs('b') && callers == most {
            busy(world, load, record).await?;
        }
    }
    Ok(())
}

async fn by_hand(world: &mut World, samples: &Samples, load: Load, record: &mut Record) -> anyhow::Result<()> {
    let copy = world.copy("by_hand", &[order::NAME]).await?;
    let sample = match world.engine {
        Engine::Sqlite => sqlite::measure(&World::file(&copy, order::NAME), &samples.placed, load.callers, load.time)?,
        Engine::Postgres => {
            let url = world.url(&copy, order::NAME)?;
            postgres::measure(&url, &samples.placed, load, world.postmaster()).await?
        }
    };
    record.add('a', world.engine, BY_HAND, load.callers, sample);
    world.discard(copy).await?;
    if world.engine == Engine::Postgres && pgbench::installed() {
        let copy = world.copy("pgbench", &[order::NAME]).await?;
        let url = world.url(&copy, order::NAME)?;
        let counted = world.counted([]);
        if let Some(sample) = pgbench::measure(&copy.directory, &url, &samples.placed, load, &counted).await? {
            record.add('a', world.engine, PGBENCH, load.callers, sample);
        }
        world.discard(copy).await?;
    }
    Ok(())
}

/// The two ways take turns in being the first: the second finds a larger database.
async fn over_the_wire(
    world: &mut World,
    plan: &Plan,
    load: Load,
    round: usize,
    record: &mut Record,
) -> anyhow::Result<()> {
    let copy = world.copy("wire", &[order::NAME]).await?;
    let order = order_service(world, &copy).await?;
    let gateway = Alone::gateway(&copy.directory, order.address, None).await?;
    let next = AtomicU64::new(1);
    for way in 0..2 {
        if (way + round).is_multiple_of(2) && plan.runs('b') {
            let counted = world.counted([order.process.id]);
            let sample = grpc(&world.catalogue, order.address, load, &counted, &next).await?;
            record.add('b', world.engine, GRPC, load.callers, sample);
        } else if !(way + round).is_multiple_of(2) && plan.runs('c') {
            let counted = world.counted([order.process.id, gateway.process.id]);
            let sample = rest(&world.catalogue, gateway.address, load, &counted, &next).await?;
            record.add('c', world.engine, REST, load.callers, sample);
        }
    }
    gateway.process.end().await?;
    order.process.end().await?;
    world.discard(copy).await
}

/// Every order is reserved, released, routed and told on while the next are placed.
async fn busy(world: &mut World, load: Load, record: &mut Record) -> anyhow::Result<()> {
    let copy = world.copy("busy", &service_names()).await?;
    let mesh = Whole::start(&copy.directory, world.databases(&copy)?).await?;
    let counted = world.counted([mesh.process.id]);
    let sample = grpc(&world.catalogue, mesh.order, load, &counted, &AtomicU64::new(1)).await?;
    record.add('b', world.engine, BUSY, load.callers, sample);
    mesh.process.end().await?;
    world.discard(copy).await
}

/// The order service on a copy.
pub(super) async fn order_service(world: &World, copy: &Copy) -> anyhow::Result<Alone> {
    Alone::service(&copy.directory, order::NAME, world.url(copy, order::NAME)?).await
}

async fn grpc(
    catalogue: &Catalogue,
    address: SocketAddr,
    load: Load,
    counted: &Counted,
    next: &AtomicU64,
) -> anyhow::Result<Sample> {
    let clients = channels(address, load.callers).await?.into_iter().map(OrderServiceClient::new).collect();
    let place = async |client: &mut OrderServiceClient<Channel>, _| {
        client.place_order(catalogue.request(next.fetch_add(1, Ordering::Relaxed))).await?;
        Ok(())
    };
    load.run(counted, clients, place).await
}

async fn rest(
    catalogue: &Catalogue,
    address: SocketAddr,
    load: Load,
    counted: &Counted,
    next: &AtomicU64,
) -> anyhow::Result<Sample> {
    let clients = Http::connect(address, load.callers).await?;
    let place = async |client: &mut Http, _| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        client.post("/v1/orders", &request_id(number), catalogue.json(number)).await?;
        Ok(())
    };
    load.run(counted, clients, place).await
}
