//! Every line that cannot be ordered is named with its reason, and an order is validated as it would be placed.

use proto::{
    events::{FulfillmentEvent, InventoryEvent},
    fulfillment::v1::{Node, NodeChanged, NodeState, ServiceArea},
    inventory::v1::{Item, ItemChanged, ItemState, UnitConversion},
    order::v1::{self as contract, ShipToState},
    types::v1::HandlingClass,
};
use testkit::{each, fault, reason, wrong_fields};
use tonic::{Response, Status};
use types::{LineReason, Reason};

use crate::world::{World, counters, item, order_of};

/// Inventory changes an item.
async fn item_is(world: &World, item: Item) {
    world.inventory_log.emit("", &InventoryEvent::ItemUpdated(ItemChanged { item: Some(item) }));
    world.drain().await;
}

/// Cheese is counted in grams and sold by the kilogram, in steps of 100 g from half a kilogram on, or by the wheel, four at least
/// and in pairs.
fn cheese() -> Item {
    let unit =
        |uom: &str, numerator| UnitConversion { uom: uom.to_owned(), numerator, denominator: 1, ..Default::default() };
    Item {
        base_uom: "G".to_owned(),
        units: vec![
            UnitConversion { decimals: 3, ..unit("KG", 1_000) },
            UnitConversion { order_multiple: 2, minimum_quantity: 4, ..unit("WHEEL", 5_000) },
        ],
        list_price: None,
        order_multiple: 100,
        minimum_quantity: 500,
        ..item("CHEESE")
    }
}

