//! Wrong requests are refused: every wrong field is named, and nothing changes.

use prost_types::Timestamp;
use proto::{
    inventory::v1::{
        AdjustStockRequest, AllocateRequest, BatchGetItemsRequest, ConsumeRequest, CreateItemRequest,
        DeallocateRequest, GetAvailabilityRequest, ItemQuantity, ListItemsRequest, ListMovementsRequest,
        ListReservationsRequest, ReceiveStockRequest, ReleaseRequest, ReportSnapshotRequest, ReserveRequest,
        UnitConversion, UpdateItemRequest,
    },
    types::v1::Money,
};
use testkit::{each, reason, wrong_fields};
use types::{Clock as _, Reason};

use crate::world::{HERE, World, allocations, item, location, quantities, requested};

const TOO_MANY: i64 = 1_000_000_001;

fn item_quantities(quantities: &[(&str, i64)]) -> Vec<ItemQuantity> {
    quantities.iter().map(|&(sku, quantity)| ItemQuantity { sku: sku.to_owned(), quantity }).collect()
}

#[tokio::test]
async fn wrong_items_and_locations_are_refused() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let unit = |uom: &str, numerator| UnitConversion {
            uom: uom.to_owned(),
            numerator,
            denominator: 1,
            ..Default::default()
        };
        let request = CreateItemRequest {
            name: "a\u{7}b".to_owned(),
            handling_class: 9,
            base_uom: "each".to_owned(),
            units: vec![unit("CS", 12), unit("CS", 0)],
            list_price: Some(Money { currency: "usd".to_owned(), minor_units: -1 }),
            ..item("a\u{7}b")
        };
        let fields = [
            "sku",
            "name",
            "handling_class",
            "base_uom",
            "units[1].uom",
            "units[1].numerator",
            "list_price.currency",
            "list_price.minor_units",
        ];
        assert_eq!(wrong_fields(client.create_item(request).await), fields);
        let update =
            UpdateItemRequest { sku: "A".to_owned(), name: Some(" ".to_owned()), state: Some(7), ..Default::default() };
        assert_eq!(wrong_fields(client.update_item(update).await), ["name", "state"]);
        let etag = UpdateItemRequest { sku: "A".to_owned(), etag: "x".to_owned(), ..Default::default() };
        assert_eq!(reason(client.update_item(etag).await), Reason::EtagMismatch);
        assert_eq!(wrong_fields(client.create_location(location("HERE")).await), ["location_id", "name"]);
    })
    .await;
}

#[tokio::test]
async fn wrong_quantities_on_hand_are_refused() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let receive = |location_id: &str, items| ReceiveStockRequest {
            location_id: location_id.to_owned(),
            items,
            ..Default::default()
        };
        let items = item_quantities(&[("A", 0), ("A", 1), ("B", TOO_MANY), ("", -1)]);
        let fields = ["items[0].quantity", "items[1].sku", "items[2].quantity", "items[3].sku", "items[3].quantity"];
        assert_eq!(wrong_fields(client.receive_stock(receive(HERE, items)).await), fields);
        assert_eq!(wrong_fields(client.receive_stock(receive(HERE, Vec::new())).await), ["items"]);
        let unknown = item_quantities(&[("A", 1), ("Z", 1)]);
        assert_eq!(wrong_fields(client.receive_stock(receive(HERE, unknown)).await), ["items[1].sku"]);
        let unknown_location = client.receive_stock(receive("nod_nowhere", item_quantities(&[("A", 1)]))).await;
        assert_eq!(reason(unknown_location), Reason::NotFound);

        let adjust = |delta, why: &str| AdjustStockRequest {
            location_id: HERE.to_owned(),
            sku: "A".to_owned(),
            delta,
            reason: why.to_owned(),
            ..Default::default()
        };
        assert_eq!(wrong_fields(client.adjust_stock(adjust(0, "")).await), ["delta", "reason"]);
        assert_eq!(wrong_fields(client.adjust_stock(adjust(i64::MIN, "lost")).await), ["delta"]);
        let unknown = AdjustStockRequest { sku: "Z".to_owned(), ..adjust(1, "found") };
        assert_eq!(reason(client.adjust_stock(unknown).await), Reason::NotFound);

        let now = world.clock.now().as_micros() / 1_000_000;
        let count = |seconds: Option<i64>| ReportSnapshotRequest {
            location_id: HERE.to_owned(),
            items: item_quantities(&[("A", 0)]),
            count_time: seconds.map(|seconds| Timestamp { seconds, nanos: 0 }),
            ..Default::default()
        };
        for seconds in [None, Some(now + 3_600), Some(now - 40 * 86_400), Some(i64::MAX)] {
            assert_eq!(wrong_fields(client.report_snapshot(count(seconds)).await), ["count_time"]);
        }
        let negative = ReportSnapshotRequest { items: item_quantities(&[("A", -1)]), ..count(Some(now)) };
        assert_eq!(wrong_fields(client.report_snapshot(negative).await), ["items[0].quantity"]);
        assert!(world.movements("A").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn wrong_reservations_are_refused() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let request = ReserveRequest {
            account_id: "ord_1".to_owned(),
            shortage_policy: 9,
            expire_after: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
            ..requested("acc_1", &[(0, "A", 1), (1, "A", -1), (1, "a\u{7}b", TOO_MANY)])
        };
        let fields = [
            "order_id",
            "account_id",
            "lines[0].line_number",
            "lines[1].quantity",
            "lines[2].line_number",
            "lines[2].sku",
            "lines[2].quantity",
            "shortage_policy",
            "expire_after",
        ];
        assert_eq!(wrong_fields(client.reserve(request).await), fields);
        assert_eq!(wrong_fields(client.reserve(requested("ord_1", &[])).await), ["lines"]);
        let unknown = requested("ord_1", &[(1, "Y", 1), (2, "A", 1), (3, "Z", 1)]);
        assert_eq!(wrong_fields(client.reserve(unknown).await), ["lines[0].sku", "lines[2].sku"]);
        assert!(world.reservations("ord_1").await.reservations.is_empty());

        world.reserve("ord_1", &[(1, "A", 1)]).await;
        assert_eq!(wrong_fields(client.reserve(requested("ord_1", &[(1, "B", 1)])).await), ["lines[0].sku"]);
        let lines = quantities(&[(1, "B", 1)]);
        let release = ReleaseRequest { order_id: "ord_1".to_owned(), lines, ..Default::default() };
        assert_eq!(wrong_fields(client.release(release).await), ["lines[0].sku"]);
        let request = ListReservationsRequest { order_id: "1".to_owned() };
        assert_eq!(wrong_fields(client.list_reservations(request).await), ["order_id"]);
    })
    .await;
}

