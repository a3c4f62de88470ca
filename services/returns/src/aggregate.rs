//! A return with its lines and the order lines that it claims units of: loaded, changed and saved as one.

use std::collections::BTreeMap;

use mesh::Principal;
use proto::returns::v1 as contract;
use store::{Context, Needs, Rows};
use types::{Fault, ReturnId};

use crate::{
    events::PendingEvent,
    order::{DeliveredLine, OrderLine},
    return_line::ReturnLine,
    rma::{Action, Return, ReturnState},
    watchdog, wire,
};

/// A return. Its steps are in [`process::receipt_to_credit`](crate::process::receipt_to_credit).
#[must_use = "nothing is stored or emitted until it is saved"]
pub(crate) struct ReturnAggregate {
    /// The return itself.
    pub(crate) rma: Return,
    /// Its lines by number.
    pub(crate) lines: BTreeMap<i64, ReturnLine>,
    /// The order's lines that it has, or that the command names.
    pub(crate) order_lines: BTreeMap<i64, DeliveredLine>,
    /// Events to emit when it is saved, in order.
    pub(crate) pending: Vec<PendingEvent>,
    /// The state and the lines as they are stored.
    stored: (ReturnState, BTreeMap<i64, ReturnLine>),
}

impl ReturnAggregate {
    /// A return that is not stored yet.
    pub(crate) fn new(
        rma: Return,
        lines: BTreeMap<i64, ReturnLine>,
        order_lines: BTreeMap<i64, DeliveredLine>,
        event: PendingEvent,
    ) -> Self {
        let stored = (rma.state, BTreeMap::new());
        Self { rma, lines, order_lines, pending: vec![event], stored }
    }

    /// Asks for a return with its lines, and for more lines of its order.
    pub(crate) fn needs(return_id: &ReturnId, more: &[i64], rows: &Rows, needs: &mut Needs) {
        needs.row::<Return>(return_id);
        needs.under::<ReturnLine>(return_id);
        let Ok(Some(rma)) = rows.get::<Return>(return_id) else { return };
        let lines = rows.under::<ReturnLine>(return_id).into_iter().flatten().map(|line| line.line_number);
        for line_number in lines.chain(more.iter().copied()) {
            DeliveredLine::needs(&rma.order_id, line_number, needs);
        }
    }

    /// The return with its lines and `more` lines of its order; not found when the caller does not see its account.
    pub(crate) fn load(return_id: &ReturnId, more: &[i64], caller: &Principal, rows: &Rows) -> Result<Self, Fault> {
        let rma = rows.get::<Return>(return_id)?.filter(|rma| caller.sees(&rma.account_id));
        let rma = rma.cloned().ok_or_else(|| Fault::not_found("return", return_id))?;
        Self::load_any(rma, more, rows)
    }

    /// A stored return with its lines and `more` lines of its order, whoever sees it.
    pub(crate) fn load_any(rma: Return, more: &[i64], rows: &Rows) -> Result<Self, Fault> {
        let lines = rows.under::<ReturnLine>(&rma.return_id)?.into_iter().cloned();
        let lines: BTreeMap<_, _> = lines.map(|line| (line.line_number, line)).collect();
        let order_lines = DeliveredLine::load(&rma.order_id, lines.keys().chain(more).copied(), rows)?;
        let stored = (rma.state, lines.clone());
        Ok(Self { rma, lines, order_lines, pending: Vec::new(), stored })
    }

    /// Refuses a command that acts on an older version of the return.
    pub(crate) fn check_etag(&self, etag: &str) -> Result<(), Fault> {
        Fault::check_etag("return", etag, self.rma.version).map_err(|fault| self.refreshed(fault))
    }

    /// A refusal with what the return supports.
    pub(crate) fn refreshed(&self, fault: Fault) -> Fault {
        let supported = self.rma.supported_actions(self.stored.1.values());
        let names: Vec<_> = supported.into_iter().map(Action::name).collect();
        fault.refreshed(&names, self.rma.version)
    }

    /// Writes what changed and emits the pending events; returns the return as it is stored now.
    pub(crate) fn save(self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let Self { mut rma, mut lines, mut order_lines, pending, stored: (stored_state, stored_lines) } = self;
        for (line_number, line) in &mut lines {
            let stored = stored_lines.get(line_number);
            let order_line = order_lines.get_mut(line_number);
            let order_line = order_line.ok_or_else(|| Fault::internal("a return of a line that its order lacks"))?;
            // Units that come back to the sender were not delivered, so no customer can return them.
            if rma.package_id.is_none() {
                order_line.line.claimed += line.claim(rma.state) - stored.map_or(0, |line| line.claim(stored_state));
            }
            if stored != Some(line) {
                *line = rows.put(line.clone());
            }
        }
        for DeliveredLine { line, .. } in order_lines.into_values() {
            if rows.get::<OrderLine>(&(line.order_id.clone(), line.line_number))? != Some(&line) {
                rows.put(line);
            }
        }
        rma.measure(lines.values());
        rma.update_time = cx.now();
        watchdog::step(&mut rma, cx);
        let rma = rows.put(rma);
        let saved = wire::rma(&rma, lines.values());
        for event in pending {
            event.emit(&rma, &saved, cx);
        }
        Ok(saved)
    }
}

#[cfg(test)]
mod laws;
