//! What is agreed with an account: whether it may order, and its payment terms.

use proto::order::v1::{self as contract, AccountState};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::world::{World, account, address, counters, order_of};

#[tokio::test]
async fn a_blocked_account_places_no_order_and_what_it_has_ordered_goes_on() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 2);
        let placed = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let mut orders = world.orders.clone();
        let blocked = contract::UpdateAccountRequest {
            account_id: "acc_1".to_owned(),
            state: Some(AccountState::Blocked.into()),
            ..Default::default()
        };
        assert_eq!(wrong_fields(orders.update_account(blocked.clone()).await), ["block_reason"]);
        let blocked = contract::UpdateAccountRequest { block_reason: Some("insolvent".to_owned()), ..blocked };
        orders.update_account(blocked).await.unwrap();
        let read = contract::GetAccountRequest { account_id: "acc_1".to_owned() };
        let shown = world.as_customer(&["acc_1"]).get_account(read).await.unwrap().into_inner();
        assert_eq!(
            (shown.state(), shown.block_reason.as_str()),
            (AccountState::Blocked, ""),
            "the reason is not for it"
        );
        assert_eq!(reason(world.try_place(order_of("PO-2", &[("TEA", 1)])).await), Reason::AccountBlocked);
        let validated = contract::ValidateOrderRequest { order: Some(order_of("PO-2", &[("TEA", 1)])) };
        assert_eq!(reason(orders.validate_order(validated).await), Reason::AccountBlocked);
        let order = world.stock_came(&placed.order_id, 1, 2, 0).await;
        assert_eq!(counters(&order, 0).released, 3);
        let active = contract::UpdateAccountRequest {
            account_id: "acc_1".to_owned(),
            state: Some(AccountState::Active.into()),
            ..Default::default()
        };
        assert_eq!(orders.update_account(active).await.unwrap().into_inner().block_reason, "");
        world.place(order_of("PO-2", &[("TEA", 1)])).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_keeps_the_payment_terms_that_it_was_placed_with() {
    each(World::furnished, async |world| {
        let terms = |code: &str, net_days| {
            Some(contract::PaymentTerms { code: code.to_owned(), text: format!("{net_days} days net"), net_days })
        };
        let agreed = |payment_terms| contract::UpdateAccountRequest {
            account_id: "acc_1".to_owned(),
            payment_terms,
            ..Default::default()
        };
        let mut orders = world.orders.clone();
        orders.update_account(agreed(terms("NET30", 30))).await.unwrap();
        let order = world.place(order_of("PO-1", &[("TEA", 1)])).await;
        orders.update_account(agreed(terms("NET60", 60))).await.unwrap();
        assert_eq!(world.get(&order.order_id).await.payment_terms, terms("NET30", 30));
        orders.update_account(agreed(Some(contract::PaymentTerms::default()))).await.unwrap();
        assert_eq!(world.place(order_of("PO-2", &[("TEA", 1)])).await.payment_terms, None);
        let wrong = agreed(Some(contract::PaymentTerms { net_days: -1, ..Default::default() }));
        assert_eq!(wrong_fields(orders.update_account(wrong).await), ["payment_terms.code", "payment_terms.net_days"]);
    })
    .await;
}

#[tokio::test]
async fn terms_of_an_account_of_the_wrong_form_are_refused_naming_every_field() {
    each(World::open, async |world| {
        let money =
            |currency: &str, minor_units| Some(proto::types::v1::Money { currency: currency.to_owned(), minor_units });
        let wrong = contract::CreateAccountRequest {
            state: 9,
            payment_terms: Some(contract::PaymentTerms { text: "soon".to_owned(), ..Default::default() }),
            credit_limit: money("USD", -1),
            credit_policy: 9,
            price_list_id: "acc_1".to_owned(),
            price_tolerance: Some(contract::PriceTolerance { basis_points: 10_001, minor_units: -1, policy: 9 }),
            ..account("acc_1")
        };
        let fields = [
            "state",
            "payment_terms.code",
            "credit_limit.minor_units",
            "credit_policy",
            "price_list_id",
            "price_tolerance.basis_points",
            "price_tolerance.minor_units",
            "price_tolerance.policy",
        ];
        assert_eq!(wrong_fields(world.orders.clone().create_account(wrong).await), fields);
        let unfit = contract::CreateAccountRequest {
            block_reason: "none".to_owned(),
            credit_limit: money("EUR", 1),
            price_list_id: "prl_none".to_owned(),
            ..account("acc_1")
        };
        assert_eq!(
            wrong_fields(world.orders.clone().create_account(unfit).await),
            ["block_reason", "credit_limit.currency", "price_list_id"]
        );
        let address = contract::CreateAccountRequest { bill_to: Some(address()), ..account("acc_1") };
        let created = world.create_account(address).await;
        assert_eq!(
            (created.state(), created.credit_limit, created.price_list_id),
            (AccountState::Active, None, String::new())
        );
    })
    .await;
}
