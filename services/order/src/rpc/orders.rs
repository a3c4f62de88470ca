//! Orders.

use mesh::{
    CallInfo, Principal,
    wire::{Checks, MAX_CHOICES},
};
use proto::{inventory::v1::BatchGetItemsRequest, order::v1 as wire};
use store::{Call, Column, page::Page};
use types::{AccountId, Fault, OrderId, Reason};

use super::{Api, command_call, parts, wait};
use crate::{
    cancel::CancelOrder,
    hold::{PlaceHold, ReleaseHold},
    item::StoreItems,
    order::action,
    place,
    store::{ORDERS_KEY, OrderFilter, READINESS_KEY, Whole},
    wire::{to_hold_reason, to_state, to_status},
};

/// The longest note or reason.
const LONGEST: usize = 500;

impl Api {
    pub(super) async fn place_order(
        &self,
        info: &CallInfo,
        request: wire::PlaceOrderRequest,
    ) -> Result<wire::Order, Fault> {
        let events = request.wait.then(|| self.db.subscribe());
        let placed = match self.place(info, &request).await {
            Err(fault) if fault.reason == Reason::InvalidArgument && self.learn_items(&request, &fault).await? => {
                self.place(info, &request).await?
            }
            outcome => outcome?,
        };
        let order = match events {
            Some(events) => wait::decided(&self.db, events, placed, wait::until(info, &self.config)).await,
            None => placed,
        };
        shown(order, &info.principal)
    }

    async fn place(&self, info: &CallInfo, request: &wire::PlaceOrderRequest) -> Result<wire::Order, Fault> {
        let command = place::check(request, info.principal.clone())?;
        self.db.run(command_call(info, &request.request_id, request), command).await
    }

    /// Asks inventory for items that a refused order names and that are not known here; answers whether any came.
    async fn learn_items(&self, request: &wire::PlaceOrderRequest, refusal: &Fault) -> Result<bool, Fault> {
        let unknown = |field: &str| field.starts_with("lines[") && field.ends_with("].sku");
        if !refusal.violations.iter().any(|violation| unknown(&violation.field)) {
            return Ok(false);
        }
        // What has not the form of an SKU is not known to inventory either.
        let mut form = Checks::new();
        let skus = request.lines.iter().filter_map(|line| form.sku("sku", &line.sku)).take(place::MOST_LINES).collect();
        let skus = crate::store::unknown_skus(&self.db, skus).await?;
        if skus.is_empty() {
            return Ok(false);
        }
        let found = self.inventory.clone().batch_get_items(BatchGetItemsRequest { skus }).await;
        let items = found.map_err(|status| mesh::fault(&status))?.into_inner().items;
        let any = !items.is_empty();
        if any {
            self.db.run(Call::new(types::Actor::service(crate::NAME)), StoreItems(items)).await?;
        }
        Ok(any)
    }

