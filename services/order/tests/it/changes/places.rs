//! Changes of the place that goods go to.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::FulfillmentShipToChangeSettled,
    order::v1::{self as contract, OrderChangeState, ShipToEdit},
    types::v1::Address,
};
use testkit::each;

use super::{change_of, confirm, edit, get, propose, waiting_order};
use crate::world::{World, address, order_of, quantities};

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

/// Ten units that a node has should go to another city.
async fn ask_for(world: &World, order: &contract::Order, city: &str) -> contract::OrderChange {
    let place = Address { country: "AT".to_owned(), city: city.to_owned(), ..address() };
    let to = ShipToEdit { ship_to_address: Some(place), ..Default::default() };
    let request = contract::ProposeOrderChangeRequest { ship_tos: vec![to], ..change_of(order) };
    let change = propose(world.orders.clone(), request).await.unwrap();
    let asked = confirm(world.orders.clone(), &change).await.unwrap();
    world.drain().await;
    asked
}

/// An order of ten units that a node has, and that should go to Vienna.
async fn asked_for_vienna(world: &World) -> (contract::Order, contract::OrderChange) {
    let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
    let change = ask_for(world, &order, "Wien").await;
    (order, change)
}

/// Nodes have answered: so many units go to the place of a change, and so many do not.
async fn answers(world: &World, change: &contract::OrderChange, accepted: i64, declined: i64) -> contract::Order {
    let settled = FulfillmentShipToChangeSettled {
        order_id: change.order_id.clone(),
        change_number: change.change_number,
        accepted: quantities(&[(1, accepted)]),
        rejected: quantities(&[(1, declined)]),
        reason: if declined > 0 { "the label is printed".to_owned() } else { String::new() },
        ..Default::default()
    };
    let order = world.get(&change.order_id).await;
    world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentShipToChangeSettled(settled)).await
}

fn city(order: &contract::Order) -> String {
    order.ship_to.clone().unwrap().address.unwrap().city
}

/// The countries that inventory was asked to reserve for.
fn reserved_for(world: &World) -> Vec<String> {
    world.inventory.reserved().into_iter().map(|request| request.ship_to_country).collect()
}

#[tokio::test]
async fn a_place_that_nodes_decline_is_reserved_for_no_more() {
    each(World::furnished, async |world| {
        let (_, change) = asked_for_vienna(&world).await;
        assert_eq!(reserved_for(&world), ["DE", "AT"]);
        assert_eq!(city(&answers(&world, &change, 0, 10).await), "Berlin");
        assert_eq!(reserved_for(&world), ["DE", "AT", "DE"]);
        let last = world.inventory.reserved().remove(2);
        assert_eq!(last.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [10], "the same units");
        // Told again, nothing happens.
        answers(&world, &change, 0, 10).await;
        assert_eq!(reserved_for(&world).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_place_that_some_node_accepts_stays_and_is_reserved_for() {
    each(World::furnished, async |world| {
        let (_, change) = asked_for_vienna(&world).await;
        let order = answers(&world, &change, 4, 6).await;
        assert_eq!((city(&order).as_str(), reserved_for(&world).last().unwrap().as_str()), ("Wien", "AT"));
        assert_eq!(get(&world, &change).await.state(), OrderChangeState::PartiallyApplied);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_accepts_late_takes_the_order_to_the_new_place() {
    each(World::furnished, async |world| {
        let (_, change) = asked_for_vienna(&world).await;
        answers(&world, &change, 0, 10).await;
        for _ in 0..2 {
            let order = answers(&world, &change, 10, 0).await;
            assert_eq!((city(&order).as_str(), order.open_change), ("Wien", 0));
        }
        assert_eq!(reserved_for(&world), ["DE", "AT", "DE", "AT"]);
        let ended = get(&world, &change).await;
        assert_eq!((ended.state(), ended.ship_tos[0].declined), (OrderChangeState::Applied, 0));
        assert_eq!(ended.end_reason, "");
        let told: Vec<contract::OrderChangeEnded> =
            world.events_of(&change.order_id).await.payloads(EventType::OrderChangeEnded);
        let states: Vec<_> = told.iter().map(|it| it.change.as_ref().unwrap().state()).collect();
        assert_eq!(states, [OrderChangeState::Declined, OrderChangeState::Applied]);
        assert_eq!(told.iter().map(|it| city(it.order.as_ref().unwrap())).collect::<Vec<_>>(), ["Berlin", "Wien"]);
    })
    .await;
}

#[tokio::test]
async fn a_late_acceptance_counts_while_the_change_waits_for_other_answers() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let place = Address { country: "AT".to_owned(), city: "Wien".to_owned(), ..address() };
        let request = contract::ProposeOrderChangeRequest {
            lines: vec![edit(1, 6)],
            ship_tos: vec![ShipToEdit { ship_to_address: Some(place), ..Default::default() }],
            ..change_of(&order)
        };
        let change = propose(world.orders.clone(), request).await.unwrap();
        let change = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!(change.ship_tos[0].requested, 6);
        assert_eq!(city(&answers(&world, &change, 0, 6).await), "Berlin");
        let order = answers(&world, &change, 6, 0).await;
        assert_eq!((city(&order).as_str(), get(&world, &change).await.state()), ("Wien", OrderChangeState::Requested));
    })
    .await;
}

#[tokio::test]
async fn a_late_acceptance_is_where_the_order_goes_back_to_when_the_next_place_is_declined() {
    each(World::furnished, async |world| {
        let (order, first) = asked_for_vienna(&world).await;
        answers(&world, &first, 0, 10).await;
        let second = ask_for(&world, &order, "Graz").await;
        assert_eq!(city(&answers(&world, &first, 10, 0).await), "Graz", "it is not answered yet");
        assert_eq!(city(&answers(&world, &second, 0, 10).await), "Wien", "where the node ships to");
        // The other way around: the later one is declined first.
        let third = ask_for(&world, &order, "Linz").await;
        assert_eq!(city(&answers(&world, &third, 0, 10).await), "Wien");
        assert_eq!(city(&answers(&world, &second, 10, 0).await), "Graz");
        // The place that goods go to stays when an earlier one is accepted in part.
        let fourth = ask_for(&world, &order, "Bregenz").await;
        answers(&world, &fourth, 10, 0).await;
        assert_eq!(city(&answers(&world, &third, 2, 8).await), "Bregenz");
    })
    .await;
}
