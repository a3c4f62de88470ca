//! Calls that tests make over and over.

use std::collections::HashMap;

use mesh::Principal;
use proto::{
    event::v1::{Event, ExceptionOpened, ExceptionResolved, ListEventsRequest},
    fulfillment::v1::{AcceptFulfillmentOrderRequest, FulfillmentOrder, RejectFulfillmentOrderRequest},
    partner::v1::{
        CreatePartnerRequest, ListMessagesRequest, Partner, PartnerKind, PartnerMessage, SubmitReportRequest,
        submit_report_request::Report,
    },
};
use types::{Fault, Reason};

use crate::setup::World;

/// Work `number` at a partner.
pub(crate) fn work(number: &str, partner_id: &str) -> FulfillmentOrder {
    FulfillmentOrder {
        fulfillment_order_id: format!("ful_{number}"),
        order_id: format!("ord_{number}"),
        partner_id: partner_id.to_owned(),
        node_id: "nod_a".to_owned(),
        attempt: 1,
        idempotency_key: format!("ful_{number}:1"),
        ..FulfillmentOrder::default()
    }
}

/// The report that work is accepted.
pub(crate) fn accepted(partner_id: &str, reference: &str, work: &str) -> SubmitReportRequest {
    let request = AcceptFulfillmentOrderRequest { fulfillment_order_id: work.to_owned(), ..Default::default() };
    report(partner_id, reference, Report::Accepted(request))
}

/// The report that work is rejected.
pub(crate) fn rejected(partner_id: &str, reference: &str, work: &str) -> SubmitReportRequest {
    let request = RejectFulfillmentOrderRequest { fulfillment_order_id: work.to_owned(), ..Default::default() };
    report(partner_id, reference, Report::Rejected(request))
}

/// A report.
pub(crate) fn report(partner_id: &str, reference: &str, report: Report) -> SubmitReportRequest {
    SubmitReportRequest {
        partner_id: partner_id.to_owned(),
        control_number: reference.to_owned(),
        report: Some(report),
    }
}

/// A principal that belongs to a partner.
pub(crate) fn of_partner(partner_id: &str) -> Principal {
    Principal {
        kind: mesh::Kind::Partner,
        subject: partner_id.to_owned(),
        roles: mesh::Role::Partner.into(),
        accounts: mesh::Accounts::Only(Vec::new()),
        partner: Some(partner_id.parse().unwrap()),
    }
}

impl World {
    /// Creates a partner.
    pub(crate) async fn partner(&self, partner_id: &str, kind: PartnerKind, endpoint_url: &str) -> Partner {
        let request = CreatePartnerRequest {
            partner_id: partner_id.to_owned(),
            name: partner_id.to_owned(),
            kind: kind.into(),
            endpoint_url: endpoint_url.to_owned(),
            ..CreatePartnerRequest::default()
        };
        self.client().create_partner(request).await.unwrap().into_inner()
    }

    /// Submits a report.
    pub(crate) async fn submit(&self, request: SubmitReportRequest) -> Result<PartnerMessage, Fault> {
        self.client().submit_report(request).await.map(tonic::Response::into_inner).map_err(|s| mesh::fault(&s))
    }

    /// All messages, oldest first.
    pub(crate) async fn messages(&self) -> Vec<PartnerMessage> {
        let listed = self.client().list_messages(ListMessagesRequest::default()).await.unwrap();
        listed.into_inner().messages.into_iter().rev().collect()
    }

    /// The log.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let request = ListEventsRequest { page_size: 1_000, ..ListEventsRequest::default() };
        self.log().list_events(request).await.unwrap().into_inner().events
    }

    /// How often each kind of event was told.
    pub(crate) async fn told(&self) -> HashMap<String, usize> {
        let mut told = HashMap::new();
        for event in self.events().await {
            *told.entry(event.r#type).or_default() += 1;
        }
        told
    }

    /// The types of the exceptions that were opened.
    pub(crate) async fn exceptions(&self) -> Vec<String> {
        let events = self.events().await;
        events.iter().filter_map(store::payload::<ExceptionOpened>).map(|exception| exception.r#type).collect()
    }

    /// The types of the exceptions that stand open.
    pub(crate) async fn open_exceptions(&self) -> Vec<String> {
        let mut open = Vec::new();
        for event in self.events().await {
            if let Some(opened) = store::payload::<ExceptionOpened>(&event) {
                open.push((opened.subject, opened.r#type));
            } else if let Some(resolved) = store::payload::<ExceptionResolved>(&event) {
                open.retain(|case| *case != (resolved.subject.clone(), resolved.r#type.clone()));
            }
        }
        open.into_iter().map(|(_, kind)| kind).collect()
    }
}

/// The reason of a refusal and the fields it names.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Reason, Vec<String>) {
    let fault = result.unwrap_err();
    (fault.reason, fault.violations.into_iter().map(|violation| violation.field).collect())
}
