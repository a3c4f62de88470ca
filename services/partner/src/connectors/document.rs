//! Encodes fulfillment orders as JSON: the document that `GET /v1/fulfillment-orders/{fulfillment_order_id}` returns to the
//! partner.

use prost::{Message as _, Name as _};
use prost_reflect::DynamicMessage;
use proto::{
    fulfillment::v1::FulfillmentOrder,
    redact::{Redact as _, Viewer},
};
use types::Fault;

/// Media type of the document.
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// The document of a fulfillment order.
pub(crate) fn encode(order: &FulfillmentOrder) -> Result<Vec<u8>, Fault> {
    let mut order = order.clone();
    order.redact(Viewer { customer: false, partner: true });
    let unwritable = || Fault::internal("a fulfillment order cannot be written as JSON");
    let descriptor = proto::pool().get_message_by_name(&FulfillmentOrder::full_name()).ok_or_else(unwritable)?;
    let message = DynamicMessage::decode(descriptor, order.encode_to_vec().as_slice()).map_err(|_| unwritable())?;
    serde_json::to_vec(&message).map_err(|_| unwritable())
}

#[cfg(test)]
mod tests {
    use proto::fulfillment::v1::{FulfillmentLine, RequestState};

    use super::*;

    #[test]
    fn a_fulfillment_order_is_written_with_the_names_of_the_public_api() {
        let order = FulfillmentOrder {
            fulfillment_order_id: "ful_1".to_owned(),
            request_state: RequestState::Submitted.into(),
            lines: vec![FulfillmentLine { line_number: 1, sku: "A".to_owned(), quantity: 12, ..Default::default() }],
            ..Default::default()
        };
        let document: serde_json::Value = serde_json::from_slice(&encode(&order).unwrap()).unwrap();
        let expected = serde_json::json!({
            "fulfillmentOrderId": "ful_1",
            "requestState": "REQUEST_STATE_SUBMITTED",
            "lines": [{"lineNumber": 1, "sku": "A", "quantity": "12"}],
        });
        assert_eq!(document, expected);
    }
}
