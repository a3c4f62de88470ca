//! Invoices of the ERP for several orders of an account: one number, one part for each order.

use proto::{
    events::EventType,
    order::v1::{self as contract, InvoicingStatus},
};
use testkit::{each, fault, wrong_fields};
use types::Reason;

use crate::world::{EACH, World, account, counters, credit_memo, invoice, order_of};

/// Two orders of which everything is delivered.
async fn delivered(world: &World) -> [contract::Order; 2] {
    let first = world.delivered(4).await;
    let second = world.place(order_of("PO-2", &[("TEA", 3)])).await;
    world.ships(&second, "shm_2", &[(1, 3)]).await;
    let second = world.delivers(&second, "shm_2", &[(1, 3)]).await;
    [first, second]
}

/// The parts that are recorded of an invoice, by order and amount.
async fn parts(world: &World, number: &str) -> Vec<(String, i64)> {
    let request = contract::ListInvoicesRequest {
        account_id: "acc_1".to_owned(),
        invoice_number: number.to_owned(),
        ..Default::default()
    };
    let found = world.as_customer(&["acc_1"]).list_invoices(request).await.unwrap().into_inner().invoices;
    let mut parts: Vec<_> = found.into_iter().map(|part| (part.order_id, part.amount.unwrap().minor_units)).collect();
    parts.sort();
    parts
}

#[tokio::test]
async fn a_collective_invoice_is_recorded_by_a_call_for_each_order_each_of_which_counts_once() {
    each(World::furnished, async |world| {
        let [first, second] = delivered(&world).await;
        let of_first = invoice(&first, "INV-1", &[(1, 4, 4 * EACH)]);
        let of_second = invoice(&second, "INV-1", &[(1, 3, 3 * EACH)]);
        let recorded = world.try_record(of_first.clone()).await.unwrap();
        // The ERP crashed here, and begins anew.
        assert_eq!(parts(&world, "INV-1").await, [(first.order_id.clone(), 4 * EACH)]);
        world.clock.advance(std::time::Duration::from_secs(30 * 24 * 3_600));
        for _ in 0..2 {
            assert_eq!(world.try_record(of_first.clone()).await.unwrap(), recorded);
            let of_second = world.try_record(of_second.clone()).await.unwrap();
            assert_eq!(
                (of_second.order_id.as_str(), of_second.invoice_number.as_str()),
                (second.order_id.as_str(), "INV-1")
            );
        }
        let mut expected = vec![(first.order_id.clone(), 4 * EACH), (second.order_id.clone(), 3 * EACH)];
        expected.sort();
        assert_eq!(parts(&world, "INV-1").await, expected);
        for (order, units) in [(&first, 4), (&second, 3)] {
            let order = world.get(&order.order_id).await;
            assert_eq!((counters(&order, 0).invoiced, order.invoicing_status()), (units, InvoicingStatus::Invoiced));
            assert_eq!(world.events_of(&order.order_id).await.of(EventType::OrderInvoiced).len(), 1);
        }
        // A credit memo has numbers of its own, and may be collective too.
        world.record(credit_memo(&first, "INV-1", &[(1, 1, EACH)])).await;
        world.record(credit_memo(&second, "INV-1", &[(1, 1, EACH)])).await;
    })
    .await;
}

#[tokio::test]
async fn other_content_with_a_number_is_refused_naming_the_fields() {
    each(World::furnished, async |world| {
        let [first, second] = delivered(&world).await;
        let good = invoice(&first, "INV-1", &[(1, 4, 4 * EACH)]);
        world.record(good.clone()).await;
        let of_second = invoice(&second, "INV-1", &[(1, 3, 3 * EACH)]);
        let refused = async |request: contract::RecordInvoiceRequest| {
            let fault = fault(world.try_record(request).await);
            assert_eq!(fault.reason, Reason::AlreadyExists);
            fault.violations.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
        };
        assert_eq!(refused(invoice(&first, "INV-1", &[(1, 3, 3 * EACH)])).await, ["lines"]);
        let later = |request: &contract::RecordInvoiceRequest| contract::RecordInvoiceRequest {
            issue_time: request.issue_time.map(|at| prost_types::Timestamp { seconds: at.seconds + 1, ..at }),
            ..request.clone()
        };
        assert_eq!(refused(later(&good)).await, ["issue_time"]);
        // What is common to all parts is compared before the part of an order is recorded.
        assert_eq!(refused(later(&of_second)).await, ["issue_time"]);
        let document = contract::RecordInvoiceRequest {
            document_uri: "https://erp.example/INV-1".to_owned(),
            due_time: later(&of_second).issue_time,
            ..of_second.clone()
        };
        assert_eq!(refused(document).await, ["due_time", "document_uri"]);
        assert_eq!(world.get(&second.order_id).await, second);
        assert_eq!(parts(&world, "INV-1").await, [(first.order_id.clone(), 4 * EACH)]);
        world.record(of_second).await;
    })
    .await;
}

#[tokio::test]
async fn of_two_documents_with_one_number_that_come_at_the_same_time_one_is_recorded() {
    each(World::furnished, async |world| {
        let [first, second] = delivered(&world).await;
        let uri = |name: &str| format!("https://erp.example/{name}");
        let one = contract::RecordInvoiceRequest {
            document_uri: uri("one"),
            ..invoice(&first, "INV-1", &[(1, 4, 4 * EACH)])
        };
        let other = contract::RecordInvoiceRequest {
            document_uri: uri("other"),
            ..invoice(&second, "INV-1", &[(1, 3, 3 * EACH)])
        };
        let (one, other) = tokio::join!(world.try_record(one), world.try_record(other));
        assert_ne!(one.is_ok(), other.is_ok());
        assert_eq!(fault(one.and(other)).reason, Reason::AlreadyExists);
        assert_eq!(parts(&world, "INV-1").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_order_of_another_account_is_no_part_of_a_collective_invoice() {
    each(World::furnished, async |world| {
        world.create_account(account("acc_2")).await;
        let [first, second] = delivered(&world).await;
        let of = |order: &contract::Order, account_id: &str| contract::RecordInvoiceRequest {
            account_id: account_id.to_owned(),
            ..invoice(order, "INV-1", &[(1, 1, EACH)])
        };
        world.record(of(&first, "acc_1")).await;
        assert_eq!(wrong_fields(world.try_record(of(&second, "acc_2")).await), ["account_id"]);
        let unknown = contract::RecordInvoiceRequest { order_id: "ord_9".to_owned(), ..of(&second, "acc_1") };
        assert_eq!(fault(world.try_record(unknown).await).reason, Reason::NotFound);
        assert_eq!(world.get(&second.order_id).await, second);
        world.record(of(&second, "acc_1")).await;
    })
    .await;
}
