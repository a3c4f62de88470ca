//! Receipts and inspections.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Shipment, ShipmentDelivered, ShipmentUndelivered},
    returns::v1::{
        CancelReturnRequest, CreditState, DispositionKind, ListReturnsRequest, ReceiveReturnRequest,
        RetractReceiptRequest, Return, ReturnDisposed, ReturnReceived, ReturnState,
    },
};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::world::{ORDER, World, lines};

fn money(rma: &Return) -> (&str, i64) {
    rma.credit.as_ref().map_or(("", 0), |credit| (credit.currency.as_str(), credit.minor_units))
}

#[tokio::test]
async fn units_go_back_on_hand_at_inspection_not_at_receipt() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 3)]).await.unwrap();
        let rma = world.receive(&rma, &[(1, 3)]).await.unwrap();
        assert_eq!((rma.state(), rma.credit_state()), (ReturnState::Received, CreditState::Pending));
        assert!(world.events().await.payloads::<ReturnDisposed>(EventType::ReturnDisposed).is_empty());

        let kinds =
            [(DispositionKind::Restock, 1), (DispositionKind::Scrap, 1), (DispositionKind::ReturnToCustomer, 1)];
        let rma = world.inspect(&rma, 1, &kinds).await.unwrap();
        assert_eq!((rma.state(), rma.credit_state()), (ReturnState::Inspected, CreditState::Pending));
        let credited = world.credits(&rma, 1, 2, 2_000).await;
        assert_eq!((credited.credit_state(), money(&credited)), (CreditState::Proposed, ("EUR", 2_000)));
        let [disposed] = world.events().await.payloads::<ReturnDisposed>(EventType::ReturnDisposed).try_into().unwrap();
        let lines: Vec<_> = disposed.lines.iter().map(|line| (line.sku.as_str(), line.kind(), line.quantity)).collect();
        assert_eq!(lines, kinds.map(|(kind, quantity)| ("TEA", kind, quantity)));
        assert_eq!(disposed.r#return.unwrap().node_id, "nod_a");
        let counts = world.events().await.counts();
        assert_eq!((counts[&EventType::ReturnInspected], counts[&EventType::ReturnCreditProposed]), (1, 1));
        assert_eq!(reason(world.inspect(&rma, 1, &kinds).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn a_partial_receipt_leaves_the_rest_expected() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 3), (2, 1)]).await.unwrap();
        assert_eq!(rma.supported_actions, ["CancelReturn", "ReceiveReturn", "CloseReturn"]);
        let rma = world.receive(&rma, &[(1, 3)]).await.unwrap();
        assert_eq!(rma.state(), ReturnState::PartiallyReceived);
        assert_eq!(rma.supported_actions, ["ReceiveReturn", "RetractReceipt", "InspectReturn"]);
        let rma = world.receive(&rma, &[(2, 1)]).await.unwrap();
        assert_eq!(rma.state(), ReturnState::Received);
        assert!(world.events().await.opened_exceptions().is_empty());
        assert_eq!(reason(world.inspect(&rma, 2, &[(DispositionKind::Restock, 2)]).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn a_receipt_repeated_with_the_same_request_id_counts_once() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 3)]).await.unwrap();
        let request = ReceiveReturnRequest {
            request_id: "r1".to_owned(),
            return_id: rma.return_id,
            lines: lines(&[(1, 2)]),
            ..ReceiveReturnRequest::default()
        };
        let first = world.client().receive_return(request.clone()).await.unwrap().into_inner();
        let again = world.client().receive_return(request).await.unwrap().into_inner();
        assert_eq!((again.lines[0].received, &again), (2, &first));
        assert_eq!(world.events().await.counts()[&EventType::ReturnReceived], 1);
    })
    .await;
}

