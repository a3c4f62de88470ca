//! A return with its lines, as a command holds it.

use std::sync::Arc;

use mesh::Principal;
use store::{Needs, Rows};
use types::{Fault, ReturnId};

use crate::{
    order::{Delivery, OrderLine},
    rma::{Line, Rma, State},
};

/// A return with its lines.
pub(crate) struct Held {
    /// The return.
    pub(crate) rma: Rma,
    /// Its lines by number.
    pub(crate) lines: Vec<Line>,
}

/// Asks for a return, its lines, and those of the order. `more` are lines that the return may not have.
pub(crate) fn needs(rows: &Rows, needs: &mut Needs, return_id: &ReturnId, more: &[i64]) {
    needs.row::<Rma>(return_id);
    needs.under::<Line>(return_id);
    let Ok(Some(rma)) = rows.get::<Rma>(return_id) else { return };
    let lines = rows.under::<Line>(return_id).into_iter().flatten().map(|line| line.line_number);
    for line_number in lines.chain(more.iter().copied()) {
        needs.row::<OrderLine>(&(rma.order_id.clone(), line_number));
        needs.under::<Delivery>(&(rma.order_id.clone(), line_number));
    }
}

impl Held {
    /// The return, if the caller sees it.
    pub(crate) fn get(rows: &Rows, return_id: &ReturnId, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let rma = rows.get::<Rma>(return_id)?.filter(|rma| caller.sees(&rma.account_id));
        let rma = rma.cloned().ok_or_else(|| Fault::not_found("return", return_id))?;
        let lines = rows.under::<Line>(return_id)?.into_iter().cloned().collect();
        Ok(Self { rma, lines })
    }

    /// The line with this number.
    pub(crate) fn line(&mut self, line_number: i64) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.line_number == line_number)
    }

    /// The order's line; a fault when it has none.
    pub(crate) fn order_line(&self, rows: &Rows, line_number: i64) -> Result<Option<OrderLine>, Fault> {
        Ok(rows.get::<OrderLine>(&(self.rma.order_id.clone(), line_number))?.cloned())
    }

    /// Units of the line that were delivered.
    pub(crate) fn delivered(&self, rows: &Rows, line_number: i64) -> Result<i64, Fault> {
        let deliveries = rows.under::<Delivery>(&(self.rma.order_id.clone(), line_number))?;
        Ok(deliveries.into_iter().map(|delivery| delivery.quantity).sum())
    }

    /// Saves the return in a new state with changed lines, and what it claims of the order. `before` are the lines as they
    /// were.
    pub(crate) fn save(
        mut self,
        rows: &mut Rows,
        before: &[Line],
        state: State,
        now: types::Timestamp,
    ) -> Result<Self, Fault> {
        for line in &mut self.lines {
            let old = before.iter().find(|old| old.line_number == line.line_number);
            let claim = line.claim(state) - old.map_or(0, |old| old.claim(self.rma.state));
            if claim != 0 {
                let order_line = rows.get::<OrderLine>(&(self.rma.order_id.clone(), line.line_number))?.cloned();
                let order_line = order_line.ok_or_else(|| Fault::internal("a return of no line of its order"))?;
                rows.put(OrderLine { claimed: order_line.claimed + claim, ..order_line });
            }
            if old != Some(line) {
                *line = rows.put(line.clone());
            }
        }
        let rma = rows.put(self.rma.moved(state, &self.lines, now));
        Ok(Self { rma, lines: self.lines })
    }
}
