//! Samples of the events of the fulfillment and partner services.

use proto::{
    events::{FulfillmentEvent, PartnerEvent},
    fulfillment::v1::{
        BlockingHold, FulfillmentCancelled, FulfillmentLine, FulfillmentOrder, FulfillmentOrderChanged,
        FulfillmentPickRetracted, FulfillmentPicked, FulfillmentRouted, FulfillmentRoutingFailed,
        FulfillmentShipToChange, FulfillmentShipToChangeSettled, FulfillmentUnfulfillable, Milestone, MilestoneCode,
        Node, NodeChanged, Package, ProofOfDelivery, ProofOfDeliveryCaptured, RoutingCandidate, RoutingChoice,
        RoutingDecision, Shipment, ShipmentDelivered, ShipmentLabelled, ShipmentMilestoneRecorded, ShipmentOverShipped,
        ShipmentShipped, ShipmentUndelivered, ShipmentVoided, ShipmentWrittenOff, TrackingReportRetracted,
        WriteOffRemedy,
    },
    partner::v1::{
        ApiClient, ApiClientChanged, ApiKey, ApiKeyChanged, MessageChanged, Partner, PartnerChanged, PartnerMessage,
    },
    types::v1::Address,
};

use super::{Samples, line, lines, sample};

pub(super) fn add(samples: &mut Samples) {
    routing(samples);
    fulfillment_orders(samples);
    shipments(samples);
    packages(samples);
    messages(samples);
}

fn routing(samples: &mut Samples) {
    let node = Node { node_id: "nod_a".to_owned(), name: "Bremen".to_owned(), ..Default::default() };
    let node = NodeChanged { node: Some(node) };
    sample(samples, FulfillmentEvent::NodeCreated(node.clone()), "node Bremen (nod_a) added");
    sample(samples, FulfillmentEvent::NodeUpdated(node), "node Bremen (nod_a) changed");

    let choice = |node: &str, quantity| RoutingChoice { node_id: node.to_owned(), quantity, ..Default::default() };
    let decision = RoutingDecision {
        attempt: 2,
        choices: vec![choice("nod_a", 12), choice("nod_b", 1), choice("nod_a", 3)],
        ..Default::default()
    };
    let routed = FulfillmentRouted { decision: Some(decision) };
    sample(
        samples,
        FulfillmentEvent::FulfillmentRouted(routed),
        "routed 15 units to nod_a, 1 unit to nod_b (attempt 2)",
    );
    let obstacle = |line_number, node: &str, obstacle: &str| RoutingCandidate {
        line_number,
        node_id: node.to_owned(),
        obstacle: obstacle.to_owned(),
        ..Default::default()
    };
    let decision = RoutingDecision {
        candidates: vec![obstacle(1, "nod_a", "is paused"), obstacle(1, "nod_b", ""), obstacle(2, "nod_b", "x")],
        unrouted: vec![line("NW-011", 12)],
        ..Default::default()
    };
    let failed = FulfillmentRoutingFailed { decision: Some(decision) };
    sample(samples, FulfillmentEvent::FulfillmentRoutingFailed(failed), "no node may take 12 NW-011: nod_a is paused");
    let unfulfillable = FulfillmentUnfulfillable { lines: lines(), ..Default::default() };
    let expected = "no node has 12 NW-011, 3 NW-042: returned to the order";
    sample(samples, FulfillmentEvent::FulfillmentUnfulfillable(unfulfillable), expected);
}

fn fulfillment_order(partner_id: &str, attempt: i32) -> FulfillmentOrder {
    FulfillmentOrder {
        node_id: "nod_a".to_owned(),
        partner_id: partner_id.to_owned(),
        attempt,
        reason: "no staff".to_owned(),
        lines: vec![FulfillmentLine { sku: "NW-011".to_owned(), quantity: 12, shipped: 10, ..Default::default() }],
        ..Default::default()
    }
}

