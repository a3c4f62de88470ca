//! What the fulfillment and partner services tell.

use proto::{
    fulfillment::v1::{
        FulfillmentCancelled, FulfillmentLine, FulfillmentOrder, FulfillmentOrderChanged, FulfillmentPicked,
        FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentUnfulfillable, Milestone, MilestoneCode, Node,
        NodeChanged, Package, ProofOfDelivery, ProofOfDeliveryCaptured, RoutingCandidate, RoutingChoice,
        RoutingDecision, Shipment, ShipmentDelivered, ShipmentLabelled, ShipmentMilestoneRecorded, ShipmentOverShipped,
        ShipmentShipped,
    },
    partner::v1::{
        ApiClient, ApiClientChanged, ApiKey, ApiKeyChanged, MessageChanged, Partner, PartnerChanged, PartnerMessage,
    },
};

use super::{Samples, line, lines, sample};

pub(super) fn add(samples: &mut Samples) {
    routing(samples);
    work(samples);
    shipments(samples);
    packages(samples);
    messages(samples);
}

fn routing(samples: &mut Samples) {
    let node = Node { node_id: "nod_a".to_owned(), name: "Bremen".to_owned(), ..Default::default() };
    let node = NodeChanged { node: Some(node) };
    sample(samples, "node.created", &node, "node Bremen (nod_a) added");
    sample(samples, "node.updated", &node, "node Bremen (nod_a) changed");

    let choice = |node: &str, quantity| RoutingChoice { node_id: node.to_owned(), quantity, ..Default::default() };
    let decision = RoutingDecision {
        attempt: 2,
        choices: vec![choice("nod_a", 12), choice("nod_b", 1), choice("nod_a", 3)],
        ..Default::default()
    };
    let routed = FulfillmentRouted { decision: Some(decision) };
    sample(samples, "fulfillment.routed", &routed, "routed 15 units to nod_a, 1 unit to nod_b (attempt 2)");
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
    sample(samples, "fulfillment.routing_failed", &failed, "no node may take 12 NW-011: nod_a is paused");
    let unfulfillable = FulfillmentUnfulfillable { lines: lines(), ..Default::default() };
    let expected = "no node has 12 NW-011, 3 NW-042: back to wait for stock";
    sample(samples, "fulfillment.unfulfillable", &unfulfillable, expected);
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

fn work(samples: &mut Samples) {
    let ours = FulfillmentOrderChanged { fulfillment_order: Some(fulfillment_order("", 2)) };
    let expected = "nod_a asked to ship 12 NW-011 (attempt 2)";
    sample(samples, "fulfillment.requested", &ours, expected);
    let changed = FulfillmentOrderChanged { fulfillment_order: Some(fulfillment_order("par_hanse", 1)) };
    let lines = [
        ("requested", "par_hanse (nod_a) asked to ship 12 NW-011"),
        ("accepted", "par_hanse (nod_a) accepted"),
        ("rejected", "par_hanse (nod_a) rejected: no staff"),
        ("timed_out", "par_hanse (nod_a) did not answer in time"),
        ("completed", "par_hanse (nod_a) is done"),
        ("incomplete", "par_hanse (nod_a) is done without 2 NW-011"),
        ("cancellation_requested", "par_hanse (nod_a) asked to cancel"),
        ("cancellation_rejected", "par_hanse (nod_a) can not cancel any more: no staff"),
    ];
    for (kind, expected) in lines {
        sample(samples, &format!("fulfillment.{kind}"), &changed, expected);
    }
    let fulfillment_order = Some(fulfillment_order("par_hanse", 1));
    let picked = FulfillmentPicked { fulfillment_order: fulfillment_order.clone(), lines: vec![line("NW-011", 9)] };
    sample(samples, "fulfillment.picked", &picked, "par_hanse (nod_a) picked 9 NW-011");
    sample(samples, "fulfillment.short_picked", &picked, "par_hanse (nod_a) could not find 9 NW-011");
    let cancelled = FulfillmentCancelled { fulfillment_order, lines: vec![line("NW-011", 9)] };
    let expected = "par_hanse (nod_a) will not ship 9 NW-011: cancelled in time";
    sample(samples, "fulfillment.cancelled", &cancelled, expected);
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
    sample(samples, "shipment.labelled", &labelled, "nod_a labelled 2 packages; nothing has left yet");
    let kind = "shipment.shipped";
    let shipped = ShipmentShipped { shipment: Some(shipment()), lines: lines(), cancellation_lost: false };
    sample(samples, kind, &shipped, "nod_a shipped 12 NW-011, 3 NW-042 by par_car as S-7");
    let implied = Shipment { inferred: true, carrier_id: String::new(), ..shipment() };
    let shipped = ShipmentShipped { shipment: Some(implied), lines: vec![line("NW-011", 1)], cancellation_lost: true };
    let expected =
        "nod_a shipped 1 NW-011 as S-7, as the carrier's report implies, although its cancellation had been asked for";
    sample(samples, kind, &shipped, expected);
    let over =
        ShipmentOverShipped { shipment_id: "shm_1".to_owned(), lines: vec![line("NW-011", 1)], ..Default::default() };
    sample(samples, "shipment.over_shipped", &over, "shm_1 has 1 NW-011 more than was asked for");
    let delivered =
        ShipmentDelivered { shipment: Some(shipment()), lines: vec![line("NW-011", 1)], deliver_time: None };
    let expected = "delivered 1 NW-011; more is on its way";
    sample(samples, "shipment.partially_delivered", &delivered, expected);
    sample(samples, "shipment.delivered", &delivered, "delivered 1 NW-011: S-7 is complete");
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
    let kind = "shipment.milestone_recorded";
    let out = recorded(MilestoneCode::OutForDelivery, "OFD", "Bremen");
    sample(samples, kind, &out, "package 1Z9: out for delivery at Bremen");
    let estimated = recorded(MilestoneCode::Estimated, "", "");
    sample(samples, kind, &estimated, "package 1Z9: delivery expected 2025-06-15T15:06:40Z");
    let odd = recorded(MilestoneCode::Unspecified, "Z7", "");
    sample(samples, kind, &odd, "package 1Z9: carrier reports Z7");
    let expected = "package 1Z9, which nobody has reported yet: in transit";
    let unmatched = recorded(MilestoneCode::InTransit, "", "");
    sample(samples, "shipment.unmatched_milestone_recorded", &unmatched, expected);

    let kind = "shipment.pod_captured";
    let proof = |signed_by: &str, place: &str| ProofOfDeliveryCaptured {
        package_id: "pkg_1".to_owned(),
        proof_of_delivery: Some(ProofOfDelivery {
            signed_by: signed_by.to_owned(),
            drop_location: place.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    sample(samples, kind, &proof("Bob", "dock 3"), "proof of delivery for pkg_1: signed by Bob");
    sample(samples, kind, &proof("", "dock 3"), "proof of delivery for pkg_1: left at dock 3");
    sample(samples, kind, &proof("", ""), "proof of delivery for pkg_1");
}

fn messages(samples: &mut Samples) {
    let partner =
        Partner { partner_id: "par_hanse".to_owned(), name: "Hanse Logistik".to_owned(), ..Default::default() };
    let partner = PartnerChanged { partner: Some(partner) };
    sample(samples, "partner.created", &partner, "partner Hanse Logistik (par_hanse) added");
    sample(samples, "partner.updated", &partner, "partner Hanse Logistik (par_hanse) changed");
    let api_client =
        ApiClient { api_client_id: "cli_wms".to_owned(), name: "Hanse WMS".to_owned(), ..Default::default() };
    let api_client = ApiClientChanged { api_client: Some(api_client) };
    sample(samples, "api_client.created", &api_client, "api_client Hanse WMS (cli_wms) added");
    sample(samples, "api_client.updated", &api_client, "api_client Hanse WMS (cli_wms) changed");
    let key = ApiKey { prefix: "a1B2c3D4".to_owned(), api_client_id: "cli_wms".to_owned(), ..Default::default() };
    let key = ApiKeyChanged { api_key: Some(key) };
    sample(samples, "api_key.created", &key, "API key a1B2c3D4 of cli_wms made");
    sample(samples, "api_key.revoked", &key, "API key a1B2c3D4 of cli_wms revoked");
    let message = PartnerMessage {
        partner_id: "par_hanse".to_owned(),
        r#type: "report.timed_out".to_owned(),
        control_number: "M-7".to_owned(),
        outcome: "no such order".to_owned(),
        ..Default::default()
    };
    let message = MessageChanged { message: Some(message) };
    let lines = [
        ("message_received", "par_hanse sent report timed out (M-7)"),
        ("duplicate_ignored", "par_hanse sent report timed out (M-7) again: nothing done twice"),
        ("duplicate_conflict", "par_hanse used the reference M-7 again for something else"),
        ("message_applied", "report timed out (M-7) of par_hanse took effect: no such order"),
        ("message_rejected", "report timed out (M-7) of par_hanse was refused: no such order"),
        ("message_replayed", "report timed out (M-7) of par_hanse was tried once more"),
        ("message_sent", "report timed out (M-7) sent to par_hanse"),
        (
            "message_in_doubt",
            "report timed out (M-7) may not have reached par_hanse: to be asked before it is sent again",
        ),
        ("message_failed", "report timed out (M-7) could not be sent to par_hanse: no such order"),
    ];
    for (kind, expected) in lines {
        sample(samples, &format!("partner.{kind}"), &message, expected);
    }
}
