//! Places a hold.

use std::{collections::BTreeSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{fulfillment::v1::FulfillmentOrder, order::v1 as contract};
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId, Timestamp, limits::MAX_LINES, limits::MAX_TEXT};

use super::{Hold, HoldReason, LineNumbers, release};
use crate::{aggregate::OrderAggregate, order::Action};

/// Places a hold.
#[derive(Debug)]
pub(crate) struct PlaceHold {
    order_id: OrderId,
    etag: String,
    reason: HoldReason,
    note: String,
    line_numbers: LineNumbers,
    fulfillment_order_id: Option<FulfillmentOrderId>,
    expire_time: Option<Timestamp>,
    caller: Arc<Principal>,
}

impl PlaceHold {
    /// Reads the request, with the fulfillment order that it names.
    pub(crate) fn parse(
        request: &contract::PlaceHoldRequest,
        fulfillment_order: Option<&FulfillmentOrder>,
        caller: &Arc<Principal>,
    ) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id: Option<OrderId> = checks.id("order_id", &request.order_id);
        let reason = checks.choice("reason", request.reason).and_then(HoldReason::from_contract);
        let note = checks.optional_text("note", &request.note, MAX_TEXT);
        let mut line_numbers = read_line_numbers(&request.line_numbers, &mut checks);
        let fulfillment_order_id = checks.optional_id("fulfillment_order_id", &request.fulfillment_order_id);
        if !request.fulfillment_order_id.is_empty() && !request.line_numbers.is_empty() {
            checks.wrong("line_numbers", "must be empty when fulfillment_order_id is given");
        }
        if let (Some(Some(_)), Some(of_order)) = (&fulfillment_order_id, &order_id) {
            match fulfillment_order.filter(|found| found.order_id == of_order.to_string()) {
                Some(found) => line_numbers = found.lines.iter().map(|line| line.line_number.into()).collect(),
                None => checks.wrong("fulfillment_order_id", "is no fulfillment order of the order"),
            }
        }
        let expire_time = checks.optional_time("expire_time", request.expire_time.as_ref());
        checks.done()?;
        Ok(Self {
            order_id: checked(order_id)?,
            etag: request.etag.clone(),
            reason: checked(reason)?,
            note: checked(note)?,
            line_numbers: LineNumbers(line_numbers.into_iter().collect()),
            fulfillment_order_id: checked(fulfillment_order_id)?,
            expire_time: checked(expire_time)?,
            caller: caller.clone(),
        })
    }
}

fn read_line_numbers(numbers: &[i32], checks: &mut Checks) -> BTreeSet<i64> {
    if numbers.len() > MAX_LINES {
        checks.wrong("line_numbers", "must be at most 5,000 lines");
        return BTreeSet::new();
    }
    let read = numbers.iter().enumerate();
    let read = read.filter_map(|(index, number)| checks.line_number(format!("line_numbers[{index}]"), *number));
    read.map(i64::from).collect()
}

impl Command for PlaceHold {
    type Reply = contract::Order;

    const NAME: &'static str = "PlaceHold";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut aggregate =
            OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, Action::PlaceHold, rows)?;
        let mut checks = Checks::new();
        let has_line = |number: &i64| aggregate.lines.binary_search_by_key(number, |line| line.line_number).is_ok();
        if let Some(unknown) = self.line_numbers.0.iter().find(|number| !has_line(number)) {
            checks.wrong("line_numbers", format!("the order has no line {unknown}"));
        }
        if self.expire_time.is_some_and(|expire_time| expire_time <= cx.now()) {
            checks.wrong("expire_time", "must be in the future");
        }
        checks.done()?;
        let hold = Hold {
            order_id: self.order_id.clone(),
            hold_number: aggregate.order.hold_count + 1,
            reason: self.reason,
            line_numbers: self.line_numbers.clone(),
            fulfillment_order_id: self.fulfillment_order_id.clone(),
            note: self.note.clone(),
            placed_by: self.caller.subject.clone(),
            place_time: cx.now(),
            expire_time: self.expire_time,
            released_by: None,
            release_time: None,
            credit_account_id: None,
            version: 0,
        };
        if let Some(expire_time) = self.expire_time {
            release::EXPIRE.schedule(&self.order_id, hold.hold_number, expire_time, cx);
        }
        aggregate.change(cx.now(), |aggregate| aggregate.place_hold(hold));
        aggregate.save_and_show(rows, cx)
    }
}
