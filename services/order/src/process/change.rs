//! An order is changed while it is fulfilled.
//!
//! 1. `ProposeOrderChange` (`change/propose.rs`) shows what the change does ([`crate::change::apply`], on a copy of the order) and
//!    stores it, PROPOSED, `order.change_proposed`. A hold AWAITING_AMENDMENT keeps what it is about from being released.
//! 2. `ConfirmOrderChange` (`change/confirm.rs`) with the etag of the order that was shown makes it, by the same code:
//!    `order.change_confirmed`. Its hold is released.
//! 3. Fewer units: those that no node has are cancelled at once, and nodes are asked to stop the others
//!    (`process/cancellation.rs`). More units, new lines, another country and other times: the service follows its own log and calls
//!    inventory's `Reserve` (`process/confirmation.rs`), and the release follows as for any units.
//! 4. Another place: `order.ship_to_change_requested` for what nodes have. Fulfillment asks them and emits
//!    `fulfillment.ship_to_change_settled` once all have answered: [`ChangingOrder::settle_ship_to_change`]. When they decline, the
//!    order goes to the place before, and [`reserve_for_place`](crate::process::confirmation::reserve_for_place) tells inventory. When
//!    a node accepts late, both events are emitted again.
//! 5. Another price: the difference for units that are ready to invoice is invoiced or credited (`process/settlement.rs`).
//! 6. [`ChangingOrder::end_change`] after every change of the order: a proposed change that has become impossible, because picking
//!    has begun, units were shipped, or the order was cancelled, expires and its hold is released; one that waits for nodes ends when
//!    all have answered, APPLIED, PARTIALLY_APPLIED or DECLINED. `order.change_ended`.
//! 7. `WithdrawOrderChange` (`change/withdraw.rs`) or its task ends one that was not confirmed.

use proto::order::v1::{self as contract, OrderChangeState};
use store::Proto;
use types::Timestamp;

use crate::{
    aggregate::ChangingOrder,
    change::{OpenChange, OrderChange, Problem, apply},
    events::PendingEvent,
    hold::{Hold, LineNumbers},
    order_line::OrderLine,
    report::ShipToSettlement,
    wire,
};

impl ChangingOrder {
    /// Shows what a change would do now.
    pub(crate) fn preview(
        &self,
        change: &contract::OrderChange,
        now: Timestamp,
    ) -> Result<contract::OrderChange, Problem> {
        apply(&mut self.clone(), change, now)
    }

    /// Stores a change that waits to be confirmed, and places its hold.
    pub(crate) fn propose_change(&mut self, change: contract::OrderChange, hold: Hold) {
        let (order_id, change_number) = (self.order.order_id.clone(), self.order.change_count + 1);
        self.order.change_count = change_number;
        self.order.proposed_change = Some(change_number);
        let account_id = self.order.account_id.clone();
        let (hold_number, change) = (hold.hold_number, Proto(change));
        let change = OrderChange {
            order_id,
            change_number,
            account_id,
            hold_number,
            unanswered: LineNumbers::default(),
            change,
            version: 0,
        };
        self.change = Some(OpenChange { change, hold: Some(hold.clone()), is_new: true });
        self.pending.push(PendingEvent::ChangeProposed);
        self.place_hold(hold);
    }

    /// Makes the proposed change, and releases its hold.
    pub(crate) fn confirm_change(&mut self, consent_note: &str, now: Timestamp) -> Result<(), Problem> {
        let Some(mut open) = self.change.take() else { return Ok(()) };
        let mut change = apply(self, &open.change.change.0, now)?;
        consent_note.clone_into(&mut change.consent_note);
        change.confirm_time = Some(mesh::wire::timestamp(now));
        let asked = change.ship_tos.iter().filter(|place| place.requested > 0);
        open.change.unanswered = LineNumbers(asked.map(|place| place.ship_to_group.into()).collect());
        let is_requested =
            !open.change.unanswered.0.is_empty() || change.lines.iter().any(|line| line.cancel_requested > 0);
        if is_requested {
            change.set_state(OrderChangeState::Requested);
            self.order.requested_change = Some(open.change.change_number);
        } else {
            change.set_state(OrderChangeState::Applied);
            change.end_time = Some(mesh::wire::timestamp(now));
        }
        self.order.proposed_change = None;
        open.change.change = Proto(change);
        self.release_change_hold(&mut open, now);
        self.change = Some(OpenChange { is_new: true, ..open });
        self.pending.push(PendingEvent::ChangeConfirmed);
        Ok(())
    }

    /// Ends a change that was not confirmed, and releases its hold.
    pub(crate) fn drop_change(&mut self, state: OrderChangeState, reason: &str, now: Timestamp) {
        let Some(mut open) = self.change.take() else { return };
        open.change.change.0.set_state(state);
        reason.clone_into(&mut open.change.change.0.end_reason);
        open.change.change.0.end_time = Some(mesh::wire::timestamp(now));
        self.order.proposed_change = None;
        self.release_change_hold(&mut open, now);
        self.change = Some(OpenChange { is_new: true, ..open });
        self.pending.push(PendingEvent::ChangeEnded);
    }

    fn release_change_hold(&mut self, open: &mut OpenChange, now: Timestamp) {
        if let Some(hold) = open.hold.take() {
            self.release_hold(hold, None, now);
        }
    }

