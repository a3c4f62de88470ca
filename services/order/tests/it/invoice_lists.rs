//! Which invoices are listed, and which are refused.

use proto::order::v1::{self as contract, InvoiceKind};
use testkit::{START, each, fault, wrong_fields};
use types::Reason;

use crate::world::{EACH, World, account, credit_memo, invoice, order_of};

#[tokio::test]
async fn customers_read_their_own_invoices_newest_first() {
    each(World::furnished, async |world| {
        world.create_account(account("acc_2")).await;
        let order = world.delivered(4).await;
        let second = world.place(order_of("PO-2", &[("TEA", 4)])).await;
        for number in 1..=3 {
            world.record(invoice(&order, &format!("INV-{number}"), &[(1, 1, EACH)])).await;
            world.clock.advance(std::time::Duration::from_secs(1));
        }
        world.record(credit_memo(&second, "INV-1", &[(1, 1, EACH)])).await;
        let of_order =
            contract::ListInvoicesRequest { order_id: order.order_id.clone(), page_size: 2, ..Default::default() };
        let mut customer = world.as_customer(&["acc_1"]);
        let page = customer.list_invoices(of_order.clone()).await.unwrap().into_inner();
        let rest = contract::ListInvoicesRequest { page_token: page.next_page_token.clone(), ..of_order.clone() };
        let rest = customer.list_invoices(rest).await.unwrap().into_inner();
        let numbers = |page: &contract::ListInvoicesResponse| {
            page.invoices.iter().map(|invoice| invoice.invoice_number.clone()).collect::<Vec<_>>()
        };
        assert_eq!([numbers(&page), numbers(&rest)].concat(), ["INV-3", "INV-2", "INV-1"]);
        assert_eq!(rest.next_page_token, "");
        let numbered = contract::ListInvoicesRequest { invoice_number: "INV-1".to_owned(), ..Default::default() };
        let found = customer.list_invoices(numbered.clone()).await.unwrap().into_inner();
        let kinds: Vec<_> = found.invoices.iter().map(|invoice| invoice.kind()).collect();
        assert_eq!(kinds, [InvoiceKind::CreditMemo, InvoiceKind::Invoice]);
        let in_order = contract::ListInvoicesRequest { order_id: order.order_id.clone(), ..numbered.clone() };
        assert_eq!(numbers(&customer.list_invoices(in_order).await.unwrap().into_inner()), ["INV-1"]);
        let of_account = contract::ListInvoicesRequest { account_id: "acc_1".to_owned(), ..Default::default() };
        assert_eq!(customer.list_invoices(of_account.clone()).await.unwrap().into_inner().invoices.len(), 4);

        let mut stranger = world.as_customer(&["acc_2"]);
        for request in [of_order, numbered, of_account] {
            assert!(stranger.list_invoices(request).await.unwrap().into_inner().invoices.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn an_invoice_that_cannot_be_counted_is_refused_naming_the_field() {
    each(World::furnished, async |world| {
        let order = world.delivered(4).await;
        let good = || invoice(&order, "INV-1", &[(1, 4, 4 * EACH)]);
        let refused = async |request| wrong_fields(world.try_record(request).await);
        let empty = contract::RecordInvoiceRequest { order_id: order.order_id.clone(), ..Default::default() };
        assert_eq!(refused(empty).await, ["invoice_number", "issue_time", "lines"]);
        assert_eq!(refused(invoice(&order, "INV-1", &[(9, 1, 1)])).await, ["lines[0].line_number"]);
        assert_eq!(refused(invoice(&order, "INV-1", &[(1, 0, 0)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(invoice(&order, "INV-1", &[(1, 1, -1)])).await, ["lines[0].amount_minor"]);
        let euros = contract::RecordInvoiceRequest { currency: "EUR".to_owned(), ..good() };
        assert_eq!(refused(euros).await, ["currency"]);
        let early = START.before(std::time::Duration::from_secs(60));
        let due = contract::RecordInvoiceRequest { due_time: Some(mesh::wire::timestamp(early)), ..good() };
        assert_eq!(refused(due).await, ["due_time"]);
        let script = contract::RecordInvoiceRequest { document_uri: "javascript:alert(1)".to_owned(), ..good() };
        assert_eq!(refused(script).await, ["document_uri"]);
        let unknown = contract::RecordInvoiceRequest { order_id: "ord_9".to_owned(), ..good() };
        assert_eq!(fault(world.try_record(unknown).await).reason, Reason::NotFound);
        let unseen = world.as_alice(mesh::Role::CustomerService, &["acc_2"]).record_invoice(good()).await;
        assert_eq!(fault(unseen).reason, Reason::NotFound);
        assert_eq!(world.get(&order.order_id).await, order);
    })
    .await;
}
