//! The status of an order says whether a person is needed, whichever service opened the exception.

use proto::order::v1::{self as contract, OrderState, OrderStatus};
use testkit::each;

use crate::world::{World, order_of};

async fn with_open_exceptions(world: &World) -> Vec<String> {
    let request = contract::ListOrdersRequest { with_open_exceptions: true, ..Default::default() };
    let orders = world.orders.clone().list_orders(request).await.unwrap().into_inner().orders;
    orders.into_iter().map(|order| order.order_id).collect()
}

#[tokio::test]
async fn an_order_with_an_open_exception_shows_it_until_the_last_one_is_closed() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        world.place(order_of("PO-2", &[("TEA", 3)])).await;
        let order = world.has_open_exceptions(&order, 1).await;
        assert_eq!((order.status(), order.open_exceptions), (OrderStatus::Exception, 1));
        assert_eq!(with_open_exceptions(&world).await, [order.order_id.as_str()]);
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Exception), "it is still open");
        let order = world.has_open_exceptions(&order, 0).await;
        assert_eq!((order.status(), order.open_exceptions), (OrderStatus::Delivered, 0));
        assert!(with_open_exceptions(&world).await.is_empty());
        let summary = world.orders.clone().summarize_orders(contract::SummarizeOrdersRequest::default()).await;
        let statuses = summary.unwrap().into_inner().statuses;
        let counted: Vec<_> = statuses.iter().map(|count| (count.status(), count.order_count)).collect();
        assert_eq!(counted, [(OrderStatus::Released, 1), (OrderStatus::Delivered, 1)]);
    })
    .await;
}

#[tokio::test]
async fn an_exception_of_an_unknown_order_changes_nothing() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let unknown = contract::Order { order_id: "ord_unknown".to_owned(), ..order.clone() };
        let changed = proto::operations::v1::OrderExceptionsChanged { order_id: unknown.order_id, open_exceptions: 1 };
        let event = proto::events::OperationsEvent::ExceptionOrderChanged(changed);
        world.operations_log.emit("ord_unknown", &event);
        world.drain().await;
        assert_eq!(world.get(&order.order_id).await, order);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}
