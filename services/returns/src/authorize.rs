//! Authorizing a return of delivered units.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mesh::{Principal, wire::Checks};
use proto::returns::v1::{AuthorizeReturnRequest, Return, ReturnQuantity};
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, OrderId, ReturnId};

use crate::{
    order::{Delivery, Node, Order, OrderLine},
    rma::{CreditState, Line, Rma, State},
    tell, wire,
};

/// Units of a line.
pub(crate) type Units = (i64, i64);

/// Reads the lines of a request, each line once.
pub(crate) fn read_lines(checks: &mut Checks, lines: &[ReturnQuantity]) -> Vec<Units> {
    if !(1..=5_000).contains(&lines.len()) {
        checks.wrong("lines", "must be 1 to 5,000 lines");
        return Vec::new();
    }
    let (mut read, mut seen) = (Vec::with_capacity(lines.len()), BTreeSet::new());
    for (index, line) in lines.iter().enumerate() {
        let number = checks.line_number(format!("lines[{index}].line_number"), line.line_number);
        let quantity = checks.quantity(format!("lines[{index}].quantity"), line.quantity, 1);
        if number.is_some_and(|number| !seen.insert(number)) {
            checks.wrong(format!("lines[{index}].line_number"), "is there twice");
        }
        read.extend(number.map(i64::from).zip(quantity));
    }
    read
}

/// Refuses the line at an index of a request, which `whose` does not have.
pub(crate) fn no_such_line(index: usize, whose: &str) -> Fault {
    Fault::invalid(format!("lines[{index}].line_number"), format!("is not a line of the {whose}"))
}

/// Authorizes a return.
pub(crate) struct AuthorizeReturn {
    order_id: OrderId,
    lines: Vec<Units>,
    reason: String,
    node_id: Option<NodeId>,
    caller: Arc<Principal>,
}

impl AuthorizeReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &AuthorizeReturnRequest, caller: Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let order_id = checks.id("order_id", &request.order_id);
        let lines = read_lines(&mut checks, &request.lines);
        checks.optional_text("reason", &request.reason, 500);
        let node_id = checks.optional_id("node_id", &request.node_id).flatten();
        checks.done()?;
        let order_id = order_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?;
        Ok(Self { order_id, lines, reason: request.reason.clone(), node_id, caller })
    }

    /// The node most of it was delivered from.
    fn usual_node(&self, rows: &Rows) -> Result<Option<NodeId>, Fault> {
        let mut delivered: BTreeMap<&NodeId, i64> = BTreeMap::new();
        for (line_number, _) in &self.lines {
            for delivery in rows.under::<Delivery>(&(self.order_id.clone(), *line_number))? {
                *delivered.entry(&delivery.node_id).or_default() += delivery.quantity;
            }
        }
        let most = delivered.iter().max_by(|(a, most), (b, more)| most.cmp(more).then(b.cmp(a)));
        Ok(most.map(|(node_id, _)| (*node_id).clone()))
    }
}

impl Command for AuthorizeReturn {
    type Reply = Return;
    const NAME: &'static str = "AuthorizeReturn";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Order>(&self.order_id);
        if let Some(node_id) = &self.node_id {
            needs.row::<Node>(node_id);
        }
        for (line_number, _) in &self.lines {
            needs.row::<OrderLine>(&(self.order_id.clone(), *line_number));
            needs.under::<Delivery>(&(self.order_id.clone(), *line_number));
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Return, Fault> {
        let order = rows.get::<Order>(&self.order_id)?.filter(|order| self.caller.sees(&order.account_id)).cloned();
        let order = order.ok_or_else(|| Fault::not_found("order", &self.order_id))?;
        if let Some(node_id) = &self.node_id
            && rows.get::<Node>(node_id)?.is_none()
        {
            return Err(Fault::invalid("node_id", "no such node"));
        }
        let return_id: ReturnId = cx.new_id();
        let mut lines = Vec::with_capacity(self.lines.len());
        for (index, (line_number, wanted)) in self.lines.iter().enumerate() {
            let order_line = rows.get::<OrderLine>(&(self.order_id.clone(), *line_number))?.cloned();
            let order_line = order_line.ok_or_else(|| no_such_line(index, "order"))?;
            let deliveries = rows.under::<Delivery>(&(self.order_id.clone(), *line_number))?;
            let delivered = deliveries.into_iter().map(|delivery| delivery.quantity).sum();
            let claimed = rows.put(order_line.claim(delivered, *wanted)?);
            lines.push(rows.put(Line::new(return_id.clone(), *line_number, claimed.sku, *wanted)));
        }
        lines.sort_by_key(|line| line.line_number);
        let node_id = match &self.node_id {
            Some(node_id) => Some(node_id.clone()),
            None => self.usual_node(rows)?,
        };
        let rma = rows.put(Rma {
            return_id,
            order_id: order.order_id,
            account_id: order.account_id,
            state: State::Authorized,
            reason: self.reason.clone(),
            node_id: node_id.ok_or_else(|| Fault::internal("delivered units came from no node"))?,
            currency: order.currency,
            credit_state: CreditState::Pending,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        cx.emit(tell::changed("return.authorized", &rma, &lines));
        Ok(wire::rma(&rma, &lines))
    }
}
