//! Orders that go to several places.

use proto::{
    events::EventType,
    order::v1::{self as contract, LineStatus, NewShipToGroup, OrderState, OrderStatus},
    types::v1::Address,
};
use testkit::each;

use crate::world::{World, address, counters, order_of};

fn in_country(country: &str) -> Address {
    Address { country: country.to_owned(), city: country.to_owned(), ..address() }
}

fn group(ship_to_group: i32, country: &str) -> NewShipToGroup {
    NewShipToGroup { ship_to_group, ship_to_address: Some(in_country(country)), ..Default::default() }
}

fn part(ship_to_group: i32, quantity: i64) -> contract::LineSplit {
    contract::LineSplit { ship_to_group, quantity }
}

/// An order of ten units of tea for two stores, four and six, and of two units of chai for the second one.
fn to_two_stores() -> contract::PlaceOrderRequest {
    let mut request = order_of("PO-1", &[("TEA", 10), ("CHAI", 2)]);
    request.ship_to_id = String::new();
    request.ship_to_groups = vec![group(2, "AT"), group(1, "DE")];
    request.lines[0].split = vec![part(1, 4), part(2, 6)];
    request.lines[1].ship_to_group = 2;
    request
}

/// Case 25: one item for several stores in one purchase order.
#[tokio::test]
async fn a_line_is_divided_over_ship_to_groups_which_are_reserved_released_and_shown_apart() {
    each(World::furnished, async |world| {
        let order = world.place(to_two_stores()).await;
        let lines: Vec<_> = order.lines.iter().map(|it| (it.line_number, it.ship_to_group, it.uom_quantity)).collect();
        assert_eq!(lines, [(1, 1, 4), (2, 2, 2), (3, 2, 6)]);
        assert_eq!(order.lines.iter().map(|line| line.split_of).collect::<Vec<_>>(), [1, 0, 1]);
        let request = &world.inventory.reserved()[0];
        let countries: Vec<_> = request.line_countries.iter().map(|it| (it.line_number, it.country.as_str())).collect();
        assert_eq!(countries, [(1, "DE"), (2, "AT"), (3, "AT")]);
        // A release for each place.
        let released: Vec<contract::OrderReleased> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderReleased);
        let released = released
            .into_iter()
            .map(|it| (it.release_number, it.ship_to_group, it.ship_to.unwrap().country, it.lines.len()));
        let expected = [(1, 1, "DE".to_owned(), 1), (2, 2, "AT".to_owned(), 2)];
        assert_eq!(released.collect::<Vec<_>>(), expected);
        let groups: Vec<_> =
            order.ship_to_groups.iter().map(|it| (it.ship_to_group, it.line_count, it.status())).collect();
        assert_eq!(groups, [(1, 1, LineStatus::Released), (2, 2, LineStatus::Released)]);
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 4)]).await;
        let status: Vec<_> = order.ship_to_groups.iter().map(contract::ShipToGroup::status).collect();
        assert_eq!(status, [LineStatus::Delivered, LineStatus::Released]);
        // The order is one, and not delivered yet.
        assert_eq!(order.status(), OrderStatus::PartiallyDelivered);
        let order = world.ships(&order, "shm_2", &[(2, 2), (3, 6)]).await;
        let order = world.delivers(&order, "shm_2", &[(2, 2), (3, 6)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
    })
    .await;
}

#[tokio::test]
async fn the_parts_of_a_line_come_to_its_price_which_is_rounded_once() {
    each(World::furnished, async |world| {
        let mut request = order_of("PO-1", &[("TEA", 3)]);
        request.ship_to_id = String::new();
        request.ship_to_groups = vec![group(1, "DE"), group(2, "AT"), group(3, "FR")];
        request.lines[0].unit_price_minor = Some(33);
        request.lines[0].discount_basis_points = 5_000;
        request.lines[0].split = vec![part(1, 1), part(2, 1), part(3, 1)];
        let order = world.place(request).await;
        // 3 x 0.33 less half is 0.495, rounded once.
        assert_eq!(order.total.unwrap().minor_units, 50);
        assert_eq!(order.lines.iter().map(|line| line.amount_minor).collect::<Vec<_>>(), [17, 16, 17]);
    })
    .await;
}

#[tokio::test]
async fn wrong_groups_and_parts_are_refused_by_their_fields() {
    each(World::furnished, async |world| {
        let refused = async |change: fn(&mut contract::PlaceOrderRequest)| {
            let mut request = to_two_stores();
            change(&mut request);
            testkit::wrong_fields(world.try_place(request).await)
        };
        assert_eq!(refused(|it| it.ship_to_id = "shp_1".to_owned()).await, ["ship_to_id"]);
        assert_eq!(refused(|it| it.lines[0].split[1].quantity = 5).await, ["lines[0].split"]);
        assert_eq!(refused(|it| it.lines[0].split[1].ship_to_group = 9).await, ["lines[0].split[1].ship_to_group"]);
        assert_eq!(refused(|it| it.lines[0].split[1].ship_to_group = 1).await, ["lines[0].split[1].ship_to_group"]);
        assert_eq!(refused(|it| it.lines[0].split[1].quantity = 0).await, ["lines[0].split[1].quantity"]);
        assert_eq!(refused(|it| it.lines[1].ship_to_group = 0).await, ["lines[1].ship_to_group"]);
        assert_eq!(refused(|it| it.lines[1].ship_to_group = 7).await, ["lines[1].ship_to_group"]);
        assert_eq!(refused(|it| it.lines[0].ship_to_group = 1).await, ["lines[0].split"]);
        assert_eq!(refused(|it| it.ship_to_groups[0].ship_to_group = 0).await[0], "ship_to_groups[0].ship_to_group");
        assert_eq!(refused(|it| it.ship_to_groups[0].ship_to_group = 1).await[0], "ship_to_groups[1].ship_to_group");
        assert_eq!(refused(|it| it.ship_to_groups[0].ship_to_address = None).await, ["ship_to_groups[0].ship_to_id"]);
        // A part has to be a whole number of base units, as the line has.
        let half = refused(|it| {
            it.lines[0].uom = "HALF".to_owned();
            it.lines[0].split = vec![part(1, 3), part(2, 7)];
        });
        assert_eq!(half.await, ["lines[0].split[0].quantity"]);
    })
    .await;
}

#[tokio::test]
async fn a_group_is_cancelled_line_by_line_and_the_other_one_goes_on() {
    each(World::furnished, async |world| {
        let mut request = to_two_stores();
        request.ship_not_before =
            Some(mesh::wire::timestamp(testkit::START.after(std::time::Duration::from_secs(3_600))));
        let order = world.place(request).await;
        let order = world.cancel_units(&order.order_id, &[(2, 0), (3, 0)]).await.unwrap();
        let status: Vec<_> = order.ship_to_groups.iter().map(contract::ShipToGroup::status).collect();
        assert_eq!(status, [LineStatus::Reserved, LineStatus::Cancelled]);
        assert_eq!((counters(&order, 0).reserved, order.state()), (4, OrderState::Confirmed));
        for group in &order.ship_to_groups {
            let it = group.counters.unwrap();
            let sum = it.cancelled + it.backordered + it.reserved + it.released + it.shipped + it.unallocated;
            assert_eq!(it.ordered, sum);
        }
    })
    .await;
}
