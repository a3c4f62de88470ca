//! Orders carried from submission to proof of delivery: every service and event, reported on by simulated partners in a
//! process of their own.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures::future::try_join_all;
use proto::{
    event::v1::{FollowEventsRequest, ListEventsRequest, event_service_client::EventServiceClient},
    order::v1::{OrderStatus, SummarizeOrdersRequest, order_service_client::OrderServiceClient},
};
use tokio::sync::Semaphore;

use super::{
    Plan,
    client::{channel, channels, until_taken},
    order::Catalogue,
    process::Counted,
    record::{Record, Sample},
    server::{Process, Whole},
    world::World,
};
use crate::compose::service_names;

pub(super) const DELIVERED: &str = "orders carried from submission to delivered";
pub(super) const PARTNERS: &str = "the simulated partners' own part of that";

/// How many orders are under way at the same time.
pub(super) const UNDER_WAY: usize = 128;
/// How many customers order at the same time.
const CUSTOMERS: usize = 16;
/// Nothing that is delivered for so long is taken as stuck.
const PATIENCE: Duration = Duration::from_secs(120);
/// When one looks at the memory: percent of the orders.
const LOOKS: [u64; 3] = [10, 50, 100];

/// One round.
pub(super) async fn round(world: &mut World, plan: &Plan, record: &mut Record) -> anyhow::Result<()> {
    let copy = world.copy("deliver", &service_names()).await?;
    let mesh = Whole::start(&copy.directory, world.databases(&copy)?).await?;
    let gateway = format!("http://{}", mesh.http);
    let sandbox = ["sandbox", "--flawless", "--log", "error", "--gateway", &gateway].map(str::to_owned);
    let partners = Process::start(&copy.directory, &sandbox)?;
    let (counted, playing) = (world.counted([mesh.process.id]), Counted::of([partners.id]));

    let journeys = Journeys::of(plan.orders, &counted);
    let (before, played) = (counted.cpu_ms(), playing.cpu_ms());
    let begun = Instant::now();
    let after = head(mesh.order).await?;
    futures::try_join!(journeys.place(mesh.order, &world.catalogue), journeys.watch(mesh.order, after))?;
    let time = begun.elapsed();
    let used = |from: Option<f64>, to: Option<f64>| from.zip(to).map(|(from, to)| to - from);
    let (cpu_ms, partners_ms) = (used(before, counted.cpu_ms()), used(played, playing.cpu_ms()));
    all_delivered(mesh.order, plan.orders).await?;

    let Journeys { took, resident, .. } = journeys;
    let delivered = Sample::of_calls(took.take(), time, cpu_ms, counted.peak_mib());
    let apart = partners_ms.map(|partners_ms| partners_ms / plan.orders as f64);
    let partners_part = Sample { p50_ms: None, p99_ms: None, cpu_ms: apart, peak_mib: playing.peak_mib(), ..delivered };
    record.add('d', world.engine, DELIVERED, UNDER_WAY, delivered);
    record.add('d', world.engine, PARTNERS, UNDER_WAY, partners_part);
    for (percent, mib) in resident.take() {
        record.note('d', world.engine, format!("resident at {percent} % of {} orders", plan.orders), "MiB", mib);
    }
    partners.end().await?;
    mesh.process.end().await?;
    world.discard(copy).await
}

/// Orders on their way.
struct Journeys<'a> {
    orders: u64,
    counted: &'a Counted,
    room: Semaphore,
    placed: RefCell<HashMap<String, Instant>>,
    took: RefCell<Vec<Duration>>,
    resident: RefCell<Vec<(u64, f64)>>,
}

impl<'a> Journeys<'a> {
    fn of(orders: u64, counted: &'a Counted) -> Self {
        Self {
            orders,
            counted,
            room: Semaphore::new(UNDER_WAY),
            placed: RefCell::default(),
            took: RefCell::default(),
            resident: RefCell::default(),
        }
    }

    /// Places all orders, each as soon as there is room for another one.
    async fn place(&self, order: SocketAddr, catalogue: &Catalogue) -> anyhow::Result<()> {
        let next = Cell::new(1);
        let ordering = channels(order, CUSTOMERS).await?.into_iter().map(|channel| {
            let next = &next;
            async move {
                let client = OrderServiceClient::new(channel);
                while next.get() <= self.orders {
                    let number = next.replace(next.get() + 1);
                    self.room.acquire().await?.forget();
                    let begun = Instant::now();
                    let place = async || Ok(client.clone().place_order(catalogue.request(number)).await?.into_inner());
                    let placed = until_taken(place).await?;
                    self.placed.borrow_mut().insert(placed.order_id, begun);
                }
                anyhow::Ok(())
            }
        });
        try_join_all(ordering).await.map(|_| ())
    }

    /// Follows the order service's log until the last order is closed.
    async fn watch(&self, order: SocketAddr, after_position: i64) -> anyhow::Result<()> {
        let channel = channel(order).await?;
        let types = vec!["order.closed".to_owned()];
        let request = FollowEventsRequest { after_position, types, until_head: false };
        let mut log = EventServiceClient::new(channel).follow_events(request).await?.into_inner();
        let mut delivered = 0;
        while delivered < self.orders {
            let told = tokio::time::timeout(PATIENCE, log.message()).await;
            let told = told.with_context(|| format!("{delivered} of {} orders were delivered", self.orders))??;
            for event in told.context("the log ended")?.events {
                let Some(begun) = self.placed.borrow_mut().remove(&event.correlation_id) else { continue };
                self.took.borrow_mut().push(begun.elapsed());
                delivered += 1;
                self.room.add_permits(1);
                self.look(delivered);
            }
        }
        Ok(())
    }

    fn look(&self, delivered: u64) {
        let is_time = |percent: &u64| delivered == (self.orders * percent).div_ceil(100);
        for percent in LOOKS.into_iter().filter(is_time) {
            self.resident.borrow_mut().extend(self.counted.resident_mib().map(|mib| (percent, mib)));
        }
    }
}

/// The last position of the order service's log.
async fn head(order: SocketAddr) -> anyhow::Result<i64> {
    let channel = channel(order).await?;
    let request = ListEventsRequest { page_size: 1, ..ListEventsRequest::default() };
    Ok(EventServiceClient::new(channel).list_events(request).await?.into_inner().head_position)
}

/// Closed is not enough: every order must have arrived.
async fn all_delivered(order: SocketAddr, orders: u64) -> anyhow::Result<()> {
    let channel = channel(order).await?;
    let mut client = OrderServiceClient::new(channel);
    let summary = client.summarize_orders(SummarizeOrdersRequest::default()).await?.into_inner();
    let delivered = summary.statuses.iter().filter(|count| count.status() == OrderStatus::Delivered);
    let delivered: i64 = delivered.map(|count| count.order_count).sum();
    anyhow::ensure!(u64::try_from(delivered)? == orders, "{delivered} of {orders} orders were delivered");
    Ok(())
}
