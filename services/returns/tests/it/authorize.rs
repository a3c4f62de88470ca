//! Authorizations of returns.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Node, NodeChanged},
    returns::v1::{
        AuthorizeReturnRequest, CancelReturnRequest, CloseReturnRequest, CreditState, GetReturnRequest,
        GetReturnableQuantityRequest, ListReturnsRequest, ReturnChanged, ReturnState,
    },
};
use testkit::{customer, each, fault, reason, wrong_fields};
use types::Reason;

use crate::world::{ORDER, World, lines, wanted};

#[tokio::test]
async fn a_second_return_of_the_same_units_is_refused() {
    each(World::delivered, async |world| {
        let first = world.authorize(&[(1, 7)]).await.unwrap();
        assert_eq!((first.state(), first.credit_state()), (ReturnState::Authorized, CreditState::Pending));
        assert_eq!(world.returnable().await, [(1, 3), (2, 3)]);
        let fault = fault(world.authorize(&[(2, 1), (1, 4)]).await);
        assert_eq!(fault.reason, Reason::NoReturnableQuantity);
        assert_eq!(fault.facts, [("line_number", "1".to_owned()), ("returnable", "3".to_owned())]);
        assert_eq!(world.returnable().await, [(1, 3), (2, 3)], "a refused return claims nothing");
        // Units that came back count down just the same.
        world.receive(&first, &[(1, 2)]).await.unwrap();
        assert_eq!(world.returnable().await, [(1, 3), (2, 3)]);
        world.authorize(&[(1, 3)]).await.unwrap();
        assert_eq!(reason(world.authorize(&[(1, 1)]).await), Reason::NoReturnableQuantity);
    })
    .await;
}

