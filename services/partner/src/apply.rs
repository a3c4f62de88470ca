//! Applying stored reports: each becomes a call of the service that owns what it is about.
//!
//! The call's request id is the message id, so that however often a message is applied it takes effect once.

use mesh::{Channel, Principal, wire::timestamp};
use proto::{
    fulfillment::v1::{
        FulfillmentOrder, GetFulfillmentOrderRequest, GetNodeRequest, Shipment,
        fulfillment_service_client::FulfillmentServiceClient,
    },
    inventory::v1::inventory_service_client::InventoryServiceClient,
    partner::v1::submit_report_request::Report,
};
use store::{Db, Value};
use tonic::{Response, Status};
use types::{Fault, FulfillmentOrderId, MessageId, NodeId, PartnerId, Reason};

use crate::{
    conclude::{ConcludeReport, Effect},
    message::{Content, Message},
    partner::{Kind, Partner},
    report,
    work::{Node, Work},
};

/// A report to apply.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The message it is stored as.
    pub message_id: MessageId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// When it came: "now" in its words, also when it is applied later or again.
    pub came: Option<prost_types::Timestamp>,
    /// What it says.
    pub report: Report,
}

/// Applies reports. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Applier {
    db: Db,
    fulfillment: FulfillmentServiceClient<Channel>,
    inventory: InventoryServiceClient<Channel>,
}

impl Applier {
    /// Calls are the service's own, whoever brought the report: a partner may not record facts itself, and a repeat by
    /// the task has to be the same caller's.
    pub(crate) fn new(db: Db, fulfillment: &Channel, inventory: &Channel) -> Self {
        let this = Principal::service(crate::NAME);
        Self {
            db,
            fulfillment: FulfillmentServiceClient::new(fulfillment.for_principal(&this)),
            inventory: InventoryServiceClient::new(inventory.for_principal(&this)),
        }
    }

    /// Applies a report; answers what is to be recorded of it.
    pub(crate) async fn apply(&self, stored: Stored) -> ConcludeReport {
        ConcludeReport { message_id: stored.message_id.clone(), result: self.effect(stored).await }
    }

    /// Applies a report that nobody has in hand any more.
    pub(crate) async fn apply_stored(&self, message: &Message) -> ConcludeReport {
        match self.stored(message).await {
            Ok(stored) => self.apply(stored).await,
            Err(fault) => ConcludeReport { message_id: message.message_id.clone(), result: Err(fault) },
        }
    }

    async fn stored(&self, message: &Message) -> Result<Stored, Fault> {
        let content = self.db.load::<Content>(&message.message_id).await?;
        let content = content.ok_or_else(|| Fault::internal("a stored report has no content"))?;
        Ok(Stored {
            message_id: message.message_id.clone(),
            partner_id: message.partner_id.clone(),
            came: Some(timestamp(message.create_time)),
            report: report::read(&content.content)?,
        })
    }

    async fn effect(&self, stored: Stored) -> Result<Effect, Fault> {
        let partner = self.db.load::<Partner>(&stored.partner_id).await?;
        let partner = partner.ok_or_else(|| Fault::not_found("partner", &stored.partner_id))?;
        let order_id = self.own(&stored.report, &partner).await?;
        let effect = self.call(stored, &partner).await?;
        let order_id = if effect.order_id.is_empty() { order_id } else { effect.order_id };
        self.link_trace(&order_id).await;
        Ok(Effect { order_id, ..effect })
    }

    /// Links the report's trace with that of its order, so that each is found from the other.
    async fn link_trace(&self, order_id: &str) {
        if order_id.is_empty() || !mesh::telemetry::is_recorded() {
            return;
        }
        let tail = "WHERE order_id = $1 ORDER BY fulfillment_order_id LIMIT 1";
        match self.db.list::<Work>(tail, vec![Value::Text(order_id.to_owned())]).await {
            Ok(works) => {
                for work in works {
                    mesh::telemetry::link(&work.trace_parent, "partner report", order_id);
                }
            }
            Err(fault) => tracing::debug!(%fault, order_id, "the trace of an order was not found"),
        }
    }

    /// Refuses reports about what is not the partner's, as if it did not exist. Answers the order, where it is known.
    async fn own(&self, report: &Report, partner: &Partner) -> Result<String, Fault> {
        match report {
            Report::Accepted(r) => self.own_work(&r.fulfillment_order_id, partner).await,
            Report::Rejected(r) => self.own_work(&r.fulfillment_order_id, partner).await,
            Report::Picked(r) => self.own_work(&r.fulfillment_order_id, partner).await,
            Report::Labelled(r) => self.own_work(&r.fulfillment_order_id, partner).await,
            Report::Shipped(r) => self.own_work(&r.fulfillment_order_id, partner).await,
            Report::Cancellation(r) => self.own_work(&r.fulfillment_order_id, partner).await,
            Report::Snapshot(r) => self.own_node(&r.location_id, partner).await,
            Report::Milestone(_) | Report::ProofOfDelivery(_) => match partner.kind {
                Kind::Carrier | Kind::Warehouse => Ok(String::new()),
                Kind::Erp | Kind::Customer => {
                    Err(Fault::new(Reason::PermissionDenied, "only carriers and warehouses report on packages"))
                }
            },
        }
    }

