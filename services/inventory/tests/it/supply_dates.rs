//! Scheduled receipts: when orders that wait are expected to have their units, and what can be promised by when.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Node, NodeChanged, NodeState},
    inventory::v1::{
        Availability, DatedSupply, GetAvailabilityRequest, ItemQuantity, ListScheduledReceiptsRequest,
        ReceiptScheduled, ReceiveStockRequest, ReleaseRequest, ReservationsChanged, ReserveRequest,
        RetractMovementRequest, ScheduleReceiptRequest, ScheduledReceipt, ShortagePolicy,
    },
};
use testkit::{customer, each, reason, wrong_fields};
use types::{Clock, Reason, Timestamp};

use crate::{
    destinations::node,
    world::{Client, HERE, THERE, World, quantities, requested, units},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// So many days after now.
pub(crate) fn in_days(world: &World, days: u32) -> Timestamp {
    world.clock.now().after(DAY * days)
}

/// Schedules units of `A`.
pub(crate) async fn schedule(
    world: &World,
    receipt_number: &str,
    location_id: &str,
    quantity: i64,
    expect_time: Timestamp,
) -> ScheduledReceipt {
    let request = ScheduleReceiptRequest {
        location_id: location_id.to_owned(),
        receipt_number: receipt_number.to_owned(),
        items: vec![ItemQuantity { sku: "A".to_owned(), quantity }],
        expect_time: Some(mesh::wire::timestamp(expect_time)),
        ..Default::default()
    };
    world.client.clone().schedule_receipt(request).await.unwrap().into_inner().receipts.remove(0)
}

/// Units of `A` come in under a receipt number.
async fn receive(world: &World, receipt_number: &str, location_id: &str, quantity: i64) {
    let request = ReceiveStockRequest {
        location_id: location_id.to_owned(),
        items: vec![ItemQuantity { sku: "A".to_owned(), quantity }],
        reference: receipt_number.to_owned(),
        ..Default::default()
    };
    world.client.clone().receive_stock(request).await.unwrap();
}

/// When the units of an order's first line are expected.
pub(crate) async fn expected(world: &World, order_id: &str) -> Option<Timestamp> {
    let line = world.reservation(order_id).await;
    line.backorder_expect_time.as_ref().map(|time| mesh::wire::from_timestamp(time).unwrap())
}

pub(crate) async fn open_receipts(world: &World) -> Vec<ScheduledReceipt> {
    let request = ListScheduledReceiptsRequest { sku: "A".to_owned(), ..Default::default() };
    world.client.clone().list_scheduled_receipts(request).await.unwrap().into_inner().receipts
}

/// The orders of the events about expected times since the first `before` of them.
async fn dated(world: &World, before: usize) -> Vec<String> {
    let payloads: Vec<ReservationsChanged> = world.payloads(EventType::InventoryBackorderDated).await;
    payloads.into_iter().skip(before).map(|payload| payload.order_id).collect()
}

#[tokio::test]
async fn waiting_orders_are_expected_when_receipts_fill_them_in_the_order_of_the_queue() {
    each(World::open, async |world| {
        let [one, two, three] = [1, 2, 3].map(|days| in_days(&world, days));
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        world.reserve("ord_2", &[(1, "A", 3)]).await;
        assert_eq!(expected(&world, "ord_1").await, None);
        schedule(&world, "PO-1", HERE, 5, one).await;
        assert_eq!((expected(&world, "ord_1").await, expected(&world, "ord_2").await), (Some(one), None));
        schedule(&world, "PO-2", THERE, 5, two).await;
        assert_eq!(expected(&world, "ord_2").await, Some(two));
        // An order that comes later is expected from the first on; its answer says so.
        assert_eq!(world.reserve("ord_3", &[(1, "A", 3)]).await[0].backorder_expect_time, Some(timestamp(two)));
        assert_eq!(dated(&world, 0).await, ["ord_1", "ord_2", "ord_3"]);
        // The first receipt comes later.
        schedule(&world, "PO-1", HERE, 5, three).await;
        let times = [expected(&world, "ord_1").await, expected(&world, "ord_2").await, expected(&world, "ord_3").await];
        assert_eq!(times, [Some(two), Some(three), Some(three)]);
        assert_eq!(dated(&world, 3).await, ["ord_1", "ord_2", "ord_3"]);
        // An order before the others goes, and their dates follow; what is scheduled does not change.
        let lines = quantities(&[(1, "A", 4)]);
        let request = ReleaseRequest { order_id: "ord_1".to_owned(), lines, ..Default::default() };
        world.client.clone().release(request).await.unwrap();
        assert_eq!((expected(&world, "ord_2").await, expected(&world, "ord_3").await), (Some(two), Some(three)));
        assert_eq!(dated(&world, 6).await, ["ord_2"]);
        // Cancelled, it fills nothing any more.
        schedule(&world, "PO-1", HERE, 0, three).await;
        assert_eq!(expected(&world, "ord_3").await, None);
        assert_eq!(dated(&world, 7).await, ["ord_3"]);
        let told: Vec<ReceiptScheduled> = world.payloads(EventType::InventoryReceiptScheduled).await;
        assert_eq!(told.iter().map(|told| told.receipt.as_ref().unwrap().quantity).collect::<Vec<_>>(), [5, 5, 5, 0]);
        world.check("A").await;
    })
    .await;
}

fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    mesh::wire::timestamp(instant)
}

