//! Customers of the distributor, and the places where they receive goods.

mod create;
mod ship_to;
mod terms;
mod update;
mod update_ship_to;
mod words;

use proto::{events::OrderEvent, order::v1 as contract, types::v1::Address};
use store::{Context, NewEvent, Proto, Rows};
use types::{AccountId, BasisPoints, Currency, Fault, PriceListId, Reason, ShipToId, Timestamp};

pub(crate) use create::CreateAccount;
pub(crate) use ship_to::CreateShipTo;
pub(crate) use terms::MAX_CREDIT;
pub(crate) use update::UpdateAccount;
pub(crate) use update_ship_to::UpdateShipTo;

use ship_to::check_time_zone;

store::record! {
    /// A customer.
    pub(crate) struct Account in "accounts" key (account_id: AccountId) {
        /// Legal or trading name.
        name: String,
        /// Contact person.
        contact: String,
        /// Telephone number.
        phone: String,
        /// Billing address.
        bill_to: Proto<Address>,
        /// Of all its orders.
        currency: Currency,
        /// What happens to a second order with the same customer PO number.
        duplicate_po_policy: DuplicatePoPolicy,
        /// When shipped units become ready to invoice, for orders placed from now on.
        invoice_policy: InvoicePolicy,
        /// Whether it may place orders.
        state: AccountState,
        /// Why it is blocked; empty while it is not.
        block_reason: String,
        /// When its invoices are due.
        payment_terms: Option<Proto<contract::PaymentTerms>>,
        /// The most that it may owe; `None` when nothing is checked.
        credit_limit_minor: Option<i64>,
        /// What happens to an order beyond the limit.
        credit_policy: CreditPolicy,
        /// The price list of its orders.
        price_list_id: Option<PriceListId>,
        /// Whether it has own prices.
        own_prices: OwnPrices,
        /// How far an expected price may be from the distributor's, as a share of it.
        price_tolerance_points: BasisPoints,
        /// The same in minor units; either permits the difference.
        price_tolerance_minor: i64,
        /// What happens to a line whose expected price is further away.
        price_policy: PricePolicy,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::record! {
    /// A place where an account receives goods.
    pub(crate) struct ShipTo in "ship_tos" key (ship_to_id: ShipToId) {
        /// The account.
        account_id: AccountId,
        /// Its address.
        address: Proto<Address>,
        /// IANA zone in whose business day goods are delivered; that of the node when empty.
        time_zone: String,
        /// Whether anything is delivered there.
        state: ShipToState,
        /// Why nothing is; empty while it is DELIVERABLE.
        state_reason: String,
        /// When it was created.
        create_time: Timestamp,
    }
}

store::text_enum! {
    /// What happens to a second order with the same customer PO number.
    pub(crate) enum DuplicatePoPolicy = contract::DuplicatePoPolicy {
        /// It is refused.
        Refuse = "REFUSE",
        /// It is accepted.
        Allow = "ALLOW",
    }
}

store::text_enum! {
    /// When shipped units become ready to invoice.
    #[expect(clippy::enum_variant_names, reason = "the names are the contract's")]
    pub(crate) enum InvoicePolicy = contract::InvoicePolicy {
        /// When they are shipped.
        OnShipment = "ON_SHIPMENT",
        /// When they are delivered.
        OnDelivery = "ON_DELIVERY",
        /// When they are delivered and a proof of it was captured.
        OnProofOfDelivery = "ON_PROOF_OF_DELIVERY",
        /// All at once, when nothing of the order is open.
        OnCompletion = "ON_COMPLETION",
    }
}

store::text_enum! {
    /// Whether an account may place orders.
    pub(crate) enum AccountState = contract::AccountState {
        /// It may.
        Active = "ACTIVE",
        /// New orders are refused.
        Blocked = "BLOCKED",
    }
}

store::text_enum! {
    /// What happens to an order beyond the credit limit.
    pub(crate) enum CreditPolicy = contract::CreditPolicy {
        /// It is placed under a hold.
        Hold = "HOLD",
        /// It is refused.
        Refuse = "REFUSE",
    }
}

store::text_enum! {
    /// What happens to a line whose expected price differs by more than is tolerated.
    pub(crate) enum PricePolicy = contract::PricePolicy {
        /// It is accepted.
        Accept = "ACCEPT",
        /// It is accepted under a hold.
        Hold = "HOLD",
        /// The order is refused.
        Reject = "REJECT",
    }
}

store::text_enum! {
    /// Whether an account has had own prices, so that they are looked up.
    pub(crate) enum OwnPrices {
        /// It never had any.
        Never = "NEVER",
        /// It has, or had, some.
        Some = "SOME",
    }
}

store::text_enum! {
    /// Whether anything is delivered to a ship-to.
    pub(crate) enum ShipToState = contract::ShipToState {
        /// Orders may go there.
        Deliverable = "DELIVERABLE",
        /// New orders to it are refused.
        NotDeliverable = "NOT_DELIVERABLE",
    }
}

impl Account {
    /// Refuses new orders and more units of a blocked account.
    pub(crate) fn check_not_blocked(&self) -> Result<(), Fault> {
        if self.state != AccountState::Blocked {
            return Ok(());
        }
        let message = format!("account {} is blocked for new orders", self.account_id);
        Err(Fault::new(Reason::AccountBlocked, message).fact("account_id", &self.account_id))
    }

    /// Writes the account and emits its event; returns it as callers see it.
    fn save(
        self,
        event: fn(contract::AccountChanged) -> OrderEvent,
        rows: &mut Rows,
        cx: &mut Context<'_>,
    ) -> contract::Account {
        let account = rows.put(self);
        let saved = crate::wire::account(&account);
        let payload = event(contract::AccountChanged { account: Some(saved.clone()) });
        let event = NewEvent::new(payload, &account.account_id, account.version, account.version);
        cx.emit(event.account(&account.account_id));
        saved
    }
}

impl ShipTo {
    /// Writes the ship-to and emits its event; returns it as callers see it.
    fn save(
        self,
        event: fn(contract::ShipToChanged) -> OrderEvent,
        rows: &mut Rows,
        cx: &mut Context<'_>,
    ) -> contract::ShipTo {
        let ship_to = rows.put(self);
        let saved = crate::wire::ship_to(&ship_to);
        let payload = event(contract::ShipToChanged { ship_to: Some(saved.clone()) });
        let event = NewEvent::new(payload, &ship_to.ship_to_id, ship_to.version, ship_to.version);
        cx.emit(event.account(&ship_to.account_id));
        saved
    }
}
