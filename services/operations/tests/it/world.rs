//! The service with two logs to follow, and a third service that is down.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex},
};

use mesh::{Channel, Role};
use proto::{
    event::v1::{
        Event, ExceptionOpened, ExceptionResolved, RetryWorkRequest, RetryWorkResponse,
        work_service_server::{WorkService, WorkServiceServer},
    },
    events::{EventPayload, EventSource, OrderEvent, SharedEvent},
    operations::v1::{
        Exception, ListExceptionsRequest, ListTimelineRequest, ListTimelineResponse,
        operations_service_client::OperationsServiceClient,
    },
    order::v1::{Order, OrderRejected, OrderSubmitted},
};
use store::Options;
use testkit::{Log, Service, customer, staff};
use tonic::{Request, Response, Status};
use types::{ManualClock, Timestamp};
use waybill_operations::{self as operations, Config, MIGRATIONS, NAME};

pub(crate) const ORDER: &str = "ord_1";

pub(crate) type Client = OperationsServiceClient<Channel>;

pub(crate) struct World {
    service: Service,
    pub(crate) order: Log,
    pub(crate) fulfillment: Log,
    work: Work,
}

/// The failed work of fulfillment: what it was asked to try again. Clones are the same.
#[derive(Clone, Default)]
struct Work(Arc<Mutex<Vec<RetryWorkRequest>>>);

#[tonic::async_trait]
impl WorkService for Work {
    async fn retry_work(&self, request: Request<RetryWorkRequest>) -> Result<Response<RetryWorkResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(RetryWorkResponse { retried_count: 1 }))
    }
}

impl Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    /// Opens everything on the 24th of January 1970.
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(2_000_000_000_000)));
        let (order, fulfillment) = (Log::new("order"), Log::new("fulfillment"));
        let work = Work::default();
        let with_work = fulfillment.server().add_service(WorkServiceServer::new(work.clone())).into_channel().unwrap();
        let followed = vec![(EventSource::Order, order.channel()), (EventSource::Fulfillment, with_work)];
        let mut logs = followed.clone();
        logs.push((EventSource::Partner, Channel::connect("http://127.0.0.1:1").unwrap()));
        let config = Config { timeline_poll_millis: 10, usage_days: 30, ..Config::default() };
        let server = |db| operations::server(db, logs, &config, &mesh::Config::default());
        let workers = |db, _| operations::workers(db, followed, &config);
        let service = Service::open(options, clock, (NAME, MIGRATIONS), server, workers).await;
        Self { service, order, fulfillment, work }
    }

    /// The work that fulfillment was asked to try again, by type.
    pub(crate) fn retried(&self) -> Vec<(String, Vec<String>)> {
        let asked = self.work.0.lock().unwrap().clone();
        let mut retried: Vec<_> = asked.into_iter().map(|asked| (asked.r#type, asked.subjects)).collect();
        retried.sort();
        retried
    }

    pub(crate) fn operator(&self) -> Client {
        Client::new(self.channel.for_principal(&staff(Role::Operations)))
    }

    pub(crate) fn customer(&self, accounts: &[&str]) -> Client {
        Client::new(self.channel.for_principal(&customer(accounts)))
    }

    /// An order is placed by an account, at second 100.
    pub(crate) fn place(&self, order_id: &str, account_id: &str) {
        let order = Order { order_id: order_id.to_owned(), account_id: account_id.to_owned(), ..Order::default() };
        emit_at(&self.order, 100, order_id, &OrderEvent::OrderSubmitted(OrderSubmitted { order: Some(order) }));
    }

    /// The order service rejects an order, with a reason that identifies the event.
    pub(crate) fn reject(&self, order_id: &str, second: i64, reason: &str) {
        let rejected = OrderRejected { order_id: order_id.to_owned(), reason: reason.to_owned() };
        emit_at(&self.order, second, order_id, &OrderEvent::OrderRejected(rejected));
    }

    pub(crate) fn open_exception(&self, exception_type: &str, subject: &str, summary: &str) {
        let opened = ExceptionOpened {
            r#type: exception_type.to_owned(),
            subject: subject.to_owned(),
            order_id: ORDER.to_owned(),
            summary: summary.to_owned(),
            facts: HashMap::from([("node".to_owned(), summary.to_owned())]),
        };
        emit_at(&self.fulfillment, 100, ORDER, &SharedEvent::ExceptionOpened(opened));
    }

    pub(crate) fn resolve_exception(&self, exception_type: &str, subject: &str, summary: &str) {
        let resolved = ExceptionResolved {
            r#type: exception_type.to_owned(),
            subject: subject.to_owned(),
            order_id: ORDER.to_owned(),
            summary: summary.to_owned(),
        };
        emit_at(&self.fulfillment, 100, ORDER, &SharedEvent::ExceptionResolved(resolved));
    }

    pub(crate) async fn exceptions(&self, request: ListExceptionsRequest) -> Vec<Exception> {
        self.operator().list_exceptions(request).await.unwrap().into_inner().exceptions
    }

    /// The only exception.
    pub(crate) async fn the_exception(&self) -> Exception {
        let mut exceptions = self.exceptions(ListExceptionsRequest::default()).await;
        assert_eq!(exceptions.len(), 1, "{exceptions:?}");
        exceptions.remove(0)
    }
}

/// Appends an event that occurred at a second. It is recorded a million seconds and its position after 1970.
pub(crate) fn emit_at(log: &Log, second: i64, order_id: &str, event: &impl EventPayload) {
    log.append(event_at(log, second, order_id, event));
}

pub(crate) fn event_at(log: &Log, second: i64, order_id: &str, event: &impl EventPayload) -> Event {
    let time = |second| Some(mesh::wire::timestamp(Timestamp::from_micros(second * 1_000_000)));
    let (occur_time, record_time) = (time(second), time(1_000_000 + log.head() + 1));
    Event {
        r#type: event.event_type().to_string(),
        subject: order_id.to_owned(),
        correlation_id: order_id.to_owned(),
        occur_time,
        record_time,
        payload: Some(event.to_any()),
        ..Event::default()
    }
}

pub(crate) fn timeline_of(order_id: &str) -> ListTimelineRequest {
    ListTimelineRequest { order_id: order_id.to_owned(), ..ListTimelineRequest::default() }
}

pub(crate) fn summaries(page: &ListTimelineResponse) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.summary.as_str()).collect()
}
