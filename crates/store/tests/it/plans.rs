//! What the store does by itself costs as much as there is to do, however long the history is.

use std::sync::Arc;

use async_trait::async_trait;
use proto::event::v1::{ListEventsRequest, event_service_server::EventService as _};
use store::{AnyCommand, EventApi, Fault, Task, TaskHandler, TaskRunner};
use testkit::{database::each, plans::Plans};
use tonic::Request;

use crate::stock::{clock, open_at};

/// Of 4,000 events one is of the type `a` and one of the type `b`.
const EVENTS: &str = "INSERT INTO events SELECT i, 'evt_' || i, \
    CASE i % 4000 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'c' END, '', 'ord_' || (i / 10), i, i, EMPTY_BYTES, '' FROM n";
const HEAD: &str = "UPDATE log_head SET position = (SELECT MAX(i) FROM n)";
/// One is due.
const TASKS: &str = "INSERT INTO tasks SELECT 'expire', 'k' || i, \
    CASE WHEN i = 1 THEN 0 ELSE 4000000000000000 END, EMPTY_BYTES, '', NULL, NULL, 0, 0, 0, 0, '', 0 FROM n";
/// One is past its retention.
const REQUESTS: &str = "INSERT INTO requests SELECT 'ann', 'r' || i, '', '', EMPTY_BYTES, \
    CASE WHEN i = 1 THEN 0 ELSE 4000000000000000 END FROM n";

struct Expire;

#[async_trait]
impl TaskHandler for Expire {
    fn kind(&self) -> &'static str {
        "expire"
    }

    async fn run(&self, _: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn tasks_that_are_not_due_and_answers_that_are_kept_are_not_read() {
    each(|options| async move {
        let db = open_at(&options, clock()).await;
        let mut plans = Plans::over(&options, &db, &[TASKS, REQUESTS]).await;
        let handler: Arc<dyn TaskHandler> = Arc::new(Expire);
        assert_eq!(TaskRunner::new(db.clone(), [handler]).drain().await, Ok(1));
        plans.check("claiming tasks").await;
        assert_eq!(db.purge_requests().await, Ok(1));
        plans.check("dropping kept answers").await;
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn events_are_listed_without_reading_those_of_other_types_and_orders() {
    each(|options| async move {
        let db = open_at(&options, clock()).await;
        let mut plans = Plans::over(&options, &db, &[EVENTS, HEAD]).await;
        for (types, correlation_id) in [
            (&[][..], ""),
            (&["a"], ""),
            (&["a", "b"], ""),
            (&["b", "c"], ""),
            (&["a", "b"], "ord_77"),
            (&[], "ord_77"),
        ] {
            let request = ListEventsRequest {
                types: types.iter().map(|name| (*name).to_owned()).collect(),
                correlation_id: correlation_id.to_owned(),
                page_size: 10,
                ..Default::default()
            };
            let what = format!("{request:?}");
            let expected = if correlation_id.is_empty() || types.is_empty() { 10 } else { 0 };
            let listed =
                EventApi::new(db.clone()).list_events(Request::new(request)).await.unwrap().into_inner().events;
            assert_eq!(listed.len(), expected, "{what}");
            plans.check(&what).await;
        }
        db.close().await;
    })
    .await;
}
