//! Customers of the distributor, and the places they receive goods at.

mod create;
mod ship_to;
mod update;

use proto::types::v1::Address;
use store::Proto;
use types::{AccountId, Currency, ShipToId, Timestamp};

pub use create::CreateAccount;
pub use ship_to::CreateShipTo;
pub use update::{Changes, UpdateAccount};

store::record! {
    /// A customer.
    pub struct Account in "accounts" key (account_id: AccountId) {
        /// Legal or trading name.
        name: String,
        /// Person to talk to.
        contact: String,
        /// Telephone number.
        phone: String,
        /// Where bills go.
        bill_to: Proto<Address>,
        /// Of all its orders.
        currency: Currency,
        /// What a second order with the same customer PO number gets.
        duplicate_po_policy: DuplicatePoPolicy,
        /// When goods of orders it will place become ready to invoice.
        invoice_policy: InvoicePolicy,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::record! {
    /// A place an account receives goods at.
    pub struct ShipTo in "ship_tos" key (ship_to_id: ShipToId) {
        /// The account.
        account_id: AccountId,
        /// Where it is.
        address: Proto<Address>,
        /// When it was created.
        create_time: Timestamp,
    }
}

store::text_enum! {
    /// What a second order with the same customer PO number gets.
    pub enum DuplicatePoPolicy {
        /// It is refused.
        Refuse = "REFUSE",
        /// It is a new order.
        Allow = "ALLOW",
    }
}

store::text_enum! {
    /// When shipped goods become ready to invoice.
    pub enum InvoicePolicy {
        /// With the shipment.
        OnShipment = "ON_SHIPMENT",
        /// With the delivery.
        OnDelivery = "ON_DELIVERY",
    }
}
