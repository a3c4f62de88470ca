use mesh::Role;
use proto::order::v1 as contract;
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::world::{World, account, address};

#[tokio::test]
async fn an_account_is_read_back_as_it_was_created() {
    each(World::open, async |world| {
        let created = world.create_account(account("acc_1")).await;
        assert_eq!(created.duplicate_po_policy(), contract::DuplicatePoPolicy::Refuse);
        assert_eq!(created.invoice_policy(), contract::InvoicePolicy::OnDelivery);
        let request = contract::GetAccountRequest { account_id: "acc_1".to_owned() };
        assert_eq!(world.orders.clone().get_account(request).await.unwrap().into_inner(), created);
        let again = world.orders.clone().create_account(account("acc_1")).await;
        assert_eq!(reason(again), Reason::AlreadyExists);
    })
    .await;
}

#[tokio::test]
async fn only_given_fields_of_an_account_change_and_only_of_the_version_that_was_read() {
    each(World::open, async |world| {
        let created = world.create_account(account("acc_1")).await;
        let change = contract::UpdateAccountRequest {
            account_id: "acc_1".to_owned(),
            etag: created.etag.clone(),
            contact: Some("Maria Anders".to_owned()),
            duplicate_po_policy: Some(contract::DuplicatePoPolicy::Allow.into()),
            ..Default::default()
        };
        let changed = world.orders.clone().update_account(change.clone()).await.unwrap().into_inner();
        assert_eq!((changed.name, changed.contact), (created.name, "Maria Anders".to_owned()));
        assert_ne!(changed.etag, created.etag);
        let stale = world.orders.clone().update_account(change).await;
        assert_eq!(reason(stale), Reason::EtagMismatch);
    })
    .await;
}

#[tokio::test]
async fn a_customer_sees_its_own_accounts_only() {
    each(World::open, async |world| {
        for account_id in ["acc_1", "acc_2", "acc_3"] {
            world.create_account(account(account_id)).await;
        }
        let mut customer = world.as_customer(&["acc_2"]);
        let listed = customer.list_accounts(contract::ListAccountsRequest::default()).await.unwrap().into_inner();
        let ids: Vec<_> = listed.accounts.iter().map(|account| account.account_id.as_str()).collect();
        assert_eq!(ids, ["acc_2"]);
        let other = contract::GetAccountRequest { account_id: "acc_1".to_owned() };
        assert_eq!(reason(customer.get_account(other).await), Reason::NotFound);
        let ship_to = contract::CreateShipToRequest {
            account_id: "acc_1".to_owned(),
            address: Some(address()),
            ..Default::default()
        };
        assert_eq!(reason(customer.create_ship_to(ship_to).await), Reason::NotFound);
    })
    .await;
}

#[tokio::test]
async fn pages_of_ship_tos_follow_one_another() {
    each(World::open, async |world| {
        world.create_account(account("acc_1")).await;
        for number in 1..=5 {
            let request = contract::CreateShipToRequest {
                account_id: "acc_1".to_owned(),
                ship_to_id: format!("shp_{number}"),
                address: Some(address()),
                ..Default::default()
            };
            world.orders.clone().create_ship_to(request).await.unwrap();
        }
        let mut seen = Vec::new();
        let mut request =
            contract::ListShipTosRequest { account_id: "acc_1".to_owned(), page_size: 2, ..Default::default() };
        loop {
            let page = world.orders.clone().list_ship_tos(request.clone()).await.unwrap().into_inner();
            seen.extend(page.ship_tos.into_iter().map(|ship_to| ship_to.ship_to_id));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen, ["shp_1", "shp_2", "shp_3", "shp_4", "shp_5"]);
    })
    .await;
}

#[tokio::test]
async fn the_service_chooses_the_ids_of_customers_ship_tos() {
    each(World::open, async |world| {
        world.create_account(account("acc_1")).await;
        world.create_account(account("acc_2")).await;
        let ship_to = |account_id: &str, ship_to_id: &str| contract::CreateShipToRequest {
            account_id: account_id.to_owned(),
            ship_to_id: ship_to_id.to_owned(),
            address: Some(address()),
            ..Default::default()
        };
        world.orders.clone().create_ship_to(ship_to("acc_1", "shp_berlin")).await.unwrap();
        let mut customer = world.as_customer(&["acc_2"]);
        // The answer is the same whether the id is taken or not.
        for id in ["shp_berlin", "shp_paris"] {
            assert_eq!(wrong_fields(customer.create_ship_to(ship_to("acc_2", id)).await), ["ship_to_id"]);
        }
        let made = customer.create_ship_to(ship_to("acc_2", "")).await.unwrap().into_inner();
        assert!(made.ship_to_id.starts_with("shp_"));
    })
    .await;
}

#[tokio::test]
async fn staff_of_some_accounts_creates_none() {
    each(World::open, async |world| {
        let mut some = world.as_alice(Role::CustomerService, &["acc_1"]);
        for account_id in ["acc_1", "acc_2", ""] {
            assert_eq!(reason(some.create_account(account(account_id)).await), Reason::PermissionDenied);
        }
    })
    .await;
}
