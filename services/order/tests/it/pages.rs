//! Pages of large rows end by bytes, and the next ones go on after them.

use prost::Message;
use proto::{order::v1 as contract, types::v1::Address};
use testkit::{
    database::{literal, multiply, tamper},
    each, pages,
};

use crate::world::{World, order_of};

/// Stores thirty rows of which eleven fit a page. `values` are those of a row by its number and its encoded content.
async fn store(world: &World, table: &str, content: impl Fn(String) -> Vec<u8>, values: impl Fn(i32, &str) -> String) {
    for number in 1..=30 {
        let long = format!("{number} {}", "x".repeat(350_000));
        let values = values(number, &literal(&world.options.url, &content(long)));
        let stored =
            tamper(&world.options.url, &format!("INSERT INTO {table} VALUES ({values}) RETURNING version")).await;
        assert_eq!(stored, 1);
    }
}

/// The long texts of the pages begin with the numbers of the rows, in their order.
fn check(pages: &[Vec<String>], is_newest_first: bool) {
    let number = |text: &String| text.split(' ').next().unwrap().parse::<i32>().unwrap();
    let mut expected: Vec<i32> = (1..=30).collect();
    if is_newest_first {
        expected.reverse();
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [11, 11, 8]);
    assert_eq!(pages.iter().flatten().map(number).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn pages_of_what_is_to_invoice_and_to_credit_end_by_bytes() {
    each(World::furnished, async |world| {
        let ready = |reason| contract::InvoiceReadiness { reason, ..Default::default() }.encode_to_vec();
        let row = |number, content: &str| format!("'ord_1', {number}, 'acc_1', {number}, {content}, NULL, 1");
        store(&world, "invoice_readiness", ready, row).await;
        let credit = |reason| contract::ProposedCredit { reason, ..Default::default() }.encode_to_vec();
        store(&world, "proposed_credits", credit, row).await;
        let mut client = world.orders.clone();
        let read = pages(
            async |page_token| {
                let request =
                    contract::ListInvoiceReadinessRequest { page_token, page_size: 500, ..Default::default() };
                client.list_invoice_readiness(request).await.unwrap().into_inner()
            },
            |page| (page.readiness.into_iter().map(|ready| ready.reason).collect(), page.next_page_token),
        );
        check(&read.await, false);
        let mut client = world.orders.clone();
        let read = pages(
            async |page_token| {
                let request = contract::ListProposedCreditsRequest { page_token, page_size: 500, ..Default::default() };
                client.list_proposed_credits(request).await.unwrap().into_inner()
            },
            |page| (page.credits.into_iter().map(|credit| credit.reason).collect(), page.next_page_token),
        );
        check(&read.await, false);
    })
    .await;
}

#[tokio::test]
async fn pages_of_invoices_and_of_changes_end_by_bytes() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 1)])).await;
        let order_id = order.order_id.as_str();
        let invoice = |note| contract::Invoice { invoice_number: note, ..Default::default() }.encode_to_vec();
        let row =
            |number, content: &str| format!("'acc_1', 'INVOICE', 'INV-{number}', '{order_id}', {number}, {content}, 1");
        store(&world, "invoices", invoice, row).await;
        let change = |reason| contract::OrderChange { reason, ..Default::default() }.encode_to_vec();
        let row = |number, content: &str| format!("'{order_id}', {number}, 'acc_1', 0, 0, {content}, 1");
        store(&world, "order_changes", change, row).await;
        let mut client = world.orders.clone();
        let read = pages(
            async |page_token| {
                let request = contract::ListInvoicesRequest { page_token, page_size: 500, ..Default::default() };
                client.list_invoices(request).await.unwrap().into_inner()
            },
            |page| (page.invoices.into_iter().map(|invoice| invoice.invoice_number).collect(), page.next_page_token),
        );
        check(&read.await, true);
        let mut client = world.orders.clone();
        let read = pages(
            async |page_token| {
                let order_id = order_id.to_owned();
                let request = contract::ListOrderChangesRequest { order_id, page_token, page_size: 500 };
                client.list_order_changes(request).await.unwrap().into_inner()
            },
            |page| (page.changes.into_iter().map(|change| change.reason).collect(), page.next_page_token),
        );
        check(&read.await, false);
    })
    .await;
}

#[tokio::test]
async fn pages_of_ship_tos_with_long_addresses_end_by_bytes() {
    each(World::furnished, async |world| {
        let address = Address { street: "\u{1F4E6}".repeat(2_500), country: "DE".to_owned(), ..Default::default() };
        let address = literal(&world.options.url, &address.encode_to_vec());
        let set = format!("UPDATE ship_tos SET address = {address} WHERE account_id = 'acc_1' RETURNING version");
        assert_eq!(tamper(&world.options.url, &set).await, 1);
        let copy = "INSERT INTO ship_tos SELECT ship_to_id || '-' || i, account_id, address, time_zone, state, state_reason, \
                    create_time, version FROM ship_tos, n WHERE account_id = 'acc_1'";
        multiply(&world.options.url, 450, copy).await;
        let mut client = world.orders.clone();
        let read = pages(
            async |page_token| {
                let request =
                    contract::ListShipTosRequest { account_id: "acc_1".to_owned(), page_token, page_size: 500 };
                client.list_ship_tos(request).await.unwrap().into_inner()
            },
            |page| (page.ship_tos.into_iter().map(|one| one.ship_to_id).collect(), page.next_page_token),
        )
        .await;
        let mut ids: Vec<String> = read.iter().flatten().cloned().collect();
        ids.sort();
        ids.dedup();
        assert_eq!((read.len(), read.concat().len(), ids.len()), (2, 451, 451));
    })
    .await;
}
