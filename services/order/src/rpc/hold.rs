//! Places a hold: asks fulfillment for the lines of a fulfillment order that it is placed on.

use mesh::{CallInfo, wire::one_id};
use proto::{
    fulfillment::v1::{FulfillmentOrder, GetFulfillmentOrderRequest},
    order::v1 as contract,
};
use types::{Fault, OrderId, Reason};

use super::{Rpc, show};
use crate::{hold::PlaceHold, store as reads};

impl Rpc {
    pub(super) async fn place_hold(
        &self,
        info: &CallInfo,
        request: contract::PlaceHoldRequest,
    ) -> Result<contract::Order, Fault> {
        let fulfillment_order = self.fulfillment_order(info, &request).await?;
        let parse = |request: &_, caller: &_| PlaceHold::parse(request, fulfillment_order.as_ref(), caller);
        let held = chassis::command(self, info, &request, parse).await?;
        show(held, &info.principal)
    }

    /// The fulfillment order that the request names, if there is one. Whoever does not see the order learns nothing of it.
    async fn fulfillment_order(
        &self,
        info: &CallInfo,
        request: &contract::PlaceHoldRequest,
    ) -> Result<Option<FulfillmentOrder>, Fault> {
        let fulfillment_order_id = request.fulfillment_order_id.clone();
        if fulfillment_order_id.is_empty() {
            return Ok(None);
        }
        let order_id: OrderId = one_id("order_id", &request.order_id)?;
        if reads::order(&self.db, &order_id, &info.principal).await?.is_none() {
            return Err(Fault::not_found("order", order_id));
        }
        let mut fulfillment = self.fulfillment.clone();
        let found = fulfillment.get_fulfillment_order(GetFulfillmentOrderRequest { fulfillment_order_id }).await;
        match found.map_err(|status| mesh::fault(&status)) {
            Ok(found) => Ok(Some(found.into_inner())),
            Err(fault) if matches!(fault.reason, Reason::NotFound | Reason::InvalidArgument) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
