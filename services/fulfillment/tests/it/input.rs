//! Wrong requests are refused, naming every wrong field.

use proto::{
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, AnswerCancellationRequest, CreateNodeRequest, ListFulfillmentOrdersRequest,
        ListNodesRequest, Milestone, PreviewRoutingRequest, RecordMilestoneRequest, RecordPickRequest,
        RecordProofOfDeliveryRequest, RecordShipmentRequest, ReportedPackage, RetryRoutingRequest, ServiceArea,
    },
    types::v1::LineQuantity,
};
use tonic::Code;

use testkit::{each, units, wrong_fields};

use crate::world::{ORDER, World, shipped};

#[tokio::test]
async fn a_wrong_node_is_refused() {
    each(World::open, async |world| {
        let request = CreateNodeRequest {
            node_id: "warehouse".to_owned(),
            partner_id: "nod_1".to_owned(),
            country: "de".to_owned(),
            time_zone: "Europe Berlin".to_owned(),
            handling_classes: vec![0],
            service_areas: vec![
                ServiceArea { countries: vec!["DE".to_owned(), "XX".to_owned()], rank: -1 },
                ServiceArea::default(),
            ],
            accept_within: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
            handling_time: Some(prost_types::Duration { seconds: 30 * 86_400, nanos: 1 }),
            ..Default::default()
        };
        let expected = [
            "node_id",
            "name",
            "partner_id",
            "country",
            "time_zone",
            "handling_classes[0]",
            "service_areas[0].countries[1]",
            "service_areas[0].rank",
            "service_areas[1].countries",
            "accept_within",
            "handling_time",
        ];
        assert_eq!(wrong_fields(world.api().create_node(request).await), expected);
        let empty = world.api().create_node(CreateNodeRequest::default()).await;
        let expected = ["node_id", "name", "partner_id", "country", "handling_classes", "service_areas"];
        assert_eq!(wrong_fields(empty), expected);
    })
    .await;
}

#[tokio::test]
async fn wrong_reports_are_refused_and_change_nothing() {
    each(World::open, async |world| {
        let wrong = LineQuantity { line_number: 0, sku: "a\u{7}b".to_owned(), quantity: 0 };
        let mut request = RecordShipmentRequest {
            fulfillment_order_id: "ful_1".to_owned(),
            shipment_reference: "S\n1".to_owned(),
            carrier_id: "dhl".to_owned(),
            packages: vec![
                ReportedPackage { tracking_number: "T1".to_owned(), sscc: "12".to_owned(), lines: vec![wrong] },
                ReportedPackage { tracking_number: "T1".to_owned(), ..Default::default() },
            ],
            occur_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..Default::default()
        };
        let expected = [
            "shipment_reference",
            "carrier_id",
            "occur_time",
            "packages[0].sscc",
            "packages[0].lines[0].line_number",
            "packages[0].lines[0].sku",
            "packages[0].lines[0].quantity",
            "packages[1].tracking_number",
            "packages[1].lines",
        ];
        assert_eq!(wrong_fields(world.partners().record_shipment(request.clone()).await), expected);
        request = RecordShipmentRequest::default();
        let expected = ["fulfillment_order_id", "shipment_reference", "packages"];
        assert_eq!(wrong_fields(world.partners().record_shipment(request).await), expected);

        let pick = RecordPickRequest {
            picked: vec![units(1, -1), units(2, 1_000_000_001)],
            short: vec![units(1, 0), units(1, 0)],
            ..Default::default()
        };
        let expected = ["fulfillment_order_id", "picked[0].quantity", "picked[1].quantity", "short[1].line_number"];
        assert_eq!(wrong_fields(world.partners().record_pick(pick).await), expected);
        let answer = world.partners().answer_cancellation(AnswerCancellationRequest::default()).await;
        assert_eq!(wrong_fields(answer), ["fulfillment_order_id", "answer"]);
        assert!(world.event_types().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn lines_that_the_fulfillment_order_does_not_have_are_refused() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 10);
        world.release(ORDER, 1, &[(1, "A", 6)]);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        let mut report = shipped(&order, &[("T1", 6)]);
        report.packages[0].lines = vec![units(2, 1), LineQuantity { line_number: 1, sku: "B".to_owned(), quantity: 1 }];
        let refused = world.partners().record_shipment(report).await;
        assert_eq!(wrong_fields(refused), ["packages[0].lines[0].line_number", "packages[0].lines[1].sku"]);
        assert_eq!(world.fulfillment_order(ORDER).await, order);
    })
    .await;
}

#[tokio::test]
async fn wrong_carrier_reports_are_refused() {
    each(World::open, async |world| {
        let mut request = RecordMilestoneRequest::default();
        assert_eq!(wrong_fields(world.partners().record_milestone(request.clone()).await), ["milestone"]);
        request.milestone = Some(Milestone { code: 99, occur_offset_minutes: 5_000, ..Milestone::default() });
        let expected =
            ["milestone.tracking_number", "milestone.code", "milestone.occur_time", "milestone.occur_offset_minutes"];
        assert_eq!(wrong_fields(world.partners().record_milestone(request).await), expected);
        let mut request = RecordProofOfDeliveryRequest { carrier_id: "x".to_owned(), ..Default::default() };
        let refused = world.partners().record_proof_of_delivery(request.clone()).await;
        assert_eq!(wrong_fields(refused), ["carrier_id", "tracking_number", "proof_of_delivery"]);
        request = RecordProofOfDeliveryRequest {
            tracking_number: "T".repeat(65),
            proof_of_delivery: Some(Default::default()),
            ..Default::default()
        };
        let refused = world.partners().record_proof_of_delivery(request).await;
        assert_eq!(wrong_fields(refused), ["tracking_number", "proof_of_delivery.sign_time", "proof_of_delivery"]);
    })
    .await;
}

#[tokio::test]
async fn wrong_reads_are_refused() {
    each(World::open, async |world| {
        let list = ListFulfillmentOrdersRequest {
            partner_id: "x".to_owned(),
            execution_states: vec![0],
            request_states: vec![77],
            ..Default::default()
        };
        let refused = world.api().list_fulfillment_orders(list).await;
        assert_eq!(wrong_fields(refused), ["execution_states[0]", "request_states[0]", "partner_id"]);
        let pages = ListNodesRequest { page_size: -1, page_token: String::new() };
        assert_eq!(wrong_fields(world.api().list_nodes(pages).await), ["page_size"]);
        let preview = PreviewRoutingRequest { lines: vec![units(1, 1)], ..Default::default() };
        assert_eq!(wrong_fields(world.api().preview_routing(preview).await), ["country", "lines[0].sku"]);
        let line = LineQuantity { line_number: 1, sku: "NONE".to_owned(), quantity: 1 };
        let preview = PreviewRoutingRequest { country: "DE".to_owned(), lines: vec![line], ..Default::default() };
        assert_eq!(wrong_fields(world.api().preview_routing(preview).await), ["lines[0].sku"]);
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    each(World::open, async |world| {
        let retry = RetryRoutingRequest { order_id: ORDER.to_owned(), ..Default::default() };
        assert_eq!(world.api().retry_routing(retry).await.unwrap_err().code(), Code::NotFound);
        let accept = AcceptFulfillmentOrderRequest { fulfillment_order_id: "ful_1".to_owned(), ..Default::default() };
        assert_eq!(world.partners().accept_fulfillment_order(accept).await.unwrap_err().code(), Code::NotFound);
    })
    .await;
}
