//! Nobody waits in vain: whatever is not finished has somebody who acts on it next, and somebody who can end it.

use std::collections::BTreeMap;

use serde_json::Value;
use types::Timestamp;
use waybill::rest::{Rest, number};

use super::services::is_service;

/// Exceptions about a message, which stop no order.
const OF_A_MESSAGE: &[&str] = &["CONTROL_NUMBER_REUSED", "REPORT_REJECTED", "REPORT_INCOMPLETE"];

/// What is left in vain: a line for each unit of an order for which nobody acts next, or that nobody could end. None when the law
/// holds. It holds whenever every worker has done what is due.
///
/// **An order is finished** when it is CLOSED, CANCELLED or REJECTED. Every other order has open units or units under way:
///
/// | units | somebody acts on them next | who can end it |
/// |---|---|---|
/// | unallocated | an exception about the failed task | `CancelOrder` of the order |
/// | of a service, unallocated | goods are open or under way, a hold blocks it, it is to be performed at a time that is to come, or an exception | with its goods, the same, or `ReleaseHold` |
/// | backordered | they wait for supply | the same |
/// | reserved | a hold blocks them, they are to be released at a time that is to come, FILL_ALL waits for the others, or an exception | the same, or `ReleaseHold` |
/// | released | open in a fulfillment order at a node; or else a hold of their line or an exception | of the fulfillment order `RequestCancellation`, `AnswerCancellation` or `RecordShipment`; without one `RetryRouting` by the exception, or `ReleaseHold` |
/// | shipped and not delivered | a carrier has the package, or its exception is open | `WriteOffPackage` of the package |
///
/// Units that are to be stopped are at a node, whatever is held.
///
/// A node has no more open units than its order has there, unless it is asked to stop.
///
/// An order that was asked to be cancelled does not support `CancelOrder` any more: then no unit may be left that this would end.
/// An order shows as EXCEPTION only while an exception of it is open, and every open exception supports an action.
pub async fn waiting_in_vain(rest: &Rest, now: Timestamp) -> anyhow::Result<Vec<String>> {
    let mut exceptions = Exceptions::new();
    for state in ["EXCEPTION_STATE_OPEN", "EXCEPTION_STATE_ASSIGNED"] {
        for exception in rest.list(&format!("/v1/exceptions?states={state}"), "exceptions").await? {
            exceptions.entry(text(&exception["orderId"]).to_owned()).or_default().push(exception);
        }
    }
    let work = by_order(rest.list("/v1/fulfillment-orders", "fulfillmentOrders").await?);
    let shipments = by_order(rest.list("/v1/shipments", "shipments").await?);
    let mut found = Vec::new();
    for order in rest.list("/v1/orders?view=ORDER_VIEW_FULL", "orders").await? {
        let id = text(&order["orderId"]);
        let of = |units: &BTreeMap<String, Vec<Value>>| units.get(id).cloned().unwrap_or_default();
        let (work, shipments, exceptions) = (of(&work), of(&shipments), of(&exceptions));
        let case = Case { order: &order, work: &work, shipments: &shipments, exceptions: &exceptions, now };
        let problems = case.problems();
        let name = format!("order {} {id}, {}", text(&order["customerPo"]), text(&order["status"]));
        found.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    Ok(found)
}

type Exceptions = BTreeMap<String, Vec<Value>>;

/// An order and all that is known of it.
struct Case<'a> {
    order: &'a Value,
    work: &'a [Value],
    shipments: &'a [Value],
    exceptions: &'a [Value],
    now: Timestamp,
}

