//! Reads of more than one row. Each has an index.

use std::collections::BTreeSet;

use chassis::Select;
use mesh::Principal;
use proto::fulfillment::v1;
use store::{Column, Db, Kind, Value, page::Page};
use types::{Fault, FulfillmentOrderId, NodeId, OrderId, PartnerId, ShipmentId, Timestamp};

use crate::{
    assignment::{Candidate, Relation, relation},
    fulfillment_order::{ExecutionState, FulfillmentLine, FulfillmentOrder, FulfillmentOrderHeader, RequestState},
    node::Node,
    package::Package,
    package_key,
    problem::Problem,
    release::{Release, ReleaseLine},
    routing_decision::RoutingDecision,
    shipment::{Shipment, ShipmentState},
    tracking_report::TrackingReport,
    wire,
};

/// Which fulfillment orders a list shows; all states when none is given.
#[derive(Debug, Default)]
pub(crate) struct FulfillmentOrderFilter {
    pub(crate) partner_id: Option<PartnerId>,
    pub(crate) node_id: Option<NodeId>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) execution_states: Vec<ExecutionState>,
    pub(crate) request_states: Vec<RequestState>,
    /// Of the order; any when 0.
    pub(crate) ship_to_group: i32,
}

/// Which shipments a list shows; all states when none is given, any package when the number is empty.
#[derive(Debug, Default)]
pub(crate) struct ShipmentFilter {
    pub(crate) order_id: Option<OrderId>,
    pub(crate) carrier_id: Option<PartnerId>,
    pub(crate) states: Vec<ShipmentState>,
    pub(crate) tracking_number: String,
    pub(crate) problem: Option<Problem>,
    /// Of the order; any when 0.
    pub(crate) ship_to_group: i32,
}

/// Kinds of the key by which shipments are listed.
pub(crate) const SHIPMENT_KEY: &[Kind] = &[Kind::Integer, Kind::Text];

/// All nodes by id.
pub(crate) async fn all_nodes(db: &Db) -> Result<Vec<Node>, Fault> {
    db.list("ORDER BY node_id", Vec::new()).await
}

/// A page of nodes by id, and the token of the next page.
pub(crate) async fn nodes(db: &Db, page: &Page) -> Result<(Vec<Node>, String), Fault> {
    let mut select = Select::new();
    select.after(&["node_id"], ">", page);
    let (tail, args) = select.into_page("node_id", page.limit());
    let large = ["service_areas", "holidays", "lanes"];
    page.select(db, &tail, args, &large, |node: &Node| vec![node.node_id.to_value()]).await
}

/// A release with its lines.
pub(crate) async fn release(
    db: &Db,
    order_id: &OrderId,
    number: i64,
) -> Result<Option<(Release, Vec<ReleaseLine>)>, Fault> {
    let Some(release) = db.load::<Release>(&(order_id.clone(), number)).await? else { return Ok(None) };
    let tail = "WHERE order_id = $1 AND release_number = $2 ORDER BY line_number";
    let lines = db.list(tail, vec![order_id.to_value(), Value::Integer(number)]).await?;
    Ok(Some((release, lines)))
}

/// A page of the routing decisions of an order whose account the caller sees, oldest first, and the token of the next page.
pub(crate) async fn routing_decisions(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
    page: &Page,
) -> Result<(Vec<RoutingDecision>, String), Fault> {
    let mut select = Select::new();
    select.few("order_id = ?", order_id.to_value());
    select.seen_by(caller);
    select.after(&["decision_id"], ">", page);
    let (tail, args) = select.into_page("decision_id", page.limit());
    page.select(db, &tail, args, &["body"], |decision: &RoutingDecision| vec![decision.decision_id.to_value()]).await
}

/// Refuses an order of which the caller sees no release.
pub(crate) async fn check_released(db: &Db, order_id: &OrderId, caller: &Principal) -> Result<(), Fault> {
    let mut select = Select::new();
    select.equal("order_id", Some(order_id));
    select.seen_by(caller);
    let (tail, args) = select.into_page("release_number", 1);
    let found: Vec<Release> = db.list(&tail, args).await?;
    if found.is_empty() { Err(Fault::not_found("order", order_id)) } else { Ok(()) }
}

/// A fulfillment order that the caller sees.
pub(crate) async fn fulfillment_order(
    db: &Db,
    id: &FulfillmentOrderId,
    caller: &Principal,
) -> Result<Option<FulfillmentOrder>, Fault> {
    let mut select = Select::new();
    select.equal("fulfillment_order_id", Some(id));
    seen_fulfillment_orders(&mut select, caller);
    Ok(with_lines(db, list(db, select).await?).await?.into_iter().next())
}

