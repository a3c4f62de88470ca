//! One order as a distributor's biggest customer writes it: thousands of lines for hundreds of places, placed, changed and carried to
//! delivery by all services.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use proto::{
    event::v1::{FollowEventsRequest, event_service_client::EventServiceClient},
    events::EventType,
    order::v1::{
        AddedLine, ConfirmOrderChangeRequest, GetOrderRequest, NewOrderLine, NewShipToGroup, Order, OrderStatus,
        PlaceOrderRequest, ProposeOrderChangeRequest, order_service_client::OrderServiceClient,
    },
    types::v1::Address,
};
use tonic::transport::Channel;
use waybill::compose::service_names;

use crate::{catalogue::Catalogue, client::channel, options::Plan, testbed::Testbed};

/// When nothing is heard of the order for so long, it is taken as stuck.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where it goes.
const COUNTRIES: [&str; 4] = ["DE", "FR", "US", "BR"];

/// How big an order is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) lines: u64,
    pub(crate) places: u64,
}

/// One round.
pub(crate) async fn round(testbed: &mut Testbed, plan: &Plan) -> anyhow::Result<()> {
    let copy = testbed.databases.copy("large", &service_names()).await?;
    let mesh = testbed.mesh(&copy).await?;
    let gateway = format!("http://{}", mesh.http);
    let sandbox = ["sandbox", "--flawless", "--log", "error", "--gateway", &gateway].map(str::to_owned);
    let meter = testbed.meter([mesh.process.id()]);
    let before = meter.cpu_ms();
    let mut orders = OrderServiceClient::new(channel(mesh.order).await?);

    let begun = Instant::now();
    let placed = orders.place_order(request(&testbed.catalogue, plan.large)?).await?.into_inner();
    let mut seconds = vec![("placed and reserved", begun.elapsed())];
    let begun = Instant::now();
    change(&mut orders, &testbed.catalogue, &placed).await.context("changing it")?;
    seconds.push(("a line added: shown and confirmed", begun.elapsed()));
    let begun = Instant::now();
    let partners = testbed.binary.start(&copy.directory, &sandbox, None)?;
    delivered(mesh.order, &placed.order_id).await?;
    seconds.push(("routed, shipped and delivered", begun.elapsed()));
    let get = GetOrderRequest { order_id: placed.order_id };
    let order = orders.get_order(get).await?.into_inner();
    anyhow::ensure!(order.status() == OrderStatus::Delivered, "the order is {:?}", order.status());
    anyhow::ensure!(u64::try_from(order.lines.len())? == plan.large.lines + 1, "the order has other lines");

    let what = format!("{} lines for {} places", plan.large.lines, plan.large.places);
    for (step, time) in seconds {
        testbed.note('l', format!("{what}: {step}"), "s", time.as_secs_f64());
    }
    if let (Some(from), Some(to)) = (before, meter.cpu_ms()) {
        testbed.note('l', format!("{what}: processor time"), "s", (to - from) / 1_000.0);
    }
    if let Some(mib) = meter.peak_mib() {
        testbed.note('l', format!("{what}: peak memory"), "MiB", mib);
    }
    partners.kill().await?;
    mesh.process.kill().await?;
    testbed.databases.discard(copy).await
}

fn request(catalogue: &Catalogue, size: Size) -> anyhow::Result<PlaceOrderRequest> {
    let group = |number: u64| {
        let country = COUNTRIES.iter().cycle().nth(usize::try_from(number).unwrap_or_default());
        let address = Address {
            name: format!("Store {number}"),
            street: format!("{number} Market Square"),
            city: "Somewhere".to_owned(),
            country: country.copied().unwrap_or_default().to_owned(),
            ..Address::default()
        };
        let ship_to_group = i32::try_from(number)?;
        anyhow::Ok(NewShipToGroup { ship_to_group, ship_to_address: Some(address), ..NewShipToGroup::default() })
    };
    let line = |number: u64| {
        let ship_to_group = i32::try_from(number % size.places + 1)?;
        let sku = catalogue.sku(number).to_owned();
        anyhow::Ok(NewOrderLine { sku, quantity: 2, ship_to_group, ..NewOrderLine::default() })
    };
    Ok(PlaceOrderRequest {
        account_id: catalogue.account(0).0.to_owned(),
        customer_po: "LARGE".to_owned(),
        ship_to_groups: (1..=size.places).map(group).collect::<Result<_, _>>()?,
        lines: (0..size.lines).map(line).collect::<Result<_, _>>()?,
        wait: true,
        ..PlaceOrderRequest::default()
    })
}

/// Adds a line.
async fn change(orders: &mut OrderServiceClient<Channel>, catalogue: &Catalogue, order: &Order) -> anyhow::Result<()> {
    let line =
        NewOrderLine { sku: catalogue.sku(1).to_owned(), quantity: 3, ship_to_group: 1, ..NewOrderLine::default() };
    let propose = ProposeOrderChangeRequest {
        order_id: order.order_id.clone(),
        added_lines: vec![AddedLine { line: Some(line), ..AddedLine::default() }],
        ..ProposeOrderChangeRequest::default()
    };
    let shown = orders.propose_order_change(propose).await?.into_inner();
    let confirm = ConfirmOrderChangeRequest {
        order_id: shown.order_id,
        change_number: shown.change_number,
        etag: shown.order_etag,
        ..ConfirmOrderChangeRequest::default()
    };
    orders.confirm_order_change(confirm).await?;
    Ok(())
}

/// Waits until the order is closed.
async fn delivered(order: std::net::SocketAddr, order_id: &str) -> anyhow::Result<()> {
    let types = vec![EventType::OrderClosed.to_string()];
    let request = FollowEventsRequest { after_position: 0, types, until_head: false };
    let mut log = EventServiceClient::new(channel(order).await?).follow_events(request).await?.into_inner();
    loop {
        let page = tokio::time::timeout(PATIENCE, log.message()).await.context("the order is not delivered")??;
        if page.context("the log ended")?.events.iter().any(|event| event.correlation_id == order_id) {
            return Ok(());
        }
    }
}
