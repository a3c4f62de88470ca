//! A release with its lines while a command changes it. Saving it writes the rows and emits the events together.

mod events;
mod plan;
mod returned;

use std::{collections::BTreeMap, time::Duration};

use proto::{
    fulfillment::v1::FulfillmentUnfulfillable,
    types::v1::{Address, LineQuantity},
};
use store::{Context, Needs, Proto, Rows};
use types::{Fault, NodeId, OrderId, Timestamp};

use super::{OpenHold, Release, ReleaseLine, RoutingState};
use crate::{package::add, process::routing, routing::Exclusions};

/// Units of a release that no node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unassigned {
    /// Without a plan.
    Unrouted,
    /// Allotted to nodes by a plan.
    Planned,
}

/// A release with its lines.
#[derive(Debug)]
pub(crate) struct ReleaseAggregate {
    release: Release,
    /// In order of their numbers.
    lines: Vec<ReleaseLine>,
    /// The release as it was loaded; `None` for a new one.
    loaded: Option<Release>,
    /// Whether the routing task is to be scheduled.
    schedule_routing: bool,
    /// Units that are returned to the order, and the key of their event.
    returned_to_order: Option<(FulfillmentUnfulfillable, String)>,
    /// Units without a node that are cancelled.
    cancelled: Vec<LineQuantity>,
    /// Units by node that inventory allocated for a plan, and that the node is not asked for.
    freed: BTreeMap<String, Freed>,
}

/// Units that inventory allocated at a node that is not asked for them.
#[derive(Debug, Default)]
struct Freed {
    /// Units that the order cancelled.
    cancelled: Vec<LineQuantity>,
    /// Units that another node has shipped.
    superseded: Vec<LineQuantity>,
}

impl ReleaseAggregate {
    /// Requests the rows that [`load`](Self::load) reads.
    pub(crate) fn needs(order_id: &OrderId, release_number: i64, needs: &mut Needs) {
        needs.under::<Release>(order_id);
        needs.under::<ReleaseLine>(&(order_id.clone(), release_number));
    }

    /// Requests the rows that [`load_all`](Self::load_all) reads.
    pub(crate) fn needs_all(order_id: &OrderId, rows: &Rows, needs: &mut Needs) {
        needs.under::<Release>(order_id);
        for release in rows.under::<Release>(order_id).into_iter().flatten() {
            Self::needs(order_id, release.release_number, needs);
        }
    }

    /// The release, if it exists.
    pub(crate) fn load(order_id: &OrderId, release_number: i64, rows: &Rows) -> Result<Option<Self>, Fault> {
        let releases = rows.under::<Release>(order_id)?;
        let Some(release) = releases.iter().find(|release| release.release_number == release_number) else {
            return Ok(None);
        };
        let lines = rows.under::<ReleaseLine>(&(order_id.clone(), release_number))?;
        Ok(Some(Self {
            release: (*release).clone(),
            lines: lines.into_iter().cloned().collect(),
            loaded: Some((*release).clone()),
            schedule_routing: false,
            returned_to_order: None,
            cancelled: Vec::new(),
            freed: BTreeMap::new(),
        }))
    }

    /// Every release of an order.
    pub(crate) fn load_all(order_id: &OrderId, rows: &Rows) -> Result<Vec<Self>, Fault> {
        let numbers: Vec<_> = rows.under::<Release>(order_id)?.iter().map(|release| release.release_number).collect();
        let loaded = numbers.into_iter().filter_map(|number| Self::load(order_id, number, rows).transpose());
        loaded.collect()
    }

    /// A new release, all of which is to be routed.
    pub(crate) fn new(release: Release, lines: Vec<ReleaseLine>) -> Self {
        Self {
            release,
            lines,
            loaded: None,
            schedule_routing: true,
            returned_to_order: None,
            cancelled: Vec::new(),
            freed: BTreeMap::new(),
        }
    }

    /// The release.
    pub(crate) fn release(&self) -> &Release {
        &self.release
    }

    /// Its lines.
    pub(crate) fn lines(&self) -> &[ReleaseLine] {
        &self.lines
    }

    /// Units without a node.
    pub(crate) fn unrouted(&self) -> Vec<LineQuantity> {
        self.lines.iter().filter(|line| line.unrouted > 0).map(|line| line.units(line.unrouted)).collect()
    }

