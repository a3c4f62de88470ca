use std::time::Duration;

use proto::operations::v1::{FollowTimelineRequest, FollowTimelineResponse};
use testkit::{each, reason, wrong_fields};
use tonic::Streaming;
use types::Reason;

use crate::world::{Client, ORDER, World};

fn from(token: &str) -> FollowTimelineRequest {
    FollowTimelineRequest { order_id: ORDER.to_owned(), resume_token: token.to_owned() }
}

async fn follow(mut client: Client, token: &str) -> Streaming<FollowTimelineResponse> {
    client.follow_timeline(from(token)).await.unwrap().into_inner()
}

/// The next entry's number and token. The limit only keeps a test that fails from hanging.
async fn next(stream: &mut Streaming<FollowTimelineResponse>) -> (i64, String) {
    let message = tokio::time::timeout(Duration::from_secs(300), stream.message()).await.expect("an entry in time");
    let message = message.unwrap().expect("the stream goes on");
    (message.entry.unwrap().entry_number, message.resume_token)
}

#[tokio::test]
async fn a_follower_gets_the_entries_there_are_then_new_ones() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.reject(ORDER, 300, "later");
        world.drain().await;
        let mut stream = follow(world.customer(&["acc_1"]), "").await;
        // A customer's token counts what it has seen of its order; numbers that count over all orders are not shown.
        assert_eq!(next(&mut stream).await, (0, "c1".to_owned()));
        assert_eq!(next(&mut stream).await, (0, "c2".to_owned()));

        // It occurred before the known events, but became known after them.
        world.reject(ORDER, 200, "earlier");
        world.reject("ord_2", 200, "of another order");
        world.drain().await;
        assert_eq!(next(&mut stream).await, (0, "c3".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn following_resumes_after_the_token_without_gap_or_repeat() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        for second in 0..300 {
            world.reject(ORDER, 500 - second, "again");
        }
        world.drain().await;
        let (mut seen, mut token) = (Vec::new(), String::new());
        // Cut off again and again, and resumed.
        for piece in [1, 120, 0, 100, 80] {
            let mut stream = follow(world.operator(), &token).await;
            for _ in 0..piece {
                let (number, resume) = next(&mut stream).await;
                seen.push(number);
                token = resume;
            }
        }
        assert_eq!(seen, (1..=301).collect::<Vec<_>>());
        let mut stream = follow(world.operator(), &token).await;
        world.reject(ORDER, 1, "new");
        world.drain().await;
        assert_eq!(next(&mut stream).await.0, 302);
    })
    .await;
}

#[tokio::test]
async fn an_order_of_another_account_cannot_be_followed() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.drain().await;
        let refused = world.customer(&["acc_2"]).follow_timeline(from("")).await;
        assert_eq!(reason(refused), Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn an_invalid_token_is_refused() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.drain().await;
        for token in ["x", "1", "s0", "s-1", "s99999999999999999999", "s2", "c1"] {
            assert_eq!(wrong_fields(world.operator().follow_timeline(from(token)).await), ["resume_token"]);
        }
        let request = FollowTimelineRequest::default();
        assert_eq!(wrong_fields(world.operator().follow_timeline(request).await), ["order_id"]);
    })
    .await;
}
