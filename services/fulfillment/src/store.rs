//! Reads. Each names its rows by an index.

mod condition;

use mesh::{Accounts, Principal};
use store::{Column, Db, Kind, Value, page::Page};
use types::{Fault, FulfillmentOrderId, NodeId, OrderId, PartnerId, ShipmentId};

use condition::Condition;

use crate::{
    decision::Decision,
    fulfillment_order::{Execution, Fulfillment, FulfillmentOrder, Line, Request},
    node::Node,
    release::{Release, ReleaseLine},
    shipment::{Package, Shipment, State},
    tracking::Milestone,
};

/// Which work a list shows.
#[derive(Debug, Default)]
pub(crate) struct WorkFilter {
    /// Only of this partner.
    pub(crate) partner_id: Option<PartnerId>,
    /// Only at this node.
    pub(crate) node_id: Option<NodeId>,
    /// Only for this order.
    pub(crate) order_id: Option<OrderId>,
    /// Only in these states; all when empty.
    pub(crate) executions: Vec<Execution>,
    /// Only in these states; all when empty.
    pub(crate) requests: Vec<Request>,
}

/// Which shipments a list shows.
#[derive(Debug, Default)]
pub(crate) struct ShipmentFilter {
    /// Only of this order.
    pub(crate) order_id: Option<OrderId>,
    /// Only of this carrier.
    pub(crate) carrier_id: Option<PartnerId>,
    /// Only in these states; all when empty.
    pub(crate) states: Vec<State>,
    /// Only with this package; any when empty.
    pub(crate) tracking_number: String,
}

/// Kinds of the key a list of shipments is ordered by.
pub(crate) const SHIPMENT_KEY: &[Kind] = &[Kind::Integer, Kind::Text];

/// All nodes by id.
pub(crate) async fn all_nodes(db: &Db) -> Result<Vec<Node>, Fault> {
    db.list("ORDER BY node_id", Vec::new()).await
}

