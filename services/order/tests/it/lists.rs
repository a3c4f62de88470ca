use std::time::Duration;

use proto::{
    events::ReturnsEvent,
    order::v1::{self as contract, OrderState, OrderStatus, OrderView},
    returns::v1::{Return, ReturnChanged, ReturnLine, ReturnState},
};
use testkit::{START, each, wrong_fields};

use crate::world::{World, account, address, order_of};

async fn list(world: &World, request: contract::ListOrdersRequest) -> Vec<String> {
    let orders = world.orders.clone().list_orders(request).await.unwrap().into_inner().orders;
    orders.into_iter().map(|order| order.customer_po).collect()
}

/// Five orders a minute apart: two shipped, one cancelled, one waiting for stock, one of another account.
async fn with_orders(options: store::Options) -> World {
    let world = World::furnished(options).await;
    world.create_account(account("acc_2")).await;
    for number in 1..=5 {
        let mut request = order_of(&format!("PO-{number}"), &[("TEA", 2), ("CHAI", 1)]);
        if number == 4 {
            world.inventory.leave("TEA", 0);
            world.inventory.leave("CHAI", 0);
        }
        if number == 5 {
            request.account_id = "acc_2".to_owned();
            request.ship_to_id = String::new();
            request.ship_to_address = Some(address());
        }
        let order = world.place(request).await;
        match number {
            1 | 2 => drop(world.ships(&order, "shm_1", &[(1, 2), (2, 1)]).await),
            3 => drop(world.cancel(&order.order_id).await.unwrap()),
            _ => {}
        }
        world.clock.advance(Duration::from_secs(60));
    }
    world
}

#[tokio::test]
async fn orders_are_listed_newest_first_with_their_lines() {
    each(with_orders, async |world| {
        let request = contract::ListOrdersRequest { page_size: 2, view: OrderView::Full.into(), ..Default::default() };
        let first = world.orders.clone().list_orders(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.orders.iter().map(|order| order.customer_po.as_str()).collect::<Vec<_>>(), ["PO-5", "PO-4"]);
        assert_eq!(first.orders[0], world.get(&first.orders[0].order_id).await);
        let rest = contract::ListOrdersRequest { page_token: first.next_page_token.clone(), page_size: 5, ..request };
        assert_eq!(list(&world, rest).await, ["PO-3", "PO-2", "PO-1"]);
        let other_filter = contract::ListOrdersRequest {
            page_token: first.next_page_token,
            account_id: "acc_1".to_owned(),
            ..Default::default()
        };
        assert_eq!(wrong_fields(world.orders.clone().list_orders(other_filter).await), ["page_token"]);
    })
    .await;
}

