//! What may not stand still without anybody knowing: releases, plans, unanswered requests for goods and for another destination, units to be deallocated, and
//! the look for silent packages.

use std::time::Duration;

use store::{AnyCommand, Check, Command, Context, Heal, Needs, Row, Rows};
use types::{Fault, FulfillmentOrderId, NodeId, OrderId};

use crate::{
    fulfillment_order::{FulfillmentOrderHeader, RequestState},
    node::Node,
    process::{acceptance_timeout, routing, ship_to_change, undelivered},
    release::ReleaseAggregate,
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "release without its routing task",
        find: "SELECT order_id, release_number FROM releases AS r \
               WHERE routing_state = 'PENDING' AND decision_id IS NULL AND NOT EXISTS (SELECT 1 FROM tasks AS t \
               WHERE t.kind = 'fulfillment.route' AND t.key = r.order_id || '/release-' || r.release_number)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(RouteAgain { order_id: row.at(0)?, release_number: row.at(1)? }))),
    },
    Check {
        name: "plan without its allocation task",
        find: "SELECT order_id, release_number FROM releases AS r WHERE decision_id IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'fulfillment.allocate' AND t.key = r.decision_id)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(AllocateAgain { order_id: row.at(0)?, release_number: row.at(1)? }))),
    },
    Check {
        name: "request without its time to accept",
        find: "SELECT o.fulfillment_order_id, o.node_id FROM fulfillment_orders AS o \
               JOIN nodes AS n ON n.node_id = o.node_id WHERE o.request_state = 'SUBMITTED' AND o.holds = '' \
               AND n.accept_within_micros IS NOT NULL AND n.update_time <= o.create_time AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'fulfillment.accept' AND t.key = o.fulfillment_order_id)",
        unchanged_for: None,
        heal: Heal::Command(time_again),
    },
    Check {
        name: "request for another destination without its end",
        find: "SELECT fulfillment_order_id FROM fulfillment_orders AS o WHERE ship_to_change IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'fulfillment.ship_to' AND t.key = o.fulfillment_order_id)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(ExpireAgain(row.at(0)?)))),
    },
    Check {
        name: "units that were never deallocated",
        find: "FROM fulfillment_lines AS l \
               JOIN fulfillment_orders AS o ON o.fulfillment_order_id = l.fulfillment_order_id \
               JOIN events AS e ON e.correlation_id = o.order_id AND e.subject = o.fulfillment_order_id \
               WHERE l.pending_deallocation > 0 AND o.update_time < $1 AND e.type IN ('fulfillment.rejected', \
               'fulfillment.timed_out', 'fulfillment.short_picked', 'fulfillment.cancelled')",
        unchanged_for: Some(Duration::from_secs(600)),
        heal: Heal::Replay("fulfillment.fulfillment"),
    },
    Check {
        name: "nobody looks for silent packages",
        find: "SELECT min(node_id) FROM nodes WHERE NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'fulfillment.silence') HAVING count(*) > 0",
        unchanged_for: None,
        heal: Heal::Command(|_| Ok(Box::new(LookForSilence))),
    },
];

/// Schedules the routing of a release.
struct RouteAgain {
    order_id: OrderId,
    release_number: i64,
}

impl Command for RouteAgain {
    type Reply = bool;
    const NAME: &'static str = "RouteAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs(&self.order_id, self.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let release = ReleaseAggregate::load(&self.order_id, self.release_number, rows)?;
        let stranded = release.filter(|release| release.release().awaits_plan(release.lines()));
        if let Some(release) = &stranded {
            routing::schedule(release.release(), cx);
        }
        Ok(stranded.is_some())
    }
}

/// Schedules the allocation of the plan of a release.
struct AllocateAgain {
    order_id: OrderId,
    release_number: i64,
}

impl Command for AllocateAgain {
    type Reply = bool;
    const NAME: &'static str = "AllocateAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs(&self.order_id, self.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let release = ReleaseAggregate::load(&self.order_id, self.release_number, rows)?;
        let Some(release) = release else { return Ok(false) };
        let Some(decision_id) = &release.release().decision_id else { return Ok(false) };
        routing::schedule_allocation(decision_id, release.release(), cx);
        Ok(true)
    }
}

/// Schedules the end of a node's request for another destination.
struct ExpireAgain(FulfillmentOrderId);

impl Command for ExpireAgain {
    type Reply = bool;
    const NAME: &'static str = "ExpireAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<FulfillmentOrderHeader>(&self.0);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let asked = rows.get::<FulfillmentOrderHeader>(&self.0)?.filter(|header| header.ship_to_change.is_some());
        if let Some(header) = asked {
            ship_to_change::schedule_expiry(header, cx);
        }
        Ok(asked.is_some())
    }
}

/// Schedules the look for silent packages.
struct LookForSilence;

impl Command for LookForSilence {
    type Reply = bool;
    const NAME: &'static str = "LookForSilence";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        undelivered::schedule(cx);
        Ok(true)
    }
}

fn time_again(row: &Row) -> Result<Box<dyn AnyCommand>, Fault> {
    Ok(Box::new(TimeAgain { fulfillment_order_id: row.at(0)?, node_id: row.at(1)? }))
}

/// Gives a node its whole time to accept again: how much of it is left is not known.
struct TimeAgain {
    fulfillment_order_id: FulfillmentOrderId,
    node_id: NodeId,
}

impl Command for TimeAgain {
    type Reply = bool;
    const NAME: &'static str = "TimeAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<FulfillmentOrderHeader>(&self.fulfillment_order_id);
        needs.row::<Node>(&self.node_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let header = rows.get::<FulfillmentOrderHeader>(&self.fulfillment_order_id)?;
        let submitted = header.filter(|header| header.request_state == RequestState::Submitted);
        let accept_within = rows.get::<Node>(&self.node_id)?.and_then(Node::accept_within);
        let (Some(header), Some(accept_within)) = (submitted, accept_within) else { return Ok(false) };
        acceptance_timeout::schedule(header, accept_within, cx);
        Ok(true)
    }
}
