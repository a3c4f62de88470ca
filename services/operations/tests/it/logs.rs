use std::time::Duration;

use mesh::Role;
use proto::operations::v1::{ListFollowedRequest, LogVerification, VerifyLogsRequest};
use testkit::{Verification, each, reason, staff, time::Stopped};
use tonic::Request;
use types::Reason;

use crate::world::{Client, ORDER, World};

/// Longer than any machine takes.
const LONG: Duration = Duration::from_secs(600);

async fn verify(world: &World, within: Duration) -> Vec<LogVerification> {
    let mut request = Request::new(VerifyLogsRequest {});
    request.set_timeout(within);
    world.operator().verify_logs(request).await.unwrap().into_inner().logs
}

fn of<'a>(logs: &'a [LogVerification], source: &str) -> &'a LogVerification {
    logs.iter().find(|log| log.source == source).unwrap()
}

#[tokio::test]
async fn a_tampered_log_and_a_service_that_is_down_are_reported_beside_the_others() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.fulfillment.set_verification(Verification::TamperedAt(1));
        let logs = verify(&world, LONG).await;
        let sources: Vec<&str> = logs.iter().map(|log| log.source.as_str()).collect();
        assert_eq!(sources, ["order", "fulfillment", "partner", "operations"]);

        let whole = of(&logs, "order");
        assert_eq!(whole.problem, "");
        assert_eq!(whole.verification.as_ref().unwrap().checked_count, 1);
        assert_eq!(whole.verification.as_ref().unwrap().first_bad_position, 0);

        let tampered = of(&logs, "fulfillment").verification.as_ref().unwrap();
        assert_eq!(tampered.first_bad_position, 1);
        assert!(tampered.problem.contains("hash"));

        let down = of(&logs, "partner");
        assert_eq!(down.problem, "the service waybill.event.v1.EventService cannot be reached");
        assert_eq!(down.verification, None);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_does_not_hold_up_the_others() {
    each(World::open, async |world| {
        world.order.set_verification(Verification::Hangs);
        let clock = Stopped::new();
        let time_passes = async {
            tokio::join!(world.order.verification_requested(), world.fulfillment.verification_requested());
            // The rest is reserved for the answer.
            clock.pass(LONG - Duration::from_millis(250)).await;
        };
        let (logs, ()) = tokio::join!(verify(&world, LONG), time_passes);
        drop(clock);
        assert_eq!(of(&logs, "order").problem, "the service did not answer in time");
        assert_eq!(of(&logs, "fulfillment").problem, "");
    })
    .await;
}

#[tokio::test]
async fn the_service_checks_its_own_log_too() {
    each(World::open, async |world| {
        world.open_exception("UNASSIGNED", ORDER, "no node");
        world.drain().await;
        let exception_id = world.the_exception().await.exception_id;
        let request = proto::operations::v1::AssignExceptionRequest {
            exception_id,
            assignee: "Ann".to_owned(),
            ..Default::default()
        };
        world.operator().assign_exception(request).await.unwrap();
        let logs = verify(&world, LONG).await;
        let own = of(&logs, "operations").verification.as_ref().unwrap();
        assert_eq!((own.checked_count, own.head_position, own.first_bad_position), (2, 2, 0));
        assert_eq!(own.head_hash.len(), 64);
    })
    .await;
}

#[tokio::test]
async fn the_position_followed_to_is_listed_for_each_log() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.reject(ORDER, 200, "no stock");
        world.drain().await;
        world.reject(ORDER, 200, "not followed yet");
        let followed = Client::new(world.channel.for_principal(&staff(Role::Application)))
            .list_followed(ListFollowedRequest {})
            .await;
        let followed: Vec<_> = followed
            .unwrap()
            .into_inner()
            .logs
            .into_iter()
            .map(|log| (log.source, log.position, log.head_position))
            .collect();
        let log = |source: &str, position, head| (source.to_owned(), position, head);
        let expected = [log("order", 2, 3), log("fulfillment", 0, 0), log("partner", 0, 0), log("operations", 0, 0)];
        assert_eq!(followed, expected);
    })
    .await;
}

#[tokio::test]
async fn a_customer_sees_neither_logs_nor_exceptions() {
    each(World::open, async |world| {
        let mut customer = world.customer(&["acc_1"]);
        let refused = [
            reason(customer.verify_logs(VerifyLogsRequest {}).await),
            reason(customer.list_followed(ListFollowedRequest {}).await),
            reason(customer.list_exceptions(proto::operations::v1::ListExceptionsRequest::default()).await),
        ];
        assert!(refused.iter().all(|reason| *reason == Reason::PermissionDenied), "{refused:?}");
    })
    .await;
}
