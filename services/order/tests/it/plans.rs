//! Lists cost as much as they show, and a summary as much as is open, however many orders have ended.

use mesh::Role;
use proto::order::v1::{
    self as contract, ListInvoiceReadinessRequest, ListInvoicesRequest, ListOrdersRequest, ListProposedCreditsRequest,
    OrderState, OrderStatus, SummarizeOrdersRequest,
};
use testkit::{customer, each, plans::Plans, staff};

use crate::world::{Client, World};

/// Of 4,000 orders two are open and two were cancelled.
const ORDERS: &str = "INSERT INTO orders (order_id, account_id, customer_po, po_search_key, ship_to, currency, fill_policy, \
    invoice_policy, state, status, reason, total_minor, invoice_ready_minor, credited_minor, invoice_count, credit_count, \
    release_number, hold_count, to_invoice_lines, group_count, change_count, open_holds, order_holds, open_exceptions, handling_micros, line_count, sums, returnable, size_bytes, \
    create_time, update_time, version) \
    SELECT 'ord_' || (100000 + i), 'acc_' || (i % 3), 'PO-' || i, CAST('po-' || i AS BYTES_TYPE), EMPTY_BYTES, 'EUR', 'FILL_ALL', \
    'ON_SHIPMENT', \
    CASE WHEN i % 4000 < 2 THEN 'CONFIRMED' WHEN i % 4000 < 4 THEN 'CANCELLED' ELSE 'CLOSED' END, \
    CASE WHEN i % 4000 < 2 THEN 'RESERVED' WHEN i % 4000 < 4 THEN 'CANCELLED' ELSE 'DELIVERED' END, \
    '', 0, 0, 0, 0, 0, 0, 0, CASE WHEN i % 4000 < 2 THEN 1 ELSE 0 END, 0, 0, 0, 0, CASE WHEN i % 4000 < 2 THEN 1 ELSE 0 END, 0, 1, EMPTY_BYTES, 0, 0, i, i, 1 FROM n";
/// Every other line is of the same item.
const LINES: &str = "INSERT INTO order_lines SELECT 'ord_' || (100000 + i), 1, 'acc_' || (i % 3), i, \
    CASE WHEN i % 2 = 0 THEN 'A' ELSE 'SKU-' || i END, '', 'EA', 1, NULL, 0, NULL, 0, 0, 'GOODS', 'AMBIENT', NULL, NULL, 'STOCK', \
    'FIRST', NULL, '', '', NULL, NULL, NULL, 0, NULL, NULL, NULL, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
    0, 0, NULL, 1 FROM n";
const ITEMS: &str = "INSERT INTO items SELECT CASE WHEN i = 2 THEN 'A' ELSE 'SKU-' || i END, \
    CAST(CASE WHEN i = 2 THEN 'a' ELSE 'sku-' || i END AS BYTES_TYPE), EMPTY_BYTES, 1, 1 FROM n";
const WORDS: &str = "INSERT INTO account_words SELECT 'acc_' || i, 0, CAST('name' || i AS BYTES_TYPE), 1 FROM n";
const TRACKING: &str =
    "INSERT INTO tracking_numbers SELECT 'TN' || (i / 2), 'ord_' || (100000 + i), 'acc_' || (i % 3), 1 FROM n";
const READINESS: &str = "INSERT INTO invoice_readiness \
    SELECT 'ord_' || (100000 + i), 1, 'acc_' || (i % 3), i, EMPTY_BYTES, NULL, 1 FROM n";
const INVOICES: &str = "INSERT INTO invoices \
    SELECT 'acc_' || (i % 3), CASE WHEN i % 10 = 0 THEN 'CREDIT_MEMO' ELSE 'INVOICE' END, 'INV-' || i, 'ord_' || (100000 + i), i, \
    EMPTY_BYTES, 1 FROM n";
const CREDITS: &str = "INSERT INTO proposed_credits \
    SELECT 'ord_' || (100000 + i), 1, 'acc_' || (i % 3), i, EMPTY_BYTES, NULL, 1 FROM n";
const PRICES: &str = "INSERT INTO item_prices SELECT 'prl_' || (i % 3), 'SKU-' || i, EMPTY_BYTES, 1 FROM n";
const OWN_PRICES: &str = "INSERT INTO item_prices SELECT 'acc_' || (i % 3), 'SKU-' || i, EMPTY_BYTES, 1 FROM n";
const OWED: &str = "INSERT INTO account_credit SELECT 'acc_' || (100000 + i), 1, 0, 0, 0, 0, 0, NULL, NULL, 1 FROM n";

