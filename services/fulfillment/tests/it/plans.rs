//! Lists cost as much as they show, however many fulfillment orders have ended.

use mesh::{Accounts, Role};
use proto::fulfillment::v1::{
    ExecutionState, GetShipmentRequest, ListFulfillmentOrdersRequest, ListMilestonesRequest, ListShipmentsRequest,
    PackageProblem, RequestState, ShipmentState,
};
use testkit::{customer, each, partner, person, plans::Plans, staff};

use crate::world::World;

/// Of 4,000 fulfillment orders two are open and two were rejected.
const FULFILLMENT_ORDERS: &str = "INSERT INTO fulfillment_orders (fulfillment_order_id, order_id, account_id, customer_po, \
    node_id, partner_id, release_number, attempt, execution_state, request_state, ship_to, ship_to_group, ship_to_change_number, reason, decision_id, \
    late_acceptance, holds, create_time, update_time, version) \
    SELECT 'ful_' || (100000 + i), 'ord_' || i, 'acc_' || (i % 20), '', 'nod_' || (i % 2), 'par_' || (i % 2), 1, 1, \
    CASE WHEN i % 4000 < 2 THEN 'OPEN' WHEN i % 4000 < 4 THEN 'CANCELLED' ELSE 'COMPLETED' END, \
    CASE WHEN i % 4000 < 2 THEN 'SUBMITTED' WHEN i % 4000 < 4 THEN 'REJECTED' ELSE 'ACCEPTED' END, \
    EMPTY_BYTES, 0, 0, '', 'rtd_1', 'NONE', '', i, i, 1 FROM n";
const LINES: &str = "INSERT INTO fulfillment_lines SELECT 'ful_' || (100000 + i), 1, 'A', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM n";
/// Of 4,000 shipments two are under way.
const SHIPMENTS: &str = "INSERT INTO shipments (shipment_id, fulfillment_order_id, order_id, account_id, node_id, partner_id, \
    shipment_reference, ship_to_group, carrier_id, state, contents, create_time, update_time, version) \
    SELECT 'shm_' || (100000 + i), 'ful_' || (100000 + i), 'ord_' || i, 'acc_' || (i % 20), 'nod_' || (i % 2), \
    'par_' || (i % 2), 'r', 0, 'par_' || (2 + i % 2), CASE WHEN i % 4000 < 2 THEN 'SHIPPED' ELSE 'DELIVERED' END, 'AGREE', i, i, 1 FROM n";
const PACKAGES: &str = "INSERT INTO packages (package_id, shipment_id, fulfillment_order_id, tracking_number, package_key, \
    sscc, contents, label_time, departure, status, doubts, create_time, version) \
    SELECT 'pkg_' || (100000 + i), 'shm_' || (100000 + i), 'ful_' || (100000 + i), 'T' || i, 'T' || i, '', \
    EMPTY_BYTES, i, 'NONE', 'UNSPECIFIED', 0, i, 1 FROM n";
/// Releases that were routed.
const RELEASES: &str = "INSERT INTO releases (order_id, release_number, account_id, customer_po, ship_to, ship_to_group, ship_to_change_number, ship_to_attempt, routing_state, attempt, \
    plan_number, exclusions, holds, unrouted_time, cancel_reason, create_time, version) \
    SELECT 'ord_' || i, 1, 'acc_1', '', EMPTY_BYTES, 0, 0, 1, 'SETTLED', 1, 1, '', '', i, '', i, 1 FROM n";

