//! Answers the calls about changes of orders.

use mesh::{
    CallInfo,
    wire::{Checks, checked, one_id},
};
use proto::order::v1::{self as contract, OrderChangeState};
use store::{Kind, page::Page};
use types::{Fault, OrderId};

use super::{Rpc, show_change};
use crate::{change::ProposeChange, store as reads};

impl Rpc {
    pub(super) async fn propose_order_change(
        &self,
        info: &CallInfo,
        request: contract::ProposeOrderChangeRequest,
    ) -> Result<contract::OrderChange, Fault> {
        let named = || request.added_lines.iter().filter_map(|added| added.line.as_ref()).map(|line| &line.sku);
        let proposed = match chassis::command(self, info, &request, ProposeChange::parse).await {
            Err(fault) if self.copy_unknown_items(named(), &fault).await? => {
                chassis::command(self, info, &request, ProposeChange::parse).await
            }
            outcome => outcome,
        };
        show_change(proposed?, &info.principal)
    }

    pub(super) async fn get_order_change(
        &self,
        info: &CallInfo,
        request: contract::GetOrderChangeRequest,
    ) -> Result<contract::OrderChange, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        checks.done()?;
        let order_id: OrderId = checked(order_id)?;
        let order = reads::order(&self.db, &order_id, &info.principal).await?;
        let order = order.ok_or_else(|| Fault::not_found("order", &order_id))?.into_changing();
        let number = i64::from(request.change_number);
        let change = reads::change(&self.db, &order_id, number).await?;
        let change = change.ok_or_else(|| Fault::not_found("change", number))?;
        let stored = change.to_contract(&order.order);
        if stored.state() != OrderChangeState::Proposed {
            return Ok(stored);
        }
        // What it would do to the order as it is now; what has become impossible is about to expire.
        let shown = order.preview(&change.change.0, self.db.clock().now());
        Ok(shown.map_or(stored.clone(), |now| contract::OrderChange { order_etag: stored.order_etag, ..now }))
    }

    pub(super) async fn list_order_changes(
        &self,
        info: &CallInfo,
        request: contract::ListOrderChangesRequest,
    ) -> Result<contract::ListOrderChangesResponse, Fault> {
        let order_id: OrderId = one_id("order_id", &request.order_id)?;
        let belongs_to: [&str; 2] = [&order_id.to_string(), &info.principal.to_string()];
        let page = Page::read("changes", &belongs_to, &[Kind::Integer], request.page_size, &request.page_token)?;
        let order = reads::order(&self.db, &order_id, &info.principal).await?;
        let order = order.ok_or_else(|| Fault::not_found("order", &order_id))?.into_changing();
        let (changes, next_page_token) = reads::changes(&self.db, &order_id, &page).await?;
        let changes = changes.iter().map(|change| change.to_contract(&order.order)).collect();
        Ok(contract::ListOrderChangesResponse { changes, next_page_token })
    }
}
