//! Items and locations, and lists by page.

use proto::{
    events::EventType,
    inventory::v1::{
        BatchGetItemsRequest, CreateItemRequest, GetAvailabilityRequest, GetItemRequest, ItemChanged, ItemQuantity,
        ItemState, ListItemsRequest, ListLocationsRequest, ListMovementsRequest, ReceiveStockRequest, UnitConversion,
        UpdateItemRequest,
    },
    types::v1::{HandlingClass, ItemKind, Money},
};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::world::{HERE, THERE, World, item, requested};

#[tokio::test]
async fn an_item_is_read_as_it_was_created_and_changed() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let request = CreateItemRequest {
            pack: "12 x 1 l".to_owned(),
            units: vec![UnitConversion { uom: "CS".to_owned(), numerator: 12, denominator: 1, ..Default::default() }],
            list_price: Some(Money { currency: "USD".to_owned(), minor_units: 1_265 }),
            ..item("D")
        };
        let created = client.create_item(request).await.unwrap().into_inner();
        assert_eq!((created.base_uom.as_str(), created.etag.as_str()), ("EA", "1"));
        let read = client.get_item(GetItemRequest { sku: "D".to_owned() }).await.unwrap().into_inner();
        assert_eq!(read, created);

        let update = UpdateItemRequest {
            sku: "D".to_owned(),
            etag: created.etag.clone(),
            name: Some("another name".to_owned()),
            state: Some(ItemState::Discontinued.into()),
            ..Default::default()
        };
        let updated = client.update_item(update.clone()).await.unwrap().into_inner();
        assert_eq!(
            (updated.name.as_str(), updated.pack.as_str(), updated.etag.as_str()),
            ("another name", "12 x 1 l", "2")
        );
        assert_eq!(updated.state(), ItemState::Discontinued);
        assert_eq!(reason(client.update_item(update).await), Reason::EtagMismatch);

        // A change that changes nothing emits nothing.
        let same =
            UpdateItemRequest { sku: "D".to_owned(), name: Some("another name".to_owned()), ..Default::default() };
        assert_eq!(client.update_item(same).await.unwrap().into_inner(), updated);
        assert_eq!(world.emitted(EventType::ItemUpdated).await.len(), 1);
        assert_eq!(world.emitted(EventType::ItemCreated).await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_and_what_exists_is_not_created_again() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        assert_eq!(reason(client.get_item(GetItemRequest { sku: "Z".to_owned() }).await), Reason::NotFound);
        let update = UpdateItemRequest { sku: "Z".to_owned(), ..Default::default() };
        assert_eq!(reason(client.update_item(update).await), Reason::NotFound);
        assert_eq!(reason(client.create_item(item("A")).await), Reason::AlreadyExists);
        let skus = ["C", "Z", "A", "C"].map(str::to_owned).to_vec();
        let found = client.batch_get_items(BatchGetItemsRequest { skus }).await.unwrap().into_inner();
        assert_eq!(found.items.iter().map(|item| item.sku.as_str()).collect::<Vec<_>>(), ["A", "C"]);
    })
    .await;
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let mut skus = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = client.list_items(ListItemsRequest { page_size: 2, page_token }).await.unwrap().into_inner();
            skus.extend(page.items.into_iter().map(|item| item.sku));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(skus, ["A", "B", "C"]);
        let locations = client.list_locations(ListLocationsRequest::default()).await.unwrap().into_inner().locations;
        assert_eq!(locations.iter().map(|location| location.location_id.as_str()).collect::<Vec<_>>(), [HERE, THERE]);
    })
    .await;
}

