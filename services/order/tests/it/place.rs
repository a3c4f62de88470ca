use proto::{events::EventType, order::v1 as contract};
use testkit::{each, fault, reason, wrong_fields};
use types::Reason;

use crate::world::{Mood, World, account, address, counters, item, order_of};

#[tokio::test]
async fn a_placed_order_is_answered_as_it_is_stored() {
    each(World::furnished, async |world| {
        let mut request = order_of("PO-1", &[("TEA", 3), ("CHAI", 2)]);
        request.lines[1].uom = "CS".to_owned();
        request.lines[1].discount_basis_points = 1_500;
        let placed = world.try_place(request).await.unwrap();
        assert_eq!(world.get(&placed.order_id).await, placed);
        assert_eq!(placed.status(), contract::OrderStatus::Submitted);
        assert_eq!(placed.ship_to.as_ref().unwrap().address, Some(address()));
        // 3 × 10.05, and 2 cases of 12 × 10.05 less 15 %.
        assert_eq!(placed.lines[0].amount_minor, 3_015);
        assert_eq!((placed.lines[1].unit_price_minor, placed.lines[1].amount_minor), (12_060, 20_502));
        assert_eq!(placed.total.as_ref().unwrap().minor_units, 23_517);
        assert_eq!(counters(&placed, 1).ordered, 24);
        assert_eq!(counters(&placed, 1).unallocated, 24);
        assert_eq!(placed.supported_actions, ["CancelOrder", "ProposeOrderChange", "PlaceHold"]);
        let submitted: Vec<contract::OrderSubmitted> =
            world.events_of(&placed.order_id).await.payloads(EventType::OrderSubmitted);
        assert_eq!(submitted, [contract::OrderSubmitted { order: Some(placed) }]);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_answers_with_the_first_order() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { request_id: "r-1".to_owned(), ..order_of("PO-1", &[("TEA", 3)]) };
        let first = world.place(request.clone()).await;
        let again = world.try_place(request.clone()).await.unwrap();
        assert_eq!(again.order_id, first.order_id);
        assert_eq!(world.inventory.reserved().len(), 1);
        let other = contract::PlaceOrderRequest { customer_po: "PO-2".to_owned(), ..request };
        assert_eq!(reason(world.try_place(other).await), Reason::RequestIdReused);
    })
    .await;
}

#[tokio::test]
async fn a_second_order_with_the_same_po_number_is_refused_naming_the_first() {
    each(World::furnished, async |world| {
        let first = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let fault = fault(world.try_place(order_of("PO-1", &[("TEA", 1)])).await);
        assert_eq!(fault.reason, Reason::DuplicateCustomerPo);
        assert_eq!(fault.facts, [("order_id", first.order_id)]);
    })
    .await;
}

#[tokio::test]
async fn a_second_order_with_the_same_po_number_is_an_order_where_the_account_allows_it() {
    each(World::furnished, async |world| {
        let policy = contract::DuplicatePoPolicy::Allow.into();
        let allowing = contract::CreateAccountRequest { duplicate_po_policy: policy, ..account("acc_2") };
        world.create_account(allowing).await;
        let request = contract::PlaceOrderRequest {
            account_id: "acc_2".to_owned(),
            ship_to_id: String::new(),
            ship_to_address: Some(address()),
            ..order_of("PO-1", &[("TEA", 1)])
        };
        let first = world.place(request.clone()).await;
        let second = world.place(request).await;
        assert_ne!(first.order_id, second.order_id);
        // The same number at another account is no duplicate either.
        world.place(order_of("PO-1", &[("TEA", 1)])).await;
    })
    .await;
}

#[tokio::test]
async fn an_unknown_item_is_copied_from_inventory() {
    each(World::furnished, async |world| {
        world.inventory.add(&item("NEW"));
        let placed = world.try_place(order_of("PO-1", &[("NEW", 1), ("TEA", 1)])).await.unwrap();
        assert_eq!(placed.lines[0].name, "NEW, loose");
        // The copy is stored: the next order does not call inventory.
        world.inventory.set(Mood::Down);
        world.try_place(order_of("PO-2", &[("NEW", 1)])).await.unwrap();
        // Whether this item exists is not known while inventory is unavailable.
        assert_eq!(reason(world.try_place(order_of("PO-3", &[("OTHER", 1)])).await), Reason::Unavailable);
    })
    .await;
}

#[tokio::test]
async fn a_customer_orders_for_its_own_account_only() {
    each(World::furnished, async |world| {
        let mut stranger = world.as_customer(&["acc_2"]);
        assert_eq!(wrong_fields(stranger.place_order(order_of("PO-1", &[("TEA", 1)])).await), ["account_id"]);
        let mut customer = world.as_customer(&["acc_1"]);
        let placed = customer.place_order(order_of("PO-1", &[("TEA", 1)])).await.unwrap().into_inner();
        let request = contract::GetOrderRequest { order_id: placed.order_id.clone() };
        assert_eq!(reason(stranger.get_order(request).await), Reason::NotFound);
        let request = contract::CancelOrderRequest { order_id: placed.order_id, ..Default::default() };
        assert_eq!(reason(stranger.cancel_order(request).await), Reason::NotFound);
    })
    .await;
}