/// A line of so much cheese at 12.99 USD for each unit.
fn of_cheese(uom: &str, decimal_quantity: &str) -> contract::NewOrderLine {
    contract::NewOrderLine {
        sku: "CHEESE".to_owned(),
        uom: uom.to_owned(),
        decimal_quantity: decimal_quantity.to_owned(),
        unit_price_minor: Some(1_299),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_unit_that_an_item_gets_later_can_be_ordered() {
    each(World::furnished, async |world| {
        let of_barrels = |customer_po: &str| {
            let mut request = order_of(customer_po, &[("TEA", 3)]);
            request.lines[0].uom = "BARREL".to_owned();
            request
        };
        assert_eq!(refused(&world, of_barrels("PO-1")).await, [("lines[0].uom".to_owned(), LineReason::UnitUnknown)]);
        let barrel =
            UnitConversion { uom: "BARREL".to_owned(), numerator: 5, denominator: 2, ..UnitConversion::default() };
        let mut tea = item("TEA");
        tea.units.push(barrel);
        item_is(&world, Item { etag: "2".to_owned(), ..tea }).await;
        let mut request = of_barrels("PO-1");
        assert_eq!(
            refused(&world, request.clone()).await,
            [("lines[0].quantity".to_owned(), LineReason::QuantityNotConvertible)]
        );
        request.lines[0].quantity = 4;
        let order = world.place(request).await;
        assert_eq!((order.lines[0].uom.as_str(), order.lines[0].uom_quantity), ("BARREL", 4));
        assert_eq!(counters(&order, 0).ordered, 10);
    })
    .await;
}

fn with_lines(lines: Vec<contract::NewOrderLine>) -> contract::PlaceOrderRequest {
    contract::PlaceOrderRequest { lines, ..order_of("PO-1", &[]) }
}

/// The wrong fields of a refused order, and why.
async fn refused(world: &World, request: contract::PlaceOrderRequest) -> Vec<(String, LineReason)> {
    let head = world.db.head().await.unwrap();
    let validated = validate(world, request.clone()).await;
    let fault = fault(world.try_place(request).await);
    assert_eq!(testkit::fault(validated), fault, "it is validated as it is placed");
    assert_eq!(world.db.head().await.unwrap(), head);
    fault.violations.into_iter().map(|violation| (violation.field, violation.reason.unwrap())).collect()
}

async fn validate(world: &World, order: contract::PlaceOrderRequest) -> Result<contract::Order, Status> {
    let request = contract::ValidateOrderRequest { order: Some(order) };
    world.orders.clone().validate_order(request).await.map(Response::into_inner)
}

fn named(expected: &[(&str, LineReason)]) -> Vec<(String, LineReason)> {
    expected.iter().map(|(field, reason)| ((*field).to_owned(), *reason)).collect()
}

#[tokio::test]
async fn every_wrong_line_is_named_with_its_reason() {
    each(World::furnished, async |world| {
        item_is(&world, Item { etag: "2".to_owned(), ..cheese() }).await;
        item_is(&world, Item { etag: "2".to_owned(), state: ItemState::Discontinued.into(), ..item("CHAI") }).await;
        let mut request = order_of("PO-1", &[("NOTHING", 1), ("CHAI", 1), ("TEA", 1), ("TEA", 1), ("CHEESE", 500)]);
        request.lines[2].uom = "PALLET".to_owned();
        request.lines[3].uom = "HALF".to_owned();
        let expected = [
            ("lines[0].sku", LineReason::ItemUnknown),
            ("lines[1].sku", LineReason::ItemDiscontinued),
            ("lines[2].uom", LineReason::UnitUnknown),
            ("lines[3].quantity", LineReason::QuantityNotConvertible),
            ("lines[4].unit_price_minor", LineReason::PriceMissing),
        ];
        assert_eq!(refused(&world, request).await, named(&expected));
        let mut malformed = order_of("PO-1", &[("T\u{7}EA", 1), ("TEA", 0), ("TEA", 1)]);
        malformed.lines[2].line_number = 2;
        malformed.lines[2].decimal_quantity = "1.5".to_owned();
        let expected = [
            ("lines[0].sku", LineReason::Invalid),
            ("lines[1].quantity", LineReason::Invalid),
            ("lines[2].line_number", LineReason::LineNumberReused),
            ("lines[2].quantity", LineReason::Invalid),
        ];
        assert_eq!(refused(&world, malformed).await, named(&expected));
    })
    .await;
}

#[tokio::test]
async fn a_price_that_a_customer_sets_is_refused_with_its_reason() {
    each(World::furnished, async |world| {
        let mut request = order_of("PO-1", &[("TEA", 1)]);
        request.lines[0].unit_price_minor = Some(1);
        let fault = fault(world.as_customer(&["acc_1"]).place_order(request).await);
        assert_eq!(fault.violations[0].reason, Some(LineReason::PriceNotAllowed));
    })
    .await;
}

#[tokio::test]
async fn two_and_a_half_kilograms_are_2500_grams_and_their_price_is_rounded_once() {
    each(World::furnished, async |world| {
        item_is(&world, cheese()).await;
        // 2.5 × 12.99 is 32.475, and 0.7 × 12.99 less 10 % is 8.1837.
        let discounted = contract::NewOrderLine { discount_basis_points: 1_000, ..of_cheese("KG", "0.7") };
        let order = world.place(with_lines(vec![of_cheese("KG", "2.50"), discounted, of_cheese("KG", "3.0")])).await;
        let ordered = |index: usize| counters(&order, index).ordered;
        assert_eq!([ordered(0), ordered(1), ordered(2)], [2_500, 700, 3_000]);
        let amounts: Vec<_> = order.lines.iter().map(|line| line.amount_minor).collect();
        assert_eq!(amounts, [3_248, 818, 3_897]);
        let quantities: Vec<_> =
            order.lines.iter().map(|line| (line.decimal_quantity.as_str(), line.uom_quantity)).collect();
        assert_eq!(quantities, [("2.50", 0), ("0.7", 0), ("3.0", 3)]);
        // The parts of the line come to the whole, however it is shipped.
        let mut shipped = order;
        for (shipment, units) in [("shm_1", 1_000), ("shm_2", 1_500)] {
            shipped = world.ships(&shipped, shipment, &[(1, units)]).await;
            shipped = world.delivers(&shipped, shipment, &[(1, units)]).await;
        }
        assert_eq!(shipped.lines[0].invoice_ready_minor, 3_248);
    })
    .await;
}

#[tokio::test]
async fn a_decimal_quantity_that_the_unit_does_not_allow_is_refused() {
    each(World::furnished, async |world| {
        item_is(&world, cheese()).await;
        for (uom, quantity, field_reason) in [
            ("KG", "0.5001", LineReason::TooManyDecimals),
            ("WHEEL", "4.5", LineReason::TooManyDecimals),
            ("G", "600.5", LineReason::TooManyDecimals),
            ("KG", "1e3", LineReason::Invalid),
            ("KG", "-1", LineReason::Invalid),
            ("KG", "0.0000001", LineReason::Invalid),
            ("KG", "1000000000", LineReason::QuantityTooLarge),
        ] {
            let wrong = refused(&world, with_lines(vec![of_cheese(uom, quantity)])).await;
            assert_eq!(wrong, named(&[("lines[0].decimal_quantity", field_reason)]), "{quantity} {uom}");
        }
        // Three decimals of a unit of a third would be no whole number.
        let third = UnitConversion {
            uom: "THIRD".to_owned(),
            numerator: 1_000,
            denominator: 3,
            decimals: 1,
            ..Default::default()
        };
        let thirds = Item { units: vec![third], etag: "2".to_owned(), order_multiple: 0, ..cheese() };
        item_is(&world, thirds).await;
        let wrong = refused(&world, with_lines(vec![of_cheese("THIRD", "2.5")])).await;
        assert_eq!(wrong, named(&[("lines[0].decimal_quantity", LineReason::QuantityNotConvertible)]));
    })
    .await;
}

#[tokio::test]
async fn a_quantity_below_the_least_or_between_multiples_is_refused() {
    each(World::furnished, async |world| {
        item_is(&world, cheese()).await;
        let whole = |uom: &str, quantity| contract::NewOrderLine { quantity, ..of_cheese(uom, "") };
        let lines = vec![
            of_cheese("KG", "0.4"),
            of_cheese("KG", "1.25"),
            whole("WHEEL", 2),
            whole("WHEEL", 5),
            whole("G", 450),
            whole("WHEEL", 4),
            whole("G", 500),
        ];
        let expected = [
            ("lines[0].decimal_quantity", LineReason::BelowMinimum),
            ("lines[1].decimal_quantity", LineReason::OrderMultiple),
            ("lines[2].quantity", LineReason::BelowMinimum),
            ("lines[3].quantity", LineReason::OrderMultiple),
            ("lines[4].quantity", LineReason::BelowMinimum),
            ("lines[4].quantity", LineReason::OrderMultiple),
        ];
        assert_eq!(refused(&world, with_lines(lines)).await, named(&expected));
        world.place(with_lines(vec![whole("WHEEL", 4), whole("G", 500)])).await;
    })
    .await;
}

#[tokio::test]
async fn a_line_that_no_node_ships_to_the_country_is_refused_once_nodes_are_known() {
    each(World::furnished, async |world| {
        let frozen = Item { etag: "2".to_owned(), handling_class: HandlingClass::Frozen.into(), ..item("CHAI") };
        item_is(&world, frozen).await;
        world.place(order_of("PO-0", &[("CHAI", 1)])).await;
        let node = |etag: &str, country: &str| Node {
            node_id: "nod_1".to_owned(),
            handling_classes: vec![HandlingClass::Ambient.into()],
            service_areas: vec![ServiceArea { countries: vec![country.to_owned()], rank: 0 }],
            state: NodeState::Active.into(),
            etag: etag.to_owned(),
            ..Default::default()
        };
        let known = async |node| {
            world.fulfillment_log.emit("", &FulfillmentEvent::NodeUpdated(NodeChanged { node: Some(node) }));
            world.drain().await;
        };
        known(node("1", "DE")).await;
        let order = || order_of("PO-1", &[("TEA", 1), ("CHAI", 1)]);
        assert_eq!(refused(&world, order()).await, named(&[("lines[1].sku", LineReason::NotDeliverable)]));
        known(node("2", "US")).await;
        let both = [("lines[0].sku", LineReason::NotDeliverable), ("lines[1].sku", LineReason::NotDeliverable)];
        assert_eq!(refused(&world, order()).await, named(&both));
        let cold = vec![HandlingClass::Ambient.into(), HandlingClass::Frozen.into()];
        known(Node { handling_classes: cold, ..node("3", "*") }).await;
        world.place(order()).await;
    })
    .await;
}

#[tokio::test]
async fn nothing_new_is_ordered_for_a_ship_to_that_is_not_deliverable() {
    each(World::furnished, async |world| {
        let placed = world.place(order_of("PO-1", &[("TEA", 1)])).await;
        let state = |state: ShipToState, reason: &str| contract::UpdateShipToRequest {
            account_id: "acc_1".to_owned(),
            ship_to_id: "shp_1".to_owned(),
            state: state.into(),
            state_reason: reason.to_owned(),
            ..Default::default()
        };
        let mut orders = world.orders.clone();
        assert_eq!(wrong_fields(orders.update_ship_to(state(ShipToState::NotDeliverable, "")).await), ["state_reason"]);
        let flooded = state(ShipToState::NotDeliverable, "the road is flooded");
        let changed = orders.update_ship_to(flooded.clone()).await.unwrap().into_inner();
        assert_eq!(
            (changed.state(), changed.state_reason.as_str()),
            (ShipToState::NotDeliverable, "the road is flooded")
        );
        let listed = contract::ListShipTosRequest { account_id: "acc_1".to_owned(), ..Default::default() };
        assert_eq!(orders.list_ship_tos(listed).await.unwrap().into_inner().ship_tos, std::slice::from_ref(&changed));
        let wrong = refused(&world, order_of("PO-2", &[("TEA", 1)])).await;
        assert_eq!(wrong, named(&[("ship_to_id", LineReason::NotDeliverable)]));
        // What is ordered goes on.
        let shipped = world.ships(&placed, "shm_1", &[(1, 1)]).await;
        assert_eq!(counters(&shipped, 0).shipped, 1);
        let elsewhere = contract::UpdateShipToRequest { account_id: "acc_2".to_owned(), ..flooded.clone() };
        assert_eq!(reason(orders.update_ship_to(elsewhere).await), Reason::NotFound);
        let stale = contract::UpdateShipToRequest { etag: "1".to_owned(), ..flooded };
        assert_eq!(reason(orders.update_ship_to(stale).await), Reason::EtagMismatch);
        orders.update_ship_to(state(ShipToState::Deliverable, "")).await.unwrap();
        world.place(order_of("PO-2", &[("TEA", 1)])).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_is_validated_as_it_would_be_and_nothing_is_stored() {
    each(World::furnished, async |world| {
        let head = world.db.head().await.unwrap();
        let request = contract::PlaceOrderRequest { request_id: "r-1".to_owned(), ..order_of("PO-1", &[("TEA", 3)]) };
        let validated = validate(&world, request.clone()).await.unwrap();
        assert_eq!((validated.order_id.as_str(), validated.total.as_ref().unwrap().minor_units), ("", 3_015));
        assert!(validated.supported_actions.is_empty());
        assert_eq!(world.db.head().await.unwrap(), head);
        let count = world.db.rows("SELECT COUNT(*) FROM orders", Vec::new()).await.unwrap();
        assert_eq!(count[0].at::<i64>(0).unwrap(), 0);
        // A portal asks for its customer, and is told the same as when it places the order, the request id being unused.
        let of_customer = contract::ValidateOrderRequest { order: Some(request.clone()) };
        let told = world.as_customer(&["acc_1"]).validate_order(of_customer.clone()).await.unwrap().into_inner();
        assert_eq!(told.lines, validated.lines);
        assert_eq!(world.try_place(request).await.unwrap().lines, validated.lines);
        assert_eq!(reason(world.orders.clone().validate_order(of_customer).await), Reason::DuplicateCustomerPo);
        let stranger = contract::ValidateOrderRequest { order: Some(order_of("PO-2", &[("TEA", 1)])) };
        assert_eq!(wrong_fields(world.as_customer(&["acc_2"]).validate_order(stranger).await), ["account_id"]);
        assert_eq!(
            wrong_fields(world.orders.clone().validate_order(contract::ValidateOrderRequest::default()).await),
            ["order"]
        );
    })
    .await;
}

#[tokio::test]
async fn an_order_with_an_item_that_only_inventory_knows_is_validated() {
    each(World::furnished, async |world| {
        world.inventory.add(&item("NEW"));
        assert_eq!(validate(&world, order_of("PO-1", &[("NEW", 1)])).await.unwrap().lines[0].amount_minor, 1_005);
    })
    .await;
}