#[tokio::test]
async fn a_warehouse_reads_its_open_work_and_not_its_history() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[FULFILLMENT_ORDERS, LINES, RELEASES]).await;
        let open = vec![ExecutionState::Open.into(), ExecutionState::InProgress.into()];
        let unanswered = vec![RequestState::Submitted.into(), RequestState::CancellationRequested.into()];
        let ended = vec![ExecutionState::Incomplete.into(), ExecutionState::Cancelled.into()];
        let text = str::to_owned;
        let all = || ListFulfillmentOrdersRequest { page_size: 10, ..Default::default() };
        let of = |partner_id| ListFulfillmentOrdersRequest { partner_id: text(partner_id), ..all() };
        let at = |node_id| ListFulfillmentOrdersRequest { node_id: text(node_id), ..all() };
        let requests = [
            (all(), 10),
            (of("par_1"), 10),
            (ListFulfillmentOrdersRequest { execution_states: open.clone(), ..of("par_1") }, 10),
            (ListFulfillmentOrdersRequest { request_states: unanswered.clone(), ..of("par_1") }, 10),
            (ListFulfillmentOrdersRequest { execution_states: ended.clone(), ..of("par_1") }, 10),
            (
                ListFulfillmentOrdersRequest {
                    execution_states: open.clone(),
                    request_states: unanswered.clone(),
                    ..all()
                },
                10,
            ),
            (at("nod_1"), 10),
            (ListFulfillmentOrdersRequest { execution_states: open.clone(), ..at("nod_1") }, 10),
            (ListFulfillmentOrdersRequest { request_states: unanswered, ..at("nod_1") }, 10),
            (ListFulfillmentOrdersRequest { execution_states: open.clone(), ..all() }, 10),
            (ListFulfillmentOrdersRequest { execution_states: ended, ..all() }, 10),
            (ListFulfillmentOrdersRequest { order_id: text("ord_777"), execution_states: open, ..all() }, 0),
            (ListFulfillmentOrdersRequest { order_id: text("ord_777"), ..of("par_1") }, 1),
            (ListFulfillmentOrdersRequest { order_id: text("ord_777"), ship_to_group: 1, ..of("par_1") }, 0),
        ];
        let clerk = person(Role::CustomerService, Accounts::Only(vec!["acc_1".parse().unwrap()]));
        for (principal, sees_all) in [(staff(Role::Operations), true), (partner("par_1"), false), (clerk, false)] {
            for (request, found) in &requests {
                let what = format!("{request:?} of {principal}");
                let page =
                    world.client(&principal).list_fulfillment_orders(request.clone()).await.unwrap().into_inner();
                assert!(
                    !sees_all || page.fulfillment_orders.len() == *found,
                    "{what}: {}",
                    page.fulfillment_orders.len()
                );
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListFulfillmentOrdersRequest { page_token: page.next_page_token, ..request.clone() };
                    world.client(&principal).list_fulfillment_orders(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
        }
        world.workers.look().await.unwrap();
        plans.check("looking for what is stranded").await;
    })
    .await;
}

#[tokio::test]
async fn a_carrier_reads_its_shipments_under_way_and_not_its_history() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[FULFILLMENT_ORDERS, LINES, SHIPMENTS, PACKAGES]).await;
        let under_way = vec![ShipmentState::Labelled.into(), ShipmentState::Shipped.into()];
        let all = || ListShipmentsRequest { page_size: 10, ..Default::default() };
        let carried = || ListShipmentsRequest { carrier_id: "par_3".to_owned(), ..all() };
        let requests = [
            all(),
            carried(),
            ListShipmentsRequest { states: under_way.clone(), ..all() },
            ListShipmentsRequest { states: under_way.clone(), ..carried() },
            ListShipmentsRequest { order_id: "ord_777".to_owned(), ..all() },
            ListShipmentsRequest { order_id: "ord_777".to_owned(), ship_to_group: 1, ..carried() },
            ListShipmentsRequest { order_id: "ord_777".to_owned(), states: under_way.clone(), ..carried() },
            ListShipmentsRequest { tracking_number: "T777".to_owned(), states: under_way, ..all() },
            ListShipmentsRequest { tracking_number: "T777".to_owned(), ..carried() },
            ListShipmentsRequest { problem: PackageProblem::Lost.into(), ..all() },
            ListShipmentsRequest { problem: PackageProblem::Lost.into(), ..carried() },
        ];
        let callers = [
            staff(Role::Operations),
            partner("par_3"),
            partner("par_1"),
            customer(&["acc_1"]),
            customer(&["acc_1", "acc_2"]),
        ];
        for principal in callers {
            // A customer looks through its own shipments, whoever carries them.
            let looks = |request: &&ListShipmentsRequest| {
                request.carrier_id.is_empty() || !principal.roles.contains(Role::Customer)
            };
            for request in requests.iter().filter(looks) {
                let what = format!("{request:?} of {principal}");
                let page = world.client(&principal).list_shipments(request.clone()).await.unwrap().into_inner();
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListShipmentsRequest { page_token: page.next_page_token, ..request.clone() };
                    world.client(&principal).list_shipments(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
        }
        let request = GetShipmentRequest { shipment_id: "shm_100777".to_owned() };
        world.client(&partner("par_3")).get_shipment(request).await.unwrap();
        plans.check("one shipment of a carrier").await;
        let request = ListMilestonesRequest { shipment_id: "shm_100777".to_owned() };
        world.client(&partner("par_3")).list_milestones(request).await.unwrap();
        plans.check("the milestones of a shipment").await;
    })
    .await;
}
