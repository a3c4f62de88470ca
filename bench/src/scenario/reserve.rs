//! Reservations of one item by all callers, and of many items. Checks that no more is reserved than is in stock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use anyhow::Context as _;
use futures::future::try_join_all;
use proto::{
    inventory::v1::{
        Availability, GetAvailabilityRequest, ReserveRequest, ShortagePolicy,
        inventory_service_client::InventoryServiceClient,
    },
    types::v1::LineQuantity,
};
use tonic::{Code, Status, transport::Channel};

use crate::{
    client::{channels, until_accepted},
    furnish::{SCARCE, SCARCE_UNITS},
    load::Load,
    options::Plan,
    placed::order_id,
    server::INVENTORY,
    testbed::Testbed,
};

pub(crate) const HOT: &str = "Reserve, all callers the same item";
pub(crate) const COLD: &str = "Reserve, one of 77 items each";

/// How many reserve at the same time.
pub(crate) const CALLERS: usize = 32;

type Client = InventoryServiceClient<Channel>;

/// One round. One item and many take turns in being the first.
pub(crate) async fn round(testbed: &mut Testbed, plan: &Plan, round: usize) -> anyhow::Result<()> {
    let copy = testbed.databases.copy("reserve", &[INVENTORY]).await?;
    let inventory = testbed.service(&copy, INVENTORY).await?;
    let meter = testbed.meter([inventory.process.id()]);
    let clients: Vec<Client> = channels(inventory.address, CALLERS).await?.into_iter().map(Client::new).collect();
    let next = AtomicU64::new(1);
    for turn in 0..2 {
        let hot = (turn + round).is_multiple_of(2);
        let load = Load { callers: CALLERS, time: plan.time };
        let reserve = async |client: &mut Client, _| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let sku = testbed.catalogue.sku(if hot { 0 } else { number }).to_owned();
            client.reserve(request(number, sku)).await?;
            Ok(())
        };
        let sample = load.run(&meter, clients.clone(), reserve).await?;
        testbed.add('f', if hot { HOT } else { COLD }, CALLERS, sample);
    }
    let reserved = race(&clients, &next).await?;
    anyhow::ensure!(reserved == SCARCE_UNITS, "{reserved} units were reserved of {SCARCE_UNITS}");
    for sku in [testbed.catalogue.sku(0), SCARCE] {
        let stock = availability(&clients, sku).await?;
        let within = stock.reserved + stock.allocated <= stock.on_hand && stock.shortfall == 0;
        anyhow::ensure!(within, "more of {sku} is reserved than there is: {stock:?}");
    }
    let what = format!("units reserved of {SCARCE_UNITS} for which {CALLERS} callers compete");
    testbed.note('f', what, "", reserved as f64);
    inventory.process.kill().await?;
    testbed.databases.discard(copy).await
}

/// One unit for an order of its own.
fn request(number: u64, sku: String) -> ReserveRequest {
    ReserveRequest {
        request_id: format!("bench-reserve-{number}"),
        order_id: order_id(number),
        account_id: "acc_bench".to_owned(),
        lines: vec![LineQuantity { line_number: 1, sku, quantity: 1 }],
        shortage_policy: ShortagePolicy::Refuse.into(),
        ..Default::default()
    }
}

/// Lets all callers reserve a scarce item until they are refused, and returns how many units were reserved.
async fn race(clients: &[Client], next: &AtomicU64) -> anyhow::Result<i64> {
    let reserved = AtomicI64::new(0);
    let racing = clients.iter().map(|client| {
        let reserved = &reserved;
        async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let reserve =
                    async || Ok(client.clone().reserve(request(number, SCARCE.to_owned())).await?.into_inner());
                match until_accepted(reserve).await {
                    Ok(answer) => {
                        let units = answer.reservations.iter().map(|line| line.reserved).sum();
                        reserved.fetch_add(units, Ordering::Relaxed);
                    }
                    Err(error) if is_refusal(&error) => return anyhow::Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
    });
    try_join_all(racing).await?;
    Ok(reserved.into_inner())
}

fn is_refusal(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Status>().is_some_and(|status| status.code() == Code::FailedPrecondition)
}

async fn availability(clients: &[Client], sku: &str) -> anyhow::Result<Availability> {
    let mut client = clients.first().context("no caller")?.clone();
    let answer = client
        .get_availability(GetAvailabilityRequest { skus: vec![sku.to_owned()], ..Default::default() })
        .await?
        .into_inner();
    answer.availability.into_iter().next().context("an item without its availability")
}
