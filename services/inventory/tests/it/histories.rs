//! Long arbitrary histories: the sums hold after any calls, and every decision has loaded its rows.

use std::time::Duration;

use proto::inventory::v1::{
    AdjustStockRequest, AllocateRequest, ConsumeRequest, DeallocateRequest, ReleaseRequest, ReserveRequest,
};
use testkit::each;
use types::Reason;

use crate::world::{HERE, THERE, World, allocations, quantities, requested};

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    /// A number from 0 to `below - 1`.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn units(&mut self) -> i64 {
        i64::try_from(self.roll(6)).unwrap() + 1
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
}

#[tokio::test]
async fn an_arbitrary_history_keeps_every_sum() {
    each(World::open, async |world| {
        let mut dice = Dice(7);
        let mut client = world.client.clone();
        for step in 0..400 {
            let order_id = dice.pick(&["ord_1", "ord_2", "ord_3", "ord_4"]).to_owned();
            let (location_id, units) = (dice.pick(&[HERE, THERE]), dice.units());
            let (line, sku) = if dice.roll(2) == 0 { (1, "A") } else { (2, "B") };
            let lines = quantities(&[(line, sku, units)]);
            let outcome = match dice.roll(10) {
                0 => {
                    world.receive(sku, location_id, units).await;
                    Ok(())
                }
                1 => {
                    let delta = units - 4;
                    let (location_id, sku, reason) = (location_id.to_owned(), sku.to_owned(), "a reason".to_owned());
                    let request = AdjustStockRequest { location_id, sku, delta, reason, ..Default::default() };
                    client.adjust_stock(request).await.map(|_| ())
                }
                2 => {
                    world.count(sku, units, Duration::from_secs(dice.roll(120))).await;
                    Ok(())
                }
                3 | 4 => {
                    let request = ReserveRequest {
                        shortage_policy: i32::try_from(dice.roll(3)).unwrap(),
                        expire_after: Some(mesh::wire::duration(Duration::from_secs(60))),
                        ..requested(&order_id, &[(line, sku, units), (line + 2, sku, 1)])
                    };
                    client.reserve(request).await.map(|_| ())
                }
                5 => client.release(ReleaseRequest { order_id, lines, ..Default::default() }).await.map(|_| ()),
                6 | 7 => {
                    let allocations = allocations(&[(line, location_id, units)]);
                    let request = AllocateRequest { allocation_key: format!("key-{step}"), order_id, allocations };
                    client.allocate(request).await.map(|_| ())
                }
                8 => {
                    let allocations = allocations(&[(line, location_id, units)]);
                    let policy = i32::try_from(dice.roll(3)).unwrap() + 1;
                    let request = DeallocateRequest { order_id, allocations, policy, ..Default::default() };
                    client.deallocate(request).await.map(|_| ())
                }
                _ => {
                    let (shipment_id, location_id) = (format!("shm_{step}"), location_id.to_owned());
                    client.consume(ConsumeRequest { shipment_id, order_id, location_id, lines }).await.map(|_| ())
                }
            };
            if let Err(status) = outcome {
                let reason = mesh::fault(&status).reason;
                assert!(matches!(reason, Reason::InvalidArgument | Reason::InsufficientStock), "step {step}: {status}");
            }
            world.clock.advance(Duration::from_secs(dice.roll(10)));
            world.drain().await;
        }
        for sku in ["A", "B"] {
            world.check(sku).await;
        }
        let opened = world.events().await.opened_exceptions();
        assert_eq!(opened.iter().filter(|exception_type| exception_type.ends_with("_FAILED")).count(), 0);
    })
    .await;
}
