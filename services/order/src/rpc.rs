//! Declares the gRPC methods: commands, and other calls.

mod account;
mod change;
mod hold;
mod invoices;
mod place;
mod quote;
mod read;
mod wait;

use chassis::Answers;
use mesh::{Channel, Principal, wire::one_id};
use proto::{
    fulfillment::v1::fulfillment_service_client::FulfillmentServiceClient,
    inventory::v1::inventory_service_client::InventoryServiceClient,
    order::v1::{self as contract, order_service_server::OrderService},
};
use store::Db;
use types::Fault;

use crate::{
    Config,
    account::{CreateAccount, CreateShipTo, UpdateAccount, UpdateShipTo},
    cancel::CancelOrder,
    change::{ConfirmChange, WithdrawChange},
    credit::RecordReceivables,
    hold::ReleaseHold,
    order::Action,
    price::{SetAccountPrices, SetPrices},
    record_invoice::RecordInvoice,
    rpc::invoices::show_invoice,
    store as reads,
};

/// Answers the calls of the order service.
pub(crate) struct Rpc {
    pub(crate) db: Db,
    pub(crate) inventory: InventoryServiceClient<Channel>,
    pub(crate) fulfillment: FulfillmentServiceClient<Channel>,
    pub(crate) config: Config,
}

impl Answers for Rpc {
    fn db(&self) -> &Db {
        &self.db
    }
}

chassis::rpc! {
    OrderService for Rpc {
        commands {
            create_account(contract::CreateAccountRequest) -> contract::Account = CreateAccount::parse;
            update_account(contract::UpdateAccountRequest) -> contract::Account = UpdateAccount::parse,
                seen by check_account of account_id;
            create_ship_to(contract::CreateShipToRequest) -> contract::ShipTo = CreateShipTo::parse,
                seen by check_account of account_id;
            update_ship_to(contract::UpdateShipToRequest) -> contract::ShipTo = UpdateShipTo::parse,
                seen by check_account of account_id;
            set_prices(contract::SetPricesRequest) -> contract::SetPricesResponse = SetPrices::parse;
            set_account_prices(contract::SetAccountPricesRequest) -> contract::SetPricesResponse = SetAccountPrices::parse,
                seen by check_account of account_id;
            record_receivables(contract::RecordReceivablesRequest) -> contract::AccountCredit = RecordReceivables::parse,
                seen by check_account of account_id;
            cancel_order(contract::CancelOrderRequest) -> contract::Order = CancelOrder::parse, shown by show;
            confirm_order_change(contract::ConfirmOrderChangeRequest) -> contract::OrderChange = ConfirmChange::parse,
                shown by show_change;
            withdraw_order_change(contract::WithdrawOrderChangeRequest) -> contract::OrderChange = WithdrawChange::parse,
                shown by show_change;
            release_hold(contract::ReleaseHoldRequest) -> contract::Order = ReleaseHold::parse, shown by show;
            record_invoice(contract::RecordInvoiceRequest) -> contract::Invoice = RecordInvoice::parse,
                shown by show_invoice;
        }
        calls {
            place_order(contract::PlaceOrderRequest) -> contract::Order;
            quote_order(contract::QuoteOrderRequest) -> contract::QuoteOrderResponse;
            propose_order_change(contract::ProposeOrderChangeRequest) -> contract::OrderChange;
            get_order_change(contract::GetOrderChangeRequest) -> contract::OrderChange;
            list_order_changes(contract::ListOrderChangesRequest) -> contract::ListOrderChangesResponse;
            validate_order(contract::ValidateOrderRequest) -> contract::Order;
            place_hold(contract::PlaceHoldRequest) -> contract::Order;
            get_account(contract::GetAccountRequest) -> contract::Account;
            list_accounts(contract::ListAccountsRequest) -> contract::ListAccountsResponse;
            list_ship_tos(contract::ListShipTosRequest) -> contract::ListShipTosResponse;
            list_prices(contract::ListPricesRequest) -> contract::ListPricesResponse;
            list_account_prices(contract::ListAccountPricesRequest) -> contract::ListPricesResponse;
            get_account_credit(contract::GetAccountCreditRequest) -> contract::AccountCredit;
            get_order(contract::GetOrderRequest) -> contract::Order;
            list_orders(contract::ListOrdersRequest) -> contract::ListOrdersResponse;
            list_invoice_readiness(contract::ListInvoiceReadinessRequest) -> contract::ListInvoiceReadinessResponse;
            list_proposed_credits(contract::ListProposedCreditsRequest) -> contract::ListProposedCreditsResponse;
            list_invoices(contract::ListInvoicesRequest) -> contract::ListInvoicesResponse;
            summarize_orders(contract::SummarizeOrdersRequest) -> contract::SummarizeOrdersResponse;
        }
    }
}

/// An order as the caller sees it. An order of an account that the caller does not see is not found, also when the answer
/// was kept for a repeat.
fn show(mut order: contract::Order, caller: &Principal) -> Result<contract::Order, Fault> {
    if !order.account_id.parse().is_ok_and(|account_id| caller.sees(&account_id)) {
        return Err(Fault::not_found("order", order.order_id));
    }
    if !caller.is_staff() {
        let of_customers = [
            Action::Cancel,
            Action::ProposeChange,
            Action::ConfirmChange,
            Action::WithdrawChange,
            Action::AuthorizeReturn,
        ]
        .map(Action::name);
        order.supported_actions.retain(|action| of_customers.contains(&action.as_str()));
    }
    Ok(order)
}

/// A change as the caller sees it, as its order.
fn show_change(change: contract::OrderChange, caller: &Principal) -> Result<contract::OrderChange, Fault> {
    if change.account_id.parse().is_ok_and(|account_id| caller.sees(&account_id)) {
        return Ok(change);
    }
    Err(Fault::not_found("order", change.order_id))
}

impl Rpc {
    async fn check_account(&self, id: &str, caller: &Principal) -> Result<(), Fault> {
        reads::account(&self.db, &one_id("account_id", id)?, caller).await.map(|_| ())
    }
}
