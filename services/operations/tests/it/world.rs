//! The service with two logs to follow, and a third service that is down.

use std::{collections::HashMap, sync::Arc};

use mesh::{Accounts, Channel, Kind, Principal, Role, RoleSet};
use proto::{
    event::v1::{ExceptionOpened, ExceptionResolved},
    operations::v1::{
        Exception, ListExceptionsRequest, ListTimelineRequest, ListTimelineResponse,
        operations_service_client::OperationsServiceClient,
    },
    order::v1::{Order, OrderRejected, OrderSubmitted},
};
use store::{Db, Options, Workers};
use tonic::Status;
use types::{Fault, ManualClock, Timestamp};
use waybill_operations::{self as operations, Config, MIGRATIONS, NAME};

use crate::log::Log;

pub(crate) const ORDER: &str = "ord_1";

pub(crate) type Client = OperationsServiceClient<Channel>;

pub(crate) struct World {
    pub(crate) order: Log,
    pub(crate) fulfillment: Log,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) options: Options,
    workers: Workers,
    pub(crate) channel: Channel,
}

/// Runs a test on every database.
pub(crate) async fn each<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    let test = &test;
    testkit::database::each(|options| async move {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(2_000_000_000_000)));
        let db = Db::open(&options, NAME, MIGRATIONS, clock.clone()).await.unwrap();
        let (order, fulfillment) = (Log::of("order"), Log::of("fulfillment"));
        let mut logs = vec![("order", order.channel()), ("fulfillment", fulfillment.channel())];
        let config = Config { timeline_poll_millis: 10, usage_days: 30, ..Config::default() };
        let workers = operations::workers(db.clone(), logs.clone(), &config);
        logs.push(("partner", Channel::connect("http://127.0.0.1:1").unwrap()));
        let server = operations::server(db.clone(), logs, &config, &mesh::Config::default()).unwrap();
        let channel = server.into_channel().unwrap();
        let world = World { order, fulfillment, clock, options, workers, channel };
        test(world).await;
        db.close().await;
    })
    .await;
}

impl World {
    /// A client of somebody with a role who sees some accounts.
    pub(crate) fn client(&self, role: Role, accounts: Accounts) -> Client {
        self.client_of(role.into(), accounts)
    }

    /// A client of somebody with some roles who sees some accounts.
    pub(crate) fn client_of(&self, roles: RoleSet, accounts: Accounts) -> Client {
        let names: Vec<_> = roles.iter().map(Role::as_str).collect();
        let subject = format!("a {}", names.join(" and "));
        let principal = Principal { kind: Kind::Person, subject, roles, accounts, partner: None };
        Client::new(self.channel.for_principal(&principal))
    }

    pub(crate) fn operator(&self) -> Client {
        self.client(Role::Operations, Accounts::All)
    }

    pub(crate) fn customer(&self, accounts: &[&str]) -> Client {
        let accounts = accounts.iter().map(|account| account.parse().unwrap()).collect();
        self.client(Role::Customer, Accounts::Only(accounts))
    }

    /// The database, opened once more.
    pub(crate) async fn database(&self) -> Db {
        Db::open(&self.options, NAME, MIGRATIONS, self.clock.clone()).await.unwrap()
    }

    /// Follows all logs to their heads.
    pub(crate) async fn drain(&self) {
        self.workers.drain().await.unwrap();
    }

    /// An order is placed by an account, at second 100.
    pub(crate) fn place(&self, order_id: &str, account_id: &str) {
        let order = Order { order_id: order_id.to_owned(), account_id: account_id.to_owned(), ..Order::default() };
        self.order.tell("order.submitted", order_id, 100, &OrderSubmitted { order: Some(order) });
    }

    /// The order service rejects an order, which is a fact with a text that can be told from others.
    pub(crate) fn reject(&self, order_id: &str, second: i64, reason: &str) {
        let fact = OrderRejected { order_id: order_id.to_owned(), reason: reason.to_owned() };
        self.order.tell("order.rejected", order_id, second, &fact);
    }

    pub(crate) fn open(&self, kind: &str, subject: &str, summary: &str) {
        let opened = ExceptionOpened {
            r#type: kind.to_owned(),
            subject: subject.to_owned(),
            order_id: ORDER.to_owned(),
            summary: summary.to_owned(),
            facts: HashMap::from([("node".to_owned(), summary.to_owned())]),
        };
        self.fulfillment.tell("exception.opened", ORDER, 100, &opened);
    }

    pub(crate) fn gone(&self, kind: &str, subject: &str, summary: &str) {
        let resolved = ExceptionResolved {
            r#type: kind.to_owned(),
            subject: subject.to_owned(),
            order_id: ORDER.to_owned(),
            summary: summary.to_owned(),
        };
        self.fulfillment.tell("exception.resolved", ORDER, 100, &resolved);
    }

    pub(crate) async fn cases(&self, request: ListExceptionsRequest) -> Vec<Exception> {
        self.operator().list_exceptions(request).await.unwrap().into_inner().exceptions
    }

    /// The only case there is.
    pub(crate) async fn the_case(&self) -> Exception {
        let mut cases = self.cases(ListExceptionsRequest::default()).await;
        assert_eq!(cases.len(), 1, "{cases:?}");
        cases.remove(0)
    }
}

pub(crate) fn timeline_of(order_id: &str) -> ListTimelineRequest {
    ListTimelineRequest { order_id: order_id.to_owned(), ..ListTimelineRequest::default() }
}

pub(crate) fn summaries(page: &ListTimelineResponse) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.summary.as_str()).collect()
}

/// What a refused caller is told.
pub(crate) fn fault<T: std::fmt::Debug>(outcome: Result<T, Status>) -> Fault {
    mesh::fault(&outcome.unwrap_err())
}

/// The fields a refused request has wrong.
pub(crate) fn wrong_fields<T: std::fmt::Debug>(outcome: Result<T, Status>) -> Vec<String> {
    fault(outcome).violations.into_iter().map(|violation| violation.field).collect()
}
