//! Nodes that accept another destination after the request has ended, or give units up then.

use std::time::Duration;

use proto::fulfillment::v1::ShipToChangeAnswer;
use testkit::each;

use super::{accepted, assert_quiet, goes_to, settles};
use crate::world::{ORDER, address, pick};

#[tokio::test]
async fn an_acceptance_of_an_earlier_change_counts_while_a_later_one_is_not_answered() {
    each(accepted, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.change_ship_to(2, address("Shop", "DE")).await;
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(goes_to(order.ship_to.as_ref()), "Branch");
        assert_eq!(order.ship_to_change.unwrap().change_number, 2);
        assert_eq!(world.settled().await[1..], [settles(1, 5, 0, "")]);
        world.answer_ship_to(2, ShipToChangeAnswer::Rejected).await.unwrap();
        assert_eq!(goes_to(world.fulfillment_order(ORDER).await.ship_to.as_ref()), "Branch");
        assert_eq!(world.settled().await[2..], [settles(2, 0, 5, "the truck is loaded")]);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_does_not_answer_keeps_the_old_address_and_may_accept_late() {
    each(accepted, async |world| {
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.clock.advance(Duration::from_secs(24 * 60 * 60));
        world.drain().await;
        assert_eq!(world.fulfillment_order(ORDER).await.ship_to_change, None);
        assert_eq!(world.settled().await, [settles(1, 0, 5, "the node did not answer in time")]);
        world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        assert_eq!(goes_to(world.fulfillment_order(ORDER).await.ship_to.as_ref()), "Branch");
        assert_eq!(world.settled().await[1..], [settles(1, 5, 0, "")]);
        assert_quiet(&world).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_node_gives_up_after_it_declined_goes_to_the_old_address_and_to_the_new_one_after_it_accepted_late() {
    each(accepted, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        let order = world.fulfillment_order(ORDER).await;
        world.change_ship_to(1, address("Branch", "DE")).await;
        world.answer_ship_to(1, ShipToChangeAnswer::Rejected).await.unwrap();
        for (name, at) in [("Depot", 1), ("Branch", 2)] {
            world.clock.advance(Duration::from_secs(1));
            world.record_pick(pick(&order, 0, 1)).await;
            world.drain().await;
            let orders = world.fulfillment_orders(ORDER).await;
            assert_eq!((goes_to(orders[at].ship_to.as_ref()), orders.len()), (name, at + 1));
            world.answer_ship_to(1, ShipToChangeAnswer::Accepted).await.unwrap();
        }
        assert_eq!(goes_to(world.fulfillment_orders(ORDER).await[0].ship_to.as_ref()), "Branch");
    })
    .await;
}
