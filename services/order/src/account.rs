//! Customers of the distributor, and the places where they receive goods.

mod create;
mod ship_to;
mod update;

use proto::{events::OrderEvent, order::v1 as contract, types::v1::Address};
use store::{Context, NewEvent, Proto, Rows};
use types::{AccountId, Currency, ShipToId, Timestamp};

pub(crate) use create::CreateAccount;
pub(crate) use ship_to::CreateShipTo;
pub(crate) use update::UpdateAccount;

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
    pub(crate) enum InvoicePolicy = contract::InvoicePolicy {
        /// When they are shipped.
        OnShipment = "ON_SHIPMENT",
        /// When they are delivered.
        OnDelivery = "ON_DELIVERY",
    }
}

impl Account {
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
