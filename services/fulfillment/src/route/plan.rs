//! Deciding where units go, before inventory is asked for them.

use proto::fulfillment::v1::FulfillmentRoutingFailed;
use store::{Command, Context, Needs, Proto, Rows, Task};
use types::{DecisionId, Fault, OrderId};

use super::CHOICES;
use crate::{
    decision::{self, Decision, State},
    keys,
    node::Node,
    release::{Book, Routing, wanted},
    routing::{Plan, Question, Stock, route},
};

/// Plans where what has no node goes. Does nothing when nothing waits, or when a plan stands already.
#[derive(Debug)]
pub struct PlanRouting {
    /// The order.
    pub order_id: OrderId,
    /// The release.
    pub release_number: i64,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Units available, as inventory said.
    pub stock: Stock,
}

impl Command for PlanRouting {
    type Reply = ();
    const NAME: &'static str = "PlanRouting";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        Book::needs(&self.order_id, self.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Some(mut book) = Book::load(&self.order_id, self.release_number, rows)? else { return Ok(()) };
        if book.release.routing != Routing::Wanted || book.release.decision_id.is_some() || !book.waits() {
            return Ok(());
        }
        let lines = wanted(&book.lines);
        let mut plan = route(&Question {
            country: &book.release.ship_to.0.country,
            lines: &lines,
            nodes: &self.nodes,
            stock: &self.stock,
            exclusions: &book.release.exclusions,
        });
        plan.cap(CHOICES, &lines);
        let decision = rows.put(self.decision(&book, &plan, cx));
        if plan.choices.is_empty() {
            book.park(cx.now());
            let failed = FulfillmentRoutingFailed { decision: Some(decision.body.0.clone()) };
            cx.emit(decision.fact("fulfillment.routing_failed", &book.release.account_id, &failed));
            return book.save(rows, cx);
        }
        for choice in &plan.choices {
            if let Some(line) = book.lines.iter_mut().find(|line| line.line_number == choice.line_number) {
                line.unrouted -= choice.quantity;
                line.planned += choice.quantity;
            }
        }
        book.release.decision_id = Some(decision.decision_id.clone());
        cx.schedule(Task::new(keys::ALLOCATE, &decision.decision_id, cx.now()));
        // What is left stays wanted until inventory has answered: the plan is settled as a whole.
        book.save(rows, cx)
    }
}

impl PlanRouting {
    fn decision(&self, book: &Book, plan: &Plan, cx: &Context<'_>) -> Decision {
        let release = &book.release;
        let decision_id: DecisionId = cx.new_id();
        let body = decision::body(plan, &release.exclusions, cx.now());
        let about = (&decision_id, &self.order_id, self.release_number, release.attempt);
        Decision {
            order_id: self.order_id.clone(),
            release_number: self.release_number,
            state: if plan.choices.is_empty() { State::Settled } else { State::Planned },
            allocation_key: keys::allocation(&self.order_id, self.release_number, release.attempt, release.try_number),
            body: Proto(decision::about(body, about)),
            decision_id,
            version: 0,
        }
    }
}
