//! What is agreed with accounts is in the log: ship-tos, prices and receivables, each change once.

use proto::{
    events::EventType,
    order::v1::{self as contract, ShipToState},
    types::v1::Money,
};
use testkit::{START, each, wrong_fields};

use crate::world::{
    World, address,
    calendar::{end_in, end_of, node, promise},
    order_of,
};

fn moved(time_zone: &str) -> contract::UpdateShipToRequest {
    contract::UpdateShipToRequest {
        account_id: "acc_1".to_owned(),
        ship_to_id: "shp_1".to_owned(),
        time_zone: Some(time_zone.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn another_time_zone_of_a_ship_to_counts_for_orders_that_are_placed_from_then_on() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let mut orders = world.orders.clone();
        let before = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        assert_eq!(promise(&before, 0).1, end_of("2025-06-17"));
        assert_eq!(wrong_fields(orders.update_ship_to(moved("Europe/Bonn")).await), ["time_zone"]);
        let reason = contract::UpdateShipToRequest { state_reason: "flooded".to_owned(), ..moved("") };
        assert_eq!(wrong_fields(orders.update_ship_to(reason).await), ["state_reason"]);
        let changed = orders.update_ship_to(moved("America/New_York")).await.unwrap().into_inner();
        assert_eq!((changed.time_zone.as_str(), changed.state()), ("America/New_York", ShipToState::Deliverable));
        assert_eq!(orders.update_ship_to(moved("America/New_York")).await.unwrap().into_inner(), changed);
        let closed = contract::UpdateShipToRequest {
            time_zone: None,
            state: ShipToState::NotDeliverable.into(),
            state_reason: "flooded".to_owned(),
            ..moved("")
        };
        let closed = orders.update_ship_to(closed).await.unwrap().into_inner();
        assert_eq!(closed.time_zone, "America/New_York");
        let opened =
            contract::UpdateShipToRequest { time_zone: None, state: ShipToState::Deliverable.into(), ..moved("") };
        orders.update_ship_to(opened).await.unwrap();

        world.drain().await;
        assert_eq!(world.get(&before.order_id).await, before, "an order keeps its place as it was");
        let after = world.place(order_of("PO-2", &[("TEA", 3)])).await;
        assert_eq!(promise(&after, 0).1, end_in("America/New_York", "2025-06-17"));
        let quoted = contract::QuoteOrderRequest {
            account_id: "acc_1".to_owned(),
            ship_to_id: "shp_1".to_owned(),
            lines: vec![contract::QuoteLine { sku: "TEA".to_owned(), quantity: 3, ..Default::default() }],
            ..Default::default()
        };
        let quoted = orders.quote_order(quoted).await.unwrap().into_inner();
        assert_eq!(quoted.latest_delivery_time, promise(&after, 0).1);
        let back = orders.update_ship_to(moved("")).await.unwrap().into_inner();
        assert_eq!(back.time_zone, "");

        let events = world.events().await;
        let updated: Vec<contract::ShipToChanged> = events.payloads(EventType::ShipToUpdated);
        let zones: Vec<_> = updated.iter().map(|changed| changed.ship_to.clone().unwrap().time_zone).collect();
        assert_eq!(zones, ["America/New_York", "America/New_York", "America/New_York", ""]);
        let event = &events.of(EventType::ShipToUpdated)[0];
        assert_eq!((event.subject.as_str(), event.account_id.as_str()), ("shp_1", "acc_1"));
        let created = contract::CreateShipToRequest {
            request_id: "1".to_owned(),
            account_id: "acc_1".to_owned(),
            address: Some(address()),
            ..Default::default()
        };
        for _ in 0..2 {
            orders.create_ship_to(created.clone()).await.unwrap();
        }
        let after = world.events().await.of(EventType::ShipToCreated).len();
        assert_eq!(after, events.of(EventType::ShipToCreated).len() + 1);
    })
    .await;
}

fn price(sku: &str, unit_price_minor: Option<i64>) -> contract::ItemPrices {
    let breaks =
        unit_price_minor.map(|unit_price_minor| contract::PriceBreak { unit_price_minor, ..Default::default() });
    contract::ItemPrices { sku: sku.to_owned(), breaks: breaks.into_iter().collect(), ..Default::default() }
}

/// The items of an event with their first price.
fn named(prices: &[contract::ItemPrices]) -> Vec<(&str, Option<i64>)> {
    prices.iter().map(|one| (one.sku.as_str(), one.breaks.first().map(|first| first.unit_price_minor))).collect()
}

