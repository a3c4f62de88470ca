//! The partner service with fakes of fulfillment and inventory, and the calls that tests make over and over.

use std::{ops::Deref, time::Duration};

use mesh::{Channel, Principal, credentials::KeyChanges};
use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, FulfillmentOrder, RejectFulfillmentOrderRequest,
        fulfillment_service_server::FulfillmentServiceServer,
    },
    inventory::v1::inventory_service_server::InventoryServiceServer,
    partner::v1::{
        CreatePartnerRequest, ListMessagesRequest, Partner, PartnerKind, PartnerMessage, SubmitReportRequest,
        api_client_service_client::ApiClientServiceClient, partner_service_client::PartnerServiceClient,
        submit_report_request::Report,
    },
};
use store::Options;
use testkit::{Log, Service};
use tonic::{Response, Status};
use waybill_partner::{Config, MIGRATIONS, NAME, Peers, server, workers};

use crate::peers::Fulfillment;

/// How long a partner has to answer: more than one that answers takes on any machine, less than a task may.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The service and its peers.
pub(crate) struct World {
    service: Service,
    /// The fake of fulfillment and inventory.
    pub(crate) fulfillment: Fulfillment,
    fulfillment_log: Log,
}

impl Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    /// Opens everything.
    pub(crate) async fn open(options: Options) -> Self {
        mesh::install_process_defaults();
        let (fulfillment, fulfillment_log) = (Fulfillment::default(), Log::new("fulfillment"));
        let peers = fulfillment_log
            .server()
            .add_service(FulfillmentServiceServer::new(fulfillment.clone()))
            .add_service(InventoryServiceServer::new(fulfillment.clone()));
        let peer = peers.into_channel().unwrap().for_service(NAME);
        let config = Config { answer_within: ANSWER_WITHIN };
        let server =
            |db| server(db, peer.clone(), peer.clone(), &KeyChanges::default(), &config, &mesh::Config::default());
        let workers = |db, _| workers(db, Peers { fulfillment: peer.clone(), inventory: peer.clone() }, &config);
        let service = Service::open(options, testkit::clock(), (NAME, MIGRATIONS), server, workers).await;
        Self { service, fulfillment, fulfillment_log }
    }

    /// A client of an administrator.
    pub(crate) fn client(&self) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.channel.clone())
    }

    /// A client of somebody.
    pub(crate) fn client_of(&self, principal: &Principal) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.channel.for_principal(principal))
    }

    /// An administrator's client of API clients and keys.
    pub(crate) fn api_clients(&self) -> ApiClientServiceClient<Channel> {
        ApiClientServiceClient::new(self.channel.clone())
    }

    /// Somebody's client of API clients and keys.
    pub(crate) fn api_clients_of(&self, principal: &Principal) -> ApiClientServiceClient<Channel> {
        ApiClientServiceClient::new(self.channel.for_principal(principal))
    }

    /// Moves the time, and lets the service do what is due then.
    pub(crate) async fn after(&self, time: Duration) {
        self.clock.advance(time);
        self.drain().await;
    }

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
    pub(crate) async fn submit(&self, request: SubmitReportRequest) -> Result<PartnerMessage, Status> {
        self.client().submit_report(request).await.map(Response::into_inner)
    }

    /// Fulfillment emits an event.
    pub(crate) fn emit(&self, event: &FulfillmentEvent) {
        self.fulfillment_log.emit("", event);
    }

    /// Fulfillment emits an event, and the service does what follows.
    pub(crate) async fn follow(&self, event: FulfillmentEvent) {
        self.emit(&event);
        self.drain().await;
    }

    /// How many events of a type the service emitted.
    pub(crate) async fn count(&self, event_type: EventType) -> usize {
        self.events().await.of(event_type).len()
    }

    /// All messages, oldest first.
    pub(crate) async fn messages(&self) -> Vec<PartnerMessage> {
        let listed = self.client().list_messages(ListMessagesRequest::default()).await.unwrap();
        listed.into_inner().messages.into_iter().rev().collect()
    }

    /// The types of the exceptions that are open.
    pub(crate) async fn open_exceptions(&self) -> Vec<String> {
        self.events().await.open_exceptions().into_iter().map(|(exception_type, _)| exception_type).collect()
    }
}

/// Fulfillment order `number` at a partner.
pub(crate) fn fulfillment_order(number: &str, partner_id: &str) -> FulfillmentOrder {
    FulfillmentOrder {
        fulfillment_order_id: format!("ful_{number}"),
        order_id: format!("ord_{number}"),
        account_id: "acc_a".to_owned(),
        partner_id: partner_id.to_owned(),
        node_id: "nod_a".to_owned(),
        attempt: 1,
        idempotency_key: format!("ful_{number}:1"),
        ..FulfillmentOrder::default()
    }
}

/// The report that a fulfillment order is accepted.
pub(crate) fn accepted(partner_id: &str, control_number: &str, id: &str) -> SubmitReportRequest {
    let request = AcceptFulfillmentOrderRequest { fulfillment_order_id: id.to_owned(), ..Default::default() };
    report(partner_id, control_number, Report::Accepted(request))
}

/// The report that a fulfillment order is rejected.
pub(crate) fn rejected(partner_id: &str, control_number: &str, id: &str) -> SubmitReportRequest {
    let request = RejectFulfillmentOrderRequest { fulfillment_order_id: id.to_owned(), ..Default::default() };
    report(partner_id, control_number, Report::Rejected(request))
}

/// A report.
pub(crate) fn report(partner_id: &str, control_number: &str, report: Report) -> SubmitReportRequest {
    let (partner_id, control_number) = (partner_id.to_owned(), control_number.to_owned());
    SubmitReportRequest { partner_id, control_number, report: Some(report), corrects: String::new() }
}
