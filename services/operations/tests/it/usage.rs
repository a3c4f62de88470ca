use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use mesh::{Channel, Principal, Role};
use proto::{
    event::v1::{ListEventsRequest, event_service_client::EventServiceClient},
    operations::v1::{
        CallOutcome, CountedCalls, ListUsageRequest, ListUsageResponse, MethodUsage, RecordUsageRequest,
        RecordUsageResponse,
        usage_service_client::UsageServiceClient,
        usage_service_server::{UsageService, UsageServiceServer},
    },
};
use testkit::{each, peer, reason, staff, wrong_fields};
use tonic::{Request, Response, Status};
use types::{Clock, Reason, Timestamp};
use waybill_operations::UsageReporter;

use crate::world::World;

const DAY: Duration = Duration::from_secs(86_400);
const LIST_ORDERS: &str = "waybill.order.v1.OrderService.ListOrders";
const GET_ORDER: &str = "waybill.order.v1.OrderService.GetOrder";

fn service(world: &World) -> UsageServiceClient<Channel> {
    UsageServiceClient::new(world.channel.for_principal(&Principal::service("order")))
}

fn counted(client: &str, method: &str, calls: i64, last_seen: Timestamp) -> CountedCalls {
    CountedCalls {
        client: client.to_owned(),
        method: method.to_owned(),
        outcome: CallOutcome::Answered.into(),
        calls,
        last_seen_time: Some(mesh::wire::timestamp(last_seen)),
    }
}

async fn record(world: &World, request_id: &str, counts: Vec<CountedCalls>) {
    let request = RecordUsageRequest { request_id: request_id.to_owned(), member: "order".to_owned(), counts };
    service(world).record_usage(request).await.unwrap();
}

async fn page(world: &World, request: ListUsageRequest) -> ListUsageResponse {
    let mut client = UsageServiceClient::new(world.channel.for_principal(&staff(Role::Operations)));
    client.list_usage(request).await.unwrap().into_inner()
}

async fn list(world: &World, request: ListUsageRequest) -> Vec<MethodUsage> {
    page(world, request).await.usage
}

fn brief(usage: &[MethodUsage]) -> Vec<(&str, &str, i64)> {
    usage.iter().map(|it| (it.method.as_str(), it.client.as_str(), it.calls)).collect()
}

#[tokio::test]
async fn a_repeated_report_is_counted_once_and_another_is_counted_too() {
    each(World::open, async |world| {
        let now = world.clock.now();
        for _ in 0..3 {
            record(&world, "run:1", vec![counted("person:ann", GET_ORDER, 5, now)]).await;
        }
        record(&world, "run:2", vec![counted("person:ann", GET_ORDER, 2, now)]).await;
        let usage = list(&world, ListUsageRequest::default()).await;
        assert_eq!(brief(&usage), [(GET_ORDER, "person:ann", 7)]);
        assert_eq!(usage[0].last_seen_time, Some(mesh::wire::timestamp(now)));
        assert_eq!((usage[0].outcome(), usage[0].deprecated), (CallOutcome::Answered, false));
        let days: Vec<_> = usage[0].days.iter().map(|day| (day.day.as_str(), day.calls)).collect();
        assert_eq!(days, [("1970-01-24", 7)]);

        let other = RecordUsageRequest {
            request_id: "run:1".to_owned(),
            member: "order".to_owned(),
            counts: vec![counted("person:ann", GET_ORDER, 6, now)],
        };
        assert_eq!(reason(service(&world).record_usage(other).await), Reason::RequestIdReused);
    })
    .await;
}

