//! Long arbitrary histories: the sums hold after any calls, and every decision has loaded its rows.

use std::time::Duration;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::NodeChanged,
    inventory::v1::{
        AdjustStockRequest, AllocateRequest, ConsumeRequest, DeallocateRequest, ItemQuantity, LineCountry,
        PreviewBackorderReleaseRequest, ReleaseBackordersRequest, ReleaseRequest, ReserveRequest,
        ScheduleReceiptRequest, UpdateBackorderRulesRequest,
    },
};
use testkit::each;
use types::{Clock, Reason};

use crate::{
    destinations::node,
    world::{HERE, THERE, World, allocations, quantities, requested},
};

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
        for (location_id, countries) in [(HERE, ["US"].as_slice()), (THERE, ["*"].as_slice())] {
            let changed = NodeChanged { node: Some(node(location_id, 1, countries)) };
            world.fulfillment.emit("", &FulfillmentEvent::NodeUpdated(changed));
        }
        for step in 0..600 {
            let order_id = dice.pick(&["ord_1", "ord_2", "ord_3", "ord_4"]).to_owned();
            let (location_id, units) = (dice.pick(&[HERE, THERE]), dice.units());
            let (line, sku) = if dice.roll(2) == 0 { (1, "A") } else { (2, "B") };
            let lines = quantities(&[(line, sku, units)]);
            let outcome = match dice.roll(14) {
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
                9 => {
                    let request = ScheduleReceiptRequest {
                        location_id: location_id.to_owned(),
                        receipt_number: dice.pick(&["PO-1", "PO-2"]).to_owned(),
                        items: vec![ItemQuantity { sku: sku.to_owned(), quantity: units - 1 }],
                        expect_time: Some(mesh::wire::timestamp(
                            world.clock.now().after(Duration::from_secs(dice.roll(90))),
                        )),
                        ..Default::default()
                    };
                    client.schedule_receipt(request).await.map(|_| ())
                }
                10 => {
                    let request = UpdateBackorderRulesRequest {
                        criteria: vec![i32::try_from(dice.roll(3)).unwrap() + 1],
                        max_account_share_percent: i32::try_from(dice.roll(3)).unwrap() * 30,
                        hold_for_release: dice.roll(2) == 0,
                        ..Default::default()
                    };
                    client.update_backorder_rules(request).await.map(|_| ())
                }
                11 => {
                    let skus = vec![sku.to_owned()];
                    let preview = PreviewBackorderReleaseRequest { skus: skus.clone() };
                    let said = client.preview_backorder_release(preview).await.unwrap().into_inner().releases;
                    let request = ReleaseBackordersRequest { skus, ..Default::default() };
                    let released = client.release_backorders(request).await.map(tonic::Response::into_inner);
                    released.map(|released| assert_eq!(released.releases, said, "a preview says what a release does"))
                }
                12 => {
                    let country = dice.pick(&["DE", "US"]).to_owned();
                    let request = ReserveRequest {
                        ship_to_country: "AT".to_owned(),
                        line_countries: vec![LineCountry { line_number: line, country }],
                        shortage_policy: i32::try_from(dice.roll(3)).unwrap(),
                        priority: Some(i32::try_from(dice.roll(10)).unwrap()),
                        ..requested(&order_id, &[(line, sku, units)])
                    };
                    client.reserve(request).await.map(|_| ())
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
