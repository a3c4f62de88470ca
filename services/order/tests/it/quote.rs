//! What would be promised, before an order is placed.

use proto::{
    inventory::v1::Item,
    order::v1::{self as contract, PromiseConfidence, QuoteAvailability},
};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::world::{
    Client, Mood, World, address,
    calendar::{end_of, june, node, promise},
    item, order_of,
};

fn quote_of(lines: &[(&str, i64)]) -> contract::QuoteOrderRequest {
    let line = |(sku, quantity): &(&str, i64)| contract::QuoteLine {
        sku: (*sku).to_owned(),
        quantity: *quantity,
        ..Default::default()
    };
    contract::QuoteOrderRequest {
        account_id: "acc_1".to_owned(),
        ship_to_id: "shp_1".to_owned(),
        lines: lines.iter().map(line).collect(),
        ..Default::default()
    }
}

async fn quote(client: &Client, request: contract::QuoteOrderRequest) -> contract::QuoteOrderResponse {
    client.clone().quote_order(request).await.unwrap().into_inner()
}

/// Availability, available units, delivery and confidence of a line.
fn shown(line: &contract::QuotedLine) -> (QuoteAvailability, i64, Option<prost_types::Timestamp>, PromiseConfidence) {
    let promise = line.promise.as_ref().unwrap();
    (line.availability(), line.available_quantity, promise.promised_delivery_time, promise.confidence())
}

#[tokio::test]
async fn a_customer_is_quoted_what_it_is_promised_when_it_orders() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 2)]).await;
        let customer = world.as_customer(&["acc_1"]);
        let mut request = quote_of(&[("TEA", 2)]);
        request.lines[0].uom = "CS".to_owned();
        let quoted = quote(&customer, request).await;
        let line = &quoted.lines[0];
        assert_eq!(
            (line.line_number, line.quantity, line.uom.as_str(), line.name.as_str()),
            (1, 24, "CS", "TEA, loose")
        );
        assert_eq!(shown(line), (QuoteAvailability::Yes, 24, end_of("2025-06-18"), PromiseConfidence::Confirmed));
        assert_eq!((quoted.earliest_ship_time, quoted.latest_ship_time), (end_of("2025-06-16"), end_of("2025-06-16")));
        assert_eq!((quoted.latest_delivery_time, quoted.promise_is_partial), (end_of("2025-06-18"), false));
        let order = world.place(order_of("PO-1", &[("TEA", 24)])).await;
        let quoted = line.promise.as_ref().unwrap();
        assert_eq!(promise(&order, 0), (quoted.promised_ship_time, quoted.promised_delivery_time, quoted.confidence()));
        assert_eq!(order.lines[0].promise_source, quoted.source);
    })
    .await;
}