fn destinations(samples: &mut Samples) {
    let change = |reason: &str| FulfillmentShipToChange {
        fulfillment_order: Some(fulfillment_order("par_hanse", 1)),
        change_number: 1,
        ship_to: Some(Address { postal_code: "28195".to_owned(), city: "Bremen".to_owned(), ..Default::default() }),
        reason: reason.to_owned(),
        lines: vec![line("NW-011", 2)],
    };
    sample(
        samples,
        FulfillmentEvent::FulfillmentShipToChangeRequested(change("")),
        "par_hanse (nod_a) asked to ship 2 NW-011 to 28195 Bremen",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentShipToChangeAccepted(change("")),
        "par_hanse (nod_a) ships 2 NW-011 to 28195 Bremen",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentShipToChangeRejected(change("the truck is loaded")),
        "par_hanse (nod_a) does not ship to 28195 Bremen: the truck is loaded",
    );
    let settled = FulfillmentShipToChangeSettled { accepted: vec![line("NW-011", 2)], ..Default::default() };
    sample(
        samples,
        FulfillmentEvent::FulfillmentShipToChangeSettled(settled.clone()),
        "destination changed for 2 NW-011",
    );
    let partly = FulfillmentShipToChangeSettled {
        rejected: vec![line("NW-011", 1)],
        reason: "already shipped".to_owned(),
        ..settled
    };
    sample(
        samples,
        FulfillmentEvent::FulfillmentShipToChangeSettled(partly.clone()),
        "destination changed for 2 NW-011, not for 1 NW-011: already shipped",
    );
    let refused = FulfillmentShipToChangeSettled { accepted: Vec::new(), ..partly };
    sample(
        samples,
        FulfillmentEvent::FulfillmentShipToChangeSettled(refused),
        "destination not changed for 1 NW-011: already shipped",
    );
}

fn fulfillment_orders(samples: &mut Samples) {
    let ours = FulfillmentOrderChanged { fulfillment_order: Some(fulfillment_order("", 2)), lines: Vec::new() };
    let expected = "nod_a asked to ship 12 NW-011 (attempt 2)";
    sample(samples, FulfillmentEvent::FulfillmentRequested(ours), expected);
    let changed =
        FulfillmentOrderChanged { fulfillment_order: Some(fulfillment_order("par_hanse", 1)), lines: Vec::new() };
    sample(
        samples,
        FulfillmentEvent::FulfillmentRequested(changed.clone()),
        "par_hanse (nod_a) asked to ship 12 NW-011",
    );
    sample(samples, FulfillmentEvent::FulfillmentAccepted(changed.clone()), "par_hanse (nod_a) accepted");
    sample(samples, FulfillmentEvent::FulfillmentRejected(changed.clone()), "par_hanse (nod_a) rejected: no staff");
    sample(samples, FulfillmentEvent::FulfillmentTimedOut(changed.clone()), "par_hanse (nod_a) did not answer in time");
    sample(samples, FulfillmentEvent::FulfillmentCompleted(changed.clone()), "par_hanse (nod_a) is done");
    sample(
        samples,
        FulfillmentEvent::FulfillmentIncomplete(changed.clone()),
        "par_hanse (nod_a) is done without 2 NW-011",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentCancellationRequested(changed.clone()),
        "par_hanse (nod_a) asked to cancel",
    );
    let partly = FulfillmentOrderChanged { lines: vec![line("NW-011", 2)], ..changed.clone() };
    sample(
        samples,
        FulfillmentEvent::FulfillmentCancellationRequested(partly.clone()),
        "par_hanse (nod_a) asked to cancel 2 NW-011",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentCancellationRejected(partly),
        "par_hanse (nod_a) cannot cancel 2 NW-011 any more: no staff",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentHoldPlaced(changed.clone()),
        "par_hanse (nod_a) may not begin: on hold",
    );
    let mut still_held = changed.clone();
    still_held.fulfillment_order.as_mut().unwrap().holds.push(BlockingHold::default());
    sample(
        samples,
        FulfillmentEvent::FulfillmentHoldReleased(still_held),
        "par_hanse (nod_a) may not begin: still on 1 hold",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentHoldReleased(changed.clone()),
        "par_hanse (nod_a) may begin: no hold remains",
    );
    sample(
        samples,
        FulfillmentEvent::FulfillmentCancellationRejected(changed),
        "par_hanse (nod_a) cannot cancel any more: no staff",
    );
    destinations(samples);
    let fulfillment_order = Some(fulfillment_order("par_hanse", 1));
    let picked = FulfillmentPicked { fulfillment_order: fulfillment_order.clone(), lines: vec![line("NW-011", 9)] };
    sample(samples, FulfillmentEvent::FulfillmentPicked(picked.clone()), "par_hanse (nod_a) picked 9 NW-011");
    sample(samples, FulfillmentEvent::FulfillmentShortPicked(picked), "par_hanse (nod_a) could not find 9 NW-011");
    let retracted = FulfillmentPickRetracted {
        fulfillment_order: fulfillment_order.clone(),
        lines: vec![line("NW-011", 9)],
        found: Vec::new(),
    };
    let expected = "par_hanse (nod_a) did not pick 9 NW-011 after all";
    sample(samples, FulfillmentEvent::FulfillmentPickRetracted(retracted.clone()), expected);
    let found = FulfillmentPickRetracted { found: vec![line("NW-012", 2)], ..retracted };
    let expected = "par_hanse (nod_a) did not pick 9 NW-011 and found 2 NW-012 after all";
    sample(samples, FulfillmentEvent::FulfillmentPickRetracted(found.clone()), expected);
    let found = FulfillmentPickRetracted { lines: Vec::new(), ..found };
    sample(samples, FulfillmentEvent::FulfillmentPickRetracted(found), "par_hanse (nod_a) found 2 NW-012 after all");
    let stopped = FulfillmentCancelled {
        fulfillment_order: fulfillment_order.clone(),
        lines: vec![line("NW-011", 9)],
        ..Default::default()
    };
    let expected = "par_hanse (nod_a) will not ship 9 NW-011: cancelled in time";
    sample(samples, FulfillmentEvent::FulfillmentCancelled(stopped), expected);
    let (superseded, reassigned) = (vec![line("NW-011", 9)], vec![line("NW-012", 2)]);
    let stopped = FulfillmentCancelled { fulfillment_order, superseded, reassigned, ..Default::default() };
    let expected =
        "par_hanse (nod_a) will not ship 9 NW-011: shipped by another node; 2 NW-012: another node is to ship them";
    sample(samples, FulfillmentEvent::FulfillmentCancelled(stopped), expected);
}

