//! What may be invoiced, each time something became ready.

use proto::order::v1 as wire;
use store::Proto;
use types::{AccountId, OrderId, Timestamp};

store::record! {
    /// What became ready at one time with one shipment.
    pub struct InvoiceReadiness in "invoice_readiness" key (order_id: OrderId, invoice_number: i64) {
        /// The account.
        account_id: AccountId,
        /// When it became ready.
        ready_time: Timestamp,
        /// The lines.
        readiness: Proto<wire::InvoiceReadiness>,
    }
}
