//! Lines of the fulfillment service's events about shipments.

use proto::fulfillment::v1::{
    Milestone, MilestoneCode, ProofOfDeliveryCaptured, Shipment, ShipmentShipped, ShipmentWrittenOff, WriteOffRemedy,
};

use super::format::{line_items, lowercase, one_line, or};

/// The node's own number of a shipment, or its id.
pub(super) fn name(shipment: &Shipment) -> String {
    one_line(or(&shipment.shipment_reference, &shipment.shipment_id))
}

pub(super) fn shipped(payload: ShipmentShipped) -> Option<String> {
    let shipment = payload.shipment?;
    let by = if shipment.carrier_id.is_empty() { String::new() } else { format!(" by {}", shipment.carrier_id) };
    let inferred = if shipment.inferred { ", as the carrier's report implies" } else { "" };
    let lost = if payload.cancellation_lost { ", although its cancellation had been requested" } else { "" };
    let (lines, name) = (line_items(&payload.lines), name(&shipment));
    Some(format!("{} shipped {lines}{by} as {name}{inferred}{lost}", shipment.node_id))
}

/// `package` is what the package is called.
pub(super) fn milestone(package: &str, milestone: &Milestone) -> String {
    let code = milestone.code();
    let status = if code == MilestoneCode::Unspecified {
        format!("carrier reports {}", one_line(or(&milestone.raw_code, "nothing")))
    } else if code == MilestoneCode::Estimated {
        match &milestone.estimated_delivery_time {
            Some(time) => format!("delivery expected {time}"),
            None => "delivery estimated".to_owned(),
        }
    } else {
        lowercase(code.as_str_name(), "MILESTONE_CODE_")
    };
    let place = if milestone.place.is_empty() { String::new() } else { format!(" at {}", one_line(&milestone.place)) };
    let named = [&milestone.tracking_number, &milestone.sscc, &milestone.shipment_reference];
    let name = named.into_iter().find(|name| !name.is_empty()).map_or("", |name| name);
    format!("{package} {}: {status}{place}", one_line(name))
}

pub(super) fn proof_of_delivery(payload: &ProofOfDeliveryCaptured) -> Option<String> {
    let proof = payload.proof_of_delivery.as_ref()?;
    let how = match (proof.signed_by.as_str(), proof.drop_location.as_str()) {
        ("", "") => String::new(),
        ("", place) => format!(": left at {}", one_line(place)),
        (person, _) => format!(": signed by {}", one_line(person)),
    };
    Some(format!("proof of delivery for {}{how}", payload.package_id))
}

pub(super) fn written_off(payload: &ShipmentWrittenOff) -> String {
    let remedy = match payload.remedy() {
        WriteOffRemedy::Replace => "shipped again",
        WriteOffRemedy::Cancel | WriteOffRemedy::Unspecified => "cancelled",
    };
    format!("{} is written off: {} will be {remedy}", payload.package_id, line_items(&payload.lines))
}