    /// Units that a plan allots to nodes.
    pub(crate) fn planned(&self) -> Vec<LineQuantity> {
        self.lines.iter().filter(|line| line.planned > 0).map(|line| line.units(line.planned)).collect()
    }

    /// Whether some unit has no node.
    pub(crate) fn has_unrouted(&self) -> bool {
        self.lines.iter().any(|line| line.unrouted > 0)
    }

    /// Units without a node that no hold blocks.
    pub(crate) fn routable(&self) -> Vec<LineQuantity> {
        let unrouted =
            self.lines.iter().filter(|line| line.unrouted > 0 && !self.release.holds.block(line.line_number));
        unrouted.map(|line| line.units(line.unrouted)).collect()
    }

    /// Adds a hold of the order.
    pub(crate) fn place_hold(&mut self, hold_number: i64, hold: OpenHold) {
        self.release.holds.0.insert(hold_number, hold);
    }

    /// Takes a hold of the order off, and routes what no other one blocks.
    pub(crate) fn release_hold(&mut self, hold_number: i64, now: Timestamp) {
        if self.release.holds.0.remove(&hold_number).is_some() && !self.routable().is_empty() {
            self.release.unrouted_time = now;
            self.reroute();
        }
    }

    /// Whether the order's cancellation has reached it.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.release.cancel_time.is_some()
    }

    /// Routes the unrouted units in a new attempt. An attempt that has no plan yet is not counted twice.
    pub(crate) fn reroute(&mut self) {
        if self.has_unrouted() {
            if self.release.routing_state != RoutingState::Pending || self.release.decision_id.is_some() {
                self.release.attempt += 1;
                self.release.plan_number = 1;
            }
            self.route();
        }
    }

    /// Routes the unrouted units in the same attempt.
    fn route(&mut self) {
        self.release.routing_state = RoutingState::Pending;
        self.schedule_routing = true;
    }

    /// Keeps the unrouted units until stock or nodes change.
    fn wait(&mut self, now: Timestamp) {
        self.release.routing_state = RoutingState::Waiting;
        self.release.unassigned_time.get_or_insert(now);
    }

    /// Whether units have waited for a route for so long by now, and no person knows.
    pub(crate) fn is_overdue(&self, unrouted_after: Duration, now: Timestamp) -> bool {
        let waits = self.has_unrouted() || self.release.decision_id.is_some();
        waits && self.release.unassigned_time.is_none() && now.since(self.release.unrouted_time) >= unrouted_after
    }

    /// Lets a person know that units wait for a route. Routing goes on.
    pub(crate) fn report_overdue(&mut self, now: Timestamp) {
        self.release.unassigned_time.get_or_insert(now);
    }

    /// Excludes a node, for one item or for all.
    pub(crate) fn exclude(&mut self, node_id: &NodeId, sku: Option<&str>) {
        self.release.exclusions.0.insert((node_id.clone(), sku.map(str::to_owned)));
    }

    /// Clears the exclusions.
    pub(crate) fn clear_exclusions(&mut self) {
        self.release.exclusions = Exclusions::default();
    }

    /// Cancels the unrouted units, and all that are deallocated from nodes later.
    pub(crate) fn cancel(&mut self, now: Timestamp, reason: &str) {
        if self.release.cancel_time.is_none() {
            self.release.cancel_time = Some(now);
            reason.clone_into(&mut self.release.cancel_reason);
        }
    }

    /// Cancels units without a node, unrouted ones only or planned ones; takes them off the units. Planned ones are cancelled when
    /// the plan is settled, as inventory may have allocated them.
    pub(crate) fn cancel_units(&mut self, units: &mut [LineQuantity], from: Unassigned, reason: &str) -> bool {
        let mut changed = false;
        for unit in units {
            let Some(line) = self.lines.iter_mut().find(|line| line.line_number == i64::from(unit.line_number)) else {
                continue;
            };
            let cancelled = match from {
                Unassigned::Unrouted => line.cancel_unrouted(unit.quantity),
                Unassigned::Planned => line.cancel_planned(unit.quantity),
            };
            if from == Unassigned::Unrouted && cancelled > 0 {
                add(&mut self.cancelled, vec![line.units(cancelled)]);
            }
            unit.quantity -= cancelled;
            changed |= cancelled > 0;
        }
        if changed && !self.is_cancelled() {
            reason.clone_into(&mut self.release.cancel_reason);
        }
        changed
    }

    /// Its goods go to another address. Returns the units that no node has yet: they are routed to the other country, if it is one.
    pub(crate) fn redirect(&mut self, change_number: i64, ship_to: &Address) -> Vec<LineQuantity> {
        let is_other_country = self.release.ship_to.0.country != ship_to.country;
        self.release.ship_to = Proto(ship_to.clone());
        self.release.ship_to_change_number = change_number;
        if is_other_country {
            if self.release.routing_state != RoutingState::Pending || self.release.decision_id.is_some() {
                self.release.attempt += 1;
                self.release.plan_number = 1;
            }
            self.release.ship_to_attempt = self.release.attempt;
            if self.has_unrouted() {
                self.route();
            }
        }
        let mut units = self.unrouted();
        for line in &self.lines {
            let planned = line.planned - line.to_cancel;
            if planned > 0 {
                add(&mut units, vec![line.units(planned)]);
            }
        }
        units
    }

    /// Reclaims deallocated units of a line that left their node after all, and units beyond those; returns how many.
    pub(crate) fn reclaim(&mut self, line_number: i64, deallocated: i64, beyond: i64) -> i64 {
        self.line_mut(line_number).map_or(0, |line| line.reclaim(deallocated, beyond))
    }

    /// A line, to be changed.
    pub(crate) fn line_mut(&mut self, line_number: i64) -> Option<&mut ReleaseLine> {
        self.lines.iter_mut().find(|line| line.line_number == line_number)
    }

    /// Saves the release and emits its events: unrouted units of a cancelled release are cancelled, and the exception follows
    /// whether units need a person.
    pub(crate) fn save(mut self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        self.cancel_unrouted();
        if !self.has_unrouted() {
            self.release.routing_state = RoutingState::Settled;
            if self.lines.iter().all(|line| line.planned == 0) {
                self.release.unassigned_time = None;
            }
        }
        let waited = |loaded: &Release| loaded.routing_state == RoutingState::Pending || loaded.decision_id.is_some();
        if self.schedule_routing && !self.loaded.as_ref().is_some_and(waited) {
            self.release.unrouted_time = cx.now();
        }
        // A release that is to be routed again is written even if it is the same: a plan that another replica makes on older
        // stock then conflicts.
        let mut changed = self.schedule_routing || self.loaded.as_ref() != Some(&self.release);
        for line in &mut self.lines {
            line.unrouted_sku = (line.unrouted > 0).then(|| line.sku.clone());
            let key = (line.order_id.clone(), line.release_number, line.line_number);
            if line.version == 0 || rows.get::<ReleaseLine>(&key)? != Some(line) {
                *line = rows.put(line.clone());
                changed = true;
            }
        }
        if changed {
            self.release = rows.put(self.release);
        }
        let was_unassigned = self.loaded.as_ref().is_some_and(|loaded| loaded.unassigned_time.is_some());
        let is_unassigned = self.release.unassigned_time.is_some();
        // The exception is the order's: it opens with its first release that needs a person, and is resolved with the last.
        let unassigned_changed = was_unassigned != is_unassigned && !self.others_unassigned(rows)?;
        if was_unassigned != is_unassigned {
            self.touch_first(rows)?;
        }
        self.emit(unassigned_changed, cx);
        if self.schedule_routing && self.release.routing_state == RoutingState::Pending {
            routing::schedule(&self.release, cx);
        }
        Ok(())
    }

    /// Cancels every unrouted unit of a cancelled release.
    fn cancel_unrouted(&mut self) {
        if self.is_cancelled() {
            let unrouted = self.unrouted();
            add(&mut self.cancelled, unrouted);
            for line in &mut self.lines {
                line.cancelled += std::mem::take(&mut line.unrouted);
            }
        }
    }

    fn others_unassigned(&self, rows: &Rows) -> Result<bool, Fault> {
        let Release { order_id, release_number, .. } = &self.release;
        let mut releases = rows.under::<Release>(order_id)?.into_iter();
        Ok(releases.any(|other| other.release_number != *release_number && other.unassigned_time.is_some()))
    }

    /// Writes the order's first release. Whether an exception opens or resolves depends on all releases of the order: of two
    /// replicas that change two of them, one conflicts.
    fn touch_first(&self, rows: &mut Rows) -> Result<(), Fault> {
        let first = rows.under::<Release>(&self.release.order_id)?.into_iter().next().cloned();
        if let Some(first) = first.filter(|first| first.release_number != self.release.release_number) {
            rows.put(first);
        }
        Ok(())
    }
}
