//! Lists cost as much as they show, however much has moved.

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::NodeChanged,
    inventory::v1::{
        GetAvailabilityRequest, ListBackordersRequest, ListMovementsRequest, ListScheduledReceiptsRequest,
    },
};
use testkit::{each, person, plans::Plans};

use crate::{
    destinations::node,
    supply_dates::{in_days, schedule},
    world::{Client, HERE, World},
};

/// An item that moves all the time, of 4,000 times once at a location.
const MOVEMENTS: &str = "INSERT INTO movements \
    SELECT 'A', i, CASE WHEN i % 4000 = 0 THEN 'nod_here' WHEN i % 2 = 0 THEN 'nod_there' ELSE '' END, 'RESERVED', 0, 0, 0, 0, \
    'ord_' || (i / 10), 'acc_' || (i % 100), '', i, i, NULL, NULL, NULL, 1 FROM n";
/// Movements of other items at that location.
const OTHERS: &str = "INSERT INTO movements \
    SELECT 'X' || (i % 100), i, 'nod_here', 'RESERVED', 0, 0, 0, 0, '', NULL, '', i, i, NULL, NULL, NULL, 1 FROM n";
/// Reservations that wait for nothing, and items that a location has.
const RESERVATIONS: &str = "INSERT INTO reservations (order_id, line_number, account_id, sku, ship_to_country, requested, \
    reserved, allocated, consumed, backordered, released, shortage_policy, backorder_rank, create_time, update_time, version) \
    SELECT 'ord_' || i, 1, 'acc_1', 'X' || (i % 100), 'DE', 1, 0, 0, 1, 0, 0, 'REFUSE', 1, i, i, 1 FROM n";
/// Lines that wait: each account waits for each item.
const WAITING: &str = "INSERT INTO reservations (order_id, line_number, account_id, sku, ship_to_country, requested, \
    reserved, allocated, consumed, backordered, released, shortage_policy, backorder_rank, backorder_sequence, \
    backorder_time, backordered_sku, create_time, update_time, version) \
    SELECT 'ord_w' || i, 1, 'acc_' || (i / 100 % 100), 'W' || (i % 100), 'DE', 1, 0, 0, 0, 1, 0, 'REFUSE', 1, i, i, \
    'W' || (i % 100), i, i, 1 FROM n";
/// Receipts that are to come in, in the year 2100, and others that have.
const RECEIPTS: &str = "INSERT INTO scheduled_receipts \
    SELECT 'W' || (i % 1000), CASE WHEN i % 4000 = 0 THEN 'nod_here' ELSE 'nod_there' END, 'PO-' || i, 1, i % 2, \
    4102444800000000 + i, CASE WHEN i % 2 = 0 THEN 4102444800000000 + i END, CASE WHEN i % 2 = 0 THEN 'W' || (i % 1000) END, i, i, 1 FROM n";
const LEVELS: &str = "INSERT INTO levels (sku, location_id, on_hand, allocated, shortfall, update_time, version) \
    SELECT 'Y' || i, 'nod_here', 1, 0, 0, i, 1 FROM n";

#[tokio::test]
async fn a_node_that_changes_is_compared_with_what_waits_and_not_with_all_that_it_has() {
    each(World::open, async |world| {
        world.receive("A", HERE, 1).await;
        world.reserve("ord_waits", &[(1, "A", 2)]).await;
        let mut plans = Plans::over(&world.options, &world.db, &[RESERVATIONS, LEVELS, RECEIPTS]).await;
        world.fulfillment.emit("", &FulfillmentEvent::NodeUpdated(NodeChanged { node: Some(node(HERE, 1, &["DE"])) }));
        world.drain().await;
        plans.check("a node that changes").await;
    })
    .await;
}

#[tokio::test]
async fn movements_are_listed_without_reading_others() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[MOVEMENTS, OTHERS, RESERVATIONS]).await;
        for (sku, location_id) in [("", ""), ("A", ""), ("", HERE), ("A", HERE)] {
            for reference in ["", "ord_77"] {
                let request = ListMovementsRequest {
                    sku: sku.to_owned(),
                    location_id: location_id.to_owned(),
                    reference: reference.to_owned(),
                    page_size: 10,
                    ..Default::default()
                };
                let what = format!("{request:?}");
                let page = world.client.clone().list_movements(request.clone()).await.unwrap().into_inner();
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListMovementsRequest { page_token: page.next_page_token, ..request };
                    world.client.clone().list_movements(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
        }
        let request =
            GetAvailabilityRequest { skus: vec!["A".to_owned(), "B".to_owned(), "C".to_owned()], ..Default::default() };
        world.client.clone().get_availability(request).await.unwrap();
        plans.check("availability").await;
        world.workers.look().await.unwrap();
        plans.check("looking for what is stranded").await;
    })
    .await;
}

#[tokio::test]
async fn what_waits_and_what_is_to_come_in_is_listed_without_reading_others() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[RESERVATIONS, WAITING, RECEIPTS]).await;
        let limited = person(mesh::Role::CustomerService, mesh::Accounts::Only(vec!["acc_7".parse().unwrap()]));
        for client in [world.client.clone(), Client::new(world.channel.for_principal(&limited))] {
            for (sku, account_id, order_id) in [("", "", ""), ("W7", "", ""), ("", "acc_7", ""), ("", "", "ord_w77")] {
                let request = ListBackordersRequest {
                    sku: sku.to_owned(),
                    account_id: account_id.to_owned(),
                    order_id: order_id.to_owned(),
                    page_size: 10,
                    ..Default::default()
                };
                let what = format!("{request:?}");
                let page = client.clone().list_backorders(request.clone()).await.unwrap().into_inner();
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListBackordersRequest { page_token: page.next_page_token, ..request };
                    client.clone().list_backorders(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
        }
        for (sku, location_id) in [("", ""), ("W8", ""), ("", HERE), ("W8", HERE)] {
            let (sku, location_id) = (sku.to_owned(), location_id.to_owned());
            let request = ListScheduledReceiptsRequest { sku, location_id, page_size: 5, ..Default::default() };
            let what = format!("{request:?}");
            let page = world.client.clone().list_scheduled_receipts(request.clone()).await.unwrap().into_inner();
            plans.check(&what).await;
            if !page.next_page_token.is_empty() {
                let next = ListScheduledReceiptsRequest { page_token: page.next_page_token, ..request };
                world.client.clone().list_scheduled_receipts(next).await.unwrap();
                plans.check(&format!("the next page of {what}")).await;
            }
        }
        schedule(&world, "PO-1", HERE, 3, in_days(&world, 1)).await;
        world.availability("A").await;
        plans.check("availability of an item that is to come in").await;
        world.workers.look().await.unwrap();
        plans.check("looking for receipts that are overdue").await;
    })
    .await;
}