/// A page of nodes by id.
pub(crate) async fn nodes(db: &Db, page: &Page) -> Result<Vec<Node>, Fault> {
    let (tail, args) = Condition::default().page(&["node_id"], page);
    db.list(&tail, args).await
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

/// The decisions of an order, oldest first.
pub(crate) async fn decisions(db: &Db, order_id: &OrderId) -> Result<Vec<Decision>, Fault> {
    db.list("WHERE order_id = $1 ORDER BY decision_id", vec![order_id.to_value()]).await
}

/// Work by id, if the principal may see it.
pub(crate) async fn work(
    db: &Db,
    id: &FulfillmentOrderId,
    principal: &Principal,
) -> Result<Option<Fulfillment>, Fault> {
    let mut condition = Condition::default();
    condition.equal("fulfillment_order_id", id.to_value());
    own_work(&mut condition, principal);
    let found = db.list(&format!("WHERE {}", condition.parts.join(" AND ")), condition.args).await?;
    Ok(with_lines(db, found).await?.into_iter().next())
}

/// A page of work, oldest first.
pub(crate) async fn works(
    db: &Db,
    filter: &WorkFilter,
    principal: &Principal,
    page: &Page,
) -> Result<Vec<FulfillmentOrder>, Fault> {
    let mut condition = Condition::default();
    for (column, id) in [
        ("partner_id", filter.partner_id.as_ref().map(PartnerId::to_value)),
        ("node_id", filter.node_id.as_ref().map(NodeId::to_value)),
        ("order_id", filter.order_id.as_ref().map(OrderId::to_value)),
    ] {
        if let Some(id) = id {
            condition.equal(column, id);
        }
    }
    if !filter.executions.is_empty() {
        condition.one_of("execution_state", filter.executions.iter().map(Execution::to_value));
    }
    if !filter.requests.is_empty() {
        condition.one_of("request_state", filter.requests.iter().map(Request::to_value));
    }
    own_work(&mut condition, principal);
    let (tail, args) = condition.page(&["fulfillment_order_id"], page);
    db.list(&tail, args).await
}

/// The same work with its lines.
pub(crate) async fn with_lines(db: &Db, orders: Vec<FulfillmentOrder>) -> Result<Vec<Fulfillment>, Fault> {
    let mut condition = Condition::default();
    condition.one_of("fulfillment_order_id", orders.iter().map(|order| order.fulfillment_order_id.to_value()));
    let tail = format!("WHERE {} ORDER BY fulfillment_order_id, line_number", condition.parts.join(" AND "));
    let lines: Vec<Line> = db.list(&tail, condition.args).await?;
    let of = |order: &FulfillmentOrder| {
        lines.iter().filter(|line| line.fulfillment_order_id == order.fulfillment_order_id).cloned().collect()
    };
    Ok(orders.into_iter().map(|order| Fulfillment { lines: of(&order), order }).collect())
}

/// A shipment by id, if the principal may see it.
pub(crate) async fn shipment(db: &Db, id: &ShipmentId, principal: &Principal) -> Result<Option<Shipment>, Fault> {
    let mut condition = Condition::default();
    condition.equal("shipment_id", id.to_value());
    own_shipments(&mut condition, principal);
    let found = db.list(&format!("WHERE {}", condition.parts.join(" AND ")), condition.args).await?;
    Ok(found.into_iter().next())
}

/// A page of shipments, oldest first.
pub(crate) async fn shipments(
    db: &Db,
    filter: &ShipmentFilter,
    principal: &Principal,
    page: &Page,
) -> Result<Vec<Shipment>, Fault> {
    let mut condition = Condition::default();
    if let Some(order_id) = &filter.order_id {
        condition.equal("order_id", order_id.to_value());
    }
    if let Some(carrier_id) = &filter.carrier_id {
        condition.equal("carrier_id", carrier_id.to_value());
    }
    if !filter.states.is_empty() {
        condition.one_of("state", filter.states.iter().map(State::to_value));
    }
    if !filter.tracking_number.is_empty() {
        condition.args.push(Value::Text(filter.tracking_number.clone()));
        let at = condition.args.len();
        let select = format!("shipment_id IN (SELECT shipment_id FROM packages WHERE tracking_number = ${at})");
        condition.parts.push(select);
    }
    own_shipments(&mut condition, principal);
    let (tail, args) = condition.page(&["create_time", "shipment_id"], page);
    db.list(&tail, args).await
}

/// Packages of some shipments.
pub(crate) async fn packages(db: &Db, shipments: &[Shipment]) -> Result<Vec<Package>, Fault> {
    let mut condition = Condition::default();
    condition.one_of("shipment_id", shipments.iter().map(|shipment| shipment.shipment_id.to_value()));
    db.list(&format!("WHERE {} ORDER BY package_id", condition.parts.join(" AND ")), condition.args).await
}

/// The work some shipments come from.
pub(crate) async fn work_of(db: &Db, shipments: &[Shipment]) -> Result<Vec<FulfillmentOrder>, Fault> {
    let mut condition = Condition::default();
    let ids = shipments.iter().map(|shipment| shipment.fulfillment_order_id.to_value());
    condition.one_of("fulfillment_order_id", ids);
    db.list(&format!("WHERE {}", condition.parts.join(" AND ")), condition.args).await
}

/// What was said of a shipment's packages by those whose word counts, by the time it happened.
pub(crate) async fn milestones(db: &Db, shipment: &Shipment) -> Result<Vec<Milestone>, Fault> {
    let tail = "WHERE tracking_number IN (SELECT tracking_number FROM packages WHERE shipment_id = $1) \
                AND reporter_id IN ('', $2, $3) ORDER BY occur_time, tracking_number, code, raw_code, reporter_id";
    let carrier = Value::Text(shipment.carrier_id.clone());
    db.list(tail, vec![shipment.shipment_id.to_value(), carrier, shipment.partner_id.to_value()]).await
}

/// Outside parties see the work at their nodes, the distributor's own people and programs that of their accounts. Customers
/// may not ask for work, so what they have of accounts opens nothing to those who have another role too.
fn own_work(condition: &mut Condition, principal: &Principal) {
    let none = Accounts::Only(Vec::new());
    let accounts = if principal.is_staff() { principal.own_accounts() } else { &none };
    condition.owned("fulfillment_order_id", "fulfillment_orders", accounts, principal.own_partner(), &["partner_id"]);
}

/// Outside parties see shipments they carry or that left their nodes, others those of their accounts.
fn own_shipments(condition: &mut Condition, principal: &Principal) {
    let (accounts, partner) = (principal.own_accounts(), principal.own_partner());
    condition.owned("shipment_id", "shipments", accounts, partner, &["carrier_id", "partner_id"]);
}
