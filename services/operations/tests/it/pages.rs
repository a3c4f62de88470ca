//! Pages of large entries and exceptions end by bytes, and the next ones go on after them.

use proto::{
    events::OrderEvent,
    operations::v1::{ListExceptionsRequest, ListTimelineRequest},
    order::v1::{Order, OrderLine, OrderSubmitted},
};
use testkit::{each, pages};

use crate::world::{ORDER, World, emit_at, timeline_of};

#[tokio::test]
async fn pages_of_a_timeline_end_by_bytes() {
    each(World::open, async |world| {
        let line = |line_number| OrderLine { line_number, sku: "x".repeat(64), ..Default::default() };
        let order = Order {
            order_id: ORDER.to_owned(),
            account_id: "acc_1".to_owned(),
            lines: (1..=5_000).map(line).collect(),
            ..Default::default()
        };
        for second in 101..=125 {
            let submitted = OrderSubmitted { order: Some(order.clone()) };
            emit_at(&world.order, second, ORDER, &OrderEvent::OrderSubmitted(submitted));
        }
        world.drain().await;
        let mut client = world.operator();
        let read = pages(
            async |page_token| {
                let request = ListTimelineRequest { page_token, page_size: 1_000, ..timeline_of(ORDER) };
                client.list_timeline(request).await.unwrap().into_inner()
            },
            |page| {
                let time = |event: proto::event::v1::Event| event.occur_time.unwrap().seconds;
                let times = page.entries.into_iter().map(|entry| time(entry.event.unwrap()));
                (times.collect(), page.next_page_token)
            },
        )
        .await;
        assert!(read.len() > 1 && read.iter().all(|page| page.len() < 13), "{read:?}");
        assert_eq!(read.concat(), (101..=125).collect::<Vec<i64>>());
    })
    .await;
}

#[tokio::test]
async fn pages_of_exceptions_end_by_bytes() {
    each(World::open, async |world| {
        for number in 1..=20 {
            world.open_exception("UNASSIGNED", &format!("ord_{number}"), &"x".repeat(150_000));
            world.drain().await;
            world.clock.advance(std::time::Duration::from_secs(1));
        }
        let mut client = world.operator();
        let read = pages(
            async |page_token| {
                let request = ListExceptionsRequest { page_token, page_size: 500, ..Default::default() };
                client.list_exceptions(request).await.unwrap().into_inner()
            },
            |page| (page.exceptions.into_iter().map(|one| one.subject).collect(), page.next_page_token),
        )
        .await;
        let mut subjects: Vec<String> = read.iter().flatten().cloned().collect();
        subjects.sort();
        subjects.dedup();
        assert!(read.len() > 1 && subjects.len() == 20 && read.concat().len() == 20, "{read:?}");
    })
    .await;
}
