//! The books of one release while a command changes them. Saving them draws the consequences.

use proto::{
    fulfillment::v1::{FulfillmentCancelled, FulfillmentLine, FulfillmentOrder},
    types::v1::LineQuantity,
};
use store::{Context, Needs, NewEvent, Rows, Task};
use types::{Fault, OrderId, Timestamp};

use super::{Release, ReleaseLine, Routing, unrouted};
use crate::{
    exception::{Exception, UNASSIGNED},
    keys,
    routing::Exclusions,
    wire,
};

/// A release with its lines.
#[derive(Debug, Clone)]
pub struct Book {
    /// The release.
    pub release: Release,
    /// Its lines, in order.
    pub lines: Vec<ReleaseLine>,
    was: Option<Release>,
    /// Whether other releases of the order wait for a person.
    others_unassigned: bool,
    /// Whether a task to route it is to be scheduled.
    route: bool,
}

impl Book {
    /// Asks for what `load` reads.
    pub fn needs(order_id: &OrderId, release_number: i64, needs: &mut Needs) {
        needs.under::<Release>(order_id);
        needs.under::<ReleaseLine>(&(order_id.clone(), release_number));
    }

    /// The books of a release, if there is one.
    pub fn load(order_id: &OrderId, release_number: i64, rows: &Rows) -> Result<Option<Self>, Fault> {
        let releases = rows.under::<Release>(order_id)?;
        let Some(release) = releases.iter().find(|release| release.release_number == release_number) else {
            return Ok(None);
        };
        let lines = rows.under::<ReleaseLine>(&(order_id.clone(), release_number))?;
        let others = releases.iter().filter(|other| other.release_number != release_number);
        Ok(Some(Self {
            release: (*release).clone(),
            lines: lines.into_iter().cloned().collect(),
            was: Some((*release).clone()),
            others_unassigned: others.into_iter().any(|other| other.unassigned_time.is_some()),
            route: false,
        }))
    }

    /// The books of a new release: all of it is to be routed.
    pub fn open(release: Release, lines: Vec<ReleaseLine>) -> Self {
        Self { release, lines, was: None, others_unassigned: false, route: true }
    }

    /// What has no node.
    pub fn unrouted(&self) -> Vec<LineQuantity> {
        unrouted(&self.lines)
    }

    /// What a plan wants to give to nodes.
    pub fn planned(&self) -> Vec<LineQuantity> {
        self.lines.iter().filter(|line| line.planned > 0).map(|line| line.units(line.planned)).collect()
    }

    /// Whether something has no node.
    pub fn waits(&self) -> bool {
        self.lines.iter().any(|line| line.unrouted > 0)
    }

    /// Has what has no node routed again, on fresh facts; answers whether there is any.
    ///
    /// An attempt that has no plan yet is still to come: it is not counted twice.
    pub fn route_again(&mut self) -> bool {
        if self.waits() {
            if self.release.routing != Routing::Wanted || self.release.decision_id.is_some() {
                self.release.attempt += 1;
                self.release.try_number = 1;
            }
            self.route_now();
        }
        self.waits()
    }

    /// Has what has no node routed in the same attempt.
    pub fn route_now(&mut self) {
        self.release.routing = Routing::Wanted;
        self.route = true;
    }

    /// Lets what has no node wait until something changes.
    pub fn park(&mut self, now: Timestamp) {
        self.release.routing = Routing::Parked;
        self.release.unassigned_time.get_or_insert(now);
    }

    /// Forgets who rejected or shorted it.
    pub fn forgive(&mut self) {
        self.release.exclusions = Exclusions::default();
    }

    /// Calls off what has no node, and all that comes back from nodes later.
    pub fn cancel(&mut self, now: Timestamp, reason: &str) {
        if self.release.cancel_time.is_none() {
            self.release.cancel_time = Some(now);
            reason.clone_into(&mut self.release.cancel_reason);
        }
    }

    /// Moves units of the lines that `units` name; answers what `by` answers for each, with the line.
    pub fn each(&mut self, units: &[LineQuantity], mut by: impl FnMut(&mut ReleaseLine, i64)) {
        for unit in units {
            if let Some(line) = self.lines.iter_mut().find(|line| line.line_number == i64::from(unit.line_number)) {
                by(line, unit.quantity);
            }
        }
    }

