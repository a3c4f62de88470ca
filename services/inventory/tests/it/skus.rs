//! Items whose SKUs have separators, blanks and umlauts: each is one item, wherever its SKU is kept beside something else.

use std::time::Duration;

use proto::{
    events::EventType,
    inventory::v1::{
        AdjustStockRequest, BatchGetItemsRequest, DeallocationPolicy, GetItemRequest, ListItemsRequest,
        RetractMovementRequest, UpdateItemRequest,
    },
};
use testkit::{each, wrong_fields};

use crate::world::{HERE, THERE, World, item};

/// SKUs that are taken apart, or taken for each other, when they are joined carelessly.
const SKUS: [&str; 12] = [
    "A/4 80g",
    "Kaffee & Tee",
    "C++",
    ".",
    "..",
    "Gr\u{f6}\u{df}e 42%",
    "a;b:c@d",
    "A@nod_here",
    "A@nod_here@20000",
    "A@@nod_here",
    "nod_here|1,2",
    "\u{ff21}\u{2460}=1/2 3",
];

async fn with_items(options: store::Options) -> World {
    let world = World::open(options).await;
    for sku in SKUS {
        world.client.clone().create_item(item(sku)).await.unwrap();
    }
    world
}

#[tokio::test]
async fn items_of_any_sku_are_read_changed_and_listed() {
    each(with_items, async |world| {
        let mut client = world.client.clone();
        for sku in SKUS {
            let request =
                UpdateItemRequest { sku: format!(" {sku} "), name: Some("renamed".to_owned()), ..Default::default() };
            client.update_item(request).await.unwrap();
            let read = client.get_item(GetItemRequest { sku: sku.to_owned() }).await.unwrap().into_inner();
            assert_eq!((read.sku.as_str(), read.name.as_str()), (sku, "renamed"));
        }
        let decomposed = GetItemRequest { sku: "Gro\u{308}\u{df}e 42%".to_owned() };
        assert_eq!(client.get_item(decomposed).await.unwrap().into_inner().sku, SKUS[5]);
        let skus = SKUS.map(str::to_owned).to_vec();
        let found = client.batch_get_items(BatchGetItemsRequest { skus }).await.unwrap().into_inner().items;
        assert_eq!(found.len(), SKUS.len());
        let mut request = ListItemsRequest { page_size: 2, ..Default::default() };
        let mut listed = Vec::new();
        loop {
            let page = client.list_items(request.clone()).await.unwrap().into_inner();
            listed.extend(page.items.into_iter().map(|item| item.sku));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert!(SKUS.iter().all(|sku| listed.iter().filter(|listed| listed == sku).count() == 1), "{listed:?}");
        for wrong in ["", " ", "\u{200b}", "a\u{7}b", &"x".repeat(65)] {
            assert_eq!(wrong_fields(client.create_item(item(wrong)).await), ["sku"], "{wrong:?}");
        }
        client.create_item(item(&"\u{fc}".repeat(64))).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn units_of_items_of_any_sku_are_counted_apart() {
    each(with_items, async |world| {
        world.receive("A", HERE, 100).await;
        world.clock.advance(Duration::from_secs(60));
        for (number, sku) in (1..).zip(SKUS) {
            let order_id = format!("ord_{number}");
            world.receive(sku, HERE, 10).await;
            world.receive(sku, THERE, 5).await;
            world.reserve(&order_id, &[(1, sku, 12), (2, "A", 1)]).await;
            world.allocate(&order_id, &order_id, &[(1, HERE, 8), (1, THERE, 4), (2, HERE, 1)]).await;
            world.deallocate(&order_id, &[(1, HERE, 2)], DeallocationPolicy::Reassign).await;
            let now = world.availability(sku).await;
            assert_eq!((now.on_hand, now.reserved, now.allocated), (15, 2, 10), "{sku}");
            world.check(sku).await;
            let first = world.movements(sku).await.pop().unwrap();
            let retract = RetractMovementRequest {
                sku: sku.to_owned(),
                movement_number: first.movement_number,
                reason: "typo".to_owned(),
                ..Default::default()
            };
            world.client.clone().retract_movement(retract).await.unwrap();
            world.count(sku, 9, Duration::ZERO).await;
            assert_eq!(world.availability(sku).await.on_hand, 14, "{sku}");
        }
        let plain = world.availability("A").await;
        assert_eq!((plain.on_hand, plain.allocated), (100, i64::try_from(SKUS.len()).unwrap()));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn shortfalls_of_an_item_at_a_location_and_of_another_named_like_it_are_two_exceptions() {
    each(with_items, async |world| {
        let remove = |sku: &str, quantity: i64| AdjustStockRequest {
            location_id: HERE.to_owned(),
            sku: sku.to_owned(),
            delta: -quantity,
            reason: "broken".to_owned(),
            ..Default::default()
        };
        // `A` is short at the location, `A@nod_here` over all locations, where nothing is allocated.
        world.receive("A", HERE, 3).await;
        world.reserve("ord_1", &[(1, "A", 3)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 3)]).await;
        world.client.clone().adjust_stock(remove("A", 2)).await.unwrap();
        world.receive("A@nod_here", HERE, 3).await;
        world.reserve("ord_2", &[(1, "A@nod_here", 3)]).await;
        world.client.clone().adjust_stock(remove("A@nod_here", 2)).await.unwrap();
        let mut open = world.events().await.open_exceptions();
        open.sort();
        let subjects: Vec<_> = open.iter().map(|(_, subject)| subject.as_str()).collect();
        assert_eq!(subjects, ["A@@nod_here", "A@nod_here"]);
        assert_eq!(world.emitted(EventType::InventoryShortfallDetected).await.len(), 2);
    })
    .await;
}