#[tokio::test]
async fn prices_and_credit_are_read_without_those_of_others() {
    each(World::furnished, async |world| {
        let prices = contract::SetPricesRequest {
            price_list_id: "prl_1".to_owned(),
            currency: "USD".to_owned(),
            prices: vec![contract::ItemPrices { sku: "TEA".to_owned(), ..Default::default() }],
            ..Default::default()
        };
        let mut orders = world.orders.clone();
        orders.set_prices(prices).await.unwrap();
        let (account_id, price_list_id) = ("acc_1".to_owned(), "prl_1".to_owned());
        let terms = contract::UpdateAccountRequest {
            account_id: account_id.clone(),
            price_list_id: Some(price_list_id.clone()),
            ..Default::default()
        };
        orders.update_account(terms).await.unwrap();
        let mut plans = Plans::over(&world.options, &world.db, &[PRICES, OWN_PRICES, OWED]).await;
        let mut request =
            contract::ListAccountPricesRequest { account_id: account_id.clone(), page_size: 10, ..Default::default() };
        for _ in 0..2 {
            let page = orders.list_account_prices(request.clone()).await.unwrap().into_inner();
            assert_eq!(page.prices.len(), 10);
            request.page_token = page.next_page_token;
            plans.check("an account's prices").await;
        }
        let request = contract::ListPricesRequest { price_list_id, page_size: 10, ..Default::default() };
        orders.list_prices(request).await.unwrap();
        plans.check("a price list's prices").await;
        orders.get_account_credit(contract::GetAccountCreditRequest { account_id }).await.unwrap();
        plans.check("an account's credit").await;
        world.workers.look().await.unwrap();
        plans.check("looking for what is stranded").await;
    })
    .await;
}

#[tokio::test]
async fn orders_are_listed_and_counted_without_reading_those_that_ended() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[ORDERS, LINES, READINESS, CREDITS, INVOICES]).await;
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
            ListOrdersRequest { to_invoice: true, ..all() },
            ListOrdersRequest { to_invoice: true, account_id: "acc_1".to_owned(), ..all() },
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
        for principal in [staff(Role::CustomerService), customer(&["acc_1"]), customer(&["acc_1", "acc_2"])] {
            let client = Client::new(world.channel.for_principal(&principal));
            for [order_id, account_id, invoice_number] in [
                ["", "", ""],
                ["ord_100777", "", ""],
                ["", "acc_1", ""],
                ["", "", "INV-777"],
                ["ord_100777", "", "INV-777"],
            ] {
                let [order_id, account_id, invoice_number] = [order_id, account_id, invoice_number].map(str::to_owned);
                let page_token = String::new();
                let request = ListInvoicesRequest { order_id, account_id, invoice_number, page_size: 10, page_token };
                let what = format!("{request:?} of {principal}");
                let page = client.clone().list_invoices(request.clone()).await.unwrap().into_inner();
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListInvoicesRequest { page_token: page.next_page_token, ..request };
                    client.clone().list_invoices(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
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

#[tokio::test]
async fn a_search_costs_as_much_as_it_shows_and_that_of_a_customer_reads_its_own_orders() {
    each(World::open, async |world| {
        let history = [ORDERS, LINES, ITEMS, WORDS, TRACKING];
        let mut plans = Plans::over(&world.options, &world.db, &history).await;
        let texts = ["ord_100777", "PO-", "po-777", "A", "sku-", "SKU-777", "name", "NAME1", "tn 7-77", "nothing"];
        let all = || ListOrdersRequest { page_size: 10, ..Default::default() };
        for principal in [staff(Role::CustomerService), customer(&["acc_1"]), customer(&["acc_1", "acc_2"])] {
            let client = Client::new(world.channel.for_principal(&principal));
            for text in texts {
                for (account_id, order_by) in [("", ""), ("", "create_time"), ("acc_1", "")] {
                    let mut request = ListOrdersRequest {
                        q: text.to_owned(),
                        account_id: account_id.to_owned(),
                        order_by: order_by.to_owned(),
                        ..all()
                    };
                    let what = format!("{request:?} of {principal}");
                    let page = client.clone().list_orders(request.clone()).await.unwrap().into_inner();
                    plans.check(&what).await;
                    if !page.next_page_token.is_empty() {
                        request.page_token = page.next_page_token;
                        client.clone().list_orders(request).await.unwrap();
                        plans.check(&format!("the next page of {what}")).await;
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_changed_lately_is_listed_without_reading_the_rest() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[ORDERS, LINES]).await;
        let late = || Some(prost_types::Timestamp { seconds: 0, nanos: 39_900_000 });
        for principal in [staff(Role::CustomerService), customer(&["acc_1"]), customer(&["acc_1", "acc_2"])] {
            let client = Client::new(world.channel.for_principal(&principal));
            for order_by in ["create_time desc", "create_time", "update_time desc", "update_time"] {
                let ordered =
                    || ListOrdersRequest { page_size: 10, order_by: order_by.to_owned(), ..Default::default() };
                let closed = vec![OrderState::Closed.into()];
                for request in [
                    ordered(),
                    ListOrdersRequest { updated_after: late(), ..ordered() },
                    ListOrdersRequest { created_after: late(), ..ordered() },
                    ListOrdersRequest { updated_after: late(), created_after: late(), ..ordered() },
                    ListOrdersRequest { updated_after: late(), states: closed, ..ordered() },
                ] {
                    let what = format!("{request:?} of {principal}");
                    let page = client.clone().list_orders(request.clone()).await.unwrap().into_inner();
                    assert!(!page.orders.is_empty(), "{what} finds nothing");
                    plans.check(&what).await;
                    let next = ListOrdersRequest { page_token: page.next_page_token, ..request };
                    client.clone().list_orders(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
        }
    })
    .await;
}