    async fn own_work(&self, id: &str, partner: &Partner) -> Result<String, Fault> {
        let foreign = || Fault::not_found("fulfillment order", id);
        let key: FulfillmentOrderId = id.parse().map_err(|_| foreign())?;
        let (partner_id, order_id) = match self.db.load::<Work>(&key).await? {
            Some(work) => (work.partner_id.to_string(), work.order_id),
            None => {
                let request = GetFulfillmentOrderRequest { fulfillment_order_id: id.to_owned() };
                let work = answered(self.fulfillment.clone().get_fulfillment_order(request).await);
                let work = known(work)?.ok_or_else(foreign)?;
                (work.partner_id, work.order_id)
            }
        };
        if partner_id == partner.partner_id.to_string() { Ok(order_id) } else { Err(foreign()) }
    }

    async fn own_node(&self, id: &str, partner: &Partner) -> Result<String, Fault> {
        let foreign = || Fault::not_found("location", id);
        let key: NodeId = id.parse().map_err(|_| foreign())?;
        let partner_id = match self.db.load::<Node>(&key).await? {
            Some(node) => node.partner_id.to_string(),
            None => {
                let request = GetNodeRequest { node_id: id.to_owned() };
                let node = answered(self.fulfillment.clone().get_node(request).await);
                known(node)?.ok_or_else(foreign)?.partner_id
            }
        };
        if partner_id == partner.partner_id.to_string() { Ok(String::new()) } else { Err(foreign()) }
    }

    async fn call(&self, stored: Stored, partner: &Partner) -> Result<Effect, Fault> {
        let (mut fulfillment, mut inventory) = (self.fulfillment.clone(), self.inventory.clone());
        let Stored { message_id, came, report, .. } = stored;
        let request_id = message_id.to_string();
        match report {
            Report::Accepted(mut r) => {
                (r.request_id, r.occur_time) = (request_id, r.occur_time.or(came));
                answered(fulfillment.accept_fulfillment_order(r).await).map(of_work)
            }
            Report::Rejected(mut r) => {
                (r.request_id, r.occur_time) = (request_id, r.occur_time.or(came));
                answered(fulfillment.reject_fulfillment_order(r).await).map(of_work)
            }
            Report::Picked(mut r) => {
                (r.request_id, r.occur_time) = (request_id, r.occur_time.or(came));
                answered(fulfillment.record_pick(r).await).map(of_work)
            }
            Report::Labelled(mut r) => {
                (r.request_id, r.occur_time) = (request_id, r.occur_time.or(came));
                answered(fulfillment.record_labels(r).await).map(of_shipment)
            }
            Report::Shipped(mut r) => {
                (r.request_id, r.occur_time) = (request_id, r.occur_time.or(came));
                answered(fulfillment.record_shipment(r).await).map(of_shipment)
            }
            Report::Cancellation(mut r) => {
                (r.request_id, r.occur_time) = (request_id, r.occur_time.or(came));
                answered(fulfillment.answer_cancellation(r).await).map(of_work)
            }
            Report::Snapshot(mut r) => {
                r.request_id = request_id;
                let counted = answered(inventory.report_snapshot(r).await)?;
                let outcome = if counted.superseded {
                    "a newer count was known already".to_owned()
                } else {
                    format!("{} levels were counted", counted.levels.len())
                };
                Ok(Effect { outcome, order_id: String::new() })
            }
            Report::Milestone(mut r) => {
                (r.request_id, r.reporter_id) = (request_id, partner.partner_id.to_string());
                r.carrier_id = carrier(partner, r.carrier_id);
                let recorded = answered(fulfillment.record_milestone(r).await)?;
                Ok(of_package(&recorded.shipment_id, &recorded.package_id, recorded.order_id))
            }
            Report::ProofOfDelivery(mut r) => {
                (r.request_id, r.reporter_id) = (request_id, partner.partner_id.to_string());
                r.carrier_id = carrier(partner, r.carrier_id);
                let recorded = answered(fulfillment.record_proof_of_delivery(r).await)?;
                Ok(of_package(&recorded.shipment_id, &recorded.package_id, recorded.order_id))
            }
        }
    }

    /// The database reports are kept in.
    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// The stored message; a fault when there is none.
    pub(crate) async fn message(&self, message_id: &MessageId) -> Result<Message, Fault> {
        let message = self.db.load::<Message>(message_id).await?;
        message.ok_or_else(|| Fault::not_found("message", message_id))
    }
}

fn answered<T>(response: Result<Response<T>, Status>) -> Result<T, Fault> {
    response.map(Response::into_inner).map_err(|status| mesh::fault(&status))
}

/// What was looked up, if there is such a thing: what is not there is told in the words for what is another's.
fn known<T>(answer: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match answer {
        Err(fault) if fault.reason == Reason::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

/// A carrier reports as itself.
fn carrier(partner: &Partner, reported: String) -> String {
    if partner.kind == Kind::Carrier { partner.partner_id.to_string() } else { reported }
}

fn of_work(work: FulfillmentOrder) -> Effect {
    let outcome = format!("recorded for fulfillment order {}", work.fulfillment_order_id);
    Effect { outcome, order_id: work.order_id }
}

fn of_shipment(shipment: Shipment) -> Effect {
    let outcome = format!("recorded as shipment {}", shipment.shipment_id);
    Effect { outcome, order_id: shipment.order_id }
}

fn of_package(shipment_id: &str, package_id: &str, order_id: String) -> Effect {
    let outcome = if shipment_id.is_empty() {
        "kept until a shipment of the reporter has the package".to_owned()
    } else {
        format!("recorded for package {package_id} of shipment {shipment_id}")
    };
    Effect { outcome, order_id }
}
