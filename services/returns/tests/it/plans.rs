//! Lists cost as much as they show, however many returns were closed.

use mesh::Role;
use proto::returns::v1::{ListReturnsRequest, ReturnState};
use testkit::{customer, each, plans::Plans, staff};

use crate::world::World;

/// Of 4,000 returns two are authorized.
const RETURNS: &str = "INSERT INTO returns SELECT 'rma_' || (100000 + i), 'ord_' || i, 'acc_' || (i % 3), \
    CASE WHEN i % 4000 < 2 THEN 'AUTHORIZED' ELSE 'CLOSED' END, '', 'nod_a', NULL, 'EUR', 'PROPOSED', i, i, NULL, 0, 1 FROM n";

#[tokio::test]
async fn returns_are_listed_without_reading_those_that_are_closed() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[RETURNS]).await;
        let open = vec![ReturnState::Authorized.into(), ReturnState::PartiallyReceived.into()];
        for principal in [staff(Role::CustomerService), customer(&["acc_1"]), customer(&["acc_1", "acc_2"])] {
            for states in [Vec::new(), open.clone()] {
                for (order_id, account_id) in [("", ""), ("ord_777", ""), ("", "acc_1")] {
                    let request = ListReturnsRequest {
                        order_id: order_id.to_owned(),
                        account_id: account_id.to_owned(),
                        states: states.clone(),
                        page_size: 10,
                        ..Default::default()
                    };
                    let what = format!("{request:?} of {principal}");
                    let page = world.client_of(&principal).list_returns(request.clone()).await.unwrap().into_inner();
                    plans.check(&what).await;
                    if !page.next_page_token.is_empty() {
                        let next = ListReturnsRequest { page_token: page.next_page_token, ..request };
                        world.client_of(&principal).list_returns(next).await.unwrap();
                        plans.check(&format!("the next page of {what}")).await;
                    }
                }
            }
        }
        world.workers.look().await.unwrap();
        plans.check("looking for what is stranded").await;
    })
    .await;
}