#[tokio::test]
async fn the_ledger_is_listed_newest_first_with_any_filter() {
    each(World::open, async |world| {
        for quantity in 1..=3 {
            world.receive("A", HERE, quantity).await;
            world.receive("B", THERE, quantity * 10).await;
        }
        world.reserve("ord_1", &[(1, "A", 1)]).await;
        let list = |request: ListMovementsRequest| {
            let mut client = world.client.clone();
            async move {
                let (mut deltas, mut request) = (Vec::new(), ListMovementsRequest { page_size: 2, ..request });
                loop {
                    let page = client.list_movements(request.clone()).await.unwrap().into_inner();
                    deltas.extend(page.movements.into_iter().map(|one| one.on_hand_delta));
                    if page.next_page_token.is_empty() {
                        return deltas;
                    }
                    request.page_token = page.next_page_token;
                }
            }
        };
        let of = |sku: &str, location_id: &str, reference: &str| ListMovementsRequest {
            sku: sku.to_owned(),
            location_id: location_id.to_owned(),
            reference: reference.to_owned(),
            ..Default::default()
        };
        assert_eq!(list(of("A", "", "")).await, [0, 3, 2, 1]);
        assert_eq!(list(of("A", HERE, "")).await, [3, 2, 1]);
        assert_eq!(list(of("", THERE, "")).await, [30, 20, 10]);
        assert_eq!(list(of("", "", "ord_1")).await, [0]);
        assert_eq!(list(of("B", HERE, "")).await, [0; 0]);
        assert_eq!(list(of("", "", "")).await.len(), 7);
    })
    .await;
}

#[tokio::test]
async fn a_unit_is_added_to_an_item_and_what_it_is_never_changes() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let unit = |uom: &str, numerator, denominator| UnitConversion {
            uom: uom.to_owned(),
            numerator,
            denominator,
            ..Default::default()
        };
        let change = |units| UpdateItemRequest { sku: "A".to_owned(), units, ..Default::default() };
        let two = vec![unit("CS", 12, 1), unit("LB", 453_592, 1_000)];
        let request = UpdateItemRequest { request_id: "r1".to_owned(), ..change(two.clone()) };
        let changed = client.update_item(request.clone()).await.unwrap().into_inner();
        assert_eq!(changed.units, two);
        assert_eq!(client.update_item(request).await.unwrap().into_inner(), changed, "a repeat has the same answer");
        let events: Vec<ItemChanged> = world.payloads(EventType::ItemUpdated).await;
        assert_eq!(events.last().and_then(|event| event.item.as_ref()), Some(&changed));
        // One that is there keeps its place, and what is named as it is does not change.
        let pallet = UnitConversion { order_multiple: 2, ..unit("PL", 480, 1) };
        let changed = client.update_item(change(vec![pallet.clone(), unit("CS", 12, 1)])).await.unwrap().into_inner();
        assert_eq!(changed.units, [two.as_slice(), &[pallet]].concat());
        for (units, field) in [
            (vec![unit("CS", 24, 1)], "units[0].numerator"),
            (vec![unit("PL", 480, 1), unit("CS", 12, 2)], "units[1].denominator"),
            (vec![unit("CS", 12, 0)], "units[0].denominator"),
            (vec![unit("BX", 0, 0)], "units[0].numerator"),
            (vec![unit("BX", -1, 1)], "units[0].numerator"),
            (vec![unit("BX", 1, 1), unit("BX", 1, 1)], "units[1].uom"),
            (vec![unit("EA", 1, 1)], "units[0].uom"),
            (vec![unit("bx", 1, 1)], "units[0].uom"),
            ((0..48).map(|number| unit(&format!("U{number}"), 1, 1)).collect(), "units"),
        ] {
            assert_eq!(wrong_fields(client.update_item(change(units)).await), [field]);
        }
        let units = client.update_item(change(Vec::new())).await.unwrap().into_inner().units;
        assert_eq!(units, changed.units, "a refused change changes nothing");
    })
    .await;
}

