//! Rules, priorities and lists: what calls may say and who sees what.

use proto::{
    events::EventType,
    inventory::v1::{
        BackorderCriterion, BackorderRules, GetBackorderRulesRequest, ListBackordersRequest,
        PreviewBackorderReleaseRequest, ReleaseBackordersRequest, ReserveRequest, ShortagePolicy,
        UpdateBackorderRequest, UpdateBackorderRulesRequest,
    },
};
use testkit::{each, person, reason, wrong_fields};
use types::{Clock, Reason};

use super::update;
use crate::world::{Client, HERE, World, requested, units};

#[tokio::test]
async fn rules_are_read_changed_by_their_etag_and_named_when_they_are_wrong() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let read = client.get_backorder_rules(GetBackorderRulesRequest {}).await.unwrap().into_inner();
        assert_eq!(read, BackorderRules { etag: "0".to_owned(), ..Default::default() });
        let request = UpdateBackorderRulesRequest {
            etag: read.etag,
            criteria: vec![BackorderCriterion::PromiseTime.into(), BackorderCriterion::Age.into()],
            max_account_share_percent: 30,
            hold_for_release: true,
            ..Default::default()
        };
        let updated = client.update_backorder_rules(request.clone()).await.unwrap().into_inner();
        assert_eq!((updated.etag.as_str(), updated.max_account_share_percent), ("1", 30));
        assert_eq!(client.get_backorder_rules(GetBackorderRulesRequest {}).await.unwrap().into_inner(), updated);
        let stale = UpdateBackorderRulesRequest { hold_for_release: false, ..request.clone() };
        assert_eq!(reason(client.update_backorder_rules(stale).await), Reason::EtagMismatch);
        let same = UpdateBackorderRulesRequest { etag: String::new(), ..request.clone() };
        assert_eq!(client.update_backorder_rules(same).await.unwrap().into_inner(), updated);
        assert_eq!(world.emitted(EventType::BackorderRulesUpdated).await.len(), 1);
        let age = BackorderCriterion::Age.into();
        let wrong =
            UpdateBackorderRulesRequest { criteria: vec![0, age, age], max_account_share_percent: 101, ..request };
        let fields = ["criteria[0]", "criteria[2]", "max_account_share_percent"];
        assert_eq!(wrong_fields(client.update_backorder_rules(wrong).await), fields);
    })
    .await;
}

#[tokio::test]
async fn a_priority_is_of_a_line_that_is_known_and_from_0_to_9() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let request = UpdateBackorderRequest { order_id: "ord_1".to_owned(), line_number: 1, ..Default::default() };
        let wrong = UpdateBackorderRequest { priority: Some(10), line_number: 0, ..request.clone() };
        assert_eq!(wrong_fields(client.update_backorder(wrong).await), ["line_number", "priority"]);
        assert_eq!(reason(client.update_backorder(request).await), Reason::NotFound);
        let wrong = ReserveRequest { priority: Some(-1), ..requested("ord_1", &[(1, "A", 1)]) };
        assert_eq!(wrong_fields(client.reserve(wrong).await), ["priority"]);
        // A line has 5 unless the call says otherwise, and keeps what it has.
        assert_eq!(world.reserve("ord_1", &[(1, "A", 1)]).await[0].priority, 5);
        update(&world, "ord_1", Some(8), None).await;
        assert_eq!(world.reserve("ord_1", &[(1, "A", 2)]).await[0].priority, 8);
    })
    .await;
}

#[tokio::test]
async fn backorders_are_listed_by_age_for_those_who_see_their_account() {
    each(World::open, async |world| {
        world.receive("B", HERE, 1).await;
        for (order_id, account_id) in [("ord_3", "acc_1"), ("ord_1", "acc_2"), ("ord_2", "acc_1")] {
            let request = ReserveRequest {
                account_id: account_id.to_owned(),
                shortage_policy: ShortagePolicy::Backorder.into(),
                priority: Some(7),
                ..requested(order_id, &[(1, "A", 2), (2, "B", 1)])
            };
            world.client.clone().reserve(request).await.unwrap();
            world.clock.advance(std::time::Duration::from_secs(60));
        }
        let list = async |client: &Client, request: ListBackordersRequest| {
            let (mut lines, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = ListBackordersRequest { page_size: 2, page_token, ..request.clone() };
                let page = client.clone().list_backorders(request).await.unwrap().into_inner();
                lines.extend(page.backorders.into_iter().map(|one| {
                    let line = one.reservation.unwrap();
                    (line.order_id, line.line_number)
                }));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    return lines;
                }
            }
        };
        let named = |lines: &[(&str, i32)]| -> Vec<(String, i32)> {
            lines.iter().map(|(order_id, line)| ((*order_id).to_owned(), *line)).collect()
        };
        let all = [("ord_3", 1), ("ord_1", 1), ("ord_1", 2), ("ord_2", 1), ("ord_2", 2)];
        assert_eq!(list(&world.client, ListBackordersRequest::default()).await, named(&all));
        let of_item = ListBackordersRequest { sku: "B".to_owned(), ..Default::default() };
        assert_eq!(list(&world.client, of_item.clone()).await, named(&[("ord_1", 2), ("ord_2", 2)]));
        let of_account = ListBackordersRequest { account_id: "acc_2".to_owned(), ..Default::default() };
        assert_eq!(list(&world.client, of_account.clone()).await, named(&[("ord_1", 1), ("ord_1", 2)]));
        let of_order = ListBackordersRequest { order_id: "ord_3".to_owned(), ..Default::default() };
        assert_eq!(list(&world.client, of_order).await, named(&[("ord_3", 1)]));

        let accounts = mesh::Accounts::Only(vec!["acc_1".parse().unwrap()]);
        let limited = person(mesh::Role::CustomerService, accounts);
        let limited = Client::new(world.channel.for_principal(&limited));
        let own = [("ord_3", 1), ("ord_2", 1), ("ord_2", 2)];
        assert_eq!(list(&limited, ListBackordersRequest::default()).await, named(&own));
        assert_eq!(list(&limited, of_item).await, named(&[("ord_2", 2)]));
        assert!(list(&limited, of_account).await.is_empty());

        let first = world.client.clone().list_backorders(ListBackordersRequest::default()).await.unwrap().into_inner();
        let (first, second) = (&first.backorders[0], &first.backorders[1]);
        let ages = [first, second].map(|one| mesh::wire::from_timestamp(one.wait_time.as_ref().unwrap()).unwrap());
        assert_eq!(ages[1].since(ages[0]).as_secs(), 60);
        assert_eq!(world.clock.now().since(ages[0]).as_secs(), 180);
        let line = first.reservation.as_ref().unwrap();
        assert_eq!((line.priority, units(line), first.had_units), (7, (0, 0, 0, 2, 0), false));
    })
    .await;
}

#[tokio::test]
async fn a_release_names_one_to_a_hundred_known_items() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        for skus in [Vec::new(), vec!["X".to_owned()], (0..101).map(|number| format!("A{number}")).collect()] {
            let request = PreviewBackorderReleaseRequest { skus: skus.clone() };
            assert_eq!(wrong_fields(client.preview_backorder_release(request).await), ["skus"]);
            let request = ReleaseBackordersRequest { skus, ..Default::default() };
            assert_eq!(wrong_fields(client.release_backorders(request).await), ["skus"]);
        }
    })
    .await;
}