#[tokio::test]
async fn wrong_allocations_are_refused() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let lines = allocations(&[(1, HERE, 1), (1, HERE, 1), (2, "here", 0)]);
        let fields = ["allocations[1].location_id", "allocations[2].location_id", "allocations[2].quantity"];
        let allocate =
            AllocateRequest { order_id: "ord_1".to_owned(), allocations: lines.clone(), ..Default::default() };
        assert_eq!(wrong_fields(client.allocate(allocate).await), [&["allocation_key"], &fields[..]].concat());
        let deallocate = DeallocateRequest { order_id: "ord_1".to_owned(), allocations: lines, ..Default::default() };
        assert_eq!(wrong_fields(client.deallocate(deallocate).await), [&fields[..], &["policy"]].concat());
        let unreserved = AllocateRequest {
            allocation_key: "key".to_owned(),
            order_id: "ord_1".to_owned(),
            allocations: allocations(&[(1, HERE, 1)]),
        };
        assert_eq!(wrong_fields(client.allocate(unreserved).await), ["allocations[0].line_number"]);

        let consume = |shipment_id: &str, order_id: &str, sku: &str| ConsumeRequest {
            shipment_id: shipment_id.to_owned(),
            order_id: order_id.to_owned(),
            location_id: HERE.to_owned(),
            lines: quantities(&[(1, sku, 1)]),
        };
        assert_eq!(
            wrong_fields(client.consume(consume("1", "1", "")).await),
            ["shipment_id", "order_id", "lines[0].sku"]
        );
        assert_eq!(wrong_fields(client.consume(consume("shm_1", "ord_1", "Z")).await), ["lines[0].sku"]);
        client.consume(consume("shm_1", "ord_1", "A")).await.unwrap();
        assert_eq!(wrong_fields(client.consume(consume("shm_1", "ord_2", "A")).await), ["shipment_id"]);
    })
    .await;
}

#[tokio::test]
async fn wrong_pages_and_lists_are_refused() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let page = client.list_items(ListItemsRequest { page_size: 1, ..Default::default() }).await.unwrap();
        let foreign = page.into_inner().next_page_token;
        for page_token in ["garbled".to_owned(), foreign.clone()] {
            let request = ListMovementsRequest { page_token, ..Default::default() };
            assert_eq!(wrong_fields(client.list_movements(request).await), ["page_token"]);
        }
        let negative = ListItemsRequest { page_size: -1, page_token: foreign };
        assert_eq!(wrong_fields(client.list_items(negative).await), ["page_size"]);
        let filter = ListMovementsRequest {
            sku: "a\u{7}b".to_owned(),
            location_id: "here".to_owned(),
            reference: "\n".to_owned(),
            ..Default::default()
        };
        assert_eq!(wrong_fields(client.list_movements(filter).await), ["sku", "location_id", "reference"]);
        assert_eq!(wrong_fields(client.batch_get_items(BatchGetItemsRequest::default()).await), ["skus"]);
        let request = GetAvailabilityRequest { skus: vec!["A".to_owned(), String::new()], ..Default::default() };
        assert_eq!(wrong_fields(client.get_availability(request).await), ["skus[1]"]);
    })
    .await;
}
