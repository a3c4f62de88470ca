//! Changes of the place that goods go to.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::FulfillmentShipToChangeSettled,
    order::v1::{self as contract, OrderChangeState, ShipToEdit},
    types::v1::Address,
};
use testkit::each;

use super::{change_of, confirm, get, propose, waiting_order};
use crate::world::{World, address, quantities};

#[tokio::test]
async fn another_place_is_taken_at_once_by_what_no_node_has_and_asked_of_the_nodes_for_the_rest() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let vienna = Address { country: "AT".to_owned(), city: "Wien".to_owned(), ..address() };
        let to = |place: &Address| ShipToEdit { ship_to_address: Some(place.clone()), ..Default::default() };
        let request = contract::ProposeOrderChangeRequest { ship_tos: vec![to(&vienna)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        let done = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!((done.state(), done.ship_tos[0].requested), (OrderChangeState::Applied, 0));
        world.drain().await;
        assert_eq!(world.inventory.reserved()[1].ship_to_country, "AT");
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!(order.ship_to.clone().unwrap().address.unwrap().city, "Wien");
        // Now nodes have it.
        let graz = Address { city: "Graz".to_owned(), ..vienna.clone() };
        let request = contract::ProposeOrderChangeRequest { ship_tos: vec![to(&graz)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        let asked = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!((asked.state(), asked.ship_tos[0].requested), (OrderChangeState::Requested, 10));
        let settled = FulfillmentShipToChangeSettled {
            order_id: order.order_id.clone(),
            change_number: 2,
            rejected: quantities(&[(1, 10)]),
            reason: "the label is printed".to_owned(),
            ..Default::default()
        };
        let order =
            world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentShipToChangeSettled(settled.clone())).await;
        let ended = get(&world, &asked).await;
        assert_eq!((ended.state(), ended.ship_tos[0].declined), (OrderChangeState::Declined, 10));
        assert_eq!((ended.end_reason.as_str(), order.open_change), ("the label is printed", 0));
        assert_eq!(order.ship_to.clone().unwrap().address.unwrap().city, "Wien", "nothing goes to Graz");
        // Told again, nothing happens.
        let again = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentShipToChangeSettled(settled)).await;
        assert_eq!(again, order);
    })
    .await;
}