    /// Nodes have answered whether what they have of a group goes to its new place. `ended` is the change when that was known before.
    pub(crate) fn settle_ship_to_change(&mut self, settled: &ShipToSettlement, ended: Option<OrderChange>) {
        if let Some(ended) = ended {
            return self.settle_late(settled, ended);
        }
        let Some(mut open) = self.change.take() else { return };
        let is_asked =
            open.change.change_number == settled.change_number && open.state() == OrderChangeState::Requested;
        let place = if is_asked { open.change.settle(settled) } else { None };
        if let Some(place) = place {
            let group = i64::from(place.ship_to_group);
            open.change.unanswered.0.retain(|unanswered| *unanswered != group);
            let is_moot = settled.accepted == 0 && settled.declined > 0;
            let goods_open = |line: &OrderLine| !line.is_service() && line.cancellable() > line.released;
            // Nothing of it goes to the new place.
            if is_moot && !self.lines_of(settled.ship_to_group).any(goods_open) {
                self.set_ship_to(settled.ship_to_group, place.ship_to_before.unwrap_or_default());
            } else if settled.accepted > 0 {
                self.return_to(settled.ship_to_group, place);
            }
        }
        self.change = Some(open);
    }

    /// A node that had declined, or did not answer, ships to the new place after all.
    fn settle_late(&mut self, settled: &ShipToSettlement, mut ended: OrderChange) {
        let before = ended.clone();
        let Some(place) = ended.settle(settled).filter(|_| settled.accepted > 0) else { return };
        let state = outcome(&ended.change.0);
        ended.change.0.set_state(state);
        if ended == before {
            return;
        }
        if let Some(later) = self.requested_place(place.ship_to_group) {
            later.ship_to_before = place.ship_to_after;
        } else {
            self.return_to(settled.ship_to_group, place);
        }
        self.pending.push(PendingEvent::ChangeCorrected(Box::new(ended)));
    }

    /// A group goes to the place of a change after all, if it went back to the one before.
    fn return_to(&mut self, group: Option<i64>, place: contract::ShipToChange) {
        if Some(self.ship_to(group)) == place.ship_to_before.as_ref() {
            self.set_ship_to(group, place.ship_to_after.unwrap_or_default());
        }
    }

    /// The place of a group in a change that nodes have not answered yet.
    fn requested_place(&mut self, group: i32) -> Option<&mut contract::ShipToChange> {
        let open = self.change.as_mut().filter(|open| open.state() == OrderChangeState::Requested)?;
        open.change.change.0.ship_tos.iter_mut().find(|place| place.ship_to_group == group)
    }

    /// Ends a proposed change that is not possible any more, and one that all nodes have answered.
    pub(crate) fn end_change(&mut self, now: Timestamp) {
        let Some(open) = self.change.as_ref().filter(|open| !open.is_new) else { return };
        if open.state() == OrderChangeState::Requested {
            self.end_answered_change(now);
        } else if let Err(problem) = self.preview(&open.change.change.0, now) {
            self.drop_change(OrderChangeState::Expired, &problem.description, now);
        }
    }

    fn end_answered_change(&mut self, now: Timestamp) {
        let Some(mut open) = self.change.take() else { return };
        let change = &mut open.change.change.0;
        let waits = |line: &contract::LineChange| {
            line.cancel_requested > 0
                && self.line(line.line_number.into()).is_some_and(|line| line.cancel_requested > 0)
        };
        if open.change.unanswered.0.is_empty() && !change.lines.iter().any(waits) {
            for line in change.lines.iter_mut().filter(|line| line.cancel_requested > 0) {
                let wanted = self.line(line.line_number.into()).map_or(0, OrderLine::wanted);
                line.cancel_declined = (wanted - line.quantity_after).clamp(0, line.cancel_requested);
            }
            change.set_state(outcome(change));
            change.end_time = Some(mesh::wire::timestamp(now));
            self.order.requested_change = None;
            self.pending.push(PendingEvent::ChangeEnded);
        }
        self.change = Some(open);
    }
}

impl OrderChange {
    /// Counts what nodes have answered; returns the place, if they were asked for it.
    fn settle(&mut self, settled: &ShipToSettlement) -> Option<contract::ShipToChange> {
        let group = wire::group(settled.ship_to_group);
        let change = &mut self.change.0;
        let place = change.ship_tos.iter_mut().find(|place| place.ship_to_group == group && place.requested > 0)?;
        // What had left before was not asked for.
        place.declined = (place.requested - settled.accepted).clamp(0, settled.declined.min(place.requested));
        let place = place.clone();
        if place.declined > 0 {
            settled.reason.clone_into(&mut change.end_reason);
        } else if change.ship_tos.iter().all(|place| place.declined == 0) {
            change.end_reason.clear();
        }
        Some(place)
    }
}

/// What nodes let a change be.
fn outcome(change: &contract::OrderChange) -> OrderChangeState {
    let declined = change.lines.iter().map(|line| line.cancel_declined).sum::<i64>()
        + change.ship_tos.iter().map(|place| place.declined).sum::<i64>();
    let is_all_of_line = |line: &contract::LineChange| {
        line.cancel_declined == line.quantity_before - line.quantity_after && line.cancel_declined > 0
    };
    let is_all = change.lines.iter().all(is_all_of_line)
        && change.ship_tos.iter().all(|place| place.declined == place.requested && place.requested > 0)
        && change.times.is_none();
    match declined {
        0 => OrderChangeState::Applied,
        _ if is_all => OrderChangeState::Declined,
        _ => OrderChangeState::PartiallyApplied,
    }
}
