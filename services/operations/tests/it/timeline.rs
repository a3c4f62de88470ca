use mesh::{Accounts, Role, RoleSet};
use proto::{
    events::{EventSource, EventType, OrderEvent},
    operations::v1::{ListTimelineRequest, TimelineEntry},
    options::v1::Audience,
};
use store::{Db, Workers};
use testkit::{each, person, reason, staff, wrong_fields};
use types::Reason;
use waybill_operations::{Config, MIGRATIONS, NAME, workers};

use crate::world::{Client, ORDER, World, emit_at, summaries, timeline_of};

#[tokio::test]
async fn an_event_that_is_delivered_twice_has_one_entry() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.reject(ORDER, 200, "no stock");
        world.drain().await;
        world.order.redeliver();
        world.drain().await;
        let page = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        assert_eq!(summaries(&page), ["order placed: 0 lines for acc_1", "order rejected: no stock"]);
        let numbers: Vec<i64> = page.entries.iter().map(|entry| entry.entry_number).collect();
        assert_eq!(numbers, [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_became_known_late_is_listed_by_the_time_it_occurred() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.reject(ORDER, 300, "c");
        world.reject(ORDER, 200, "b");
        world.reject(ORDER, 200, "b again");
        world.reject("ord_2", 150, "of another order");
        world.drain().await;
        let page = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        let expected =
            ["order placed: 0 lines for acc_1", "order rejected: b", "order rejected: b again", "order rejected: c"];
        assert_eq!(summaries(&page), expected);
        let numbers: Vec<i64> = page.entries.iter().map(|entry| entry.entry_number).collect();
        assert_eq!(numbers, [1, 3, 4, 2]);
        assert_eq!(page.entries[1].event.as_ref().unwrap().source, "order");
        assert_eq!(page.entries[1].order_id, ORDER);
    })
    .await;
}

#[tokio::test]
async fn replicas_that_write_at_the_same_time_number_entries_without_gaps() {
    each(World::open, async |world| {
        for second in 0..200 {
            world.reject(ORDER, second, "from one log");
            world.resolve_exception("UNASSIGNED", &second.to_string(), "from the other");
        }
        let (mut databases, mut replicas) = (Vec::new(), Vec::new());
        for (source, log) in [(EventSource::Order, &world.order), (EventSource::Fulfillment, &world.fulfillment)] {
            let db = Db::open(&world.options, NAME, MIGRATIONS, world.clock.clone()).await.unwrap();
            databases.push(db.clone());
            replicas.push(workers(db, vec![(source, log.channel())], &Config::default()));
        }
        // The other replica may be faster many times; running workers try again too.
        let drained = async |workers: &Workers| {
            while let Err(fault) = workers.drain().await {
                assert!(fault.is_transient(), "{fault:?}");
            }
        };
        tokio::join!(drained(&replicas[0]), drained(&replicas[1]));
        let request = ListTimelineRequest { page_size: 1_000, ..timeline_of(ORDER) };
        let page = world.operator().list_timeline(request).await.unwrap().into_inner();
        let mut numbers: Vec<i64> = page.entries.iter().map(|entry| entry.entry_number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=400).collect::<Vec<_>>());
        for db in databases {
            db.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_timeline_is_read_in_pages() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        for second in 0..600 {
            // Two at a time at the same instant, so that the instant alone does not identify where to continue.
            world.reject(ORDER, 200 + second / 2, &second.to_string());
        }
        world.drain().await;
        let mut client = world.operator();
        let all = client.list_timeline(ListTimelineRequest { page_size: 1_000, ..timeline_of(ORDER) }).await.unwrap();
        let all: Vec<i64> = all.into_inner().entries.iter().map(|entry| entry.entry_number).collect();
        assert_eq!(all, (1..=601).collect::<Vec<_>>());

        let first = client.list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        assert_eq!(first.entries.len(), 100);

        let (mut paged, mut request) = (Vec::new(), ListTimelineRequest { page_size: 301, ..timeline_of(ORDER) });
        loop {
            let page = client.list_timeline(request.clone()).await.unwrap().into_inner();
            paged.extend(page.entries.iter().map(|entry| entry.entry_number));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, all);
    })
    .await;
}