#[tokio::test]
async fn a_change_of_prices_is_an_event_with_the_items_that_changed() {
    each(World::furnished, async |world| {
        let set = async |prices: Vec<contract::ItemPrices>| {
            let request = contract::SetPricesRequest {
                price_list_id: "prl_1".to_owned(),
                currency: "USD".to_owned(),
                prices,
                ..Default::default()
            };
            world.orders.clone().set_prices(request).await.unwrap().into_inner().changed_items
        };
        assert_eq!(set(vec![price("TEA", Some(900)), price("CHAI", Some(800))]).await, 2);
        assert_eq!(set(vec![price("TEA", Some(900)), price("CHAI", Some(810))]).await, 1);
        assert_eq!(set(vec![price("TEA", Some(900))]).await, 0);
        assert_eq!(set(vec![price("TEA", None)]).await, 1);
        assert_eq!(set(vec![price("TEA", Some(900))]).await, 1);
        let events = world.events().await;
        let created: Vec<contract::PriceListChanged> = events.payloads(EventType::PriceListCreated);
        assert_eq!(
            (created.len(), created[0].price_list_id.as_str(), created[0].currency.as_str()),
            (1, "prl_1", "USD")
        );
        assert_eq!(named(&created[0].prices), [("TEA", Some(900)), ("CHAI", Some(800))]);
        let updated: Vec<contract::PriceListChanged> = events.payloads(EventType::PriceListUpdated);
        let updated: Vec<_> = updated.iter().map(|changed| named(&changed.prices)).collect();
        assert_eq!(updated, [[("CHAI", Some(810))], [("TEA", None)], [("TEA", Some(900))]]);
        let versions: Vec<_> = events.of(EventType::PriceListUpdated).iter().map(|one| one.subject_version).collect();
        assert_eq!(versions, [2, 3, 4]);

        let set_own = async |prices: Vec<contract::ItemPrices>| {
            let request =
                contract::SetAccountPricesRequest { account_id: "acc_1".to_owned(), prices, ..Default::default() };
            world.orders.clone().set_account_prices(request).await.unwrap().into_inner().changed_items
        };
        assert_eq!(set_own(vec![price("TEA", Some(700)), price("CHAI", Some(600))]).await, 2);
        assert_eq!(set_own(vec![price("TEA", Some(700))]).await, 0);
        // The same prices again, after others.
        assert_eq!(set_own(vec![price("TEA", None)]).await, 1);
        assert_eq!(set_own(vec![price("TEA", Some(700))]).await, 1);
        let events = world.events().await;
        let own: Vec<contract::AccountPricesChanged> = events.payloads(EventType::AccountPricesChanged);
        assert!(own.iter().all(|changed| changed.account_id == "acc_1"));
        let own: Vec<_> = own.iter().map(|changed| named(&changed.prices)).collect();
        let expected = [vec![("TEA", Some(700)), ("CHAI", Some(600))], vec![("TEA", None)], vec![("TEA", Some(700))]];
        assert_eq!(own, expected);
        assert_eq!(events.of(EventType::AccountPricesChanged)[0].account_id, "acc_1");
    })
    .await;
}

#[tokio::test]
async fn receivables_that_count_are_an_event_and_older_ones_and_repeats_are_not() {
    each(World::furnished, async |world| {
        let record = async |hours: u64, minor_units: i64| {
            let request = contract::RecordReceivablesRequest {
                account_id: "acc_1".to_owned(),
                amount: Some(Money { currency: "USD".to_owned(), minor_units }),
                as_of: Some(mesh::wire::timestamp(START.after(std::time::Duration::from_secs(hours * 3_600)))),
                ..Default::default()
            };
            world.orders.clone().record_receivables(request).await.unwrap();
        };
        world.clock.advance(std::time::Duration::from_secs(4 * 3_600));
        record(2, 700).await;
        record(2, 700).await;
        record(1, 900).await;
        record(3, 500).await;
        let events = world.events().await;
        let recorded: Vec<contract::AccountReceivablesRecorded> =
            events.payloads(EventType::AccountReceivablesRecorded);
        let amounts: Vec<_> =
            recorded.iter().map(|one| one.credit.clone().unwrap().receivables.unwrap().minor_units).collect();
        assert_eq!(amounts, [700, 500]);
        assert_eq!(events.of(EventType::AccountReceivablesRecorded)[0].account_id, "acc_1");
    })
    .await;
}