#[tokio::test]
async fn usage_is_listed_by_method_client_outcome_and_days() {
    each(World::open, async |world| {
        let first = world.clock.now();
        record(
            &world,
            "1",
            vec![counted("person:ann", LIST_ORDERS, 1, first), counted("partner:p", GET_ORDER, 2, first)],
        )
        .await;
        world.clock.advance(DAY * 2);
        let now = world.clock.now();
        let refused =
            CountedCalls { outcome: CallOutcome::Refused.into(), ..counted("person:ann", LIST_ORDERS, 8, now) };
        record(&world, "2", vec![counted("person:ann", LIST_ORDERS, 4, now), refused]).await;

        let all = list(&world, ListUsageRequest::default()).await;
        let expected = [(GET_ORDER, "partner:p", 2), (LIST_ORDERS, "person:ann", 5), (LIST_ORDERS, "person:ann", 8)];
        assert_eq!(brief(&all), expected);
        let of_method = ListUsageRequest { method: LIST_ORDERS.to_owned(), ..Default::default() };
        assert_eq!(list(&world, of_method.clone()).await, all[1..]);
        let of_client = ListUsageRequest { client: "partner:p".to_owned(), ..Default::default() };
        assert_eq!(list(&world, of_client).await, all[..1]);
        let (first_day, second_day) = ("1970-01-24".to_owned(), "1970-01-25".to_owned());
        let of_days = ListUsageRequest { to_day: first_day.clone(), ..of_method.clone() };
        assert_eq!(brief(&list(&world, of_days).await), [(LIST_ORDERS, "person:ann", 1)]);
        // Between two days with calls, and after all of them.
        let gap = ListUsageRequest { from_day: second_day.clone(), to_day: second_day.clone(), ..of_method.clone() };
        assert_eq!(list(&world, gap).await, []);
        let later = ListUsageRequest { from_day: "1970-01-27".to_owned(), ..of_method };
        assert_eq!(list(&world, later).await, []);
        // No method of the present contracts is deprecated.
        assert_eq!(list(&world, ListUsageRequest { deprecated_only: true, ..Default::default() }).await, []);
    })
    .await;
}

#[tokio::test]
async fn usage_is_read_in_pages() {
    each(World::open, async |world| {
        let now = world.clock.now();
        let counts = (0..5).map(|number| counted(&format!("person:{number}"), GET_ORDER, 1, now)).collect();
        record(&world, "1", counts).await;
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = ListUsageRequest { page_size: 2, page_token: token, ..Default::default() };
            let page = page(&world, request).await;
            seen.extend(page.usage.into_iter().map(|it| it.client));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, ["person:0", "person:1", "person:2", "person:3", "person:4"]);
    })
    .await;
}

#[tokio::test]
async fn days_past_their_retention_are_dropped_with_the_client_and_the_method() {
    each(World::open, async |world| {
        let begin = world.clock.now();
        // More rows than one step of the purge reads.
        let gone = (0..250).map(|number| counted(&format!("person:{number}"), GET_ORDER, 1, begin)).collect();
        record(&world, "1", gone).await;
        record(&world, "2", vec![counted("person:ann", GET_ORDER, 1, begin)]).await;
        for day in 0..31 {
            world.clock.advance(DAY);
            if day == 20 {
                record(&world, "3", vec![counted("person:ann", GET_ORDER, 3, world.clock.now())]).await;
            }
            world.drain().await;
        }
        let left = list(&world, ListUsageRequest::default()).await;
        assert_eq!(brief(&left), [(GET_ORDER, "person:ann", 3)]);
        let rows = world.db.rows("SELECT client, days FROM usages WHERE days <> '' OR client <> ''", Vec::new()).await;
        let rows: Vec<(String, String)> =
            rows.unwrap().iter().map(|row| (row.at(0).unwrap(), row.at(1).unwrap())).collect();
        assert_eq!(rows, [("person:ann".to_owned(), "44:3".to_owned())]);

        // A client that calls again is listed again; a late report of a day past its retention is not recorded.
        record(&world, "4", vec![counted("person:7", GET_ORDER, 2, world.clock.now())]).await;
        record(&world, "5", vec![counted("person:8", GET_ORDER, 2, begin)]).await;
        let left = list(&world, ListUsageRequest::default()).await;
        assert_eq!(brief(&left), [(GET_ORDER, "person:7", 2), (GET_ORDER, "person:ann", 3)]);
    })
    .await;
}

