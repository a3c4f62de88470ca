//! Orders carried from submission to proof of delivery by all services; simulated partners in a process of their own
//! report on them.

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
    events::EventType,
    order::v1::{OrderStatus, SummarizeOrdersRequest, order_service_client::OrderServiceClient},
};
use tokio::sync::Semaphore;

use waybill::compose::service_names;

use crate::{
    catalogue::Catalogue,
    client::{channel, channels, until_accepted},
    options::Plan,
    sample::Sample,
    testbed::Testbed,
    usage::Meter,
};

pub(crate) const DELIVERED: &str = "orders carried from submission to delivered";
pub(crate) const PARTNERS: &str = "the simulated partners' own part of that";

/// How many orders are under way at the same time.
pub(crate) const UNDER_WAY: usize = 128;
/// How many customers order at the same time.
const CUSTOMERS: usize = 16;
/// When no order is delivered for so long, they are taken as stuck.
const PATIENCE: Duration = Duration::from_secs(120);
/// When memory is measured: percent of the orders delivered.
const MEMORY_AT: [u64; 3] = [10, 50, 100];

/// One round.
pub(crate) async fn round(testbed: &mut Testbed, plan: &Plan) -> anyhow::Result<()> {
    let copy = testbed.databases.copy("deliver", &service_names()).await?;
    let mesh = testbed.mesh(&copy).await?;
    let gateway = format!("http://{}", mesh.http);
    let sandbox = ["sandbox", "--flawless", "--log", "error", "--gateway", &gateway].map(str::to_owned);
    let partners = testbed.binary.start(&copy.directory, &sandbox, None)?;
    let (meter, of_partners) = (testbed.meter([mesh.process.id()]), Meter::of([partners.id()]));

    let journeys = Journeys::of(plan.orders, &meter);
    let before = (meter.cpu_ms(), of_partners.cpu_ms());
    let begun = Instant::now();
    let after = head(mesh.order).await?;
    futures::try_join!(journeys.place(mesh.order, &testbed.catalogue), journeys.watch(mesh.order, after))?;
    let time = begun.elapsed();
    let used = |from: Option<f64>, to: Option<f64>| from.zip(to).map(|(from, to)| to - from);
    let (cpu_ms, partners_ms) = (used(before.0, meter.cpu_ms()), used(before.1, of_partners.cpu_ms()));
    all_delivered(mesh.order, plan.orders).await?;

    let Journeys { took, resident, .. } = journeys;
    let delivered = Sample::of_calls(took.take(), time, cpu_ms, meter.peak_mib());
    let partners_each = partners_ms.map(|partners_ms| partners_ms / plan.orders as f64);
    let of_partners =
        Sample { cpu_ms: partners_each, peak_mib: of_partners.peak_mib(), ..Sample::of_rate(delivered.per_second) };
    testbed.add('d', DELIVERED, UNDER_WAY, delivered);
    testbed.add('d', PARTNERS, UNDER_WAY, of_partners);
    for (percent, mib) in resident.take() {
        testbed.note('d', format!("resident at {percent} % of {} orders", plan.orders), "MiB", mib);
    }
    partners.kill().await?;
    mesh.process.kill().await?;
    testbed.databases.discard(copy).await
}

/// Orders under way.
struct Journeys<'a> {
    orders: u64,
    meter: &'a Meter,
    room: Semaphore,
    placed: RefCell<HashMap<String, Instant>>,
    took: RefCell<Vec<Duration>>,
    resident: RefCell<Vec<(u64, f64)>>,
}

impl<'a> Journeys<'a> {
    fn of(orders: u64, meter: &'a Meter) -> Self {
        Self {
            orders,
            meter,
            room: Semaphore::new(UNDER_WAY),
            placed: RefCell::default(),
            took: RefCell::default(),
            resident: RefCell::default(),
        }
    }

    /// Places all orders, each as soon as fewer than `UNDER_WAY` are under way.
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
                    let placed = until_accepted(place).await?;
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
        let types = vec![EventType::OrderClosed.to_string()];
        let request = FollowEventsRequest { after_position, types, until_head: false };
        let mut log = EventServiceClient::new(channel).follow_events(request).await?.into_inner();
        let mut delivered = 0;
        while delivered < self.orders {
            let page = tokio::time::timeout(PATIENCE, log.message()).await;
            let page = page.with_context(|| format!("{delivered} of {} orders were delivered", self.orders))??;
            for event in page.context("the log ended")?.events {
                let Some(begun) = self.placed.borrow_mut().remove(&event.correlation_id) else { continue };
                self.took.borrow_mut().push(begun.elapsed());
                delivered += 1;
                self.room.add_permits(1);
                self.measure_memory(delivered);
            }
        }
        Ok(())
    }

    fn measure_memory(&self, delivered: u64) {
        let is_time = |percent: &u64| delivered == (self.orders * percent).div_ceil(100);
        for percent in MEMORY_AT.into_iter().filter(is_time) {
            self.resident.borrow_mut().extend(self.meter.resident_mib().map(|mib| (percent, mib)));
        }
    }
}

/// The last position of the order service's log.
async fn head(order: SocketAddr) -> anyhow::Result<i64> {
    let channel = channel(order).await?;
    let request = ListEventsRequest { page_size: 1, ..ListEventsRequest::default() };
    Ok(EventServiceClient::new(channel).list_events(request).await?.into_inner().head_position)
}

/// Fails unless every order has arrived: one that was cancelled is closed too.
async fn all_delivered(order: SocketAddr, orders: u64) -> anyhow::Result<()> {
    let channel = channel(order).await?;
    let mut client = OrderServiceClient::new(channel);
    let summary = client.summarize_orders(SummarizeOrdersRequest::default()).await?.into_inner();
    let delivered = summary.statuses.iter().filter(|count| count.status() == OrderStatus::Delivered);
    let delivered: i64 = delivered.map(|count| count.order_count).sum();
    anyhow::ensure!(u64::try_from(delivered)? == orders, "{delivered} of {orders} orders were delivered");
    Ok(())
}
