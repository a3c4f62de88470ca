//! Reservations that lost their end get it again.

use std::time::Duration;

use proto::inventory::v1::ReserveRequest;
use testkit::{database::tamper, each};

use crate::world::{HERE, World, requested, units};

#[tokio::test]
async fn a_reservation_without_its_expiry_task_ends_all_the_same() {
    each(World::open, async |world| {
        world.receive("A", HERE, 3).await;
        let expire_after = Some(mesh::wire::duration(Duration::from_secs(60)));
        let request = ReserveRequest { expire_after, ..requested("ord_1", &[(1, "A", 3)]) };
        world.client.clone().reserve(request).await.unwrap();
        assert_eq!(world.workers.look().await, Ok(0));
        assert_eq!(tamper(&world.options.url, "DELETE FROM tasks RETURNING key").await, 1);
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)));
        world.clock.advance(Duration::from_secs(61));
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 0, 0, 3));
        assert_eq!(world.workers.look().await, Ok(0));
    })
    .await;
}
