//! Reservations on one item that everybody wants, and on many. Never more is promised than there is.

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

use super::{
    Plan,
    client::{channels, until_taken},
    load::Load,
    record::Record,
    row::order_id,
    server::Alone,
    world::{SCARCE, SCARCE_UNITS, World},
};

pub(super) const HOT: &str = "Reserve, everybody the same item";
pub(super) const COLD: &str = "Reserve, one of 77 items each";

/// How many reserve at the same time.
pub(super) const CALLERS: usize = 32;

type Client = InventoryServiceClient<Channel>;

/// One round. The ways take turns in being the first.
pub(super) async fn round(world: &mut World, plan: &Plan, round: usize, record: &mut Record) -> anyhow::Result<()> {
    let copy = world.copy("reserve", &[inventory::NAME]).await?;
    let url = world.url(&copy, inventory::NAME)?;
    let inventory = Alone::service(&copy.directory, inventory::NAME, url).await?;
    let counted = world.counted([inventory.process.id]);
    let clients: Vec<Client> = channels(inventory.address, CALLERS).await?.into_iter().map(Client::new).collect();
    let next = AtomicU64::new(1);
    for way in 0..2 {
        let hot = (way + round).is_multiple_of(2);
        let load = Load { callers: CALLERS, time: plan.time };
        let reserve = async |client: &mut Client, _| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let sku = world.catalogue.sku(if hot { 0 } else { number }).to_owned();
            client.reserve(request(number, sku)).await?;
            Ok(())
        };
        let sample = load.run(&counted, clients.clone(), reserve).await?;
        record.add('f', world.engine, if hot { HOT } else { COLD }, CALLERS, sample);
    }
    let promised = race(&clients, &next).await?;
    anyhow::ensure!(promised == SCARCE_UNITS, "{promised} units were promised where {SCARCE_UNITS} are");
    for sku in [world.catalogue.sku(0), SCARCE] {
        let stock = availability(&clients, sku).await?;
        let within = stock.reserved + stock.allocated <= stock.on_hand && stock.shortfall == 0;
        anyhow::ensure!(within, "more of {sku} is promised than there is: {stock:?}");
    }
    record.note(
        'f',
        world.engine,
        format!("units promised of {SCARCE_UNITS} that {CALLERS} callers fought for"),
        "",
        promised as f64,
    );
    inventory.process.end().await?;
    world.discard(copy).await
}

/// A unit for a line of an order that nobody else has.
fn request(number: u64, sku: String) -> ReserveRequest {
    ReserveRequest {
        request_id: format!("bench-reserve-{number}"),
        order_id: order_id(number),
        lines: vec![LineQuantity { line_number: 1, sku, quantity: 1 }],
        shortage_policy: ShortagePolicy::Refuse.into(),
        expire_after: None,
    }
}

/// All callers reserve of an item that is scarce until they are refused; answers how many units they were promised.
async fn race(clients: &[Client], next: &AtomicU64) -> anyhow::Result<i64> {
    let promised = AtomicI64::new(0);
    let racing = clients.iter().map(|client| {
        let promised = &promised;
        async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let reserve =
                    async || Ok(client.clone().reserve(request(number, SCARCE.to_owned())).await?.into_inner());
                match until_taken(reserve).await {
                    Ok(answer) => {
                        let reserved = answer.reservations.iter().map(|line| line.reserved).sum();
                        promised.fetch_add(reserved, Ordering::Relaxed);
                    }
                    Err(error) if is_refusal(&error) => return anyhow::Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
    });
    try_join_all(racing).await?;
    Ok(promised.into_inner())
}

fn is_refusal(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Status>().is_some_and(|status| status.code() == Code::FailedPrecondition)
}

async fn availability(clients: &[Client], sku: &str) -> anyhow::Result<Availability> {
    let mut client = clients.first().context("no caller")?.clone();
    let answer = client.get_availability(GetAvailabilityRequest { skus: vec![sku.to_owned()] }).await?.into_inner();
    answer.availability.into_iter().next().context("an item without its availability")
}
