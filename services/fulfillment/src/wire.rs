//! The domain as the wire has it.

use mesh::wire::{duration, timestamp};
use proto::{fulfillment::v1, types::v1 as values};
use types::Timestamp;

use crate::{
    fulfillment_order::{Fulfillment, Line, number},
    node::{HandlingClass, Node, ServiceArea},
    shipment::{Departure, Package, Shipment},
    tracking::{Code, Milestone},
};

/// Enums of the domain have the names of the wire's, without the prefix.
macro_rules! names {
    ($($(#[$doc:meta])* $function:ident: $from:ty => $to:ty, $prefix:literal;)*) => {$(
        $(#[$doc])*
        pub fn $function(value: $from) -> $to {
            <$to>::from_str_name(&format!(concat!($prefix, "_{}"), value.as_str())).unwrap_or_default()
        }
    )*};
}

names! {
    /// A node's state.
    node_state: crate::node::State => v1::NodeState, "NODE_STATE";
    /// How goods must be kept.
    handling_class: HandlingClass => values::HandlingClass, "HANDLING_CLASS";
    /// How far work is.
    execution: crate::fulfillment_order::Execution => v1::ExecutionState, "EXECUTION_STATE";
    /// What the node said.
    request: crate::fulfillment_order::Request => v1::RequestState, "REQUEST_STATE";
    /// How far a shipment is.
    shipment_state: crate::shipment::State => v1::ShipmentState, "SHIPMENT_STATE";
    /// What a carrier says.
    code: Code => v1::MilestoneCode, "MILESTONE_CODE";
}

/// The domain's value of a wire enum by its name; `None` for the unset one.
pub fn named<T: std::str::FromStr>(name: &str, prefix: &str) -> Option<T> {
    name.strip_prefix(prefix)?.parse().ok()
}

/// A count as the wire has it.
pub fn count(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn time(instant: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    instant.map(timestamp)
}

/// A node.
pub fn node(node: &Node) -> v1::Node {
    let area = |area: &ServiceArea| v1::ServiceArea { countries: area.countries.clone(), rank: area.rank };
    v1::Node {
        node_id: node.node_id.to_string(),
        name: node.name.clone(),
        partner_id: node.partner_id.to_string(),
        country: node.country.clone(),
        time_zone: node.time_zone.clone(),
        handling_classes: node.handling_classes.0.iter().map(|class| handling_class(*class).into()).collect(),
        service_areas: node.service_areas.0.iter().map(area).collect(),
        accept_within: node.accept_within().map(duration),
        state: node_state(node.state).into(),
        etag: node.version.to_string(),
        create_time: Some(timestamp(node.create_time)),
        update_time: Some(timestamp(node.update_time)),
    }
}

/// Work with its lines.
pub fn fulfillment_order(work: &Fulfillment) -> v1::FulfillmentOrder {
    let order = &work.order;
    v1::FulfillmentOrder {
        fulfillment_order_id: order.fulfillment_order_id.to_string(),
        order_id: order.order_id.to_string(),
        account_id: order.account_id.to_string(),
        customer_po: order.customer_po.clone(),
        node_id: order.node_id.to_string(),
        partner_id: order.partner_id.to_string(),
        release_number: count(order.release_number),
        attempt: count(order.attempt),
        execution_state: execution(order.execution_state).into(),
        request_state: request(order.request_state).into(),
        lines: work.lines.iter().map(line).collect(),
        ship_to: Some(order.ship_to.0.clone()),
        requested_ship_time: time(order.requested_ship_time),
        reason: order.reason.clone(),
        decision_id: order.decision_id.to_string(),
        supported_actions: work.supported_actions().into_iter().map(str::to_owned).collect(),
        etag: order.version.to_string(),
        create_time: Some(timestamp(order.create_time)),
        update_time: Some(timestamp(order.update_time)),
        idempotency_key: format!("{}:{}", order.fulfillment_order_id, order.attempt),
    }
}

fn line(line: &Line) -> v1::FulfillmentLine {
    v1::FulfillmentLine {
        line_number: number(line.line_number),
        sku: line.sku.clone(),
        quantity: line.quantity,
        picked: line.picked,
        packed: line.packed,
        shipped: line.shipped,
        short: line.short,
        cancelled: line.cancelled + line.taken_back,
    }
}

/// A shipment with its packages; `ship_to` and `customer_po` are its work's.
pub fn shipment<'a>(
    shipment: &Shipment,
    packages: impl IntoIterator<Item = &'a Package>,
    ship_to: &values::Address,
    customer_po: &str,
) -> v1::Shipment {
    let mut packages: Vec<_> = packages.into_iter().collect();
    packages.sort_by_key(|one| (one.create_time, &one.tracking_number));
    v1::Shipment {
        shipment_id: shipment.shipment_id.to_string(),
        fulfillment_order_id: shipment.fulfillment_order_id.to_string(),
        order_id: shipment.order_id.to_string(),
        account_id: shipment.account_id.to_string(),
        node_id: shipment.node_id.to_string(),
        shipment_reference: shipment.shipment_reference.clone(),
        carrier_id: shipment.carrier_id.clone(),
        state: shipment_state(shipment.state).into(),
        inferred: packages.iter().any(|one| one.departure == Departure::Inferred),
        packages: packages.into_iter().map(package).collect(),
        ship_time: time(shipment.ship_time),
        deliver_time: time(shipment.deliver_time),
        ship_to: Some(ship_to.clone()),
        customer_po: customer_po.to_owned(),
        etag: shipment.version.to_string(),
        create_time: Some(timestamp(shipment.create_time)),
        update_time: Some(timestamp(shipment.update_time)),
    }
}

fn package(package: &Package) -> v1::Package {
    v1::Package {
        package_id: package.package_id.to_string(),
        tracking_number: package.tracking_number.clone(),
        sscc: package.sscc.clone(),
        lines: package.lines().to_vec(),
        status: code(package.status).into(),
        status_time: time(package.status_time),
        estimated_delivery_time: time(package.estimated_delivery_time),
        proof_of_delivery: package.proof.as_ref().map(|proof| proof.0.clone()),
    }
}

/// A carrier's report.
pub fn milestone(milestone: &Milestone) -> v1::Milestone {
    v1::Milestone {
        tracking_number: milestone.tracking_number.clone(),
        code: code(milestone.code).into(),
        raw_code: milestone.raw_code.clone(),
        occur_time: Some(timestamp(milestone.occur_time)),
        occur_offset_minutes: count(milestone.occur_offset_minutes),
        place: milestone.place.clone(),
        estimated_delivery_time: time(milestone.estimated_delivery_time),
        record_time: Some(timestamp(milestone.record_time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_domain_is_on_the_wire() {
        assert!(HandlingClass::ALL.iter().all(|value| handling_class(*value) != values::HandlingClass::Unspecified));
        let states = crate::fulfillment_order::Execution::ALL;
        assert!(states.iter().all(|value| execution(*value) != v1::ExecutionState::Unspecified));
        let states = crate::fulfillment_order::Request::ALL;
        assert!(states.iter().all(|value| request(*value) != v1::RequestState::Unspecified));
        let states = crate::shipment::State::ALL;
        assert!(states.iter().all(|value| shipment_state(*value) != v1::ShipmentState::Unspecified));
        assert!(crate::node::State::ALL.iter().all(|value| node_state(*value) != v1::NodeState::Unspecified));
        let unknown = Code::ALL.iter().filter(|value| code(**value) == v1::MilestoneCode::Unspecified);
        assert_eq!(unknown.collect::<Vec<_>>(), [&Code::Unspecified]);
    }

    #[test]
    fn a_wire_name_is_read_back() {
        for value in Code::ALL {
            assert_eq!(named::<Code>(code(*value).as_str_name(), "MILESTONE_CODE_"), Some(*value));
        }
    }
}