#[tokio::test]
async fn more_than_was_authorized_is_recorded_and_opens_an_exception() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(2, 2)]).await.unwrap();
        let rma = world.receive(&rma, &[(2, 5), (1, 1)]).await.unwrap();
        let counted: Vec<_> = rma.lines.iter().map(|line| (line.line_number, line.authorized, line.received)).collect();
        assert_eq!(counted, [(1, 0, 1), (2, 2, 5)]);
        assert_eq!(world.events().await.opened_exceptions(), ["OVER_RECEIVED"]);
        let units = |payloads: Vec<ReturnReceived>| {
            let lines = payloads.into_iter().flat_map(|payload| payload.lines);
            lines.map(|line| (line.line_number, line.quantity)).collect::<Vec<_>>()
        };
        assert_eq!(units(world.events().await.payloads(EventType::ReturnReceived)), [(2, 2)]);
        assert_eq!(units(world.events().await.payloads(EventType::ReturnOverReceived)), [(2, 3), (1, 1)]);
        assert_eq!(world.returnable().await, [(1, 9), (2, 0)]);

        // Three cups are to be paid; five came back.
        let rma = world.inspect(&rma, 2, &[(DispositionKind::Restock, 5)]).await.unwrap();
        let rma = world.credits(&rma, 2, 3, 100).await;
        assert_eq!(rma.credit_state(), CreditState::Pending, "two are not decided yet");
        let rma = world.refuses(&rma, 2, 2).await;
        assert_eq!((rma.credit_state(), money(&rma)), (CreditState::Proposed, ("EUR", 100)));
    })
    .await;
}

#[tokio::test]
async fn goods_of_a_cancelled_return_are_recorded_when_they_come() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(2, 3)]).await.unwrap();
        let cancel = CancelReturnRequest { return_id: rma.return_id.clone(), ..CancelReturnRequest::default() };
        world.client().cancel_return(cancel).await.unwrap();
        let rma = world.receive(&rma, &[(2, 1)]).await.unwrap();
        assert_eq!((rma.state(), rma.lines[0].authorized, rma.lines[0].received), (ReturnState::Received, 0, 1));
        assert_eq!(world.events().await.opened_exceptions(), ["OVER_RECEIVED"]);
        assert_eq!(world.returnable().await, [(1, 10), (2, 2)]);
    })
    .await;
}