fn shipment() -> Shipment {
    Shipment {
        shipment_id: "shm_1".to_owned(),
        node_id: "nod_a".to_owned(),
        shipment_reference: "S-7".to_owned(),
        carrier_id: "par_car".to_owned(),
        packages: vec![Package::default(), Package::default()],
        ..Default::default()
    }
}

fn shipments(samples: &mut Samples) {
    let labelled = ShipmentLabelled { shipment: Some(shipment()) };
    sample(samples, FulfillmentEvent::ShipmentLabelled(labelled), "nod_a labelled 2 packages; nothing has left yet");
    let shipped = ShipmentShipped { shipment: Some(shipment()), lines: lines(), ..Default::default() };
    sample(samples, FulfillmentEvent::ShipmentShipped(shipped), "nod_a shipped 12 NW-011, 3 NW-042 by par_car as S-7");
    let implied = Shipment { inferred: true, carrier_id: String::new(), ..shipment() };
    let shipped = ShipmentShipped {
        shipment: Some(implied),
        lines: vec![line("NW-011", 1)],
        cancellation_lost: true,
        ..Default::default()
    };
    let expected =
        "nod_a shipped 1 NW-011 as S-7, as the carrier's report implies, although its cancellation had been requested";
    sample(samples, FulfillmentEvent::ShipmentShipped(shipped), expected);
    let over =
        ShipmentOverShipped { shipment_id: "shm_1".to_owned(), lines: vec![line("NW-011", 1)], ..Default::default() };
    sample(samples, FulfillmentEvent::ShipmentOverShipped(over), "shm_1 has 1 NW-011 more than was requested");
    let delivered =
        ShipmentDelivered { shipment: Some(shipment()), lines: vec![line("NW-011", 1)], deliver_time: None };
    let expected = "delivered 1 NW-011; more is on its way";
    sample(samples, FulfillmentEvent::ShipmentPartiallyDelivered(delivered.clone()), expected);
    let expected = "not delivered after all: 1 NW-011 of S-7";
    sample(samples, FulfillmentEvent::ShipmentDeliveryRetracted(delivered.clone()), expected);
    let written_off = ShipmentWrittenOff {
        shipment: Some(shipment()),
        package_id: "pkg_1".to_owned(),
        lines: vec![line("NW-011", 1)],
        remedy: WriteOffRemedy::Replace.into(),
        ..Default::default()
    };
    let expected = "pkg_1 is written off: 1 NW-011 will be shipped again";
    sample(samples, FulfillmentEvent::ShipmentWrittenOff(written_off.clone()), expected);
    let cancelled = ShipmentWrittenOff { remedy: WriteOffRemedy::Cancel.into(), ..written_off };
    let expected = "pkg_1 is written off: 1 NW-011 will be cancelled";
    sample(samples, FulfillmentEvent::ShipmentWrittenOff(cancelled), expected);
    let undelivered = ShipmentUndelivered {
        shipment: Some(shipment()),
        package_id: "pkg_1".to_owned(),
        lines: vec![line("NW-011", 1)],
    };
    let expected = "pkg_1 comes back to its sender: 1 NW-011";
    sample(samples, FulfillmentEvent::ShipmentReturnedToSender(undelivered.clone()), expected);
    let expected = "pkg_1 does not come back after all: 1 NW-011";
    sample(samples, FulfillmentEvent::ShipmentRecovered(undelivered), expected);
    let voided = ShipmentVoided { shipment: Some(shipment()), lines: lines() };
    sample(samples, FulfillmentEvent::ShipmentVoided(voided), "labels of S-7 are void: 12 NW-011, 3 NW-042");
    let stayed = ShipmentShipped { shipment: Some(shipment()), lines: vec![line("NW-011", 1)], ..Default::default() };
    let expected = "did not leave after all: 1 NW-011 of S-7";
    sample(samples, FulfillmentEvent::ShipmentDepartureRetracted(stayed), expected);
    sample(samples, FulfillmentEvent::ShipmentDelivered(delivered), "delivered 1 NW-011: S-7 is complete");
}

