//! Cancels the open units of an order. The whole process is in `process/cancellation.rs`.

use std::{collections::HashSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, OrderId,
    limits::{MAX_LINES, MAX_TEXT},
};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    order::Action,
    order_line::LineUnits,
};

/// Cancels an order, or units of some of its lines: units that are not at nodes at once, the others if their nodes can still stop
/// them.
#[derive(Debug)]
pub(crate) struct CancelOrder {
    order_id: OrderId,
    etag: String,
    reason: String,
    /// Everything when empty; all of a line's open units when its quantity is 0.
    lines: Vec<LineUnits>,
    caller: Arc<Principal>,
}

impl CancelOrder {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::CancelOrderRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        let lines = read_lines(&request.lines, &mut checks);
        checks.done()?;
        let (order_id, reason) = (checked(order_id)?, checked(reason)?);
        Ok(Self { order_id, etag: request.etag.clone(), reason, lines, caller: caller.clone() })
    }

    /// The units to cancel of each line; wrong when there are not so many.
    fn units(&self, order: &ChangingOrder) -> Result<Vec<LineUnits>, Fault> {
        let mut checks = Checks::new();
        let mut units = Vec::with_capacity(self.lines.len());
        for (index, wanted) in self.lines.iter().enumerate() {
            let Some(line) = order.line(wanted.line_number) else {
                let description = format!("the order has no line {}", wanted.line_number);
                checks.wrong(format!("lines[{index}].line_number"), description);
                continue;
            };
            let open = line.cancellable();
            if open == 0 || wanted.quantity > open {
                let description = format!("{open} units of line {} can be cancelled", wanted.line_number);
                checks.wrong(format!("lines[{index}].quantity"), description);
            }
            let quantity = if wanted.quantity == 0 { open } else { wanted.quantity };
            units.push(LineUnits { quantity, ..*wanted });
        }
        checks.done()?;
        Ok(units)
    }
}

fn read_lines(lines: &[contract::LineCancellation], checks: &mut Checks) -> Vec<LineUnits> {
    if !checks.at_most("lines", lines.len(), MAX_LINES) {
        return Vec::new();
    }
    let mut numbers = HashSet::new();
    let read = lines.iter().enumerate().filter_map(|(index, line)| {
        let field = |name: &str| format!("lines[{index}].{name}");
        let line_number = checks.line_number(field("line_number"), line.line_number);
        if !numbers.insert(line.line_number) {
            checks.wrong(field("line_number"), format!("{} is named twice", line.line_number));
        }
        let quantity = checks.quantity(field("quantity"), line.quantity, 0);
        Some(LineUnits { line_number: line_number?.into(), quantity: quantity? })
    });
    read.collect()
}

impl Command for CancelOrder {
    type Reply = contract::Order;

    const NAME: &'static str = "CancelOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut aggregate = OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, Action::Cancel, rows)?;
        let units = self.units(&aggregate)?;
        aggregate.change(cx.now(), |aggregate| match units.as_slice() {
            [] => aggregate.cancel(&self.reason, cx.now()),
            units => aggregate.cancel_lines(units, &self.reason),
        });
        aggregate.save_and_show(rows, cx)
    }
}
