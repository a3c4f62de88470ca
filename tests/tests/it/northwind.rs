//! The published total of the data set, computed through the whole mesh.

use waybill::{
    demo::{self, Options},
    northwind,
};
use waybill_e2e::each;

#[tokio::test(flavor = "multi_thread")]
async fn with_ample_stock_all_830_orders_come_to_the_published_amount_to_the_cent() {
    each(|world| async move {
        let options = Options { seed: 7, orders: 830, ample: true, keep: false };
        let outcome = world.working(demo::run(&world.rest, &options)).await.unwrap();
        assert_eq!(outcome.invoice_ready_minor, 126_579_329);
        assert_eq!(outcome.statuses, [("delivered".to_owned(), 830)]);
        let lines: usize = northwind::load().unwrap().orders.iter().map(|order| order.lines.len()).sum();
        assert_eq!(lines, 2_155);
        world.check_laws().await;
    })
    .await;
}
