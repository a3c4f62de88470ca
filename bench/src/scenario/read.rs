//! Reads while few, many and very many orders are stored, which should not make them slower.

use std::net::SocketAddr;

use proto::{
    inventory::v1::{GetAvailabilityRequest, inventory_service_client::InventoryServiceClient},
    order::v1::{GetOrderRequest, ListOrdersRequest, OrderView, order_service_client::OrderServiceClient},
};
use tonic::transport::Channel;

use crate::{
    client::{channel, channels},
    databases::Copy,
    furnish::{FILLED_ACCOUNTS, store_orders},
    load::Load,
    options::Plan,
    placed::order_id,
    server::{INVENTORY, ORDER, Server},
    testbed::{Testbed, in_turn},
};

/// How many read at the same time.
pub(crate) const CALLERS: usize = 8;
/// Orders on a page.
const PAGE: i32 = 20;

/// All kinds of reads.
pub(crate) const READS: [Read; 4] = [Read::Get, Read::First, Read::Middle, Read::Availability];

/// One kind of read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    Get,
    First,
    Middle,
    Availability,
}

impl Read {
    /// As the report names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GetOrder",
            Self::First => "ListOrders, first page of 20",
            Self::Middle => "ListOrders, page of 20 in the middle",
            Self::Availability => "GetAvailability of 5 items",
        }
    }

    /// As the report names it, with the number of stored orders.
    pub(crate) fn of(self, orders: u64) -> String {
        format!("{}, {orders} orders stored", self.name())
    }
}

/// A copy with stored orders, and servers on it.
struct Filled {
    /// How many orders are stored.
    orders: u64,
    copy: Copy,
    order: Server,
    inventory: Server,
    /// The page token that leads to the middle of an account's orders.
    middle: String,
}

/// All rounds on the copies of all binaries, because storing the orders takes longer than reading them.
pub(crate) async fn rounds(testbeds: &mut [Testbed], plan: &Plan) -> anyhow::Result<()> {
    let mut filled = Vec::new();
    for testbed in testbeds {
        let mut copies = Vec::new();
        for orders in &plan.sizes {
            copies.push(Filled::start(testbed, *orders).await?);
        }
        filled.push((testbed, copies));
    }
    for round in 0..plan.repeats {
        for read in READS {
            for (testbed, copies) in in_turn(&mut filled, round) {
                for copy in copies {
                    measure(testbed, plan, copy, read).await?;
                }
            }
        }
    }
    for (testbed, copies) in filled {
        for Filled { copy, order, inventory, .. } in copies {
            order.process.kill().await?;
            inventory.process.kill().await?;
            testbed.databases.discard(copy).await?;
        }
    }
    Ok(())
}

impl Filled {
    async fn start(testbed: &mut Testbed, orders: u64) -> anyhow::Result<Self> {
        let copy = testbed.databases.copy(&format!("filled_{orders}"), &[ORDER, INVENTORY]).await?;
        store_orders(testbed, &copy, orders).await?;
        let order = testbed.service(&copy, ORDER).await?;
        let inventory = testbed.service(&copy, INVENTORY).await?;
        let middle = middle(testbed, order.address, orders / FILLED_ACCOUNTS / 2).await?;
        Ok(Self { orders, copy, order, inventory, middle })
    }
}

fn list(testbed: &Testbed, page_size: i32, page_token: String) -> ListOrdersRequest {
    let account_id = testbed.catalogue.account(0).0.to_owned();
    let view = OrderView::Full.into();
    ListOrdersRequest { account_id, page_size, page_token, view, ..ListOrdersRequest::default() }
}

/// Pages over a number of the account's orders, and returns the token of the next page.
async fn middle(testbed: &Testbed, order: SocketAddr, mut orders: u64) -> anyhow::Result<String> {
    let mut token = String::new();
    let mut client = OrderServiceClient::new(channel(order).await?);
    while orders > 0 {
        let page = orders.min(500);
        let answer = client.list_orders(list(testbed, i32::try_from(page)?, token)).await?.into_inner();
        token = answer.next_page_token;
        orders -= page;
    }
    Ok(token)
}

async fn measure(testbed: &mut Testbed, plan: &Plan, filled: &Filled, read: Read) -> anyhow::Result<()> {
    let load = Load { callers: CALLERS, time: plan.time.div_f64(2.0) };
    let server = match read {
        Read::Availability => &filled.inventory,
        Read::Get | Read::First | Read::Middle => &filled.order,
    };
    let clients = (0..).zip(channels(server.address, CALLERS).await?).collect();
    let read_next = async |(caller, channel): &mut (u64, Channel), call: u64| {
        // Scattered over all orders; the same in every run.
        let number = (call * 8 + *caller).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
        call_once(testbed, channel.clone(), filled, read, number).await
    };
    let sample = load.run(&testbed.meter([server.process.id()]), clients, read_next).await?;
    testbed.add('e', read.of(filled.orders), CALLERS, sample);
    Ok(())
}

async fn call_once(
    testbed: &Testbed,
    channel: Channel,
    filled: &Filled,
    read: Read,
    number: u64,
) -> anyhow::Result<()> {
    match read {
        Read::Get => {
            let order_id = order_id(1 + number % filled.orders);
            let order = OrderServiceClient::new(channel).get_order(GetOrderRequest { order_id }).await?;
            anyhow::ensure!(order.get_ref().lines.len() == 5, "an order without its lines");
        }
        Read::First | Read::Middle => {
            let token = if read == Read::Middle { filled.middle.clone() } else { String::new() };
            let page = OrderServiceClient::new(channel).list_orders(list(testbed, PAGE, token)).await?;
            anyhow::ensure!(page.get_ref().orders.len() == usize::try_from(PAGE)?, "a page that is not full");
        }
        Read::Availability => {
            let skus = testbed.catalogue.skus(number % 1_000).map(str::to_owned).collect();
            let request = GetAvailabilityRequest { skus, ..Default::default() };
            let found = InventoryServiceClient::new(channel).get_availability(request).await?;
            anyhow::ensure!(found.get_ref().availability.len() == 5, "an item without its availability");
        }
    }
    Ok(())
}