#[tokio::test]
async fn every_wrong_field_of_a_report_and_of_a_list_is_named() {
    each(World::open, async |world| {
        let wrong = CountedCalls { client: "a\nb".to_owned(), ..CountedCalls::default() };
        let report = RecordUsageRequest { counts: vec![wrong], ..RecordUsageRequest::default() };
        let expected = [
            "request_id",
            "member",
            "counts[0].client",
            "counts[0].method",
            "counts[0].outcome",
            "counts[0].last_seen_time",
            "counts[0].calls",
        ];
        assert_eq!(wrong_fields(service(&world).record_usage(report).await), expected);
        let many = RecordUsageRequest {
            request_id: "1".to_owned(),
            member: "order".to_owned(),
            counts: vec![CountedCalls::default(); 1_001],
        };
        assert_eq!(wrong_fields(service(&world).record_usage(many).await), ["counts"]);

        let mut operator = UsageServiceClient::new(world.channel.clone());
        let list = ListUsageRequest {
            client: "x".repeat(301),
            from_day: "yesterday".to_owned(),
            to_day: "1970-02-30".to_owned(),
            ..ListUsageRequest::default()
        };
        assert_eq!(wrong_fields(operator.list_usage(list).await), ["client", "from_day", "to_day"]);
        let backwards = ListUsageRequest {
            from_day: "1970-01-02".to_owned(),
            to_day: "1970-01-01".to_owned(),
            ..ListUsageRequest::default()
        };
        assert_eq!(wrong_fields(operator.list_usage(backwards).await), ["to_day"]);
        let customer = Principal { roles: Role::Customer.into(), ..Principal::anonymous() };
        let mut customer = UsageServiceClient::new(world.channel.for_principal(&customer));
        let refused = customer.list_usage(ListUsageRequest::default()).await;
        assert_eq!(reason(refused), Reason::PermissionDenied);
    })
    .await;
}

/// The usage service behind a network that loses some of its answers.
struct Lossy {
    usage: UsageServiceClient<Channel>,
    lost: AtomicUsize,
}

#[tonic::async_trait]
impl UsageService for Lossy {
    async fn record_usage(
        &self,
        request: Request<RecordUsageRequest>,
    ) -> Result<Response<RecordUsageResponse>, Status> {
        let answer = self.usage.clone().record_usage(request.into_inner()).await;
        match self.lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |lost| lost.checked_sub(1)) {
            Ok(_) => Err(Status::unavailable("lost")),
            Err(_) => answer,
        }
    }

    async fn list_usage(&self, _: Request<ListUsageRequest>) -> Result<Response<ListUsageResponse>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }
}

#[tokio::test]
async fn the_counts_of_a_member_are_added_once_also_when_answers_are_lost() {
    each(World::open, async |world| {
        let member = world.order.server();
        let usage = member.usage();
        let erp = Principal {
            kind: mesh::Kind::Application,
            subject: "erp".to_owned(),
            roles: Role::Application.into(),
            ..Principal::anonymous()
        };
        let mut client = EventServiceClient::new(member.into_channel().unwrap().for_principal(&erp));
        let lossy = Lossy { usage: service(&world), lost: AtomicUsize::new(2) };
        let operations = peer("operations").add_service(UsageServiceServer::new(lossy)).into_channel().unwrap();
        let reporter = UsageReporter::new("order", usage, &operations);
        for _ in 0..4 {
            client.list_events(ListEventsRequest::default()).await.unwrap();
            reporter.flush().await;
        }
        reporter.flush().await;
        let listed = list(&world, ListUsageRequest::default()).await;
        assert_eq!(brief(&listed), [("waybill.event.v1.EventService.ListEvents", "application:erp", 4)]);
    })
    .await;
}
