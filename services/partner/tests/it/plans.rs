//! Lists cost as much as they show, however many messages were exchanged.

use mesh::Role;
use proto::partner::v1::{ListMessagesRequest, MessageDirection, MessageState};
use testkit::{each, partner, plans::Plans, staff};

use crate::world::World;

/// Of 4,000 messages one is to be sent, and one to be applied.
const MESSAGES: &str = "INSERT INTO messages (message_id, partner_id, direction, control_number, message_type, state, subject, \
    order_id, outcome, recorded_as, content_type, content_hash, attempts, duplicates, replays, parts, arrival, create_time, update_time, version) \
    SELECT 'msg_' || (100000 + i), 'par_' || (i / 2 % 2), CASE WHEN i % 2 = 0 THEN 'OUT' ELSE 'IN' END, 'C' || i, 'report', \
    CASE WHEN i % 4000 = 0 THEN 'PENDING' WHEN i % 4000 = 1 THEN 'RECEIVED' WHEN i % 2 = 0 THEN 'ACKNOWLEDGED' \
    ELSE 'APPLIED' END, 'S' || i, 'ord_' || (i / 20), '', '', '', '', 0, 0, 0, 0, 'IMPOSSIBLE', i, i, 1 FROM n";

#[tokio::test]
async fn a_partner_reads_the_messages_it_asks_for_and_not_its_history() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[MESSAGES]).await;
        let all = || ListMessagesRequest { page_size: 10, ..Default::default() };
        let waiting = vec![MessageState::Pending.into(), MessageState::InDoubt.into()];
        let out = MessageDirection::Out.into();
        let requests = [
            all(),
            ListMessagesRequest { direction: out, ..all() },
            ListMessagesRequest { direction: out, states: waiting.clone(), ..all() },
            ListMessagesRequest { states: vec![MessageState::Quarantined.into()], ..all() },
            ListMessagesRequest { order_id: "ord_77".to_owned(), ..all() },
            ListMessagesRequest { order_id: "ord_77".to_owned(), direction: out, states: waiting, ..all() },
            ListMessagesRequest { control_number: "C777".to_owned(), direction: out, ..all() },
        ];
        for principal in [staff(Role::Operations), partner("par_0")] {
            for partner_id in ["", "par_0"] {
                for request in &requests {
                    let request = ListMessagesRequest { partner_id: partner_id.to_owned(), ..request.clone() };
                    let what = format!("{request:?} of {principal}");
                    let page = world.client_of(&principal).list_messages(request.clone()).await.unwrap().into_inner();
                    plans.check(&what).await;
                    if !page.next_page_token.is_empty() {
                        let next = ListMessagesRequest { page_token: page.next_page_token, ..request };
                        world.client_of(&principal).list_messages(next).await.unwrap();
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
