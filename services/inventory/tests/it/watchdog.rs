//! Reservations that lost their end get it again, and so do receipts.

use std::time::Duration;

use proto::inventory::v1::ReserveRequest;
use testkit::{database::tamper, each};

use crate::{
    supply_dates::{expected, in_days, schedule},
    world::{HERE, World, requested, units},
};

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

#[tokio::test]
async fn a_receipt_without_its_task_is_overdue_all_the_same() {
    each(World::open, async |world| {
        world.reserve("ord_1", &[(1, "A", 3)]).await;
        schedule(&world, "PO-1", HERE, 3, in_days(&world, 1)).await;
        assert_eq!(world.workers.look().await, Ok(0));
        assert_eq!(tamper(&world.options.url, "DELETE FROM tasks RETURNING key").await, 1);
        world.clock.advance(Duration::from_secs(24 * 60 * 60 + 600));
        assert_eq!(world.workers.look().await, Ok(0), "its task may still be on its way");
        world.clock.advance(Duration::from_secs(1));
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)));
        world.drain().await;
        assert_eq!(expected(&world, "ord_1").await, None);
        assert_eq!(world.workers.look().await, Ok(0));
    })
    .await;
}