impl Case<'_> {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut claim = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        let shows = self.order["status"] == "ORDER_STATUS_EXCEPTION";
        claim(!shows || !self.exceptions.is_empty(), "no exception of it is open");
        claim(self.exceptions.iter().all(|one| has(one, "resolve")), "nobody can resolve an exception of it");
        let state = text(&self.order["state"]);
        if ["ORDER_STATE_CLOSED", "ORDER_STATE_CANCELLED", "ORDER_STATE_REJECTED"].contains(&state) {
            return problems;
        }
        let units = ["unallocated", "backordered", "reserved", "released"].map(|name| self.units(name));
        let [unallocated, backordered, reserved, released] = units;
        let under_way = self.units("shipped") - self.units("delivered");
        claim(
            units.iter().sum::<i64>() + self.services("unallocated") + under_way > 0,
            "nothing of it is open or under way, and it is not finished",
        );

        let (held, stopped) = (self.is_held(), self.is_stopped());
        claim(unallocated == 0 || stopped, "nobody reserves its units");
        let services = self.services("unallocated");
        let goods_open = unallocated + backordered + reserved + released > 0;
        let waits_for_others = self.order["fillPolicy"] == "FILL_POLICY_FILL_ALL" && backordered > 0;
        let later = instant(&self.order["releaseTime"]).is_some_and(|at| at > self.now);
        claim(services == 0 || goods_open || held || later || stopped, "nobody performs its services");
        claim(reserved == 0 || held || later || waits_for_others || stopped, "nobody releases its units");
        let unreleased = unallocated + backordered + reserved;
        claim(unreleased == 0 || has(self.order, "CancelOrder"), "nobody can cancel its units");

        let open: i64 = self.open_work().map(|one| sum(one, open_units)).sum();
        claim(released <= open || held || stopped, "no node has its units");
        for line in self.order["lines"].as_array().into_iter().flatten() {
            let at_nodes = self.open_of_line(&line["lineNumber"]);
            let name = number(&line["lineNumber"]);
            let waits = stopped || self.is_line_held(&line["lineNumber"]);
            let [released, to_stop] = ["released", "cancelRequested"].map(|units| number(&line["counters"][units]));
            claim(
                released <= at_nodes || waits,
                &format!("no node has the units of line {name}, which no hold blocks"),
            );
            claim(to_stop <= at_nodes || stopped, &format!("no node has the units of line {name} that it is to stop"));
        }
        let ends = ["RequestCancellation", "AnswerCancellation", "RecordShipment"];
        let can_end = |one: &Value| ends.iter().any(|action| has(one, action));
        claim(self.open_work().all(can_end), "nobody can end the work of a node");
        let stopping = ["REQUEST_STATE_CANCELLATION_REQUESTED", "REQUEST_STATE_CANCELLATION_REJECTED"];
        let is_stopped = self.open_work().any(|one| stopping.contains(&text(&one["requestState"])));
        // A node that has accepted goes on with what it is not asked to stop.
        let goes_on = self.open_work().any(|one| one["requestState"] == "REQUEST_STATE_ACCEPTED");
        claim(
            open <= released || is_stopped || goes_on,
            "nodes have units that the order does not have there, and nobody stops them",
        );

        for package in self.under_way() {
            let id = text(&package["trackingNumber"]);
            let terminal = ["MILESTONE_CODE_RETURNED_TO_SENDER", "MILESTONE_CODE_LOST"];
            let has_problem = !matches!(text(&package["problem"]), "" | "PACKAGE_PROBLEM_UNSPECIFIED")
                || terminal.contains(&text(&package["status"]));
            let named = self.exceptions.iter().any(|one| one["subject"] == package["packageId"]);
            claim(!has_problem || named, &format!("package {id} has a problem, and nobody is told"));
            claim(has(package, "WriteOffPackage"), &format!("nobody can write off package {id}"));
        }
        let packed: i64 = self.under_way().map(|package| sum(package, |line| number(&line["quantity"]))).sum();
        claim(under_way == packed, "no package has its units that are under way");
        problems
    }

    /// Units of its goods.
    fn units(&self, name: &str) -> i64 {
        sum(self.order, |line| if is_service(line) { 0 } else { number(&line["counters"][name]) })
    }

    /// Units of its services.
    fn services(&self, name: &str) -> i64 {
        sum(self.order, |line| if is_service(line) { number(&line["counters"][name]) } else { 0 })
    }

    /// Whether a hold blocks it that can be released.
    fn is_held(&self) -> bool {
        self.order["holds"].as_array().is_some_and(|holds| !holds.is_empty()) && has(self.order, "ReleaseHold")
    }

    /// Whether a hold blocks a line of it.
    fn is_line_held(&self, line_number: &Value) -> bool {
        let blocks = |hold: &Value| {
            let lines = hold["lineNumbers"].as_array();
            lines.is_none_or(|lines| lines.is_empty() || lines.contains(line_number))
        };
        self.order["holds"].as_array().is_some_and(|holds| holds.iter().any(blocks))
    }

    /// Units of a line that nodes may still ship.
    fn open_of_line(&self, line_number: &Value) -> i64 {
        let of_line = |line: &Value| if line["lineNumber"] == *line_number { open_units(line) } else { 0 };
        self.open_work().map(|one| sum(one, of_line)).sum()
    }

    /// Whether an exception of it is open that may be the reason why its units wait.
    fn is_stopped(&self) -> bool {
        self.exceptions.iter().any(|one| !OF_A_MESSAGE.contains(&text(&one["type"])))
    }

    fn open_work(&self) -> impl Iterator<Item = &Value> {
        let open = ["EXECUTION_STATE_OPEN", "EXECUTION_STATE_IN_PROGRESS"];
        self.work.iter().filter(move |one| open.contains(&text(&one["executionState"])))
    }

    /// Packages that left, are not delivered and are not written off.
    fn under_way(&self) -> impl Iterator<Item = &Value> {
        let packages = self.shipments.iter().flat_map(|shipment| shipment["packages"].as_array().into_iter().flatten());
        packages.filter(|package| {
            let written_off = !matches!(text(&package["writeOffRemedy"]), "" | "WRITE_OFF_REMEDY_UNSPECIFIED");
            !package["shipTime"].is_null() && package["status"] != "MILESTONE_CODE_DELIVERED" && !written_off
        })
    }
}

/// Units of a fulfillment order's line that its node may still ship.
fn open_units(line: &Value) -> i64 {
    let [quantity, shipped, short, cancelled] =
        ["quantity", "shipped", "short", "cancelled"].map(|name| number(&line[name]));
    (quantity - shipped - short - cancelled).max(0)
}

fn sum(of: &Value, units: impl Fn(&Value) -> i64) -> i64 {
    of["lines"].as_array().into_iter().flatten().map(units).sum()
}

fn has(of: &Value, action: &str) -> bool {
    of["supportedActions"].as_array().is_some_and(|actions| actions.iter().any(|one| one == action))
}

fn instant(value: &Value) -> Option<Timestamp> {
    let parsed: prost_types::Timestamp = text(value).parse().ok()?;
    Timestamp::from_parts(parsed.seconds, parsed.nanos)
}

fn by_order(all: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut by_order: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for one in all {
        by_order.entry(text(&one["orderId"]).to_owned()).or_default().push(one);
    }
    by_order
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