/// A page of fulfillment orders without their lines, oldest first.
pub(crate) async fn fulfillment_orders(
    db: &Db,
    filter: &FulfillmentOrderFilter,
    caller: &Principal,
    page: &Page,
) -> Result<Vec<FulfillmentOrderHeader>, Fault> {
    let mut select = Select::new();
    of_order(&mut select, filter.order_id.as_ref(), filter.ship_to_group);
    select.equal("partner_id", filter.partner_id.as_ref());
    select.equal("node_id", filter.node_id.as_ref());
    select.filter("request_state", &filter.request_states);
    match (filter.execution_states.as_slice(), filter.request_states.as_slice()) {
        // By any state, because the indexes of partners and nodes go on with one.
        ([], []) => select.one_of("execution_state", ExecutionState::ALL),
        (states, _) => select.filter("execution_state", states),
    }
    seen_fulfillment_orders(&mut select, caller);
    select.after(&["fulfillment_order_id"], ">", page);
    let key = "fulfillment_order_id";
    let (tail, args) = select.into_merged_page("fulfillment_orders", key, key, page.limit());
    db.list(&tail, args).await
}

/// Fulfillment orders with their lines, as of one moment.
pub(crate) async fn with_lines(db: &Db, headers: Vec<FulfillmentOrderHeader>) -> Result<Vec<FulfillmentOrder>, Fault> {
    db.whole(headers, |headers| lines(db, headers)).await
}

async fn lines(db: &Db, headers: Vec<FulfillmentOrderHeader>) -> Result<Vec<FulfillmentOrder>, Fault> {
    let ids: Vec<_> = headers.iter().map(|header| header.fulfillment_order_id.clone()).collect();
    let mut select = Select::new();
    select.one_of("fulfillment_order_id", &ids);
    let (condition, args) = select.into_condition();
    let tail = format!("WHERE {condition} ORDER BY fulfillment_order_id, line_number");
    let lines: Vec<FulfillmentLine> = db.list(&tail, args).await?;
    let of = |header: &FulfillmentOrderHeader| {
        lines.iter().filter(|line| line.fulfillment_order_id == header.fulfillment_order_id).cloned().collect()
    };
    Ok(headers.into_iter().map(|header| FulfillmentOrder { lines: of(&header), header }).collect())
}

/// A shipment that the caller sees.
pub(crate) async fn shipment(db: &Db, id: &ShipmentId, caller: &Principal) -> Result<Option<Shipment>, Fault> {
    let mut select = Select::new();
    select.equal("shipment_id", Some(id));
    seen_shipments(&mut select, caller);
    Ok(list(db, select).await?.into_iter().next())
}

/// A page of shipments, oldest first.
pub(crate) async fn shipments(
    db: &Db,
    filter: &ShipmentFilter,
    caller: &Principal,
    page: &Page,
) -> Result<Vec<Shipment>, Fault> {
    let mut select = Select::new();
    of_order(&mut select, filter.order_id.as_ref(), filter.ship_to_group);
    if !filter.tracking_number.is_empty() {
        let of_package = "shipment_id IN (SELECT shipment_id FROM packages WHERE package_key = ?)";
        select.few(of_package, Value::Text(package_key::of_number(&filter.tracking_number)));
    }
    if let Some(problem) = filter.problem {
        let of_package = "shipment_id IN (SELECT shipment_id FROM packages WHERE problem = ?)";
        select.few(of_package, problem.to_value());
    }
    select.equal("carrier_id", filter.carrier_id.as_ref());
    match filter.states.as_slice() {
        // By any state, because the indexes of partners go on with it.
        [] if filter.carrier_id.is_some() || caller.own_partner().is_some() => {
            select.one_of("state", ShipmentState::ALL)
        }
        states => select.filter("state", states),
    }
    seen_shipments(&mut select, caller);
    select.after(&["create_time", "shipment_id"], ">", page);
    let (tail, args) = select.into_merged_page("shipments", "shipment_id", "create_time, shipment_id", page.limit());
    db.list(&tail, args).await
}

/// Packages of shipments.
pub(crate) async fn packages(db: &Db, shipments: &[Shipment]) -> Result<Vec<Package>, Fault> {
    let ids: Vec<_> = shipments.iter().map(|shipment| shipment.shipment_id.clone()).collect();
    let mut select = Select::new();
    select.one_of("shipment_id", &ids);
    let (condition, args) = select.into_condition();
    db.list(&format!("WHERE {condition} ORDER BY package_id"), args).await
}