fn packages(samples: &mut Samples) {
    let recorded = |code: MilestoneCode, raw_code: &str, place: &str| {
        let milestone = Milestone {
            tracking_number: "1Z9".to_owned(),
            code: code.into(),
            raw_code: raw_code.to_owned(),
            place: place.to_owned(),
            estimated_delivery_time: Some(prost_types::Timestamp { seconds: 1_750_000_000, nanos: 0 }),
            ..Default::default()
        };
        ShipmentMilestoneRecorded { milestone: Some(milestone), ..Default::default() }
    };
    let out = recorded(MilestoneCode::OutForDelivery, "OFD", "Bremen");
    sample(samples, FulfillmentEvent::ShipmentMilestoneRecorded(out), "package 1Z9: out for delivery at Bremen");
    let estimated = recorded(MilestoneCode::Estimated, "", "");
    sample(
        samples,
        FulfillmentEvent::ShipmentMilestoneRecorded(estimated),
        "package 1Z9: delivery expected 2025-06-15T15:06:40Z",
    );
    let odd = recorded(MilestoneCode::Unspecified, "Z7", "");
    sample(samples, FulfillmentEvent::ShipmentMilestoneRecorded(odd), "package 1Z9: carrier reports Z7");
    let expected = "unmatched package 1Z9: in transit";
    let unmatched = recorded(MilestoneCode::InTransit, "", "");
    sample(samples, FulfillmentEvent::ShipmentUnmatchedMilestoneRecorded(unmatched), expected);

    let proof = |signed_by: &str, place: &str| ProofOfDeliveryCaptured {
        package_id: "pkg_1".to_owned(),
        proof_of_delivery: Some(ProofOfDelivery {
            signed_by: signed_by.to_owned(),
            drop_location: place.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    sample(
        samples,
        FulfillmentEvent::ShipmentPodCaptured(proof("Bob", "dock 3")),
        "proof of delivery for pkg_1: signed by Bob",
    );
    sample(
        samples,
        FulfillmentEvent::ShipmentPodCaptured(proof("", "dock 3")),
        "proof of delivery for pkg_1: left at dock 3",
    );
    sample(samples, FulfillmentEvent::ShipmentPodCaptured(proof("", "")), "proof of delivery for pkg_1");
    let retracted = Milestone {
        sscc: "000000000000000017".to_owned(),
        code: MilestoneCode::Delivered.into(),
        retract_reason: "wrong package".to_owned(),
        ..Default::default()
    };
    let retracted = TrackingReportRetracted { milestone: Some(retracted), ..Default::default() };
    let expected = "taken back: package 000000000000000017: delivered: wrong package";
    sample(samples, FulfillmentEvent::ShipmentReportRetracted(retracted), expected);
}

fn messages(samples: &mut Samples) {
    let partner =
        Partner { partner_id: "par_hanse".to_owned(), name: "Hanse Logistik".to_owned(), ..Default::default() };
    let partner = PartnerChanged { partner: Some(partner) };
    sample(samples, PartnerEvent::PartnerCreated(partner.clone()), "partner Hanse Logistik (par_hanse) added");
    sample(samples, PartnerEvent::PartnerUpdated(partner), "partner Hanse Logistik (par_hanse) changed");
    let api_client =
        ApiClient { api_client_id: "cli_wms".to_owned(), name: "Hanse WMS".to_owned(), ..Default::default() };
    let api_client = ApiClientChanged { api_client: Some(api_client) };
    sample(samples, PartnerEvent::ApiClientCreated(api_client.clone()), "API client Hanse WMS (cli_wms) added");
    sample(samples, PartnerEvent::ApiClientUpdated(api_client), "API client Hanse WMS (cli_wms) changed");
    let key = ApiKey { prefix: "a1B2c3D4".to_owned(), api_client_id: "cli_wms".to_owned(), ..Default::default() };
    let key = ApiKeyChanged { api_key: Some(key) };
    sample(samples, PartnerEvent::ApiKeyCreated(key.clone()), "API key a1B2c3D4 of cli_wms created");
    sample(samples, PartnerEvent::ApiKeyRevoked(key), "API key a1B2c3D4 of cli_wms revoked");
    let message = PartnerMessage {
        partner_id: "par_hanse".to_owned(),
        r#type: "report.timed_out".to_owned(),
        control_number: "M-7".to_owned(),
        outcome: "no such order".to_owned(),
        ..Default::default()
    };
    let message = MessageChanged { message: Some(message) };
    sample(samples, PartnerEvent::PartnerMessageReceived(message.clone()), "par_hanse sent report timed out (M-7)");
    sample(
        samples,
        PartnerEvent::PartnerDuplicateIgnored(message.clone()),
        "par_hanse sent report timed out (M-7) again: duplicate ignored",
    );
    sample(
        samples,
        PartnerEvent::PartnerDuplicateConflict(message.clone()),
        "par_hanse used control number M-7 again for other content",
    );
    sample(
        samples,
        PartnerEvent::PartnerMessageApplied(message.clone()),
        "report timed out (M-7) of par_hanse was applied: no such order",
    );
    sample(
        samples,
        PartnerEvent::PartnerMessageRejected(message.clone()),
        "report timed out (M-7) of par_hanse was refused: no such order",
    );
    sample(
        samples,
        PartnerEvent::PartnerMessageRetracted(message.clone()),
        "par_hanse took report timed out (M-7) back",
    );
    sample(
        samples,
        PartnerEvent::PartnerMessageReplayed(message.clone()),
        "report timed out (M-7) of par_hanse was replayed",
    );
    sample(samples, PartnerEvent::PartnerMessageSent(message.clone()), "report timed out (M-7) sent to par_hanse");
    sample(
        samples,
        PartnerEvent::PartnerMessageInDoubt(message.clone()),
        "report timed out (M-7) may not have reached par_hanse: to be confirmed before it is sent again",
    );
    sample(
        samples,
        PartnerEvent::PartnerMessageFailed(message),
        "report timed out (M-7) could not be sent to par_hanse: no such order",
    );
}
