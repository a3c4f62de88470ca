//! Pages of large returns end by bytes, and the next ones go on after them.

use prost::Message;
use proto::{
    events::{FulfillmentEvent, OrderEvent},
    fulfillment::v1::{Shipment, ShipmentDelivered},
    order::v1::{LineCounters, Order, OrderLine, OrderSubmitted},
    returns::v1::{AuthorizeReturnRequest, ListReturnsRequest, ReturnQuantity},
    types::v1::LineQuantity,
};
use testkit::{database::multiply, each, pages};

use crate::world::{ORDER, World};

const LINES: i32 = 2_000;

#[tokio::test]
async fn pages_of_returns_end_by_bytes_before_their_lines_are_read() {
    each(World::open, async |world| {
        let sku = |number| format!("{number:-<64}");
        let line = |line_number| OrderLine {
            line_number,
            sku: sku(line_number),
            counters: Some(LineCounters { ordered: 1, ..Default::default() }),
            ..Default::default()
        };
        let order = Order {
            order_id: ORDER.to_owned(),
            account_id: "acc_a".to_owned(),
            currency: "EUR".to_owned(),
            lines: (1..=LINES).map(line).collect(),
            ..Order::default()
        };
        world.order.emit(ORDER, &OrderEvent::OrderSubmitted(OrderSubmitted { order: Some(order) }));
        let shipment = Shipment {
            shipment_id: "shm_1".to_owned(),
            order_id: ORDER.to_owned(),
            node_id: "nod_a".to_owned(),
            ..Default::default()
        };
        let lines = (1..=LINES).map(|line_number| LineQuantity { line_number, sku: sku(line_number), quantity: 1 });
        let delivered =
            ShipmentDelivered { shipment: Some(shipment), lines: lines.collect(), ..ShipmentDelivered::default() };
        world.fulfillment.emit(ORDER, &FulfillmentEvent::ShipmentDelivered(delivered));
        world.drain().await;
        let lines = (1..=LINES).map(|line_number| ReturnQuantity { line_number, quantity: 1 });
        let request =
            AuthorizeReturnRequest { order_id: ORDER.to_owned(), lines: lines.collect(), ..Default::default() };
        let rma = world.client().authorize_return(request).await.unwrap().into_inner();
        let sql = "SELECT size_bytes FROM returns";
        let counted: i64 = world.db.rows(sql, Vec::new()).await.unwrap()[0].at(0).unwrap();
        assert!(usize::try_from(counted).unwrap() >= rma.encoded_len(), "{counted} bytes for {}", rma.encoded_len());

        let url = &world.options.url;
        let copy = "INSERT INTO returns SELECT return_id || '-' || (100 + i), order_id, account_id, state, reason, node_id, \
                    package_id, currency, credit_state, create_time, update_time, overdue_time, size_bytes, version \
                    FROM returns, n";
        multiply(url, 24, copy).await;
        let copy = "INSERT INTO return_lines SELECT r.return_id, l.line_number, l.sku, l.authorized, l.received, l.restock, \
                    l.quarantine, l.scrap, l.return_to_vendor, l.return_to_customer, l.credited, l.credit_refused, \
                    l.credit_minor, l.version FROM returns AS r, return_lines AS l, n WHERE r.return_id <> l.return_id";
        multiply(url, 1, copy).await;
        let mut statements = world.db.observe();
        let mut client = world.client();
        let read = pages(
            async |page_token| {
                let request = ListReturnsRequest { page_token, page_size: 500, ..Default::default() };
                client.list_returns(request).await.unwrap().into_inner()
            },
            |page| (page.returns, page.next_page_token),
        )
        .await;
        let sizes: Vec<usize> = read.iter().map(Vec::len).collect();
        assert!(sizes.len() >= 2 && sizes.iter().sum::<usize>() == 25, "{sizes:?}");
        assert!(read.iter().flatten().all(|rma| rma.lines.len() == 2_000));
        for size in sizes {
            let of_lines = std::iter::from_fn(|| statements.try_recv().ok()).find(|one| one.sql.contains("return_lines"));
            assert_eq!(of_lines.map(|one| one.args.len()), Some(size), "lines of other pages are not read");
        }
    })
    .await;
}
