//! Nodes, lists, and who sees what.

use proto::fulfillment::v1::{
    CreateNodeRequest, GetFulfillmentOrderRequest, GetNodeRequest, GetShipmentRequest, Holidays, Lane, Lanes,
    ListFulfillmentOrdersRequest, ListNodesRequest, ListShipmentsRequest, NodeState, RequestState, ShipmentState,
    UpdateNodeRequest, Weekday, WorkingDays,
};
use tonic::Code;

use testkit::{customer, each, partner, wrong_fields};

use crate::world::{ORDER, World, node, shipped};

#[tokio::test]
async fn a_node_is_created_once_and_changed_by_those_who_saw_it() {
    each(World::open, async |world| {
        let mut request = node("nod_a", 3);
        request.request_id = "r1".to_owned();
        let created = world.api().create_node(request.clone()).await.unwrap().into_inner();
        assert_eq!(
            (created.state(), created.etag.as_str(), created.service_areas[0].rank),
            (NodeState::Active, "1", 3)
        );
        assert_eq!(world.api().create_node(request).await.unwrap().into_inner(), created);
        assert_eq!(world.api().create_node(node("nod_a", 3)).await.unwrap_err().code(), Code::AlreadyExists);

        let mut change = UpdateNodeRequest {
            node_id: "nod_a".to_owned(),
            etag: created.etag.clone(),
            name: Some("North".to_owned()),
            state: Some(NodeState::Paused.into()),
            ..Default::default()
        };
        let changed = world.api().update_node(change.clone()).await.unwrap().into_inner();
        assert_eq!((changed.name.as_str(), changed.state(), changed.etag.as_str()), ("North", NodeState::Paused, "2"));
        assert_eq!(changed.service_areas, created.service_areas);
        assert_eq!(world.api().update_node(change.clone()).await.unwrap_err().code(), Code::Aborted);
        let read = world.api().get_node(GetNodeRequest { node_id: "nod_a".to_owned() }).await.unwrap().into_inner();
        assert_eq!(read, changed);
        change.node_id = "nod_none".to_owned();
        assert_eq!(world.api().update_node(change).await.unwrap_err().code(), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_node_has_a_day_to_ship_unless_it_says_how_long_it_needs() {
    each(World::open, async |world| {
        let time = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let created = world.api().create_node(node("nod_a", 0)).await.unwrap().into_inner();
        assert_eq!(created.handling_time, time(86_400));
        let fast = CreateNodeRequest { handling_time: time(0), ..node("nod_b", 0) };
        assert_eq!(world.api().create_node(fast).await.unwrap().into_inner().handling_time, time(0));
        let change = |handling_time| UpdateNodeRequest {
            node_id: "nod_a".to_owned(),
            handling_time,
            name: Some("North".to_owned()),
            ..Default::default()
        };
        for (given, kept) in [(time(7_200), time(7_200)), (None, time(7_200)), (time(30 * 86_400), time(30 * 86_400))] {
            assert_eq!(world.api().update_node(change(given)).await.unwrap().into_inner().handling_time, kept);
        }
        for wrong in [time(-1), time(30 * 86_400 + 1)] {
            assert_eq!(wrong_fields(world.api().update_node(change(wrong)).await), ["handling_time"]);
        }
    })
    .await;
}

fn lane(countries: &[&str], prefixes: &[&str], transit_days: i32) -> Lane {
    Lane {
        countries: countries.iter().map(|code| (*code).to_owned()).collect(),
        postal_prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        transit_days,
        ..Default::default()
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn a_node_says_when_it_works_and_how_long_its_carriers_need() {
    each(World::open, async |world| {
        let (monday, friday) = (Weekday::Monday.into(), Weekday::Friday.into());
        let lanes = vec![Lane { carrier_id: "par_carrier".to_owned(), ..lane(&["DE", "AT"], &["1", "80"], 2) }];
        let request = CreateNodeRequest {
            cutoff_time: "14:30".to_owned(),
            working_days: vec![friday, monday, friday],
            holidays: texts(&["2027-01-01", "2026-12-25", "2027-01-01"]),
            lanes: lanes.clone(),
            ..node("nod_a", 0)
        };
        let created = world.api().create_node(request).await.unwrap().into_inner();
        assert_eq!((created.cutoff_time.as_str(), &created.working_days), ("14:30", &vec![monday, friday]));
        assert_eq!((&created.holidays, &created.lanes), (&texts(&["2026-12-25", "2027-01-01"]), &lanes));
        let change = UpdateNodeRequest { node_id: "nod_a".to_owned(), ..Default::default() };
        // What is not given stays, and nothing changes.
        assert_eq!(world.api().update_node(change.clone()).await.unwrap().into_inner(), created);
        let cleared = UpdateNodeRequest {
            cutoff_time: Some(String::new()),
            working_days: Some(WorkingDays::default()),
            holidays: Some(Holidays { dates: texts(&["2028-02-29"]) }),
            lanes: Some(Lanes { lanes: vec![lane(&["*"], &[], 5)] }),
            ..change
        };
        let changed = world.api().update_node(cleared).await.unwrap().into_inner();
        assert_eq!((changed.cutoff_time.as_str(), changed.working_days.len()), ("", 0));
        assert_eq!((changed.holidays.clone(), changed.lanes[0].transit_days), (texts(&["2028-02-29"]), 5));
        let read = world.api().get_node(GetNodeRequest { node_id: "nod_a".to_owned() }).await.unwrap().into_inner();
        assert_eq!(read, changed);
    })
    .await;
}

#[tokio::test]
async fn a_calendar_that_cannot_be_names_its_wrong_fields() {
    each(World::open, async |world| {
        let request = CreateNodeRequest {
            time_zone: "Europe/Bonn".to_owned(),
            cutoff_time: "24:00".to_owned(),
            working_days: vec![Weekday::Monday.into(), 8],
            holidays: texts(&["2026-12-25", "2026-02-29"]),
            lanes: vec![
                lane(&["DE"], &[], 1),
                Lane { carrier_id: "acc_1".to_owned(), delivery_days: vec![0], ..lane(&["XX"], &["-"], 91) },
                lane(&[], &["12345678901234567"], -1),
            ],
            ..node("nod_a", 0)
        };
        let expected = [
            "time_zone",
            "cutoff_time",
            "working_days[1]",
            "holidays[1]",
            "lanes[1].countries[0]",
            "lanes[1].postal_prefixes[0]",
            "lanes[1].transit_days",
            "lanes[1].carrier_id",
            "lanes[1].delivery_days[0]",
            "lanes[2].countries",
            "lanes[2].postal_prefixes[0]",
            "lanes[2].transit_days",
        ];
        assert_eq!(wrong_fields(world.api().create_node(request).await), expected);
        world.node("nod_a", 0).await;
        let change = UpdateNodeRequest {
            node_id: "nod_a".to_owned(),
            cutoff_time: Some("9:00".to_owned()),
            working_days: Some(WorkingDays { weekdays: vec![9] }),
            holidays: Some(Holidays { dates: texts(&["tomorrow"]) }),
            lanes: Some(Lanes { lanes: vec![Lane::default(); 201] }),
            ..Default::default()
        };
        let expected = ["cutoff_time", "working_days.weekdays[0]", "holidays.dates[0]", "lanes.lanes"];
        assert_eq!(wrong_fields(world.api().update_node(change).await), expected);
    })
    .await;
}

#[tokio::test]
async fn nodes_are_listed_page_by_page() {
    each(World::open, async |world| {
        for id in ["nod_c", "nod_a", "nod_b"] {
            world.node(id, 0).await;
        }
        let mut request = ListNodesRequest { page_size: 2, page_token: String::new() };
        let first = world.api().list_nodes(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.nodes.iter().map(|node| node.node_id.as_str()).collect::<Vec<_>>(), ["nod_a", "nod_b"]);
        request.page_token = first.next_page_token;
        let last = world.api().list_nodes(request).await.unwrap().into_inner();
        assert_eq!((last.nodes[0].node_id.as_str(), last.next_page_token.as_str()), ("nod_c", ""));
    })
    .await;
}

async fn two_orders(options: store::Options) -> World {
    let world = World::open(options).await;
    for (id, sku) in [("nod_a", "A"), ("nod_b", "B")] {
        world.node(id, 0).await;
        world.inventory.stock(sku, id, 10);
    }
    world.release(ORDER, 1, &[(1, "A", 2)]);
    world.release("ord_2", 1, &[(1, "B", 2)]);
    world.drain().await;
    world
}

#[tokio::test]
async fn a_partner_sees_only_the_fulfillment_orders_of_its_nodes() {
    each(two_orders, async |world| {
        let mut mine = world.client(&partner("par_a"));
        let all = ListFulfillmentOrdersRequest::default();
        let listed = mine.list_fulfillment_orders(all.clone()).await.unwrap().into_inner().fulfillment_orders;
        assert_eq!(listed.iter().map(|order| order.order_id.as_str()).collect::<Vec<_>>(), [ORDER]);
        let other = GetFulfillmentOrderRequest {
            fulfillment_order_id: world.fulfillment_order("ord_2").await.fulfillment_order_id,
        };
        assert_eq!(mine.get_fulfillment_order(other).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.api().list_fulfillment_orders(all).await.unwrap().into_inner().fulfillment_orders.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn fulfillment_orders_are_filtered_and_a_token_belongs_to_its_filter() {
    each(two_orders, async |world| {
        world.accept(&world.fulfillment_order(ORDER).await).await;
        let mut request = ListFulfillmentOrdersRequest {
            request_states: vec![RequestState::Accepted.into(), RequestState::Submitted.into()],
            page_size: 1,
            ..Default::default()
        };
        let first = world.api().list_fulfillment_orders(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.fulfillment_orders.len(), 1);
        request.page_token = first.next_page_token;
        let second = world.api().list_fulfillment_orders(request.clone()).await.unwrap().into_inner();
        assert_eq!((second.fulfillment_orders.len(), second.next_page_token.as_str()), (1, ""));
        assert_ne!(second.fulfillment_orders[0].order_id, first.fulfillment_orders[0].order_id);
        request.request_states.pop();
        assert_eq!(world.api().list_fulfillment_orders(request).await.unwrap_err().code(), Code::InvalidArgument);
        let accepted = ListFulfillmentOrdersRequest {
            request_states: vec![RequestState::Accepted.into()],
            node_id: "nod_a".to_owned(),
            partner_id: "par_a".to_owned(),
            ..Default::default()
        };
        let found = world.api().list_fulfillment_orders(accepted).await.unwrap().into_inner().fulfillment_orders;
        assert_eq!(found.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn shipments_are_shown_to_their_account_carrier_and_node() {
    each(two_orders, async |world| {
        let shipment = world.ship(shipped(&world.fulfillment_order(ORDER).await, &[("T1", 2)])).await;
        world.ship(shipped(&world.fulfillment_order("ord_2").await, &[("T2", 2)])).await;
        assert_eq!(
            (shipment.customer_po.as_str(), shipment.ship_to.as_ref().unwrap().name.as_str()),
            ("PO-1", "Depot")
        );

        let get = GetShipmentRequest { shipment_id: shipment.shipment_id.clone() };
        for (principal, sees) in [
            (customer(&["acc_1"]), true),
            (customer(&["acc_2"]), false),
            (partner("par_a"), true),
            (partner("par_carrier"), true),
            (partner("par_b"), false),
        ] {
            let answer = world.client(&principal).get_shipment(get.clone()).await;
            // Numbers of the node are for partners and staff.
            let mut shown = shipment.clone();
            if principal.partner.is_none() {
                shown.fulfillment_order_id.clear();
                shown.shipment_reference.clear();
                shown.supported_actions.clear();
            }
            let expected = if sees { Ok(shown) } else { Err(Code::NotFound) };
            assert_eq!(
                answer.map(tonic::Response::into_inner).map_err(|status| status.code()),
                expected,
                "{principal}"
            );
        }
        let request = ListShipmentsRequest {
            carrier_id: "par_carrier".to_owned(),
            states: vec![ShipmentState::Shipped.into()],
            page_size: 1,
            ..Default::default()
        };
        let first = world.api().list_shipments(request.clone()).await.unwrap().into_inner();
        let next = ListShipmentsRequest { page_token: first.next_page_token, ..request };
        let second = world.api().list_shipments(next).await.unwrap().into_inner();
        assert_eq!((first.shipments.len(), second.shipments.len(), second.next_page_token.as_str()), (1, 1, ""));
        let by_package = ListShipmentsRequest { tracking_number: "T2".to_owned(), ..Default::default() };
        let found = world.api().list_shipments(by_package).await.unwrap().into_inner().shipments;
        assert_eq!(found.iter().map(|one| one.order_id.as_str()).collect::<Vec<_>>(), ["ord_2"]);
    })
    .await;
}
