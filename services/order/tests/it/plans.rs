//! Lists cost as much as they show, and a summary as much as is open, however many orders have ended.

use mesh::Role;
use proto::order::v1::{
    ListInvoiceReadinessRequest, ListOrdersRequest, ListProposedCreditsRequest, OrderState, OrderStatus,
    SummarizeOrdersRequest,
};
use testkit::{customer, each, plans::Plans, staff};

use crate::world::{Client, World};

/// Of 4,000 orders two are open and two were cancelled.
const ORDERS: &str = "INSERT INTO orders (order_id, account_id, customer_po, ship_to, currency, fill_policy, invoice_policy, \
    state, status, reason, total_minor, invoice_ready_minor, credited_minor, invoice_count, credit_count, release_number, hold_count, \
    open_holds, order_holds, open_exceptions, handling_micros, create_time, update_time, version) \
    SELECT 'ord_' || (100000 + i), 'acc_' || (i % 3), 'PO-' || i, EMPTY_BYTES, 'EUR', 'FILL_ALL', 'ON_SHIPMENT', \
    CASE WHEN i % 4000 < 2 THEN 'CONFIRMED' WHEN i % 4000 < 4 THEN 'CANCELLED' ELSE 'CLOSED' END, \
    CASE WHEN i % 4000 < 2 THEN 'RESERVED' WHEN i % 4000 < 4 THEN 'CANCELLED' ELSE 'DELIVERED' END, \
    '', 0, 0, 0, 0, 0, 0, 0, 0, 0, CASE WHEN i % 4000 < 2 THEN 1 ELSE 0 END, 0, i, i, 1 FROM n";
const LINES: &str = "INSERT INTO order_lines SELECT 'ord_' || (100000 + i), 1, 'A', '', 'EA', 1, 0, 0, 0, 'AMBIENT', NULL, 0, 0, 0, 0, \
    1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM n";
const READINESS: &str = "INSERT INTO invoice_readiness \
    SELECT 'ord_' || (100000 + i), 1, 'acc_' || (i % 3), i, EMPTY_BYTES, 1 FROM n";
const CREDITS: &str = "INSERT INTO proposed_credits \
    SELECT 'ord_' || (100000 + i), 1, 'acc_' || (i % 3), i, EMPTY_BYTES, 1 FROM n";

#[tokio::test]
async fn orders_are_listed_and_counted_without_reading_those_that_ended() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[ORDERS, LINES, READINESS, CREDITS]).await;
        let all = || ListOrdersRequest { page_size: 10, ..Default::default() };
        let open = vec![OrderState::Submitted.into(), OrderState::Confirmed.into()];
        let rare = vec![OrderStatus::Reserved.into(), OrderStatus::Cancelled.into(), OrderStatus::OnHold.into()];
        let requests = [
            all(),
            ListOrdersRequest { states: open.clone(), ..all() },
            ListOrdersRequest { statuses: rare.clone(), ..all() },
            ListOrdersRequest { states: open.clone(), statuses: rare.clone(), ..all() },
            ListOrdersRequest { account_id: "acc_1".to_owned(), ..all() },
            ListOrdersRequest { account_id: "acc_1".to_owned(), states: open.clone(), ..all() },
            ListOrdersRequest { account_id: "acc_1".to_owned(), statuses: rare, ..all() },
            ListOrdersRequest { with_open_exceptions: true, ..all() },
            ListOrdersRequest { with_open_exceptions: true, account_id: "acc_1".to_owned(), ..all() },
            ListOrdersRequest { customer_po: "PO-777".to_owned(), ..all() },
            ListOrdersRequest { customer_po: "PO-777".to_owned(), states: open, ..all() },
        ];
        for principal in [staff(Role::CustomerService), customer(&["acc_1"]), customer(&["acc_1", "acc_2"])] {
            let client = Client::new(world.channel.for_principal(&principal));
            for request in &requests {
                let what = format!("{request:?} of {principal}");
                let page = client.clone().list_orders(request.clone()).await.unwrap().into_inner();
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListOrdersRequest { page_token: page.next_page_token, ..request.clone() };
                    client.clone().list_orders(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
            for account_id in ["", "acc_1"].into_iter().filter(|_| principal.is_staff()) {
                let account_id = account_id.to_owned();
                client.clone().summarize_orders(SummarizeOrdersRequest { account_id }).await.unwrap();
                plans.check(&format!("a summary for {principal}")).await;
            }
        }
        for order_id in ["", "ord_100777"] {
            let request =
                ListInvoiceReadinessRequest { order_id: order_id.to_owned(), page_size: 10, ..Default::default() };
            world.orders.clone().list_invoice_readiness(request).await.unwrap();
            plans.check(&format!("invoice readiness of {order_id:?}")).await;
            let request =
                ListProposedCreditsRequest { order_id: order_id.to_owned(), page_size: 10, ..Default::default() };
            world.orders.clone().list_proposed_credits(request).await.unwrap();
            plans.check(&format!("proposed credits of {order_id:?}")).await;
        }
        world.workers.look().await.unwrap();
        plans.check("looking for what is stranded").await;
    })
    .await;
}