#[tokio::test]
async fn a_timeline_of_an_order_of_another_account_is_not_found() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.place("ord_2", "acc_2");
        world.drain().await;
        let own = world.customer(&["acc_9", "acc_1"]).list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        assert_eq!(own.entries.len(), 1);
        for accounts in [&["acc_1"][..], &[]] {
            let refused = world.customer(accounts).list_timeline(timeline_of("ord_2")).await;
            assert_eq!(reason(refused), Reason::NotFound);
        }
        let unknown = world.operator().list_timeline(timeline_of("ord_3")).await;
        assert_eq!(reason(unknown), Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_customer_sees_events_for_customers_without_the_actor() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.open_exception("UNASSIGNED", ORDER, "no node may take it");
        world.reject(ORDER, 300, "no stock");
        world.drain().await;
        let own = world.customer(&["acc_1"]).list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        let events = |entries: &[TimelineEntry]| -> Vec<_> {
            entries.iter().map(|entry| (entry.event.clone().unwrap().r#type, entry.audience())).collect()
        };
        let [submitted, rejected] =
            [EventType::OrderSubmitted, EventType::OrderRejected].map(|it| (it.to_string(), Audience::Customer));
        assert_eq!(events(&own.entries), [submitted, rejected]);
        let all = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        assert!(events(&all.entries).contains(&(EventType::ExceptionOpened.to_string(), Audience::Staff)));
        let both: RoleSet = [Role::Customer, Role::Operations].into_iter().collect();
        let both = person(both, Accounts::Only(vec!["acc_1".parse().unwrap()]));
        let mut both = Client::new(world.channel.for_principal(&both));
        assert_eq!(both.list_timeline(timeline_of(ORDER)).await.unwrap().into_inner().entries.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn only_the_order_service_decides_the_account_of_an_order() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        let order = proto::order::v1::Order {
            order_id: "ord_2".to_owned(),
            account_id: "acc_1".to_owned(),
            ..Default::default()
        };
        let submitted = proto::order::v1::OrderSubmitted { order: Some(order) };
        emit_at(&world.fulfillment, 100, "ord_2", &OrderEvent::OrderSubmitted(submitted));
        world.drain().await;
        let refused = world.customer(&["acc_1"]).list_timeline(timeline_of("ord_2")).await;
        assert_eq!(reason(refused), Reason::NotFound);
        // Staff see what is known of an order even before the order service's own event of it.
        assert_eq!(world.operator().list_timeline(timeline_of("ord_2")).await.unwrap().into_inner().entries.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_event_of_no_order_is_in_no_timeline() {
    each(World::open, async |world| {
        world.place("", "acc_1");
        world.place("something else", "acc_1");
        world.place(ORDER, "acc_1");
        world.drain().await;
        let page = world.operator().list_timeline(timeline_of(ORDER)).await.unwrap().into_inner();
        assert_eq!(page.entries[0].entry_number, 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_for_a_timeline_names_the_field_that_is_wrong() {
    each(World::open, async |world| {
        world.place(ORDER, "acc_1");
        world.place("ord_2", "acc_1");
        world.reject("ord_2", 200, "no stock");
        world.drain().await;
        let mut client = Client::new(world.channel.for_principal(&staff(Role::CustomerService)));
        assert_eq!(wrong_fields(client.list_timeline(timeline_of("acc_1")).await), ["order_id"]);
        assert_eq!(wrong_fields(client.list_timeline(timeline_of("")).await), ["order_id"]);
        let negative = ListTimelineRequest { page_size: -1, ..timeline_of(ORDER) };
        assert_eq!(wrong_fields(client.list_timeline(negative).await), ["page_size"]);
        let garbled = ListTimelineRequest { page_token: "x".to_owned(), ..timeline_of(ORDER) };
        assert_eq!(wrong_fields(client.list_timeline(garbled).await), ["page_token"]);
        let other = client.list_timeline(ListTimelineRequest { page_size: 1, ..timeline_of("ord_2") }).await;
        let foreign =
            ListTimelineRequest { page_token: other.unwrap().into_inner().next_page_token, ..timeline_of(ORDER) };
        assert!(!foreign.page_token.is_empty());
        assert_eq!(wrong_fields(client.list_timeline(foreign).await), ["page_token"]);
    })
    .await;
}
