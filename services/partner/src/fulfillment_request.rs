//! Which fulfillment orders were requested of which partners, copied from the events of fulfillment.

use types::{AccountId, FulfillmentOrderId, PartnerId};

store::text_enum! {
    /// Whether a request is in force.
    pub(crate) enum RequestState {
        /// It is in force, or the fulfillment order ended.
        Requested = "REQUESTED",
        /// It is in force, and a hold blocks its fulfillment order: it is not sent.
        Held = "HELD",
        /// The fulfillment order was cancelled or assigned elsewhere before the partner answered.
        Withdrawn = "WITHDRAWN",
    }
}

store::record! {
    /// A fulfillment order requested of a partner. Its partner never changes.
    pub(crate) struct FulfillmentRequest in "fulfillment_requests" key (fulfillment_order_id: FulfillmentOrderId) {
        /// The partner that runs the node.
        partner_id: PartnerId,
        /// The order.
        order_id: String,
        /// The account that ordered.
        account_id: AccountId,
        /// Whether the request is in force.
        state: RequestState,
        /// W3C trace context of the order, with which the traces of its reports are linked; empty when not known.
        trace_parent: String,
    }
}
