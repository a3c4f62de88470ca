//! Changes that are refused, and who may propose what.

use proto::order::v1::{self as contract, AddedLine, LineEdit, ShipToEdit};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use super::{added, change_of, confirm, edit, propose, waiting_order};
use crate::world::{World, address};

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
