//! Changes that are refused, and who may propose what.

use proto::{
    events::InventoryEvent,
    inventory::v1::{Item, ItemChanged, UnitConversion},
    order::v1::{self as contract, AddedLine, LineEdit, NewOrderLine, ShipToEdit},
};
use testkit::{each, reason, wrong_fields};
use types::{LineReason, Reason};

use super::{added, change_of, confirm, edit, propose, waiting_order};
use crate::world::{World, address, item, order_of};

#[tokio::test]
async fn only_the_distributor_changes_prices_and_others_see_their_own_orders_only() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let cheaper = LineEdit {
            line_number: 1,
            unit_price_minor: Some(1),
            discount_basis_points: Some(1),
            ..Default::default()
        };
        let request = contract::ProposeOrderChangeRequest { lines: vec![cheaper], ..change_of(&order) };
        let fields = wrong_fields(propose(world.as_customer(&["acc_1"]), request).await);
        assert_eq!(fields, ["lines[0].unit_price_minor", "lines[0].discount_basis_points"]);
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 3)], ..change_of(&order) };
        assert_eq!(reason(propose(world.as_customer(&["acc_2"]), request.clone()).await), Reason::NotFound);
        let change = propose(world.as_customer(&["acc_1"]), request).await.unwrap();
        assert_eq!(change.proposed_by, "", "who proposed it is not shown to customers");
        assert_eq!(reason(confirm(world.as_customer(&["acc_2"]), &change).await), Reason::NotFound);
        confirm(world.as_customer(&["acc_1"]), &change).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn wrong_parts_of_a_change_are_refused_by_their_fields() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        let refused = async |request: contract::ProposeOrderChangeRequest| {
            let request = contract::ProposeOrderChangeRequest { order_id: order.order_id.clone(), ..request };
            wrong_fields(propose(world.orders.clone(), request).await)
        };
        let lines = |lines: Vec<LineEdit>| contract::ProposeOrderChangeRequest { lines, ..Default::default() };
        let adds = |it: AddedLine| contract::ProposeOrderChangeRequest { added_lines: vec![it], ..Default::default() };
        assert_eq!(refused(lines(vec![])).await, ["lines"]);
        assert_eq!(refused(lines(vec![edit(1, 3)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(lines(vec![edit(1, -1)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(lines(vec![edit(2, 3)])).await, ["lines[0].line_number"]);
        assert_eq!(refused(lines(vec![edit(1, 10)])).await, ["lines[0]"]);
        assert_eq!(refused(lines(vec![edit(1, 9), edit(1, 8)])).await, ["lines[1].line_number"]);
        assert_eq!(refused(lines(vec![edit(1, 2_000_000_000)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(adds(added("NONE", 1))).await, ["added_lines[0].line.sku"]);
        assert_eq!(refused(adds(added("TEA", 0))).await, ["added_lines[0].line.quantity"]);
        assert_eq!(refused(adds(AddedLine::default())).await, ["added_lines[0].line"]);
        let of_no_line = AddedLine { substitutes: 7, ..added("CHAI", 1) };
        assert_eq!(refused(adds(of_no_line)).await, ["added_lines[0].substitutes"]);
        let place = ShipToEdit { ship_to_group: 3, ship_to_address: Some(address()), ..Default::default() };
        let request = contract::ProposeOrderChangeRequest { ship_tos: vec![place], ..Default::default() };
        assert_eq!(refused(request).await, ["ship_tos[0].ship_to_group"]);
        assert_eq!(world.get(&order.order_id).await, order);
    })
    .await;
}

/// Tea comes in at least 6 and multiples of 3; in at least 2 cases and multiples of 2; in kilos of 30 with one decimal.
async fn with_multiples(world: &World) {
    let mut units = item("TEA").units;
    (units[0].minimum_quantity, units[0].order_multiple) = (2, 2);
    units.push(UnitConversion {
        uom: "KG".to_owned(),
        numerator: 30,
        denominator: 1,
        decimals: 1,
        ..Default::default()
    });
    let tea = Item { units, minimum_quantity: 6, order_multiple: 3, etag: "2".to_owned(), ..item("TEA") };
    world.inventory.add(&tea);
    world.inventory_log.emit("", &InventoryEvent::ItemUpdated(ItemChanged { item: Some(tea) }));
    world.drain().await;
}

/// What is wrong: fields with their reasons.
fn wrong<T>(outcome: Result<T, tonic::Status>) -> Vec<(String, LineReason)> {
    testkit::fault(outcome).violations.into_iter().map(|one| (one.field, one.reason.unwrap())).collect()
}

#[tokio::test]
async fn a_quantity_is_refused_alike_when_it_is_placed_validated_quoted_added_and_changed() {
    use LineReason::{BelowMinimum, OrderMultiple, QuantityNotConvertible, TooManyDecimals};
    each(World::furnished, async |world| {
        with_multiples(&world).await;
        let mut orders = Vec::new();
        for (uom, quantity) in [("EA", 60), ("CS", 10), ("KG", 2), ("HALF", 120)] {
            let mut request = order_of(uom, &[("TEA", quantity)]);
            request.lines[0].uom = uom.to_owned();
            let hour = std::time::Duration::from_secs(3_600);
            request.ship_not_before = Some(mesh::wire::timestamp(testkit::START.after(hour)));
            orders.push(world.place(request).await);
        }
        for (of, quantity, decimal, expected) in [
            (0, 3, "", vec![BelowMinimum]),
            (0, 7, "", vec![OrderMultiple]),
            (0, 5, "", vec![BelowMinimum, OrderMultiple]),
            (0, 0, "9.5", vec![TooManyDecimals]),
            (1, 1, "", vec![BelowMinimum, OrderMultiple]),
            (1, 3, "", vec![OrderMultiple]),
            (2, 0, "2.55", vec![TooManyDecimals]),
            (3, 13, "", vec![QuantityNotConvertible]),
            (3, 14, "", vec![OrderMultiple]),
        ] {
            let order = &orders[of];
            let name = if decimal.is_empty() { "quantity" } else { "decimal_quantity" };
            let at = |path: &str| expected.iter().map(|it| (format!("{path}.{name}"), *it)).collect::<Vec<_>>();
            let line = NewOrderLine {
                sku: "TEA".to_owned(),
                uom: order.customer_po.clone(),
                quantity,
                decimal_quantity: decimal.to_owned(),
                ..Default::default()
            };
            let place = contract::PlaceOrderRequest { lines: vec![line.clone()], ..order_of("PO-2", &[]) };
            assert_eq!(wrong(world.try_place(place.clone()).await), at("lines[0]"), "{line:?}");
            let validate = contract::ValidateOrderRequest { order: Some(place) };
            assert_eq!(wrong(world.orders.clone().validate_order(validate).await), at("lines[0]"), "{line:?}");
            let adds = AddedLine { line: Some(line.clone()), substitutes: 0 };
            let request = contract::ProposeOrderChangeRequest { added_lines: vec![adds], ..change_of(order) };
            assert_eq!(wrong(propose(world.orders.clone(), request).await), at("added_lines[0].line"), "{line:?}");
            let quantity = decimal.is_empty().then_some(quantity);
            let edit =
                LineEdit { line_number: 1, quantity, decimal_quantity: decimal.to_owned(), ..Default::default() };
            let request = contract::ProposeOrderChangeRequest { lines: vec![edit], ..change_of(order) };
            assert_eq!(wrong(propose(world.orders.clone(), request).await), at("lines[0]"), "{line:?}");
            if let Some(quantity) = quantity {
                let quoted = contract::QuoteLine { sku: line.sku, uom: line.uom, quantity, ..Default::default() };
                let request = contract::QuoteOrderRequest {
                    account_id: "acc_1".to_owned(),
                    ship_to_id: "shp_1".to_owned(),
                    lines: vec![quoted],
                    ..Default::default()
                };
                assert_eq!(wrong(world.orders.clone().quote_order(request).await), at("lines[0]"));
            }
        }
        // What fits is changed, and 0 removes the line, whatever the least is.
        for (of, quantity, units) in [(1, 4, 48), (0, 0, 0)] {
            let request =
                contract::ProposeOrderChangeRequest { lines: vec![edit(1, quantity)], ..change_of(&orders[of]) };
            let change = propose(world.orders.clone(), request).await.unwrap();
            assert_eq!(change.lines[0].quantity_after, units);
        }
    })
    .await;
}
