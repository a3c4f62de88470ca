//! Places an order: asks inventory for unknown items first, and delays the answer until stock is decided when `wait` is
//! set.

use mesh::{CallInfo, wire::Checks};
use proto::{inventory::v1::BatchGetItemsRequest, order::v1 as contract};
use store::Call;
use types::{Actor, Fault, Reason, limits::MAX_LINES};

use super::{Rpc, show, wait};
use crate::{item::StoreItems, place::PlaceOrder, store as reads};

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
            Err(fault) if self.copy_unknown_items(request, &fault).await? => {
                chassis::command(self, info, request, PlaceOrder::parse).await
            }
            outcome => outcome,
        }
    }

    /// Copies the items that a refused order names and that have no copy here; returns whether inventory has any.
    async fn copy_unknown_items(&self, request: &contract::PlaceOrderRequest, refusal: &Fault) -> Result<bool, Fault> {
        let is_sku = |field: &str| field.starts_with("lines[") && field.ends_with("].sku");
        let names_sku = refusal.violations.iter().any(|violation| is_sku(&violation.field));
        if refusal.reason != Reason::InvalidArgument || !names_sku {
            return Ok(false);
        }
        // A text that is not an SKU is unknown to inventory too.
        let mut form = Checks::new();
        let skus = request.lines.iter().filter_map(|line| form.sku("sku", &line.sku)).take(MAX_LINES).collect();
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