#[tokio::test]
async fn every_filter_of_the_list_narrows_it() {
    each(with_orders, async |world| {
        let minute = |number: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(60 * number))));
        let all = contract::ListOrdersRequest::default;
        let statuses = |statuses: &[OrderStatus]| statuses.iter().map(|status| (*status).into()).collect();
        let request = contract::ListOrdersRequest { account_id: "acc_2".to_owned(), ..all() };
        assert_eq!(list(&world, request).await, ["PO-5"]);
        let request = contract::ListOrdersRequest { customer_po: "PO-3".to_owned(), ..all() };
        assert_eq!(list(&world, request).await, ["PO-3"]);
        let request = contract::ListOrdersRequest { statuses: statuses(&[OrderStatus::Shipped]), ..all() };
        assert_eq!(list(&world, request).await, ["PO-2", "PO-1"]);
        let both = statuses(&[OrderStatus::Backordered, OrderStatus::Shipped]);
        let request = contract::ListOrdersRequest { statuses: both, account_id: "acc_1".to_owned(), ..all() };
        assert_eq!(list(&world, request).await, ["PO-4", "PO-2", "PO-1"]);
        let confirmed = vec![OrderState::Confirmed.into()];
        let request = contract::ListOrdersRequest {
            states: confirmed,
            created_after: minute(1),
            created_before: minute(4),
            ..all()
        };
        assert_eq!(list(&world, request).await, ["PO-4", "PO-3", "PO-2"]);
        let rejected = vec![OrderState::Rejected.into()];
        assert!(list(&world, contract::ListOrdersRequest { states: rejected, ..all() }).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_customer_lists_the_orders_of_its_accounts() {
    each(with_orders, async |world| {
        let listed = |orders: contract::ListOrdersResponse| {
            orders.orders.into_iter().map(|order| order.customer_po).collect::<Vec<_>>()
        };
        let mut customer = world.as_customer(&["acc_2", "acc_3"]);
        let own = customer.list_orders(contract::ListOrdersRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed(own), ["PO-5"]);
        let others = contract::ListOrdersRequest { account_id: "acc_1".to_owned(), ..Default::default() };
        assert!(listed(customer.list_orders(others).await.unwrap().into_inner()).is_empty());
        let mut without_accounts = world.as_customer(&[]);
        let none = without_accounts.list_orders(contract::ListOrdersRequest::default()).await.unwrap().into_inner();
        assert!(listed(none).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_summary_counts_what_the_lists_show() {
    each(with_orders, async |world| {
        let request = contract::SummarizeOrdersRequest::default();
        let summary = world.orders.clone().summarize_orders(request).await.unwrap().into_inner();
        let statuses: Vec<_> = summary.statuses.iter().map(|count| (count.status(), count.order_count)).collect();
        // The cancelled order's units are still at their nodes.
        let expected = [(OrderStatus::Backordered, 2), (OrderStatus::Released, 1), (OrderStatus::Shipped, 2)];
        assert_eq!(statuses, expected);
        assert_eq!(summary.line_count, 10);
        let units = summary.units.unwrap();
        assert_eq!((units.ordered, units.shipped, units.released, units.backordered), (15, 6, 3, 6));
        assert!(summary.invoice_ready.is_empty());
        let request = contract::SummarizeOrdersRequest { account_id: "acc_2".to_owned() };
        let summary = world.orders.clone().summarize_orders(request).await.unwrap().into_inner();
        assert_eq!((summary.line_count, summary.units.unwrap().backordered), (2, 3));
    })
    .await;
}

#[tokio::test]
async fn a_summary_counts_orders_that_end_are_returned_and_are_opened_again() {
    each(World::furnished, async |world| {
        let summary = async || {
            let request = contract::SummarizeOrdersRequest { account_id: "acc_1".to_owned() };
            let summary = world.orders.clone().summarize_orders(request).await.unwrap().into_inner();
            let statuses = summary.statuses.iter().map(|count| (count.status(), count.order_count));
            let units = summary.units.unwrap();
            let ready: i64 = summary.invoice_ready.iter().map(|money| money.minor_units).sum();
            (statuses.collect::<Vec<_>>(), summary.line_count, units, ready)
        };
        let order = world.place(order_of("PO-1", &[("TEA", 2), ("CHAI", 1)])).await;
        world.ships(&order, "shm_1", &[(1, 2), (2, 1)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 2), (2, 1)]).await;
        assert_eq!(order.state(), OrderState::Closed);
        world.place(order_of("PO-2", &[("TEA", 3)])).await;
        let (statuses, lines, units, ready) = summary().await;
        assert_eq!(statuses, [(OrderStatus::Released, 1), (OrderStatus::Delivered, 1)]);
        assert_eq!((lines, units.ordered, units.delivered, units.released), (3, 6, 3, 3));
        assert_eq!(ready, order.invoice_ready_total.as_ref().unwrap().minor_units);
        // A return of a closed order is counted too.
        let changed = ReturnChanged { r#return: Some(returned(&order.order_id)) };
        world.returns_log.emit(&order.order_id, &ReturnsEvent::ReturnAuthorized(changed));
        world.drain().await;
        assert_eq!(summary().await.2.return_authorized, 2);
        // A shipment that nobody expected opens it again.
        let order = world.ships(&order, "shm_2", &[(1, 1)]).await;
        assert_eq!(order.state(), OrderState::Confirmed);
        let (statuses, lines, units, _) = summary().await;
        assert_eq!(statuses.iter().map(|(_, count)| count).sum::<i64>(), 2);
        assert!(!statuses.contains(&(OrderStatus::Delivered, 1)));
        assert_eq!((lines, units.shipped, units.over_shipped, units.return_authorized), (3, 4, 1, 2));
    })
    .await;
}

fn returned(order_id: &str) -> Return {
    Return {
        return_id: "rma_1".to_owned(),
        order_id: order_id.to_owned(),
        state: ReturnState::Authorized.into(),
        lines: vec![ReturnLine { line_number: 1, authorized: 2, ..Default::default() }],
        etag: "1".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_page_over_several_accounts_and_statuses_goes_on_where_the_last_one_ended() {
    each(with_orders, async |world| {
        let mut customer = world.as_customer(&["acc_1", "acc_2"]);
        let statuses = [OrderStatus::Shipped, OrderStatus::Backordered].map(Into::into).to_vec();
        let mut request = contract::ListOrdersRequest { statuses, page_size: 1, ..Default::default() };
        let mut listed = Vec::new();
        loop {
            let page = customer.list_orders(request.clone()).await.unwrap().into_inner();
            listed.extend(page.orders.into_iter().map(|order| order.customer_po));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(listed, ["PO-5", "PO-4", "PO-2", "PO-1"]);
    })
    .await;
}
