//! Making the work of what inventory allocated.

use std::collections::BTreeMap;

use proto::{
    fulfillment::v1::{FulfillmentRouted, FulfillmentRoutingFailed},
    inventory::v1::AllocationRequest,
};
use store::{Command, Context, Needs, Proto, Rows, Task};
use types::{DecisionId, Fault, NodeId, Timestamp};

use super::{CHOICES, TRIES};
use crate::{
    decision::{self, Decision, State},
    dossier::Dossier,
    fulfillment_order::{Cancellation, Execution, Fulfillment, FulfillmentOrder, Late, Line, Request},
    keys,
    node::Node,
    release::{Book, Release, Routing},
};

/// Settles a plan with what inventory answered: one piece of work per node. Settled once.
#[derive(Debug)]
pub struct SettleRouting {
    /// The plan.
    pub decision_id: DecisionId,
    /// What inventory allocated.
    pub allocated: Vec<AllocationRequest>,
}

impl Command for SettleRouting {
    type Reply = ();
    const NAME: &'static str = "SettleRouting";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Decision>(&self.decision_id);
        if let Ok(Some(decision)) = rows.get::<Decision>(&self.decision_id) {
            Book::needs(&decision.order_id, decision.release_number, needs);
        }
        for node_id in self.nodes() {
            needs.row::<Node>(&node_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Some(mut decision) = rows.get::<Decision>(&self.decision_id)?.cloned() else { return Ok(()) };
        let Some(mut book) = Book::load(&decision.order_id, decision.release_number, rows)? else { return Ok(()) };
        if decision.state != State::Planned || book.release.decision_id.as_ref() != Some(&self.decision_id) {
            return Ok(());
        }
        let granted = self.grant(&decision, &mut book);
        let short = book.lines.iter().any(|line| line.planned > 0);
        // A plan that was cut off left lines that it did not look for a node for, and got on.
        let cut = decision.body.0.choices.len() >= CHOICES && !granted.is_empty();
        for line in &mut book.lines {
            line.unrouted += std::mem::take(&mut line.planned);
        }
        book.release.decision_id = None;
        let attempt = i64::from(decision.body.0.attempt);
        decision.state = State::Settled;
        decision.body = Proto(decision::settled(&decision.body.0, &granted, book.unrouted()));
        let decision = rows.put(decision);

        let parked = next(&mut book, attempt, (short, cut), cx.now());
        book.save(rows, cx)?;
        let account = book.release.account_id.clone();
        if !granted.is_empty() {
            let routed = FulfillmentRouted { decision: Some(decision.body.0.clone()) };
            cx.emit(decision.fact("fulfillment.routed", &account, &routed));
            self.give(&decision, &granted, &book.release, rows, cx)?;
        }
        if parked {
            let failed = FulfillmentRoutingFailed { decision: Some(decision.body.0.clone()) };
            cx.emit(decision.fact("fulfillment.routing_failed", &account, &failed));
        }
        Ok(())
    }
}

/// What becomes of what still has no node; answers whether it waits for something to change from now on.
fn next(book: &mut Book, attempt: i64, (short, cut): (bool, bool), now: Timestamp) -> bool {
    if book.release.cancel_time.is_some() || !book.waits() {
        return false;
    }
    if book.release.routing == Routing::Wanted && book.release.attempt > attempt {
        // Something has changed since the plan was made.
        book.route_now();
    } else if cut {
        book.release.attempt += 1;
        book.release.try_number = 1;
        book.route_now();
    } else if short && book.release.try_number < TRIES {
        book.release.try_number += 1;
        book.route_now();
    } else {
        book.park(now);
        return true;
    }
    false
}

impl SettleRouting {
    fn nodes(&self) -> Vec<NodeId> {
        self.allocated.iter().filter_map(|allocation| allocation.location_id.parse().ok()).collect()
    }

