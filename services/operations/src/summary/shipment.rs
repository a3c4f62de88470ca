//! What the fulfillment service tells of shipments.

use proto::{
    event::v1::Event,
    fulfillment::v1::{
        Milestone, MilestoneCode, ProofOfDeliveryCaptured, Shipment, ShipmentDelivered, ShipmentLabelled,
        ShipmentMilestoneRecorded, ShipmentOverShipped, ShipmentShipped,
    },
};
use store::payload;

use super::words::{count, either, lines, one_line, plain};

pub(super) fn line(event: &Event) -> Option<String> {
    Some(match event.r#type.as_str() {
        "shipment.labelled" => {
            let shipment = payload::<ShipmentLabelled>(event)?.shipment?;
            let packages = count(shipment.packages.len(), "package");
            format!("{} labelled {packages}; nothing has left yet", shipment.node_id)
        }
        "shipment.shipped" => shipped(payload(event)?)?,
        "shipment.over_shipped" => {
            let fact: ShipmentOverShipped = payload(event)?;
            format!("{} has {} more than was asked for", fact.shipment_id, lines(&fact.lines))
        }
        "shipment.milestone_recorded" => {
            let milestone = payload::<ShipmentMilestoneRecorded>(event)?.milestone?;
            format!("package {}: {}", milestone.tracking_number, reported(&milestone))
        }
        "shipment.unmatched_milestone_recorded" => {
            let milestone = payload::<ShipmentMilestoneRecorded>(event)?.milestone?;
            format!("package {}, which nobody has reported yet: {}", milestone.tracking_number, reported(&milestone))
        }
        "shipment.partially_delivered" => {
            let fact: ShipmentDelivered = payload(event)?;
            format!("delivered {}; more is on its way", lines(&fact.lines))
        }
        "shipment.delivered" => {
            let fact: ShipmentDelivered = payload(event)?;
            let shipment = fact.shipment?;
            format!("delivered {}: {} is complete", lines(&fact.lines), name(&shipment))
        }
        "shipment.pod_captured" => {
            let fact: ProofOfDeliveryCaptured = payload(event)?;
            let proof = fact.proof_of_delivery?;
            match (proof.signed_by.as_str(), proof.drop_location.as_str()) {
                ("", "") => format!("proof of delivery for {}", fact.package_id),
                ("", place) => format!("proof of delivery for {}: left at {}", fact.package_id, one_line(place)),
                (who, _) => format!("proof of delivery for {}: signed by {}", fact.package_id, one_line(who)),
            }
        }
        _ => return None,
    })
}

fn name(shipment: &Shipment) -> String {
    one_line(either(&shipment.shipment_reference, &shipment.shipment_id))
}

fn shipped(fact: ShipmentShipped) -> Option<String> {
    let shipment = fact.shipment?;
    let by = if shipment.carrier_id.is_empty() { String::new() } else { format!(" by {}", shipment.carrier_id) };
    let inferred = if shipment.inferred { ", as the carrier's report implies" } else { "" };
    let lost = if fact.cancellation_lost { ", although its cancellation had been asked for" } else { "" };
    Some(format!("{} shipped {}{by} as {}{inferred}{lost}", shipment.node_id, lines(&fact.lines), name(&shipment)))
}

fn reported(milestone: &Milestone) -> String {
    let what = match milestone.code() {
        MilestoneCode::Unspecified => format!("carrier reports {}", one_line(either(&milestone.raw_code, "nothing"))),
        MilestoneCode::Estimated => match &milestone.estimated_delivery_time {
            Some(time) => format!("delivery expected {time}"),
            None => "delivery estimated".to_owned(),
        },
        code => plain(code.as_str_name(), "MILESTONE_CODE_"),
    };
    if milestone.place.is_empty() { what } else { format!("{what} at {}", one_line(&milestone.place)) }
}
