//! Converts domain types to contract types; checks that several requests need.

use std::collections::BTreeSet;

use mesh::wire::{Checks, duration, timestamp};
use proto::{
    fulfillment::v1,
    types::v1::{self as values, LineQuantity},
};
use types::{Timestamp, limits::CLOCK_SKEW, limits::MAX_LINES};

use crate::{
    fulfillment_order::{FulfillmentLine, FulfillmentOrder, RequestState},
    milestone::MilestoneCode,
    node::{Node, ServiceArea},
    package::{Departure, Package},
    shipment::{self, Shipment},
    tracking_report::{ReportDoubt, TrackingReport},
};

/// Checks units of lines, each line once.
pub(crate) fn check_units(field: &str, units: &[LineQuantity], least: i64, checks: &mut Checks) {
    if units.len() > MAX_LINES {
        checks.wrong(field, "must have at most 5,000 lines");
    }
    let mut numbers = BTreeSet::new();
    for (at, unit) in units.iter().enumerate().take(MAX_LINES) {
        let number = checks.line_number(format!("{field}[{at}].line_number"), unit.line_number);
        if number.is_some_and(|number| !numbers.insert(number)) {
            checks.wrong(format!("{field}[{at}].line_number"), "is named twice");
        }
        if !unit.sku.is_empty() {
            checks.sku(format!("{field}[{at}].sku"), &unit.sku);
        }
        checks.quantity(format!("{field}[{at}].quantity"), unit.quantity, least);
    }
}

/// The units with the items of their lines; notes those that name no line of the fulfillment order.
pub(crate) fn known_lines(
    order: &FulfillmentOrder,
    field: &str,
    units: &[LineQuantity],
    checks: &mut Checks,
) -> Vec<LineQuantity> {
    let mut known = Vec::with_capacity(units.len());
    for (at, unit) in units.iter().enumerate() {
        match order.with_item(unit) {
            None => checks.wrong(format!("{field}[{at}].line_number"), "is not a line of the fulfillment order"),
            Some(line) if !unit.sku.is_empty() && unit.sku != line.sku => {
                checks.wrong(format!("{field}[{at}].sku"), format!("the line's item is {}", line.sku));
            }
            Some(line) => known.push(line),
        }
    }
    known
}

/// A count or line number. Those of the domain came from the contract, or fit it by far.
pub(crate) fn count(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// The number of a milestone code.
pub(crate) fn milestone_code(code: MilestoneCode) -> i32 {
    v1::MilestoneCode::from(code).into()
}

fn time(instant: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    instant.map(timestamp)
}

/// A node.
pub(crate) fn node(node: &Node) -> v1::Node {
    let area = |area: &ServiceArea| v1::ServiceArea { countries: area.countries.clone(), rank: area.rank };
    let classes = node.handling_classes.0.iter().map(|class| values::HandlingClass::from(*class).into());
    v1::Node {
        node_id: node.node_id.to_string(),
        name: node.name.clone(),
        partner_id: node.partner_id.to_string(),
        country: node.country.clone(),
        time_zone: node.time_zone.clone(),
        handling_classes: classes.collect(),
        service_areas: node.service_areas.0.iter().map(area).collect(),
        accept_within: node.accept_within().map(duration),
        state: v1::NodeState::from(node.state).into(),
        etag: node.version.to_string(),
        create_time: Some(timestamp(node.create_time)),
        update_time: Some(timestamp(node.update_time)),
        handling_time: Some(duration(node.handling_time())),
        cutoff_time: node.cutoff_time.clone().unwrap_or_default(),
        working_days: node.working_days.0.weekdays.clone(),
        holidays: node.holidays.0.dates.clone(),
        lanes: node.lanes.0.lanes.clone(),
    }
}

/// A fulfillment order with its lines.
pub(crate) fn fulfillment_order(order: &FulfillmentOrder) -> v1::FulfillmentOrder {
    let FulfillmentOrder { header, lines } = order;
    let is_asked = header.request_state == RequestState::CancellationRequested;
    v1::FulfillmentOrder {
        fulfillment_order_id: header.fulfillment_order_id.to_string(),
        order_id: header.order_id.to_string(),
        account_id: header.account_id.to_string(),
        customer_po: header.customer_po.clone(),
        node_id: header.node_id.to_string(),
        partner_id: header.partner_id.to_string(),
        release_number: count(header.release_number),
        attempt: count(header.attempt),
        execution_state: v1::ExecutionState::from(header.execution_state).into(),
        request_state: v1::RequestState::from(header.request_state).into(),
        lines: lines.iter().map(|one| line(one, is_asked)).collect(),
        ship_to: Some(header.ship_to.0.clone()),
        requested_ship_time: time(header.requested_ship_time),
        reason: header.reason.clone(),
        decision_id: header.decision_id.to_string(),
        supported_actions: order.supported_actions().into_iter().map(str::to_owned).collect(),
        etag: header.version.to_string(),
        create_time: Some(timestamp(header.create_time)),
        update_time: Some(timestamp(header.update_time)),
        idempotency_key: format!("{}:{}", header.fulfillment_order_id, header.attempt),
        holds: header.holds.to_contract(),
        ship_to_group: count(header.ship_to_group),
        ship_to_change: header.ship_to_change.as_ref().map(|change| change.0.clone()),
    }
}

/// A line. Callers do not distinguish units that the order cancelled from those withdrawn from the node: `cancelled` has both.
/// What the node could not stop it is not asked for any more.
fn line(line: &FulfillmentLine, is_asked: bool) -> v1::FulfillmentLine {
    v1::FulfillmentLine {
        line_number: count(line.line_number),
        sku: line.sku.clone(),
        quantity: line.quantity,
        picked: line.picked,
        packed: line.packed,
        shipped: line.shipped,
        short: line.short,
        cancelled: line.cancelled + line.withdrawn,
        cancel_requested: if is_asked { line.asked() } else { 0 },
    }
}

/// A shipment with its packages; `ship_to` and `customer_po` are those of its fulfillment order.
pub(crate) fn shipment<'a>(
    shipment: &Shipment,
    packages: impl IntoIterator<Item = &'a Package>,
    ship_to: &values::Address,
    customer_po: &str,
) -> v1::Shipment {
    let mut packages: Vec<_> = packages.into_iter().collect();
    packages.sort_by_key(|one| (one.create_time, &one.tracking_number));
    let goes_to = shipment.ship_to.as_ref().map_or(ship_to, |own| &own.0);
    let supported_actions = shipment::supported_actions(&packages).into_iter().map(str::to_owned).collect();
    v1::Shipment {
        shipment_id: shipment.shipment_id.to_string(),
        fulfillment_order_id: shipment.fulfillment_order_id.to_string(),
        order_id: shipment.order_id.to_string(),
        account_id: shipment.account_id.to_string(),
        node_id: shipment.node_id.to_string(),
        shipment_reference: shipment.shipment_reference.clone(),
        carrier_id: shipment.carrier_id.clone(),
        state: v1::ShipmentState::from(shipment.state).into(),
        inferred: packages.iter().any(|one| one.departure == Departure::Inferred),
        packages: packages.into_iter().map(|one| package(one, goes_to)).collect(),
        ship_time: time(shipment.ship_time),
        deliver_time: time(shipment.deliver_time),
        ship_to: Some(goes_to.clone()),
        customer_po: customer_po.to_owned(),
        etag: shipment.version.to_string(),
        create_time: Some(timestamp(shipment.create_time)),
        update_time: Some(timestamp(shipment.update_time)),
        ship_to_group: count(shipment.ship_to_group),
        supported_actions,
    }
}

