//! Returns that nobody ends are reported once, until they go on.

use std::time::Duration;

use testkit::each;

use crate::world::World;

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn goods_that_never_come_and_goods_that_nobody_inspects_open_an_exception_until_the_return_goes_on() {
    each(World::delivered, async |world| {
        let rma = world.authorize(&[(1, 4)]).await.unwrap();
        let open = async || world.events().await.open_exceptions();
        let overdue = vec![("RETURN_OVERDUE".to_owned(), rma.return_id.clone())];
        let look = async || {
            assert_eq!(world.workers.look().await, Ok(0), "nothing was lost");
        };

        world.clock.advance(DAY * 30);
        look().await;
        assert!(open().await.is_empty());
        world.clock.advance(DAY);
        look().await;
        look().await;
        assert_eq!(open().await, overdue);
        assert_eq!(world.events().await.opened_exceptions().len(), 1);

        world.receive(&rma, &[(1, 4)]).await.unwrap();
        assert!(open().await.is_empty());
        world.clock.advance(DAY * 4);
        look().await;
        assert_eq!(open().await, overdue);
    })
    .await;
}
