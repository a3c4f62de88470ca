//! Large requests, over the network.

use std::time::Duration;

use mesh::{Channel, Principal, Stop};
use proto::inventory::v1::{
    AllocateRequest, ConsumeRequest, CreateItemRequest, GetAvailabilityRequest, ItemQuantity, ReceiveStockRequest,
    inventory_service_client::InventoryServiceClient,
};
use testkit::{each, wrong_fields};
use tokio::net::TcpListener;

use crate::world::{HERE, World, allocations, item, quantities, requested};

#[tokio::test]
async fn an_order_of_five_thousand_lines_is_reserved_and_consumed_over_tcp() {
    each(World::open, async |world| {
        // How fast the machine is does not matter here.
        let config = mesh::Config { request_timeout: Duration::from_secs(600), ..Default::default() };
        let server =
            waybill_inventory::server(world.db.clone(), &waybill_inventory::Config::default(), &config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stop = Stop::new();
        let serving = tokio::spawn(server.serve(listener, stop.clone()));
        let channel = Channel::connect(&address).unwrap().for_principal(&Principal::local_administrator());
        let mut client = InventoryServiceClient::new(channel);

        // 100 items, 50 lines of each.
        let skus: Vec<String> = (0..100).map(|number| format!("SKU-{number:03}")).collect();
        let mut items = Vec::new();
        for sku in &skus {
            client.create_item(CreateItemRequest { ..item(sku) }).await.unwrap();
            items.push(ItemQuantity { sku: sku.clone(), quantity: 100 });
        }
        let receive = ReceiveStockRequest { location_id: HERE.to_owned(), items, ..Default::default() };
        client.receive_stock(receive).await.unwrap();
        let sku = |line: i32| skus[usize::try_from(line).unwrap() % 100].as_str();
        let lines: Vec<(i32, &str, i64)> = (1..=5_000).map(|line| (line, sku(line), 2)).collect();
        let reserved = client.reserve(requested("ord_1", &lines)).await.unwrap().into_inner().reservations;
        assert_eq!(reserved.iter().map(|reservation| reservation.reserved).sum::<i64>(), 10_000);

        let allocated: Vec<(i32, &str, i64)> = (1..=1_000).map(|line| (line, HERE, 2)).collect();
        let allocate = AllocateRequest {
            allocation_key: "ord_1/release-1".to_owned(),
            order_id: "ord_1".to_owned(),
            allocations: allocations(&allocated),
        };
        assert_eq!(client.allocate(allocate).await.unwrap().into_inner().allocations.len(), 1_000);
        let consume = ConsumeRequest {
            shipment_id: "shm_1".to_owned(),
            order_id: "ord_1".to_owned(),
            location_id: HERE.to_owned(),
            lines: quantities(&lines[..1_000]),
        };
        let consumed = client.consume(consume).await.unwrap().into_inner().reservations;
        assert_eq!(consumed.iter().map(|reservation| reservation.consumed).sum::<i64>(), 2_000);
        let request = GetAvailabilityRequest { skus: skus.clone(), ..Default::default() };
        let left = client.get_availability(request).await.unwrap().into_inner().availability;
        assert!(
            left.len() == 100 && left.iter().all(|item| (item.on_hand, item.reserved, item.allocated) == (80, 80, 0))
        );
        world.check(&skus[7]).await;

        let too_many: Vec<(i32, &str, i64)> = (1..=5_001).map(|line| (line, "A", 1)).collect();
        assert_eq!(
            wrong_fields(client.reserve(requested("ord_2", &too_many)).await),
            ["lines", "lines[5000].line_number"]
        );
        // Each line is wrong: the refusal itself has to get through.
        let unknown: Vec<(i32, &str, i64)> = (1..=5_000).map(|line| (line, "UNKNOWN", 1)).collect();
        assert!(!wrong_fields(client.reserve(requested("ord_3", &unknown)).await).is_empty());
        let zero: Vec<(i32, &str, i64)> = (1..=5_000).map(|line| (line, "A", 0)).collect();
        assert!(!wrong_fields(client.reserve(requested("ord_3", &zero)).await).is_empty());
        stop.request();
        serving.await.unwrap().unwrap();
    })
    .await;
}