    pub(super) async fn get_order(
        &self,
        info: &CallInfo,
        request: wire::GetOrderRequest,
    ) -> Result<wire::Order, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        checks.done()?;
        let order_id: OrderId = parts(order_id)?;
        let order = crate::store::order(&self.db, &order_id, info.principal.own_accounts()).await?;
        shown(order.as_ref().map(whole).ok_or_else(|| Fault::not_found("order", order_id))?, &info.principal)
    }

    pub(super) async fn list_orders(
        &self,
        info: &CallInfo,
        request: wire::ListOrdersRequest,
    ) -> Result<wire::ListOrdersResponse, Fault> {
        let mut checks = Checks::new();
        let filter = read_filter(&request, &mut checks);
        checks.done()?;
        let filter = parts(filter)?;
        // The debug form has every part of the filter, and the token only has to tell filters apart.
        let marks: [&str; 2] = [&format!("{filter:?}"), &info.principal.to_string()];
        let page = Page::read("orders", &marks, ORDERS_KEY, request.page_size, &request.page_token)?;
        let (orders, next_page_token) =
            crate::store::orders(&self.db, &filter, info.principal.own_accounts(), &page).await?;
        let orders = orders.iter().map(|order| shown(whole(order), &info.principal)).collect::<Result<_, _>>()?;
        Ok(wire::ListOrdersResponse { orders, next_page_token })
    }

    pub(super) async fn cancel_order(
        &self,
        info: &CallInfo,
        request: wire::CancelOrderRequest,
    ) -> Result<wire::Order, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let order_id = checks.id("order_id", &request.order_id);
        let reason = checks.optional_text("reason", &request.reason, LONGEST);
        checks.done()?;
        let command = CancelOrder {
            order_id: parts(order_id)?,
            etag: request.etag.clone(),
            reason: parts(reason)?,
            caller: info.principal.clone(),
        };
        shown(self.db.run(command_call(info, &request.request_id, &request), command).await?, &info.principal)
    }

    pub(super) async fn place_hold(
        &self,
        info: &CallInfo,
        request: wire::PlaceHoldRequest,
    ) -> Result<wire::Order, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let order_id = checks.id("order_id", &request.order_id);
        let reason = checks.choice("reason", request.reason).and_then(to_hold_reason);
        let note = checks.optional_text("note", &request.note, LONGEST);
        checks.done()?;
        let command = PlaceHold {
            order_id: parts(order_id)?,
            etag: request.etag.clone(),
            reason: parts(reason)?,
            note: parts(note)?,
            caller: info.principal.clone(),
        };
        shown(self.db.run(command_call(info, &request.request_id, &request), command).await?, &info.principal)
    }

    pub(super) async fn release_hold(
        &self,
        info: &CallInfo,
        request: wire::ReleaseHoldRequest,
    ) -> Result<wire::Order, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let order_id = checks.id("order_id", &request.order_id);
        if request.hold_number < 1 {
            checks.wrong("hold_number", "must be at least 1");
        }
        checks.done()?;
        let command = ReleaseHold {
            order_id: parts(order_id)?,
            etag: request.etag.clone(),
            hold_number: request.hold_number.into(),
            caller: info.principal.clone(),
        };
        shown(self.db.run(command_call(info, &request.request_id, &request), command).await?, &info.principal)
    }

    pub(super) async fn list_invoice_readiness(
        &self,
        info: &CallInfo,
        request: wire::ListInvoiceReadinessRequest,
    ) -> Result<wire::ListInvoiceReadinessResponse, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.optional_id::<OrderId>("order_id", &request.order_id);
        let account_id = checks.optional_id::<AccountId>("account_id", &request.account_id);
        checks.done()?;
        let (order_id, account_id) = (parts(order_id)?, parts(account_id)?);
        let filter = [request.order_id.as_str(), &request.account_id, &info.principal.to_string()];
        let page = Page::read("readiness", &filter, READINESS_KEY, request.page_size, &request.page_token)?;
        let accounts = info.principal.own_accounts();
        let mut found =
            crate::store::readiness(&self.db, order_id.as_ref(), account_id.as_ref(), accounts, &page).await?;
        let next_page_token = page.next(&mut found, |ready| {
            vec![ready.ready_time.to_value(), ready.order_id.to_value(), ready.invoice_number.to_value()]
        });
        let readiness = found.into_iter().map(|ready| ready.readiness.0).collect();
        Ok(wire::ListInvoiceReadinessResponse { readiness, next_page_token })
    }

    pub(super) async fn summarize_orders(
        &self,
        info: &CallInfo,
        request: wire::SummarizeOrdersRequest,
    ) -> Result<wire::SummarizeOrdersResponse, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.optional_id::<AccountId>("account_id", &request.account_id);
        checks.done()?;
        crate::store::summary(&self.db, parts(account_id)?.as_ref(), info.principal.own_accounts()).await
    }
}

pub(super) fn whole(whole: &Whole) -> wire::Order {
    crate::wire::order(&whole.order, &whole.lines, &whole.holds)
}

/// The order as the caller sees it: who holds it and why in words is for the distributor's own people. An answer that was
/// kept for a repeat is told only while the caller still sees the account.
fn shown(mut order: wire::Order, caller: &Principal) -> Result<wire::Order, Fault> {
    if !order.account_id.parse().is_ok_and(|account| caller.sees(&account)) {
        return Err(Fault::not_found("order", order.order_id));
    }
    if !caller.is_staff() {
        for hold in &mut order.holds {
            hold.note.clear();
            hold.placed_by.clear();
        }
        order.supported_actions.retain(|name| [action::CANCEL, action::AUTHORIZE_RETURN].contains(&name.as_str()));
    }
    Ok(order)
}

fn read_filter(request: &wire::ListOrdersRequest, checks: &mut Checks) -> Option<OrderFilter> {
    let account_id = checks.optional_id("account_id", &request.account_id);
    let customer_po = checks.optional_text("customer_po", &request.customer_po, 64);
    let states = each("states", &request.states, checks, to_state);
    let statuses = each("statuses", &request.statuses, checks, to_status);
    let created_after = checks.optional_time("created_after", request.created_after.as_ref());
    let created_before = checks.optional_time("created_before", request.created_before.as_ref());
    Some(OrderFilter {
        account_id: account_id?,
        customer_po: customer_po?,
        states: states?,
        statuses: statuses?,
        created_after: created_after?,
        created_before: created_before?,
    })
}

fn each<E, T: Ord>(field: &str, numbers: &[i32], checks: &mut Checks, read: fn(E) -> Option<T>) -> Option<Vec<T>>
where
    E: TryFrom<i32> + PartialEq + Default,
{
    if !checks.at_most(field, numbers.len(), MAX_CHOICES) {
        return None;
    }
    let read: Vec<Option<T>> = numbers
        .iter()
        .enumerate()
        .map(|(index, number)| checks.choice(format!("{field}[{index}]"), *number).and_then(read))
        .collect();
    let mut values: Vec<T> = read.into_iter().collect::<Option<_>>()?;
    values.sort();
    values.dedup();
    Some(values)
}
