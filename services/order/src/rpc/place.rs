//! Places an order: asks inventory for unknown items first, and delays the answer until stock is decided when `wait` is
//! set.

use mesh::{CallInfo, wire::Checks};
use proto::{inventory::v1::BatchGetItemsRequest, order::v1 as contract};
use store::Call;
use types::{Actor, Fault, LineReason, limits::MAX_LINES};

use super::{Rpc, show, wait};
use crate::{
    item::StoreItems,
    place::{PlaceOrder, ValidateOrder},
    store as reads,
};

impl Rpc {
    pub(super) async fn place_order(
        &self,
        info: &CallInfo,
        request: contract::PlaceOrderRequest,
    ) -> Result<contract::Order, Fault> {
        // What happens to the order from now on is not missed.
        let events = self.db.subscribe();
        let placed = self.place(info, &request).await?;
        // Nobody waits to be told of an order that it no longer sees.
        let shown = show(placed.clone(), &info.principal)?;
        if !request.wait {
            return Ok(shown);
        }
        let decided = wait::decided(&self.db, events, info, &self.config, &request, placed).await?;
        show(decided, &info.principal)
    }

    async fn place(&self, info: &CallInfo, request: &contract::PlaceOrderRequest) -> Result<contract::Order, Fault> {
        match chassis::command(self, info, request, PlaceOrder::parse).await {
            Err(fault) if self.copy_unknown_items(request.lines.iter().map(|line| &line.sku), &fault).await? => {
                chassis::command(self, info, request, PlaceOrder::parse).await
            }
            outcome => outcome,
        }
    }

    pub(super) async fn validate_order(
        &self,
        info: &CallInfo,
        request: contract::ValidateOrderRequest,
    ) -> Result<contract::Order, Fault> {
        let order = request.order.ok_or_else(|| Fault::invalid("order", "is required"))?;
        let validate = async || {
            let order = PlaceOrder::parse(&order, &info.principal)?;
            self.db.run(chassis::call(info), ValidateOrder(order)).await
        };
        let validated = match validate().await {
            Err(fault) if self.copy_unknown_items(order.lines.iter().map(|line| &line.sku), &fault).await? => {
                validate().await?
            }
            outcome => outcome?,
        };
        show(validated, &info.principal)
    }

    /// Copies the items that a refused request names and that have no copy here; returns whether inventory has any.
    pub(super) async fn copy_unknown_items<'r>(
        &self,
        named: impl Iterator<Item = &'r String>,
        refusal: &Fault,
    ) -> Result<bool, Fault> {
        if !refusal.violations.iter().any(|violation| violation.reason == Some(LineReason::ItemUnknown)) {
            return Ok(false);
        }
        // A text that is not an SKU is unknown to inventory too.
        let mut form = Checks::new();
        let skus = named.filter_map(|sku| form.sku("sku", sku)).take(MAX_LINES).collect();
        let skus = reads::unknown_skus(&self.db, skus).await?;
        if skus.is_empty() {
            return Ok(false);
        }
        let found = self.inventory.clone().batch_get_items(BatchGetItemsRequest { skus }).await;
        let items = found.map_err(|status| mesh::fault(&status))?.into_inner().items;
        let any = !items.is_empty();
        if any {
            self.db.run(Call::new(Actor::service(crate::NAME)), StoreItems(items)).await?;
        }
        Ok(any)
    }
}