/// A package of a shipment that goes to an address.
fn package(package: &Package, shipment_goes_to: &values::Address) -> v1::Package {
    v1::Package {
        package_id: package.package_id.to_string(),
        tracking_number: package.tracking_number.clone(),
        sscc: package.sscc.clone(),
        lines: package.lines().to_vec(),
        status: milestone_code(package.status),
        status_time: time(package.status_time),
        estimated_delivery_time: time(package.estimated_delivery_time),
        proof_of_delivery: package.proof.as_ref().map(|proof| proof.0.clone()),
        ship_time: time(package.left_time()),
        problem: package.problem.map_or(v1::PackageProblem::Unspecified, v1::PackageProblem::from).into(),
        void_time: time(package.void_time),
        write_off_remedy: package.remedy.map_or(v1::WriteOffRemedy::Unspecified, v1::WriteOffRemedy::from).into(),
        supported_actions: package.supported_actions().into_iter().map(str::to_owned).collect(),
        ship_to: package.ship_to.as_ref().map(|own| own.0.clone()).filter(|own| own != shipment_goes_to),
    }
}

/// A report. A proof of delivery is shown as the delivery that it proves.
pub(crate) fn milestone(report: &TrackingReport) -> v1::Milestone {
    v1::Milestone {
        report_id: report.report_id.to_string(),
        record_time: Some(timestamp(report.record_time)),
        doubt: report_doubt(report.doubt).into(),
        retract_time: time(report.retract_time),
        retract_reason: report.retract_reason.clone(),
        ..report.milestone.0.clone()
    }
}

/// Why the time of a report cannot be right.
pub(crate) fn report_doubt(doubt: ReportDoubt) -> v1::ReportDoubt {
    match doubt {
        ReportDoubt::None => v1::ReportDoubt::Unspecified,
        ReportDoubt::Future => v1::ReportDoubt::Future,
        ReportDoubt::TooOld => v1::ReportDoubt::TooOld,
    }
}

/// A report of a package. A delivery before the package left is doubtful.
pub(crate) fn milestone_of(report: &TrackingReport, package: &Package) -> v1::Milestone {
    let mut shown = milestone(report);
    let left = package.left_time().filter(|left| report.occur_time.after(CLOCK_SKEW) < *left);
    if report.is_valid() && report.code == MilestoneCode::Delivered && left.is_some() {
        shown.doubt = v1::ReportDoubt::BeforeDeparture.into();
    }
    shown
}