#[tokio::test]
async fn of_many_returns_of_the_last_units_at_once_one_is_authorized() {
    each(World::delivered, async |world| {
        let asked = futures::future::join_all((0..16).map(|_| world.authorize(&[(2, 2)]))).await;
        assert_eq!(asked.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(world.returnable().await, [(1, 10), (2, 1)]);
    })
    .await;
}

#[tokio::test]
async fn only_delivered_units_can_come_back() {
    each(World::open, async |world| {
        assert_eq!(reason(world.authorize(&[(1, 1)]).await), Reason::NotFound);
        world.place().await;
        assert_eq!(reason(world.authorize(&[(1, 1)]).await), Reason::NoReturnableQuantity);
        assert!(world.returnable().await.is_empty());
        world.deliver("1", "nod_a", 1, 4).await;
        world.deliver("1", "nod_a", 1, 4).await;
        assert_eq!(world.returnable().await, [(1, 4)]);
    })
    .await;
}

#[tokio::test]
async fn goods_come_back_to_the_node_that_delivered_most_of_them() {
    each(World::open, async |world| {
        // Deliveries may be emitted before the order.
        world.deliver("1", "nod_a", 1, 4).await;
        world.deliver("2", "nod_b", 1, 6).await;
        world.deliver("3", "nod_a", 2, 3).await;
        world.place().await;
        assert_eq!(world.authorize(&[(1, 1)]).await.unwrap().node_id, "nod_b");
        assert_eq!(world.authorize(&[(1, 1), (2, 1)]).await.unwrap().node_id, "nod_a");
        let elsewhere = AuthorizeReturnRequest { node_id: "nod_c".to_owned(), ..wanted(&[(1, 1)]) };
        let refused = world.client().authorize_return(elsewhere.clone()).await;
        assert_eq!(wrong_fields(refused), ["node_id"], "there is no such node");
        assert_eq!(world.returnable().await, [(1, 8), (2, 2)], "a refused return claims nothing");
        let node = Node { node_id: "nod_c".to_owned(), ..Node::default() };
        for _ in 0..2 {
            world.fulfillment.emit("nod_c", &FulfillmentEvent::NodeCreated(NodeChanged { node: Some(node.clone()) }));
            world.drain().await;
        }
        assert_eq!(world.client().authorize_return(elsewhere).await.unwrap().into_inner().node_id, "nod_c");
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_answers_with_the_first_return() {
    each(World::delivered, async |world| {
        let request = AuthorizeReturnRequest { request_id: "r1".to_owned(), ..wanted(&[(1, 6)]) };
        let first = world.client().authorize_return(request.clone()).await.unwrap().into_inner();
        let again = world.client().authorize_return(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        assert_eq!(world.returnable().await, [(1, 4), (2, 3)]);
        let other = AuthorizeReturnRequest { reason: "broken".to_owned(), ..request };
        assert_eq!(reason(world.client().authorize_return(other).await), Reason::RequestIdReused);
        assert_eq!(world.events().await.payloads::<ReturnChanged>(EventType::ReturnAuthorized).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_a_return_are_named() {
    each(World::delivered, async |world| {
        let request = AuthorizeReturnRequest {
            order_id: "acc_1".to_owned(),
            lines: lines(&[(0, 1), (1, 0), (1, 2)]),
            reason: "x".repeat(501),
            node_id: "nowhere".to_owned(),
            ..AuthorizeReturnRequest::default()
        };
        let fields = wrong_fields(world.client().authorize_return(request).await);
        let wrong =
            ["order_id", "lines[0].line_number", "lines[1].quantity", "lines[2].line_number", "reason", "node_id"];
        assert_eq!(fields, wrong);
        assert_eq!(wrong_fields(world.authorize(&[]).await), ["lines"]);
        assert_eq!(wrong_fields(world.authorize(&[(1, 1), (9, 1)]).await), ["lines[1].line_number"]);
    })
    .await;
}

#[tokio::test]
async fn units_of_a_return_that_ends_can_be_returned_otherwise() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 10)]).await.unwrap();
        let cancel =
            CancelReturnRequest { return_id: rma.return_id.clone(), etag: rma.etag.clone(), ..Default::default() };
        let stale = CancelReturnRequest { etag: "9".to_owned(), ..cancel.clone() };
        let refused = fault(world.client().cancel_return(stale).await);
        let now = [("etag", cancel.etag.clone()), ("supported_actions", rma.supported_actions.join(","))];
        assert_eq!((refused.reason, refused.facts.as_slice()), (Reason::EtagMismatch, now.as_slice()));
        let cancelled = world.client().cancel_return(cancel).await.unwrap().into_inner();
        assert_eq!((cancelled.state(), cancelled.credit_state()), (ReturnState::Cancelled, CreditState::NotRefundable));
        assert!(cancelled.supported_actions.is_empty());
        assert_eq!(world.returnable().await, [(1, 10), (2, 3)]);

        let rma = world.authorize(&[(1, 10)]).await.unwrap();
        world.receive(&rma, &[(1, 4)]).await.unwrap();
        let close = CloseReturnRequest { return_id: rma.return_id.clone(), ..Default::default() };
        let refused = fault(world.client().close_return(close.clone()).await);
        let received = world.get(&rma).await;
        let now = [("etag", received.etag), ("supported_actions", received.supported_actions.join(","))];
        assert_eq!((refused.reason, refused.facts.as_slice()), (Reason::ActionNotSupported, now.as_slice()));
        let cancel = CancelReturnRequest { return_id: rma.return_id.clone(), ..Default::default() };
        assert_eq!(reason(world.client().cancel_return(cancel).await), Reason::ActionNotSupported);
        world.inspect(&rma, 1, &[(proto::returns::v1::DispositionKind::Scrap, 4)]).await.unwrap();
        world.credits(&rma, 1, 4, 4_000).await;
        let closed = world.client().close_return(close).await.unwrap().into_inner();
        assert_eq!((closed.state(), closed.credit_state()), (ReturnState::Closed, CreditState::Proposed));
        assert_eq!(world.returnable().await, [(1, 6), (2, 3)]);
        let counts = world.events().await.counts();
        assert_eq!((counts[&EventType::ReturnCancelled], counts[&EventType::ReturnClosed]), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_customer_sees_and_returns_only_its_own() {
    each(World::delivered, async |world| {
        let (mut own, mut other) = (world.client_of(&customer(&["acc_a"])), world.client_of(&customer(&["acc_b"])));
        assert_eq!(reason(other.authorize_return(wanted(&[(1, 1)])).await), Reason::NotFound);
        let rma = own.authorize_return(wanted(&[(1, 1)])).await.unwrap().into_inner();
        let get = GetReturnRequest { return_id: rma.return_id.clone() };
        assert_eq!(own.get_return(get.clone()).await.unwrap().into_inner(), rma);
        assert_eq!(reason(other.get_return(get).await), Reason::NotFound);
        let cancel = CancelReturnRequest { return_id: rma.return_id, ..Default::default() };
        assert_eq!(reason(other.cancel_return(cancel).await), Reason::NotFound);
        let quantity = GetReturnableQuantityRequest { order_id: ORDER.to_owned() };
        assert_eq!(reason(other.get_returnable_quantity(quantity).await), Reason::NotFound);
        assert!(other.list_returns(ListReturnsRequest::default()).await.unwrap().into_inner().returns.is_empty());
        assert_eq!(own.list_returns(ListReturnsRequest::default()).await.unwrap().into_inner().returns.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn returns_are_listed_by_filter_and_page_newest_first() {
    each(World::delivered, async |world| {
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(world.authorize(&[(1, 1), (2, 1)]).await.map_or(String::new(), |rma| rma.return_id));
        }
        assert_eq!(made.split_off(3), ["", ""], "only three cups were delivered");
        let list = ListReturnsRequest { order_id: ORDER.to_owned(), page_size: 2, ..Default::default() };
        let first = world.client().list_returns(list.clone()).await.unwrap().into_inner();
        let next = ListReturnsRequest { page_token: first.next_page_token.clone(), ..list.clone() };
        let second = world.client().list_returns(next).await.unwrap().into_inner();
        assert_eq!(second.next_page_token, "");
        let all: Vec<_> = first.returns.into_iter().chain(second.returns).collect();
        assert!(all.iter().all(|rma| rma.lines.len() == 2));
        assert!(all.iter().map(|rma| &rma.return_id).eq(made.iter().rev()));

        let foreign = ListReturnsRequest { page_token: first.next_page_token, ..Default::default() };
        assert_eq!(wrong_fields(world.client().list_returns(foreign).await), ["page_token"]);
        let cancelled = vec![ReturnState::Cancelled.into()];
        let none = ListReturnsRequest { states: cancelled, account_id: "acc_a".to_owned(), ..Default::default() };
        assert!(world.client().list_returns(none).await.unwrap().into_inner().returns.is_empty());
    })
    .await;
}
