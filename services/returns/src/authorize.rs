//! Authorizes a return of delivered units.

use std::{collections::BTreeMap, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::returns::v1::{self as contract, AuthorizeReturnRequest};
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, OrderId, ReturnId, limits::MAX_TEXT};

use crate::{
    aggregate::ReturnAggregate,
    events::PendingEvent,
    order::{DeliveredLine, Delivery, Node, Order},
    process::receipt_to_credit,
    rma::{CreditState, Return, ReturnState},
    wire::{LineUnits, read_lines},
};

/// Authorizes a return.
pub(crate) struct AuthorizeReturn {
    order_id: OrderId,
    lines: Vec<LineUnits>,
    reason: String,
    node_id: Option<NodeId>,
    caller: Arc<Principal>,
}

impl AuthorizeReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &AuthorizeReturnRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let lines = read_lines(&request.lines, &mut checks);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        let node_id = checks.optional_id("node_id", &request.node_id);
        checks.done()?;
        let (order_id, reason, node_id) = (checked(order_id)?, checked(reason)?, checked(node_id)?);
        Ok(Self { order_id, lines, reason, node_id, caller: caller.clone() })
    }

    /// The node that the goods come back to: the one named, or the one that most of them were delivered from.
    fn node(&self, rows: &Rows) -> Result<NodeId, Fault> {
        if let Some(node_id) = &self.node_id {
            let known = rows.get::<Node>(node_id)?.is_some();
            return if known { Ok(node_id.clone()) } else { Err(Fault::invalid("node_id", "no such node")) };
        }
        let mut delivered: BTreeMap<&NodeId, i64> = BTreeMap::new();
        for (line_number, _) in &self.lines {
            for delivery in rows.under::<Delivery>(&(self.order_id.clone(), *line_number))? {
                *delivered.entry(&delivery.node_id).or_default() += delivery.quantity;
            }
        }
        let most = delivered.into_iter().max_by(|(a, most), (b, more)| most.cmp(more).then(b.cmp(a)));
        most.map(|(node_id, _)| node_id.clone()).ok_or_else(|| Fault::internal("units were delivered from no node"))
    }
}

impl Command for AuthorizeReturn {
    type Reply = contract::Return;
    const NAME: &'static str = "AuthorizeReturn";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Order>(&self.order_id);
        if let Some(node_id) = &self.node_id {
            needs.row::<Node>(node_id);
        }
        for (line_number, _) in &self.lines {
            DeliveredLine::needs(&self.order_id, *line_number, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let order = rows.get::<Order>(&self.order_id)?.filter(|order| self.caller.sees(&order.account_id)).cloned();
        let order = order.ok_or_else(|| Fault::not_found("order", &self.order_id))?;
        let line_numbers = self.lines.iter().map(|(line_number, _)| *line_number);
        let order_lines = DeliveredLine::load(&self.order_id, line_numbers, rows)?;
        let return_id: ReturnId = cx.new_id();
        let lines = receipt_to_credit::authorize(&return_id, &self.lines, &order_lines)?;
        let rma = Return {
            return_id,
            order_id: order.order_id,
            account_id: order.account_id,
            state: ReturnState::Authorized,
            reason: self.reason.clone(),
            node_id: self.node(rows)?,
            package_id: None,
            currency: order.currency,
            credit_state: CreditState::Pending,
            create_time: cx.now(),
            update_time: cx.now(),
            overdue_time: None,
            size_bytes: 0,
            version: 0,
        };
        ReturnAggregate::new(rma, lines, order_lines, PendingEvent::Authorized).save(rows, cx)
    }
}