    /// Moves what was allocated, of what was planned, to the nodes.
    fn grant(&self, decision: &Decision, book: &mut Book) -> Vec<AllocationRequest> {
        let planned = decision.picks();
        let mut granted = Vec::new();
        for allocation in &self.allocated {
            let same = |pick: &&AllocationRequest| {
                pick.line_number == allocation.line_number && pick.location_id == allocation.location_id
            };
            let most = planned.iter().find(same).map_or(0, |pick| pick.quantity);
            let number = i64::from(allocation.line_number);
            let Some(line) = book.lines.iter_mut().find(|line| line.line_number == number) else { continue };
            let quantity = allocation.quantity.min(most).min(line.planned);
            if quantity > 0 {
                line.planned -= quantity;
                line.assigned += quantity;
                granted.push(AllocationRequest { quantity, ..allocation.clone() });
            }
        }
        granted
    }

    /// One piece of work per node.
    fn give(
        &self,
        decision: &Decision,
        granted: &[AllocationRequest],
        release: &Release,
        rows: &mut Rows,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        let mut by_node: BTreeMap<NodeId, Vec<&AllocationRequest>> = BTreeMap::new();
        for allocation in granted {
            let node_id = allocation.location_id.parse().map_err(|_| Fault::internal("an allocation is at no node"))?;
            by_node.entry(node_id).or_default().push(allocation);
        }
        for (node_id, allocations) in by_node {
            let node = rows.get::<Node>(&node_id)?.cloned().ok_or_else(|| Fault::not_found("node", &node_id))?;
            let fulfillment = request(decision, release, &node, &allocations, rows, cx)?;
            let mut dossier = Dossier::new(fulfillment, release, rows)?;
            let at = cx.now();
            let cancelled = match release.cancel_time {
                Some(_) => dossier.work.request_cancellation(at, &release.cancel_reason).ok(),
                None => None,
            };
            dossier.save(rows, cx)?;
            if let Some(Cancellation::Cancelled(lines)) = cancelled {
                // The cancellation came while inventory was asked: no node ever hears of it.
                dossier.tell_cancelled(lines, at, cx);
                continue;
            }
            dossier.tell_changed("fulfillment.requested", at, cx);
            if let Some(within) = node.accept_within() {
                let id = &dossier.work.order.fulfillment_order_id;
                cx.schedule(Task::new(keys::ACCEPT, id, at.after(within)));
            }
        }
        Ok(())
    }
}

fn request(
    decision: &Decision,
    release: &Release,
    node: &Node,
    allocations: &[&AllocationRequest],
    rows: &Rows,
    cx: &Context<'_>,
) -> Result<Fulfillment, Fault> {
    let order = FulfillmentOrder {
        fulfillment_order_id: cx.new_id(),
        order_id: release.order_id.clone(),
        account_id: release.account_id.clone(),
        customer_po: release.customer_po.clone(),
        node_id: node.node_id.clone(),
        partner_id: node.partner_id.clone(),
        release_number: release.release_number,
        attempt: i64::from(decision.body.0.attempt),
        execution_state: Execution::Open,
        request_state: Request::Submitted,
        ship_to: release.ship_to.clone(),
        requested_ship_time: release.requested_ship_time,
        reason: String::new(),
        decision_id: decision.decision_id.clone(),
        accept_time: None,
        reject_time: None,
        cancel_time: None,
        late_acceptance: Late::None,
        create_time: cx.now(),
        update_time: cx.now(),
        version: 0,
    };
    let released = rows.under::<crate::release::ReleaseLine>(&(release.order_id.clone(), release.release_number))?;
    let mut lines: Vec<Line> = Vec::new();
    for allocation in allocations {
        let number = i64::from(allocation.line_number);
        let Some(source) = released.iter().find(|line| line.line_number == number) else { continue };
        lines.push(Line {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            line_number: number,
            sku: source.sku.clone(),
            quantity: allocation.quantity,
            picked: 0,
            packed: 0,
            shipped: 0,
            short: 0,
            cancelled: 0,
            taken_back: 0,
            in_return: 0,
            version: 0,
        });
    }
    lines.sort_by_key(|line| line.line_number);
    Ok(Fulfillment { order, lines })
}