#[tokio::test]
async fn units_that_were_not_to_be_paid_earn_no_credit() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(2, 1)]).await.unwrap();
        let rma = world.receive(&rma, &[(2, 1)]).await.unwrap();
        let rma = world.inspect(&rma, 2, &[(DispositionKind::Quarantine, 1)]).await.unwrap();
        assert_eq!(rma.credit_state(), CreditState::Pending);
        let rma = world.refuses(&rma, 2, 1).await;
        assert_eq!((rma.credit_state(), money(&rma)), (CreditState::NotRefundable, ("EUR", 0)));
        assert!(!world.events().await.counts().contains_key(&EventType::ReturnCreditProposed));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_due_for_goods_that_go_back_to_the_customer() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(2, 1)]).await.unwrap();
        let rma = world.receive(&rma, &[(2, 1)]).await.unwrap();
        let rma = world.inspect(&rma, 2, &[(DispositionKind::ReturnToCustomer, 1)]).await.unwrap();
        assert_eq!((rma.credit_state(), money(&rma)), (CreditState::NotRefundable, ("EUR", 0)));
        assert!(!world.events().await.counts().contains_key(&EventType::ReturnCreditProposed));
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_receipts_and_inspections_are_named() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 3)]).await.unwrap();
        assert_eq!(wrong_fields(world.receive(&rma, &[(7, 1)]).await), ["lines[0].line_number"]);
        assert_eq!(wrong_fields(world.receive(&rma, &[(1, -1)]).await), ["lines[0].quantity"]);
        let rma = world.receive(&rma, &[(1, 3)]).await.unwrap();
        assert_eq!(wrong_fields(world.inspect(&rma, 1, &[]).await), ["lines[0].dispositions"]);
        assert_eq!(
            wrong_fields(world.inspect(&rma, 2, &[(DispositionKind::Scrap, 1)]).await),
            ["lines[0].line_number"]
        );
        let fields = wrong_fields(world.inspect(&rma, 1, &[(DispositionKind::Unspecified, 0)]).await);
        assert_eq!(fields, ["lines[0].dispositions[0].kind", "lines[0].dispositions[0].quantity"]);
        let unknown = Return { return_id: "rma_x".to_owned(), ..Return::default() };
        assert_eq!(reason(world.receive(&unknown, &[(1, 1)]).await), Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_package_that_comes_back_to_its_sender_is_received_and_inspected_without_a_credit() {
    each(World::delivered, async |world| {
        let returnable = world.returnable().await;
        let back = || ShipmentUndelivered {
            shipment: Some(Shipment {
                shipment_id: "shm_9".to_owned(),
                order_id: ORDER.to_owned(),
                node_id: "nod_a".to_owned(),
                ..Shipment::default()
            }),
            package_id: "pkg_9".to_owned(),
            lines: vec![testkit::units(1, 4)],
        };
        for _ in 0..2 {
            world.fulfillment.emit(ORDER, &FulfillmentEvent::ShipmentReturnedToSender(back()));
            world.drain().await;
        }
        let request = ListReturnsRequest { order_id: ORDER.to_owned(), ..ListReturnsRequest::default() };
        let mut returns = world.client().list_returns(request).await.unwrap().into_inner().returns;
        assert_eq!((returns.len(), returns[0].package_id.as_str()), (1, "pkg_9"));
        let expected = returns.remove(0);
        assert_eq!((expected.lines[0].authorized, expected.node_id.as_str()), (4, "nod_a"));
        assert_eq!(world.returnable().await, returnable, "what was not delivered is not the customer's to return");

        let received = world.receive(&expected, &[(1, 4)]).await.unwrap();
        assert_eq!(received.state(), ReturnState::Received);
        let inspected = world.inspect(&received, 1, &[(DispositionKind::Restock, 4)]).await.unwrap();
        assert_eq!((inspected.state(), inspected.credit_state()), (ReturnState::Inspected, CreditState::NotRefundable));
        assert_eq!(inspected.credit.unwrap().minor_units, 0);
        assert_eq!(world.events().await.of(EventType::ReturnDisposed).len(), 1, "they go on hand");
        assert_eq!(world.returnable().await, returnable);

        // What has come back stays; another package that does not come back after all is not expected.
        world.fulfillment.emit(ORDER, &FulfillmentEvent::ShipmentRecovered(back()));
        let other = ShipmentUndelivered { package_id: "pkg_8".to_owned(), ..back() };
        world.fulfillment.emit(ORDER, &FulfillmentEvent::ShipmentReturnedToSender(other.clone()));
        world.fulfillment.emit(ORDER, &FulfillmentEvent::ShipmentRecovered(other));
        world.drain().await;
        let request = ListReturnsRequest { order_id: ORDER.to_owned(), ..ListReturnsRequest::default() };
        let returns = world.client().list_returns(request).await.unwrap().into_inner().returns;
        let mut states: Vec<_> = returns.iter().map(|one| one.state()).collect();
        states.sort();
        assert_eq!(states, [ReturnState::Inspected, ReturnState::Cancelled]);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_did_not_take_place_is_not_returnable() {
    each(World::delivered, async |world| {
        let shipment = Shipment {
            shipment_id: "shm_1".to_owned(),
            order_id: ORDER.to_owned(),
            node_id: "nod_a".to_owned(),
            ..Shipment::default()
        };
        let lines = vec![testkit::units(1, 4)];
        let retracted = ShipmentDelivered { shipment: Some(shipment), lines, deliver_time: None };
        world.fulfillment.emit(ORDER, &FulfillmentEvent::ShipmentDeliveryRetracted(retracted));
        world.drain().await;
        assert_eq!(world.returnable().await, [(1, 6), (2, 3)]);
    })
    .await;
}

#[tokio::test]
async fn a_receipt_is_taken_back_as_far_as_it_was_not_inspected() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 4)]).await.unwrap();
        let rma = world.receive(&rma, &[(1, 4)]).await.unwrap();
        let rma = world.inspect(&rma, 1, &[(DispositionKind::Restock, 1)]).await.unwrap();
        let request = |units: i64| RetractReceiptRequest {
            request_id: "retract".to_owned(),
            return_id: rma.return_id.clone(),
            lines: lines(&[(1, units)]),
            reason: "another return".to_owned(),
        };
        let first = world.client().retract_receipt(request(3)).await.unwrap().into_inner();
        assert_eq!(world.client().retract_receipt(request(3)).await.unwrap().into_inner(), first);
        assert_eq!((first.state(), first.lines[0].received), (ReturnState::PartiallyReceived, 1));
        assert_eq!(world.events().await.of(EventType::ReturnReceiptRetracted).len(), 1);
        let more = RetractReceiptRequest { request_id: String::new(), ..request(1) };
        assert_eq!(reason(world.client().retract_receipt(more).await), Reason::ActionNotSupported);
        let wrong = world.client().retract_receipt(RetractReceiptRequest::default()).await;
        assert_eq!(wrong_fields(wrong), ["return_id", "lines", "reason"]);
        let again = world.receive(&first, &[(1, 3)]).await.unwrap();
        assert_eq!((again.state(), again.lines[0].received), (ReturnState::Received, 4));
    })
    .await;
}
