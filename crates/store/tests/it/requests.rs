//! Repeated requests.

use std::time::Duration;

use store::Call;
use testkit::database::{each, tamper};
use types::Reason;

use crate::stock::{Receive, Reserve, call, clock, open_at, open_with, reserved};

fn request(id: &str, body: i64) -> Call {
    call().request(id, &body)
}

#[tokio::test]
async fn a_repeated_request_answers_what_the_first_answered() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        assert_eq!(db.run(request("one", 1), Reserve::new("A", "r", 1)).await, Ok(1));
        assert_eq!(db.run(request("two", 1), Reserve::new("A", "s", 1)).await, Ok(2));
        assert_eq!(db.run(request("one", 1), Reserve::new("A", "r", 1)).await, Ok(1));
        assert_eq!(reserved(&db).await, (2, 2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_request_repeated_within_a_batch_takes_effect_once() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        let (one, again) = tokio::join!(
            db.run(request("one", 1), Reserve::new("A", "r", 1)),
            db.run(request("one", 1), Reserve::new("A", "r", 1)),
        );
        assert_eq!((one, again), (Ok(1), Ok(1)));
        assert_eq!(reserved(&db).await, (1, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_request_id_is_not_used_for_another_request() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        db.run(request("one", 1), Reserve::new("A", "r", 1)).await.unwrap();
        let other_body = db.run(request("one", 2), Reserve::new("A", "r", 2)).await;
        let other_command = db.run(request("one", 1), Receive { sku: "A".to_owned(), quantity: 1 }).await;
        for refused in [other_body, other_command] {
            assert_eq!(refused.map_err(|fault| fault.reason), Err(Reason::RequestIdReused));
        }
        let other_actor = Call { actor: types::Actor::service("another"), ..request("one", 2) };
        assert_eq!(db.run(other_actor, Reserve::new("A", "s", 2)).await, Ok(2));
        assert_eq!(reserved(&db).await, (3, 3, 2));
    })
    .await;
}

#[tokio::test]
async fn a_refused_request_may_be_tried_again_under_its_id() {
    each(|options| async move {
        let db = open_with(&options, 1).await;
        assert!(db.run(request("one", 5), Reserve::new("A", "r", 5)).await.is_err());
        db.run(call(), Receive { sku: "A".to_owned(), quantity: 4 }).await.unwrap();
        assert_eq!(db.run(request("one", 5), Reserve::new("A", "r", 5)).await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn answers_are_dropped_after_their_retention() {
    each(|options| async move {
        let clock = clock();
        let db = open_at(&options, clock.clone()).await;
        db.run(request("one", 1), Receive { sku: "A".to_owned(), quantity: 1 }).await.unwrap();
        clock.advance(options.request_retention);
        assert_eq!(db.purge_requests().await, Ok(0));
        clock.advance(Duration::from_secs(1));
        assert_eq!(db.purge_requests().await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn however_many_answers_are_past_their_retention_all_are_dropped() {
    each(|options| async move {
        let db = open_at(&options, clock()).await;
        let old = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
                   INSERT INTO requests SELECT 'ann', 'r' || i, '', '', CAST('' AS BYTEA), i FROM n";
        tamper(&options.url, old).await;
        assert_eq!(db.purge_requests().await, Ok(2_500));
    })
    .await;
}
