//! Checks that a partner may report on a subject.

use proto::fulfillment::v1::{GetFulfillmentOrderRequest, GetNodeRequest};
use store::Db;
use tonic::{Response, Status};
use types::{Fault, FulfillmentOrderId, NodeId, Reason};

use crate::{
    fulfillment_request::FulfillmentRequest,
    node::Node,
    partner::{Partner, PartnerKind},
    report_kind::{ReportKind, Services, SubjectType},
};

/// Refuses a report on what is not the partner's, as if it did not exist. Returns the id of the order, empty when not known.
///
/// What was not copied yet is asked of fulfillment.
pub(crate) async fn check(
    db: &Db,
    services: &Services,
    kind: ReportKind<'_>,
    reporter: &Partner,
) -> Result<String, Fault> {
    match (kind.subject_type, reporter.kind) {
        (SubjectType::FulfillmentOrder, _) => check_fulfillment_order(db, services, kind.subject, reporter).await,
        (SubjectType::Location, _) => check_location(db, services, kind.subject, reporter).await,
        // Only the partner's own reports are found by a control number.
        (SubjectType::Report, _) => Ok(String::new()),
        // That a report is taken back by its reporter is checked by fulfillment.
        (SubjectType::Package | SubjectType::TrackingReport, PartnerKind::Carrier | PartnerKind::Warehouse) => {
            Ok(String::new())
        }
        (SubjectType::Package | SubjectType::TrackingReport, PartnerKind::Erp | PartnerKind::Customer) => {
            Err(Fault::new(Reason::PermissionDenied, "only carriers and warehouses report on packages"))
        }
    }
}

async fn check_fulfillment_order(db: &Db, services: &Services, id: &str, reporter: &Partner) -> Result<String, Fault> {
    let unknown = || Fault::not_found("fulfillment order", id);
    let key: FulfillmentOrderId = id.parse().map_err(|_| unknown())?;
    let (partner_id, order_id) = match db.load::<FulfillmentRequest>(&key).await? {
        Some(request) => (request.partner_id.to_string(), request.order_id),
        None => {
            let request = GetFulfillmentOrderRequest { fulfillment_order_id: id.to_owned() };
            let reply = services.fulfillment.clone().get_fulfillment_order(request).await;
            let order = found(reply)?.ok_or_else(unknown)?;
            (order.partner_id, order.order_id)
        }
    };
    if partner_id == reporter.partner_id.to_string() { Ok(order_id) } else { Err(unknown()) }
}

async fn check_location(db: &Db, services: &Services, id: &str, reporter: &Partner) -> Result<String, Fault> {
    let unknown = || Fault::not_found("location", id);
    let key: NodeId = id.parse().map_err(|_| unknown())?;
    let partner_id = match db.load::<Node>(&key).await? {
        Some(node) => node.partner_id.to_string(),
        None => {
            let reply = services.fulfillment.clone().get_node(GetNodeRequest { node_id: id.to_owned() }).await;
            found(reply)?.ok_or_else(unknown)?.partner_id
        }
    };
    if partner_id == reporter.partner_id.to_string() { Ok(String::new()) } else { Err(unknown()) }
}

/// What was read; `None` when there is no such thing, so that it is refused as another partner's is.
fn found<T>(reply: Result<Response<T>, Status>) -> Result<Option<T>, Fault> {
    match reply.map_err(|status| mesh::fault(&status)) {
        Err(fault) if fault.reason == Reason::NotFound => Ok(None),
        reply => reply.map(|reply| Some(reply.into_inner())),
    }
}