    /// Saves the books and draws the consequences: what a cancelled release has at no node is cancelled, what waits can
    /// be found by its item, and the exception follows.
    pub fn save(&mut self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let dropped = self.drop_cancelled();
        if !self.waits() {
            self.release.routing = Routing::Settled;
            if self.lines.iter().all(|line| line.planned == 0) {
                self.release.unassigned_time = None;
            }
        }
        // Who wants it routed again writes it even so: a plan that is made elsewhere on older stock is then not its last.
        let mut changed = self.route || self.was.as_ref() != Some(&self.release);
        for line in &mut self.lines {
            line.waiting_sku = (line.unrouted > 0).then(|| line.sku.clone());
            let key = (line.order_id.clone(), line.release_number, line.line_number);
            if line.version == 0 || rows.get::<ReleaseLine>(&key)? != Some(line) {
                *line = rows.put(line.clone());
                changed = true;
            }
        }
        if changed {
            self.release = rows.put(self.release.clone());
        }
        if self.was_unassigned() != self.release.unassigned_time.is_some() {
            self.touch_first(rows)?;
        }
        if !dropped.is_empty() {
            self.tell_cancelled(dropped, cx);
        }
        self.tell_unassigned(cx);
        if std::mem::take(&mut self.route) && self.release.routing == Routing::Wanted {
            let key = keys::release(&self.release.order_id, self.release.release_number);
            cx.schedule(Task::new(keys::ROUTE, key, cx.now()));
        }
        self.was = Some(self.release.clone());
        Ok(())
    }

    /// Writes the order's first release. What is told of this one depends on the others: of two replicas that change two
    /// of them, one is to decide again.
    fn touch_first(&self, rows: &mut Rows) -> Result<(), Fault> {
        let first = rows.under::<Release>(&self.release.order_id)?.into_iter().next().cloned();
        if let Some(first) = first.filter(|first| first.release_number != self.release.release_number) {
            rows.put(first);
        }
        Ok(())
    }

    fn was_unassigned(&self) -> bool {
        self.was.as_ref().is_some_and(|was| was.unassigned_time.is_some())
    }

    fn drop_cancelled(&mut self) -> Vec<LineQuantity> {
        if self.release.cancel_time.is_none() {
            return Vec::new();
        }
        let dropped = self.unrouted();
        for line in &mut self.lines {
            line.cancelled += line.unrouted;
            line.unrouted = 0;
        }
        dropped
    }

    /// Tells of units that no node ever had: work without an id and without a node.
    fn tell_cancelled(&self, dropped: Vec<LineQuantity>, cx: &mut Context<'_>) {
        let release = &self.release;
        let line = |unit: &LineQuantity| FulfillmentLine {
            line_number: unit.line_number,
            sku: unit.sku.clone(),
            quantity: unit.quantity,
            cancelled: unit.quantity,
            ..FulfillmentLine::default()
        };
        let fulfillment_order = FulfillmentOrder {
            order_id: release.order_id.to_string(),
            account_id: release.account_id.to_string(),
            customer_po: release.customer_po.clone(),
            release_number: wire::count(release.release_number),
            execution_state: proto::fulfillment::v1::ExecutionState::Cancelled.into(),
            request_state: proto::fulfillment::v1::RequestState::CancellationAccepted.into(),
            lines: dropped.iter().map(line).collect(),
            ship_to: Some(release.ship_to.0.clone()),
            reason: release.cancel_reason.clone(),
            ..FulfillmentOrder::default()
        };
        let told = FulfillmentCancelled { fulfillment_order: Some(fulfillment_order), lines: dropped };
        let draft = NewEvent::untyped("fulfillment.cancelled", &release.order_id, release.version, self.key(), &told);
        cx.emit(draft.order(&release.order_id).account(&release.account_id));
    }

    fn tell_unassigned(&self, cx: &mut Context<'_>) {
        let before = self.was_unassigned();
        let after = self.release.unassigned_time.is_some();
        if before == after || self.others_unassigned {
            return;
        }
        let exception = Exception {
            kind: UNASSIGNED,
            subject: self.release.order_id.to_string(),
            order_id: &self.release.order_id,
            account_id: &self.release.account_id,
            key: self.key(),
        };
        if before {
            exception.resolve(cx, "every unit has a node, or is not wanted any more");
        } else {
            let units = self.unrouted();
            let total: i64 = units.iter().fold(0, |sum, unit| sum.saturating_add(unit.quantity));
            let summary = format!("no node may take {total} units of {} lines", units.len());
            let facts = [
                ("release_number", self.release.release_number.to_string()),
                ("attempt", self.release.attempt.to_string()),
                ("units", total.to_string()),
                ("skus", units.iter().map(|unit| unit.sku.as_str()).collect::<Vec<_>>().join(",")),
            ];
            exception.open(cx, summary, facts);
        }
    }

    /// Tells this change of the release from others.
    fn key(&self) -> String {
        format!("release-{}/{}", self.release.release_number, self.release.version)
    }
}
