//! Pages of large fulfillment orders and shipments end by bytes, before their lines and packages are read.

use prost::Message;
use proto::fulfillment::v1::{
    CreateNodeRequest, Lane, ListFulfillmentOrdersRequest, ListNodesRequest, ListRoutingDecisionsRequest,
    ListShipmentsRequest, RecordShipmentRequest, ReportedPackage, RoutingDecision,
};
use store::Statement;
use testkit::{
    database::{literal, tamper},
    each, pages, units,
};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::world::{World, node};

/// How many rows are asked for by id in each statement on a table.
fn asked(statements: &mut UnboundedReceiver<Statement>, table: &str) -> Vec<usize> {
    let all = std::iter::from_fn(|| statements.try_recv().ok());
    all.filter(|one| one.sql.contains(&format!("FROM {table} "))).map(|one| one.args.len()).collect()
}

/// What a row says how many bytes belong to it.
async fn kept(world: &World, sql: &'static str) -> usize {
    let kept: i64 = world.db.rows(sql, Vec::new()).await.unwrap()[0].at(0).unwrap();
    usize::try_from(kept).unwrap()
}

/// Orders of a node, each with a shipment.
async fn shipped_orders(world: &World, orders: usize) {
    world.node("nod_a", 0).await;
    world.inventory.stock("A", "nod_a", 1_000);
    for number in 1..=orders {
        let order = format!("ord_{number}");
        world.release(&order, 1, &[(1, "A", 2)]);
        world.drain().await;
        let order = world.fulfillment_order(&order).await;
        world.ship(crate::world::shipped(&order, &[(&format!("T{number}"), 2)])).await;
    }
}

#[tokio::test]
async fn pages_of_fulfillment_orders_end_before_lines_are_read_that_do_not_fit() {
    each(World::open, async |world| {
        shipped_orders(&world, 7).await;
        let large = "UPDATE fulfillment_orders SET size_bytes = 1000000 RETURNING version";
        assert_eq!(tamper(&world.options.url, large).await, 7);
        let mut statements = world.db.observe();
        let mut client = world.api();
        let read = pages(
            async |page_token| {
                let request = ListFulfillmentOrdersRequest { page_token, page_size: 500, ..Default::default() };
                client.list_fulfillment_orders(request).await.unwrap().into_inner()
            },
            |page| (page.fulfillment_orders, page.next_page_token),
        )
        .await;
        assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert!(read.iter().flatten().all(|order| order.lines.len() == 1));
        assert_eq!(asked(&mut statements, "fulfillment_lines"), [3, 3, 1]);
    })
    .await;
}

#[tokio::test]
async fn pages_of_shipments_end_before_packages_are_read_that_do_not_fit() {
    each(World::open, async |world| {
        shipped_orders(&world, 7).await;
        let large = "UPDATE shipments SET size_bytes = 1000000 RETURNING version";
        assert_eq!(tamper(&world.options.url, large).await, 7);
        let mut statements = world.db.observe();
        let mut client = world.api();
        let read = pages(
            async |page_token| {
                let request = ListShipmentsRequest { page_token, page_size: 500, ..Default::default() };
                client.list_shipments(request).await.unwrap().into_inner()
            },
            |page| (page.shipments, page.next_page_token),
        )
        .await;
        assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert!(read.iter().flatten().all(|shipment| shipment.packages.len() == 1));
        assert_eq!(asked(&mut statements, "packages"), [3, 3, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_and_a_shipment_know_how_large_they_are() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        let skus: Vec<String> = (1..=500).map(|number| format!("{number:-<64}")).collect();
        skus.iter().for_each(|sku| world.inventory.stock(sku, "nod_a", 1_000_000));
        let lines: Vec<_> = (1..).zip(&skus).map(|(number, sku)| (number, sku.as_str(), 900_000)).collect();
        world.release("ord_1", 1, &lines);
        world.drain().await;
        let order = world.fulfillment_order("ord_1").await;
        let (bytes, sql) = (order.encoded_len(), "SELECT size_bytes FROM fulfillment_orders");
        assert!(order.lines.len() == 500 && (bytes..2 * bytes).contains(&kept(&world, sql).await), "{bytes} bytes");
        let package = |number: i32| ReportedPackage {
            tracking_number: format!("T-{number}"),
            sscc: String::new(),
            lines: order.lines.iter().take(4).map(|line| units(line.line_number, 1)).collect(),
        };
        let request = RecordShipmentRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            shipment_reference: "S-1".to_owned(),
            carrier_id: "par_carrier".to_owned(),
            packages: (1..=200).map(package).collect(),
            ..Default::default()
        };
        let bytes = world.ship(request).await.encoded_len();
        let kept = kept(&world, "SELECT size_bytes FROM shipments").await;
        assert!((bytes..2 * bytes).contains(&(kept + 700)), "{kept} bytes for {bytes}");
    })
    .await;
}

#[tokio::test]
async fn pages_of_nodes_with_many_lanes_end_by_bytes() {
    each(World::open, async |world| {
        let prefixes: Vec<String> = (0..1_000).map(|number| format!("{number:0>16}")).collect();
        let lane = |_| Lane {
            countries: vec!["DE".to_owned()],
            postal_prefixes: prefixes.clone(),
            carrier_id: "par_carrier".to_owned(),
            transit_days: 2,
            ..Default::default()
        };
        for number in 1..=9 {
            let id = format!("nod_{number}");
            world.create(CreateNodeRequest { lanes: (0..50).map(lane).collect(), ..node(&id, 0) }).await;
        }
        let mut client = world.api();
        let read = pages(
            async |page_token| {
                let request = ListNodesRequest { page_token, page_size: 500 };
                client.list_nodes(request).await.unwrap().into_inner()
            },
            |page| (page.nodes.into_iter().map(|node| node.node_id).collect(), page.next_page_token),
        )
        .await;
        assert!(read.len() > 1, "{read:?}");
        let expected: Vec<String> = (1..=9).map(|number| format!("nod_{number}")).collect();
        assert_eq!(read.concat(), expected);
    })
    .await;
}

#[tokio::test]
async fn pages_of_routing_decisions_end_by_bytes() {
    each(World::open, async |world| {
        for number in 1..=20 {
            let decision_id = format!("{number} {}", "x".repeat(350_000));
            let body =
                literal(&world.options.url, &RoutingDecision { decision_id, ..Default::default() }.encode_to_vec());
            let row = format!("'rtd_{}', 'ord_1', 'acc_1', 1, 'SETTLED', 'key', {body}, 1", 100 + number);
            let insert = format!("INSERT INTO routing_decisions VALUES ({row}) RETURNING 1");
            assert_eq!(tamper(&world.options.url, &insert).await, 1);
        }
        let mut client = world.api();
        let read = pages(
            async |page_token| {
                let order_id = "ord_1".to_owned();
                let request = ListRoutingDecisionsRequest { order_id, page_token, ..Default::default() };
                client.list_routing_decisions(request).await.unwrap().into_inner()
            },
            |page| (page.decisions.into_iter().map(|one| one.decision_id).collect(), page.next_page_token),
        )
        .await;
        assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [11, 9]);
        let number = |text: &String| text.split(' ').next().unwrap().parse::<i32>().unwrap();
        assert_eq!(read.iter().flatten().map(number).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    })
    .await;
}