#[tokio::test]
async fn received_units_count_their_receipt_down_and_up_again_when_they_did_not_come() {
    each(World::open, async |world| {
        let one = in_days(&world, 1);
        world.reserve("ord_1", &[(1, "A", 8)]).await;
        schedule(&world, "PO-1", HERE, 8, one).await;
        receive(&world, "PO-1", HERE, 3).await;
        // Not those of another number, of another location, or without one.
        receive(&world, "PO-9", HERE, 1).await;
        receive(&world, "PO-1", THERE, 1).await;
        world.receive("A", HERE, 1).await;
        let open = open_receipts(&world).await;
        assert_eq!((open.len(), open[0].received, open[0].open), (1, 3, 5));
        assert_eq!(units(&world.reservation("ord_1").await), (6, 0, 0, 2, 0));
        assert_eq!(expected(&world, "ord_1").await, Some(one));
        schedule(&world, "PO-2", THERE, 1, in_days(&world, 2)).await;
        let number = world.movements("A").await.into_iter().rfind(|one| one.reference == "PO-1").unwrap();
        let request = RetractMovementRequest {
            sku: "A".to_owned(),
            movement_number: number.movement_number,
            reason: "of another item".to_owned(),
            ..Default::default()
        };
        world.client.clone().retract_movement(request).await.unwrap();
        assert_eq!(open_receipts(&world).await[0].open, 8);
        schedule(&world, "PO-2", THERE, 0, in_days(&world, 2)).await;
        receive(&world, "PO-1", HERE, 9).await;
        assert!(open_receipts(&world).await.is_empty(), "all came, and one more");
        // The total is raised: what came already is part of it.
        assert_eq!(schedule(&world, "PO-1", HERE, 12, one).await.open, 3);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_came_in_before_they_were_scheduled_are_not_expected_again() {
    each(World::open, async |world| {
        world.reserve("ord_1", &[(1, "A", 8)]).await;
        receive(&world, "PO-1", HERE, 3).await;
        assert!(world.emitted(EventType::InventoryReceiptScheduled).await.is_empty());
        let scheduled = schedule(&world, "PO-1", HERE, 5, in_days(&world, 1)).await;
        assert_eq!((scheduled.quantity, scheduled.received, scheduled.open), (5, 3, 2));
        assert_eq!(expected(&world, "ord_1").await, None, "five units wait");
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_receipt_that_is_overdue_is_no_supply_until_it_is_scheduled_anew_and_counts_down_all_the_same() {
    each(World::open, async |world| {
        let (one, three) = (in_days(&world, 1), in_days(&world, 3));
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        schedule(&world, "PO-1", HERE, 6, one).await;
        assert_eq!(expected(&world, "ord_1").await, Some(one));
        world.clock.advance(DAY);
        assert!(world.availability("A").await.dated_supply.is_empty(), "also before the task has run");
        world.drain().await;
        assert_eq!(expected(&world, "ord_1").await, None);
        assert_eq!(dated(&world, 0).await, ["ord_1", "ord_1"]);
        let late = &open_receipts(&world).await[0];
        assert!(late.overdue && late.open == 6);
        receive(&world, "PO-1", HERE, 1).await;
        assert_eq!(open_receipts(&world).await[0].open, 5);
        schedule(&world, "PO-1", HERE, 6, three).await;
        assert_eq!(expected(&world, "ord_1").await, Some(three));
        assert!(!open_receipts(&world).await[0].overdue);
        // The task of the old time changes nothing.
        world.drain().await;
        assert_eq!(expected(&world, "ord_1").await, Some(three));
        world.check("A").await;
    })
    .await;
}

async fn availability(client: &mut Client, country: &str) -> Availability {
    let request = GetAvailabilityRequest { skus: vec!["A".to_owned()], ship_to_country: country.to_owned() };
    client.get_availability(request).await.unwrap().into_inner().availability.remove(0)
}

fn supply(expect_time: Timestamp, quantity: i64, available_to_promise: i64) -> DatedSupply {
    DatedSupply { expect_time: Some(timestamp(expect_time)), quantity, available_to_promise }
}

#[tokio::test]
async fn what_is_expected_is_promised_by_its_time_after_those_who_wait() {
    each(World::open, async |world| {
        let [one, two] = [1, 2].map(|days| in_days(&world, days));
        let mut client = world.client.clone();
        world.receive("A", HERE, 2).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        schedule(&world, "PO-1", HERE, 3, one).await;
        schedule(&world, "PO-2", HERE, 4, two).await;
        schedule(&world, "PO-3", THERE, 1, two).await;
        let found = availability(&mut client, "DE").await;
        assert_eq!((found.atp, found.dated_supply), (0, vec![supply(one, 3, 0), supply(two, 5, 4)]));
        // A customer learns what it is promised, and not what comes where.
        let mut of_customer = Client::new(world.channel.for_principal(&customer(&["acc_2"])));
        let shown = availability(&mut of_customer, "DE").await;
        assert_eq!(shown.dated_supply, vec![supply(one, 0, 0), supply(two, 0, 4)]);
        assert!(shown.levels.is_empty());
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_come_in_where_they_cannot_reach_a_customer_are_not_expected_for_it() {
    each(World::open, async |world| {
        let [one, two] = [1, 2].map(|days| in_days(&world, days));
        let mut client = world.client.clone();
        let changed = async |node: Node| {
            world.fulfillment.emit("", &FulfillmentEvent::NodeUpdated(NodeChanged { node: Some(node) }));
            world.drain().await;
        };
        changed(node(HERE, 1, &["US"])).await;
        changed(node(THERE, 1, &["*"])).await;
        schedule(&world, "PO-1", HERE, 5, one).await;
        schedule(&world, "PO-2", THERE, 5, two).await;
        let request = ReserveRequest {
            ship_to_country: "DE".to_owned(),
            shortage_policy: ShortagePolicy::Backorder.into(),
            ..requested("ord_de", &[(1, "A", 3)])
        };
        client.reserve(request).await.unwrap();
        assert_eq!(expected(&world, "ord_de").await, Some(two));
        assert_eq!(availability(&mut client, "DE").await.dated_supply, vec![supply(two, 5, 2)]);
        assert_eq!(availability(&mut client, "US").await.dated_supply, vec![supply(one, 5, 5), supply(two, 5, 7)]);
        // The node ships there from now on; then it is paused.
        changed(node(HERE, 2, &["US", "DE"])).await;
        assert_eq!(expected(&world, "ord_de").await, Some(one));
        changed(Node { state: NodeState::Paused.into(), ..node(HERE, 3, &["US", "DE"]) }).await;
        assert_eq!(expected(&world, "ord_de").await, Some(two));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shortfall_takes_what_comes_in_first() {
    each(World::open, async |world| {
        let one = in_days(&world, 1);
        world.receive("A", HERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        world.reserve("ord_2", &[(1, "A", 2)]).await;
        world.count("A", 2, Duration::ZERO).await;
        schedule(&world, "PO-1", HERE, 4, one).await;
        assert_eq!(expected(&world, "ord_2").await, None, "three of four units are missing already");
        assert_eq!(world.availability("A").await.dated_supply, vec![supply(one, 4, 0)]);
        schedule(&world, "PO-1", HERE, 6, one).await;
        assert_eq!(expected(&world, "ord_2").await, Some(one));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn lines_of_an_order_that_are_dated_together_are_in_one_event() {
    each(World::open, async |world| {
        world.reserve("ord_1", &[(1, "A", 1), (2, "A", 1), (3, "B", 1)]).await;
        schedule(&world, "PO-1", HERE, 2, in_days(&world, 1)).await;
        let told: Vec<ReservationsChanged> = world.payloads(EventType::InventoryBackorderDated).await;
        let lines: Vec<_> = told.iter().flat_map(|told| &told.reservations).map(|line| line.line_number).collect();
        assert_eq!((told.len(), lines), (1, vec![1, 2]));
        let event = &world.emitted(EventType::InventoryBackorderDated).await[0];
        assert_eq!((event.correlation_id.as_str(), event.account_id.as_str()), ("ord_1", "acc_1"));
        // Scheduled as it is already, nothing is told again.
        schedule(&world, "PO-1", HERE, 2, in_days(&world, 1)).await;
        assert_eq!(world.emitted(EventType::InventoryBackorderDated).await.len(), 1);
        assert_eq!(world.emitted(EventType::InventoryReceiptScheduled).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn receipts_are_listed_by_their_time_item_and_location() {
    each(World::open, async |world| {
        for (number, location_id, days) in [("PO-3", HERE, 3), ("PO-1", THERE, 1), ("PO-2", HERE, 2)] {
            schedule(&world, number, location_id, 1, in_days(&world, days)).await;
        }
        let list = async |sku: &str, location_id: &str| {
            let (mut numbers, mut page_token) = (Vec::new(), String::new());
            loop {
                let (sku, location_id) = (sku.to_owned(), location_id.to_owned());
                let request = ListScheduledReceiptsRequest { sku, location_id, page_size: 1, page_token };
                let page = world.client.clone().list_scheduled_receipts(request).await.unwrap().into_inner();
                numbers.extend(page.receipts.into_iter().map(|receipt| receipt.receipt_number));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    return numbers;
                }
            }
        };
        assert_eq!(list("", "").await, ["PO-1", "PO-2", "PO-3"]);
        assert_eq!(list("A", "").await, ["PO-1", "PO-2", "PO-3"]);
        assert_eq!(list("A", HERE).await, ["PO-2", "PO-3"]);
        assert_eq!(list("", THERE).await, ["PO-1"]);
        assert!(list("B", "").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_receipt_names_its_location_number_items_and_time() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let request = ScheduleReceiptRequest { request_id: "r1".to_owned(), ..Default::default() };
        let wrong = wrong_fields(client.schedule_receipt(request.clone()).await);
        assert_eq!(wrong, ["location_id", "receipt_number", "items"]);
        let item = |sku: &str, quantity| ItemQuantity { sku: sku.to_owned(), quantity };
        let request = ScheduleReceiptRequest {
            location_id: HERE.to_owned(),
            receipt_number: "PO-1".to_owned(),
            items: vec![item("A", 0), item("A", 4), item("B", -1)],
            ..request
        };
        let wrong = wrong_fields(client.schedule_receipt(request.clone()).await);
        assert_eq!(wrong, ["items[1].sku", "items[2].quantity", "expect_time"]);
        let unknown = ScheduleReceiptRequest { items: vec![item("X", 0)], ..request.clone() };
        assert_eq!(wrong_fields(client.schedule_receipt(unknown).await), ["items[0].sku"]);
        let nowhere = ScheduleReceiptRequest {
            items: vec![item("A", 0)],
            location_id: "nod_unknown".to_owned(),
            ..request.clone()
        };
        assert_eq!(reason(client.schedule_receipt(nowhere).await), Reason::NotFound);
        // A cancellation of what is not known changes nothing and needs no time; a repeat is answered as the first was.
        let request = ScheduleReceiptRequest { items: vec![item("A", 0)], ..request };
        assert!(client.schedule_receipt(request.clone()).await.unwrap().into_inner().receipts.is_empty());
        schedule(&world, "PO-1", HERE, 4, in_days(&world, 1)).await;
        assert!(client.schedule_receipt(request).await.unwrap().into_inner().receipts.is_empty());
        assert_eq!(open_receipts(&world).await[0].open, 4);
    })
    .await;
}
