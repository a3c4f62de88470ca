//! Lists cost as much as they show, however many exceptions were closed.

use proto::operations::v1::{ExceptionState, ListExceptionsRequest, ListTimelineRequest, SummarizeExceptionsRequest};
use testkit::{each, plans::Plans};

use crate::world::World;

/// Of 4,000 exceptions two are open and one was dismissed.
const EXCEPTIONS: &str = "INSERT INTO exceptions (exception_id, exception_type, subject, order_id, source, state, report, assignee, \
    resolution, occurrences, due_time, open_time, close_time, version) \
    SELECT 'exc_' || (100000 + i), CASE WHEN i % 2 = 0 THEN 'OVER_SHIPPED' ELSE 'UNASSIGNED' END, 'S' || i, 'ord_' || i, 'order', \
    CASE WHEN i % 4000 < 2 THEN 'OPEN' WHEN i % 4000 = 2 THEN 'DISMISSED' ELSE 'AUTO_RESOLVED' END, EMPTY_BYTES, '', '', 1, i, i, \
    CASE WHEN i % 4000 < 2 THEN NULL ELSE i END, 1 FROM n";
const TIMELINE: &str =
    "INSERT INTO timeline SELECT 'order', i, i, 'ord_' || (i / 10), i, 'CUSTOMER', EMPTY_BYTES, 1 FROM n";
const ORDERS: &str = "INSERT INTO orders SELECT 'ord_' || i, 'acc_1', 1 FROM n";

#[tokio::test]
async fn exceptions_and_timelines_are_read_without_those_of_the_past() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[EXCEPTIONS, TIMELINE, ORDERS]).await;
        let open = vec![ExceptionState::Open.into(), ExceptionState::Assigned.into()];
        let dismissed = vec![ExceptionState::Dismissed.into()];
        for exception_type in ["", "OVER_SHIPPED"] {
            for states in [Vec::new(), open.clone(), dismissed.clone()] {
                for order_id in ["", "ord_777"] {
                    let request = ListExceptionsRequest {
                        r#type: exception_type.to_owned(),
                        states: states.clone(),
                        order_id: order_id.to_owned(),
                        page_size: 10,
                        ..Default::default()
                    };
                    let what = format!("{request:?}");
                    let page = world.operator().list_exceptions(request.clone()).await.unwrap().into_inner();
                    plans.check(&what).await;
                    if !page.next_page_token.is_empty() {
                        let next = ListExceptionsRequest { page_token: page.next_page_token, ..request };
                        world.operator().list_exceptions(next).await.unwrap();
                        plans.check(&format!("the next page of {what}")).await;
                    }
                }
            }
        }
        world.operator().summarize_exceptions(SummarizeExceptionsRequest::default()).await.unwrap();
        plans.check("a summary of exceptions").await;
        let request = ListTimelineRequest { order_id: "ord_777".to_owned(), ..Default::default() };
        world.customer(&["acc_1"]).list_timeline(request).await.unwrap();
        plans.check("a timeline").await;
    })
    .await;
}