#[tokio::test]
async fn customers_are_not_told_which_nodes_a_promise_follows_from_and_staff_is() {
    each(World::furnished, async |world| {
        let mut far = node("nod_far", 4);
        far.name = "Houston of par_gulf".to_owned();
        world.nodes_are(&[node("nod_a", 1), far]).await;
        let placed = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let read = contract::GetOrderRequest { order_id: placed.order_id.clone() };
        let shown = async |client: &Client| {
            let mut client = client.clone();
            let quoted = quote(&client, quote_of(&[("TEA", 5)])).await;
            let order = client.get_order(read.clone()).await.unwrap().into_inner();
            let line = quoted.lines[0].clone();
            let nodes = [line.promise.unwrap().node_ids, line.parts[0].promise.clone().unwrap().node_ids];
            let told = format!("{quoted:?} {order:?}");
            (nodes, order.lines[0].promise_node_ids.clone(), order.lines[0].promise_source.clone(), told)
        };
        let (quoted, promised, source, _) = shown(&world.as_alice(mesh::Role::CustomerService, &["acc_1"])).await;
        let nodes = ["nod_a".to_owned(), "nod_far".to_owned()];
        assert_eq!((quoted, promised.as_slice()), ([nodes.to_vec(), nodes.to_vec()], &nodes[..]));
        let expected = "a warehouse, requests until 14:00; 4 delivery days from another warehouse to DE, day of \
                        Europe/Berlin, the warehouse's zone";
        assert_eq!(source, expected);
        let (quoted, promised, source, told) = shown(&world.as_customer(&["acc_1"])).await;
        assert_eq!((quoted, promised.len(), source.as_str()), (Default::default(), 0, expected));
        assert!(!told.contains("nod_") && !told.contains("Houston") && !told.contains("par_"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn units_that_come_later_are_parts_of_their_own() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        world.inventory.leave("TEA", 4);
        let at = |day, hour| mesh::wire::timestamp(june(day, hour));
        world.inventory.expect("TEA", &[(at(17, 10), 6), (at(19, 15), 9)]);
        let quoted = quote(&world.orders, quote_of(&[("TEA", 5), ("CHAI", 1), ("TEA", 7)])).await;
        let first = &quoted.lines[0];
        assert_eq!(shown(first), (QuoteAvailability::Partial, 4, end_of("2025-06-18"), PromiseConfidence::Expected));
        let parts: Vec<_> = first.parts.iter().map(|part| (part.quantity, part.expect_time)).collect();
        assert_eq!(parts, [(4, None), (1, Some(at(17, 10)))]);
        // Earlier lines have what is there first, and nobody expects the rest.
        let last = &quoted.lines[2];
        assert_eq!(shown(last), (QuoteAvailability::No, 0, None, PromiseConfidence::Unknown));
        let parts: Vec<_> = last.parts.iter().map(|part| (part.quantity, part.expect_time)).collect();
        assert_eq!(parts, [(1, Some(at(17, 10))), (3, Some(at(19, 15))), (3, None)]);
        let dates = last.parts[1].promise.as_ref().unwrap();
        assert_eq!(
            (dates.promised_ship_time, dates.promised_delivery_time),
            (end_of("2025-06-20"), end_of("2025-06-23"))
        );
        assert_eq!(
            (quoted.earliest_delivery_time, quoted.latest_delivery_time),
            (end_of("2025-06-17"), end_of("2025-06-23"))
        );
        assert!(quoted.promise_is_partial);
    })
    .await;
}

#[tokio::test]
async fn a_quote_is_answered_while_inventory_is_unavailable() {
    each(World::furnished, async |world| {
        world.inventory.set(Mood::Down);
        let quoted = quote(&world.orders, quote_of(&[("TEA", 5)])).await;
        assert_eq!(shown(&quoted.lines[0]), (QuoteAvailability::Unknown, 0, None, PromiseConfidence::Unknown));
        assert!(quoted.promise_is_partial && quoted.earliest_ship_time.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_is_wanted_later_is_quoted_for_then() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let at = |day| Some(mesh::wire::timestamp(june(day, 9)));
        let wanted = contract::QuoteOrderRequest { requested_ship_time: at(21), ..quote_of(&[("TEA", 5)]) };
        assert_eq!(quote(&world.orders, wanted).await.latest_ship_time, end_of("2025-06-23"), "not on a Saturday");
        let not_before = contract::QuoteOrderRequest { ship_not_before: at(18), ..quote_of(&[("TEA", 5)]) };
        assert_eq!(quote(&world.orders, not_before).await.latest_ship_time, end_of("2025-06-18"));
    })
    .await;
}

#[tokio::test]
async fn a_quote_names_what_is_wrong_and_shows_no_account_of_others() {
    each(World::furnished, async |world| {
        let of_other = world.as_customer(&["acc_2"]).quote_order(quote_of(&[("TEA", 5)])).await;
        assert_eq!(reason(of_other), Reason::NotFound);
        let mut request = quote_of(&[("TEA", 0), ("", 1), ("CHAI", 1)]);
        request.ship_to_address = Some(address());
        request.lines[2].line_number = 2;
        let wrong = wrong_fields(world.orders.clone().quote_order(request).await);
        assert_eq!(wrong, ["ship_to_address", "lines[0].quantity", "lines[1].sku", "lines[2].line_number"]);
        assert_eq!(wrong_fields(world.orders.clone().quote_order(quote_of(&[])).await), ["lines"]);
        let mut request = quote_of(&[("TEA", 1), ("NONE", 1), ("CHAI", 1)]);
        (request.lines[0].uom, request.lines[2].uom) = ("BOX".to_owned(), "HALF".to_owned());
        let wrong = wrong_fields(world.orders.clone().quote_order(request).await);
        assert_eq!(wrong, ["lines[0].uom", "lines[1].sku", "lines[2].quantity"]);
        let elsewhere = contract::QuoteOrderRequest { ship_to_id: "shp_2".to_owned(), ..quote_of(&[("TEA", 1)]) };
        assert_eq!(wrong_fields(world.orders.clone().quote_order(elsewhere).await), ["ship_to_id"]);
        // An item that is not copied yet is asked for.
        world.inventory.add(&Item { etag: "3".to_owned(), ..item("MATE") });
        let quoted = quote(&world.orders, quote_of(&[("MATE", 1)])).await;
        assert_eq!(quoted.lines[0].availability(), QuoteAvailability::Yes);
    })
    .await;
}
