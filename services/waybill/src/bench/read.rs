//! Reads while few, many and very many orders are stored. They should not take longer for it.

use std::net::SocketAddr;

use proto::{
    inventory::v1::{GetAvailabilityRequest, inventory_service_client::InventoryServiceClient},
    order::v1::{GetOrderRequest, ListOrdersRequest, order_service_client::OrderServiceClient},
};
use tonic::transport::Channel;

use super::{
    Plan,
    client::{channel, channels},
    load::Load,
    place::order_service,
    record::Record,
    row::order_id,
    server::Alone,
    world::{Copy, FILLED_ACCOUNTS, Samples, World},
};

/// How many read at the same time.
pub(super) const CALLERS: usize = 8;
/// Orders on a page.
const PAGE: i32 = 20;

/// Everything that is read.
pub(super) const READS: [Read; 4] = [Read::Get, Read::First, Read::Middle, Read::Availability];

/// One kind of read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    Get,
    First,
    Middle,
    Availability,
}

impl Read {
    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GetOrder",
            Self::First => "ListOrders, first page of 20",
            Self::Middle => "ListOrders, page of 20 in the middle",
            Self::Availability => "GetAvailability of 5 items",
        }
    }

    /// What it is called with so many orders stored.
    pub(super) fn of(self, orders: u64) -> String {
        format!("{}, {orders} orders stored", self.name())
    }
}

/// Servers on a copy in which so many orders are stored.
struct Filled {
    orders: u64,
    copy: Copy,
    order: Alone,
    inventory: Alone,
    /// Leads to the middle of an account's orders.
    middle: String,
}

/// All rounds: storing the orders takes longer than reading them.
pub(super) async fn rounds(
    world: &mut World,
    samples: &Samples,
    plan: &Plan,
    record: &mut Record,
) -> anyhow::Result<()> {
    let mut filled = Vec::new();
    for orders in &plan.sizes {
        let copy = world.copy(&format!("filled_{orders}"), &[order::NAME, inventory::NAME]).await?;
        world.fill(&copy, samples, *orders).await?;
        let order = order_service(world, &copy).await?;
        let url = world.url(&copy, inventory::NAME)?;
        let inventory = Alone::service(&copy.directory, inventory::NAME, url).await?;
        let middle = middle(world, order.address, orders / FILLED_ACCOUNTS / 2).await?;
        filled.push(Filled { orders: *orders, copy, order, inventory, middle });
    }
    for _ in 0..plan.repeats {
        for read in READS {
            for stored in &filled {
                one(world, plan, stored, read, record).await?;
            }
        }
    }
    for Filled { copy, order, inventory, .. } in filled {
        order.process.end().await?;
        inventory.process.end().await?;
        world.discard(copy).await?;
    }
    Ok(())
}

fn list(world: &World, page_size: i32, page_token: String) -> ListOrdersRequest {
    let account_id = world.catalogue.account(0).0.to_owned();
    ListOrdersRequest { account_id, page_size, page_token, ..ListOrdersRequest::default() }
}

/// Goes through so many orders of the account; answers the token of what follows.
async fn middle(world: &World, order: SocketAddr, mut orders: u64) -> anyhow::Result<String> {
    let mut token = String::new();
    let mut client = OrderServiceClient::new(channel(order).await?);
    while orders > 0 {
        let page = orders.min(500);
        let answer = client.list_orders(list(world, i32::try_from(page)?, token)).await?.into_inner();
        token = answer.next_page_token;
        orders -= page;
    }
    Ok(token)
}

async fn one(world: &World, plan: &Plan, stored: &Filled, read: Read, record: &mut Record) -> anyhow::Result<()> {
    let load = Load { callers: CALLERS, time: plan.time.div_f64(2.0) };
    let (counted, address) = match read {
        Read::Availability => (world.counted([stored.inventory.process.id]), stored.inventory.address),
        Read::Get | Read::First | Read::Middle => (world.counted([stored.order.process.id]), stored.order.address),
    };
    let clients = (0..).zip(channels(address, CALLERS).await?).collect();
    let read_one = async |(caller, channel): &mut (u64, Channel), call: u64| {
        // Scattered over all orders; the same in every run.
        let number = (call * 8 + *caller).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
        call_once(world, channel.clone(), stored, read, number).await
    };
    let sample = load.run(&counted, clients, read_one).await?;
    record.add('e', world.engine, read.of(stored.orders), CALLERS, sample);
    Ok(())
}

async fn call_once(world: &World, channel: Channel, stored: &Filled, read: Read, number: u64) -> anyhow::Result<()> {
    match read {
        Read::Get => {
            let order_id = order_id(1 + number % stored.orders);
            let order = OrderServiceClient::new(channel).get_order(GetOrderRequest { order_id }).await?;
            anyhow::ensure!(order.get_ref().lines.len() == 5, "an order without its lines");
        }
        Read::First | Read::Middle => {
            let token = if read == Read::Middle { stored.middle.clone() } else { String::new() };
            let page = OrderServiceClient::new(channel).list_orders(list(world, PAGE, token)).await?;
            anyhow::ensure!(page.get_ref().orders.len() == usize::try_from(PAGE)?, "a page that is not full");
        }
        Read::Availability => {
            let skus = world.catalogue.skus(number % 1_000).map(str::to_owned).collect();
            let request = GetAvailabilityRequest { skus };
            let found = InventoryServiceClient::new(channel).get_availability(request).await?;
            anyhow::ensure!(found.get_ref().availability.len() == 5, "an item without its availability");
        }
    }
    Ok(())
}