/// Packages of which a report is due by an instant, at most so many.
pub(crate) async fn silent_packages(db: &Db, now: Timestamp, most: usize) -> Result<Vec<Package>, Fault> {
    let tail = format!("WHERE report_due <= $1 ORDER BY report_due LIMIT {most}");
    db.list(&tail, vec![now.to_value()]).await
}

/// The fulfillment orders of shipments.
pub(crate) async fn headers_of(db: &Db, shipments: &[Shipment]) -> Result<Vec<FulfillmentOrderHeader>, Fault> {
    let ids: Vec<_> = shipments.iter().map(|shipment| shipment.fulfillment_order_id.clone()).collect();
    let mut select = Select::new();
    select.one_of("fulfillment_order_id", &ids);
    list(db, select).await
}

/// The milestones of a shipment's packages by authoritative reporters, by the time they occurred.
pub(crate) async fn milestones(db: &Db, shipment: &Shipment) -> Result<Vec<v1::Milestone>, Fault> {
    let own = packages(db, std::slice::from_ref(shipment)).await?;
    let keys: BTreeSet<String> = own.iter().flat_map(Package::keys).collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let mut select = Select::new();
    select.one_of("package_key", &keys);
    select.one_of("reporter_id", &[String::new(), shipment.carrier_id.clone(), shipment.partner_id.to_string()]);
    let (condition, args) = select.into_condition();
    let reports: Vec<TrackingReport> = db.list(&format!("WHERE {condition}"), args).await?;
    let packages = with_keys(db, &keys).await?;
    let shipment_ids: BTreeSet<_> = packages.iter().map(|package| package.shipment_id.clone()).collect();
    let mut select = Select::new();
    select.one_of("shipment_id", &shipment_ids.into_iter().collect::<Vec<_>>());
    let shipments: Vec<Shipment> = list(db, select).await?;

    let mut milestones = Vec::new();
    for report in reports.iter().filter(|report| report.proof.is_none()) {
        let named = packages.iter().filter(|package| package.keys().contains(&report.package_key));
        let candidates: Vec<_> = named
            .filter_map(|package| {
                let shipment = shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id)?;
                Some(Candidate { package, shipment })
            })
            .collect();
        let mut about =
            own.iter().filter(|package| relation(report, &package.package_id, &candidates) == Relation::Authoritative);
        if let Some(package) = about.next() {
            milestones.push((report, wire::milestone_of(report, package)));
        }
    }
    milestones.sort_by_key(|(report, _)| (report.occur_time, &report.package_key, report.code, &report.report_id));
    Ok(milestones.into_iter().map(|(_, milestone)| milestone).collect())
}

/// Packages with any of the keys.
async fn with_keys(db: &Db, keys: &[String]) -> Result<Vec<Package>, Fault> {
    let (sscc, numbers): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.starts_with(package_key::SSCC_PREFIX));
    let sscc: Vec<_> = sscc.into_iter().filter_map(|key| key.strip_prefix(package_key::SSCC_PREFIX)).collect();
    let mut packages: Vec<Package> = Vec::new();
    let numbers: Vec<String> = numbers.into_iter().cloned().collect();
    let sscc: Vec<String> = sscc.into_iter().map(str::to_owned).collect();
    for (column, values) in [("package_key", numbers), ("sscc", sscc)] {
        if values.is_empty() {
            continue;
        }
        let mut select = Select::new();
        select.one_of(column, &values);
        let found: Vec<Package> = list(db, select).await?;
        for package in found {
            if packages.iter().all(|known| known.package_id != package.package_id) {
                packages.push(package);
            }
        }
    }
    Ok(packages)
}

/// Rows of an order, and of one of its ship-to groups, if they are named.
fn of_order(select: &mut Select, order_id: Option<&OrderId>, ship_to_group: i32) {
    if let Some(order_id) = order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    if ship_to_group != 0 {
        select.and("ship_to_group = ?", Value::Integer(ship_to_group.into()));
    }
}

async fn list<R: store::Record>(db: &Db, select: Select) -> Result<Vec<R>, Fault> {
    let (condition, args) = select.into_condition();
    db.list(&format!("WHERE {condition}"), args).await
}

/// Partners see fulfillment orders at their nodes, staff those of their accounts.
fn seen_fulfillment_orders(select: &mut Select, caller: &Principal) {
    select.seen_by_staff_or_partner(&["partner_id"], caller);
}

/// Partners see shipments that they carry or that left their nodes, others those of their accounts.
fn seen_shipments(select: &mut Select, caller: &Principal) {
    select.seen_by_account_or_partner(&["carrier_id", "partner_id"], caller);
}
