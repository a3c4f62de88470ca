//! Gives reserved units of an order to work at locations.

use std::collections::BTreeSet;

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Proto, Rows};
use types::{Fault, OrderId, Reason, Violation};

use crate::{
    ledger::{LineKey, Pick},
    promise::{AllocationKey, Reservation},
    publish::{ALLOCATED, About, images, publish},
    scope::{Scope, known},
    wire::line_number,
};

/// Where to take how much. The key's first answer is its only one.
pub(crate) struct Allocate {
    pub(crate) allocation_key: String,
    pub(crate) order_id: OrderId,
    pub(crate) picks: Vec<Pick>,
}

/// The rows that picks of an order are about.
pub(crate) fn picked(rows: &Rows, order_id: &OrderId, picks: &[Pick]) -> Scope {
    let mut scope = Scope::default();
    for pick in picks {
        let line = (order_id.clone(), pick.line_number);
        if let Some(present) = known::<Reservation>(rows, &line) {
            scope.places.insert((present.sku.clone(), pick.location_id.clone()));
            scope.skus.insert(present.sku.clone());
        }
        scope.lines.insert(line);
        scope.allocations.insert((order_id.clone(), pick.line_number, pick.location_id.clone()));
    }
    scope
}

/// The lines that picks of an order are about, each once.
pub(crate) fn lines(order_id: &OrderId, picks: &[Pick]) -> BTreeSet<LineKey> {
    picks.iter().map(|pick| (order_id.clone(), pick.line_number)).collect()
}

impl Command for Allocate {
    type Reply = wire::AllocateResponse;
    const NAME: &'static str = "Allocate";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<AllocationKey>(&self.allocation_key);
        if let Some(known) = known::<AllocationKey>(rows, &self.allocation_key) {
            answered_lines(known).iter().for_each(|line| needs.row::<Reservation>(line));
        }
        picked(rows, &self.order_id, &self.picks).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::AllocateResponse, Fault> {
        if let Some(first) = rows.get::<AllocationKey>(&self.allocation_key)? {
            if first.order_id != self.order_id {
                let message = "the allocation key was used before, for another order";
                return Err(Fault::new(Reason::RequestIdReused, message));
            }
            let asked = lines(&self.order_id, &self.picks);
            let reservations = images(rows, asked.union(&answered_lines(first)).cloned())?;
            return Ok(wire::AllocateResponse { reservations, ..first.answer.0.clone() });
        }
        let mut ledger = picked(rows, &self.order_id, &self.picks).load(rows, cx.now())?;
        let mut allocations = Vec::new();
        let mut wrong = Vec::new();
        for (index, pick) in self.picks.iter().enumerate() {
            if ledger.reservation(&(self.order_id.clone(), pick.line_number)).is_none() {
                let field = format!("allocations[{index}].line_number");
                wrong.push(Violation { field, description: "is not reserved".to_owned() });
                continue;
            }
            let quantity = ledger.allocate(&self.order_id, pick)?;
            if quantity > 0 {
                let (line_number, location_id) = (line_number(pick.line_number), pick.location_id.to_string());
                allocations.push(wire::AllocationRequest { line_number, location_id, quantity });
            }
        }
        if !wrong.is_empty() {
            return Err(Fault::violations(wrong));
        }
        publish(ledger.finish()?, About::Promises(&self.order_id, ALLOCATED), rows, cx);
        let answer = wire::AllocateResponse { allocations, reservations: Vec::new() };
        rows.put(AllocationKey {
            allocation_key: self.allocation_key.clone(),
            order_id: self.order_id.clone(),
            answer: Proto(answer.clone()),
            create_time: cx.now(),
            version: 0,
        });
        let reservations = images(rows, lines(&self.order_id, &self.picks))?;
        Ok(wire::AllocateResponse { reservations, ..answer })
    }
}

/// The lines the first answer was about.
fn answered_lines(first: &AllocationKey) -> BTreeSet<LineKey> {
    let allocations = first.answer.0.allocations.iter();
    allocations.map(|allocation| (first.order_id.clone(), i64::from(allocation.line_number))).collect()
}