#[tokio::test]
async fn which_quantities_of_an_item_may_be_ordered_is_read_back_as_it_was_set() {
    each(World::open, async |world| {
        let kilogram = UnitConversion {
            uom: "KG".to_owned(),
            numerator: 1_000,
            denominator: 1,
            decimals: 3,
            order_multiple: 0,
            minimum_quantity: 2,
        };
        let request = CreateItemRequest {
            units: vec![kilogram],
            base_decimals: 1,
            order_multiple: 100,
            minimum_quantity: 500,
            ..item("CHEESE")
        };
        let mut client = world.client.clone();
        let created = client.create_item(request.clone()).await.unwrap().into_inner();
        assert_eq!(created.units, request.units);
        assert_eq!((created.base_decimals, created.order_multiple, created.minimum_quantity), (1, 100, 500));
        let rules = |uom: &str, decimals| UnitConversion { uom: uom.to_owned(), decimals, ..Default::default() };
        let change = |units| UpdateItemRequest {
            sku: "CHEESE".to_owned(),
            order_multiple: Some(0),
            units,
            ..UpdateItemRequest::default()
        };
        let changed = client.update_item(change(vec![rules("KG", 2)])).await.unwrap().into_inner();
        assert_eq!((changed.base_decimals, changed.order_multiple, changed.minimum_quantity), (1, 0, 500));
        assert_eq!(changed.units, [UnitConversion { numerator: 1_000, denominator: 1, ..rules("KG", 2) }]);
        let wrong = CreateItemRequest {
            units: vec![UnitConversion { decimals: 7, order_multiple: -1, ..request.units[0].clone() }],
            base_decimals: -1,
            minimum_quantity: -1,
            ..item("OTHER")
        };
        let fields = ["units[0].decimals", "units[0].order_multiple", "base_decimals", "minimum_quantity"];
        assert_eq!(wrong_fields(client.create_item(wrong).await), fields);
    })
    .await;
}

#[tokio::test]
async fn a_service_has_no_handling_class_and_no_stock() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        assert_eq!(client.create_item(item("D")).await.unwrap().into_inner().kind(), ItemKind::Goods);
        let request = CreateItemRequest {
            kind: ItemKind::Service.into(),
            handling_class: HandlingClass::Unspecified.into(),
            request_id: "r1".to_owned(),
            ..item("INSTALL")
        };
        let created = client.create_item(request.clone()).await.unwrap().into_inner();
        assert_eq!((created.kind(), created.handling_class()), (ItemKind::Service, HandlingClass::Unspecified));
        assert_eq!(client.create_item(request.clone()).await.unwrap().into_inner(), created, "a repeat");
        let read = client.get_item(GetItemRequest { sku: "INSTALL".to_owned() }).await.unwrap().into_inner();
        assert_eq!(read, created);
        let update =
            UpdateItemRequest { sku: "INSTALL".to_owned(), name: Some("Set-up".to_owned()), ..Default::default() };
        assert_eq!(client.update_item(update).await.unwrap().into_inner().kind(), ItemKind::Service);

        let stored = CreateItemRequest { handling_class: HandlingClass::Frozen.into(), ..request.clone() };
        let stored = CreateItemRequest { request_id: String::new(), sku: "OTHER".to_owned(), ..stored };
        assert_eq!(wrong_fields(client.create_item(stored.clone()).await), ["handling_class"]);
        let unknown = CreateItemRequest { kind: 9, ..stored.clone() };
        assert_eq!(wrong_fields(client.create_item(unknown).await), ["kind"]);
        let goods = CreateItemRequest { kind: 0, handling_class: 0, ..stored };
        assert_eq!(wrong_fields(client.create_item(goods).await), ["handling_class"]);

        let items = vec![ItemQuantity { sku: "INSTALL".to_owned(), quantity: 1 }];
        let receive = ReceiveStockRequest { location_id: HERE.to_owned(), items, ..Default::default() };
        assert_eq!(wrong_fields(client.receive_stock(receive).await), ["items[0].sku"]);
        let reserve = requested("ord_1", &[(1, "INSTALL", 1)]);
        assert_eq!(wrong_fields(client.reserve(reserve).await), ["lines[0].sku"]);
        let skus = vec!["INSTALL".to_owned()];
        let asked = GetAvailabilityRequest { skus, ..Default::default() };
        assert!(client.get_availability(asked).await.unwrap().into_inner().availability.is_empty());
    })
    .await;
}
