//! Traces as an OTLP receiver gets them. In a process of its own, because a process has one exporter.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod receiver;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Mutex,
    time::Duration,
};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use receiver::{Receiver, Span};
use serde_json::{Value, json};
use waybill::{compose::Config, sandbox::Chances};
use waybill_e2e::{World, address, each_with};

/// The span of the portal that places an order, in a trace of its own.
const PORTAL_SPAN: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_one_connected_trace_from_the_portals_call_to_proof_of_delivery() {
    let receiver = Receiver::start().await;
    let otlp = mesh::telemetry::Otlp::to(receiver.endpoint());
    let request_timeout = Duration::from_secs(600);
    let mesh = mesh::Config { otlp, request_timeout, log: "off".to_owned(), ..mesh::Config::default() };
    let guard = mesh::telemetry::init(&mesh, "waybill").unwrap();
    let orders = Mutex::new(Vec::new());
    each_with(Config { mesh, ..Config::default() }, |world| async {
        let trace = format!("0af7651916cd43dd8448eb211c8031{:02x}", orders.lock().unwrap().len());
        let order = deliver(world, &trace).await;
        orders.lock().unwrap().push((trace, order));
    })
    .await;
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();

    let spans = receiver.spans();
    for (trace, order_id) in orders.into_inner().unwrap() {
        let reached = reached(&spans, &trace);
        check_tree(&reached, &trace);
        check_conventions(&reached);
        check_services(&reached);
        check_order(&reached, &order_id);
    }
}

/// Places an order in the portal's trace, and lets partners report until it is delivered.
async fn deliver(world: World, trace: &str) -> String {
    world.furnish().await;
    world.receive("nod_hamburg", "TEA", 10).await;
    // Stock that comes while a release waits for a node would route it in the trace of the receipt.
    world.drain().await;
    let order = json!({
        "accountId": "acc_ACME", "customerPo": "PO-1", "shipToAddress": address("DE"),
        "lines": [{"sku": "TEA", "quantity": 4}],
    });
    let placing = reqwest::Client::new()
        .post(format!("{}/v1/orders", world.rest.base()))
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{trace}-{PORTAL_SPAN}-01"))
        .body(order.to_string());
    let placed: Value = serde_json::from_str(&placing.send().await.unwrap().text().await.unwrap()).unwrap();
    let order_id = placed["orderId"].as_str().unwrap().to_owned();
    world.settle(1, Chances::NONE).await;
    let order = world.get(&format!("/v1/orders/{order_id}")).await;
    assert_eq!(order["status"], "ORDER_STATUS_DELIVERED", "{order}");
    order_id
}

/// The spans of the trace, and of every trace that is found from it by links.
fn reached<'s>(spans: &'s [Span], trace: &str) -> Vec<&'s Span> {
    let mut traces = HashSet::from([trace.to_owned()]);
    loop {
        let found = spans.iter().filter(|span| traces.contains(&span.trace)).flat_map(|span| span.links.clone());
        let known = traces.len();
        traces.extend(found.collect::<Vec<_>>());
        if traces.len() == known {
            return spans.iter().filter(|span| traces.contains(&span.trace)).collect();
        }
    }
}

/// Every span has a parent that was received too, but for the first of each trace. The portal's is the gateway's.
fn check_tree(spans: &[&Span], trace: &str) {
    let known: HashSet<_> = spans.iter().map(|span| (&span.trace, &span.id)).collect();
    assert_eq!(known.len(), spans.len(), "no span twice");
    let lost = |span: &&&Span| !known.contains(&(&span.trace, &span.parent));
    let (own, linked): (Vec<&Span>, Vec<&Span>) =
        spans.iter().filter(lost).copied().partition(|span| span.trace == trace);
    let [first] = own[..] else { panic!("one first span: {own:#?}") };
    assert_eq!((first.parent.as_str(), first.name.as_str()), (PORTAL_SPAN, "POST /v1/orders"));
    for first in linked {
        assert_eq!((first.parent.as_str(), first.kind), ("", SpanKind::Server), "{first:#?}");
    }
}

fn check_conventions(spans: &[&Span]) {
    for span in spans {
        assert_eq!(span.error, None, "{span:#?}");
        let has = |name: &str| span.attributes.contains_key(name);
        let get = |name: &str| span.attributes[name].as_str();
        if has("rpc.method") {
            assert_eq!((get("rpc.system.name"), get("rpc.response.status_code")), ("grpc", "OK"), "{span:#?}");
            assert_eq!(span.name, get("rpc.method"));
            assert!(span.kind == SpanKind::Server || has("server.address"), "{span:#?}");
        } else if has("http.request.method") {
            assert_eq!(span.name, format!("{} {}", get("http.request.method"), get("http.route")));
            assert_eq!(span.kind, SpanKind::Server);
            assert!(has("url.path") && has("url.scheme") && get("http.response.status_code").starts_with('2'));
            assert!(has("waybill.request_id"));
        } else if has("db.system.name") {
            assert_eq!(span.name, format!("{} {}", get("db.operation.name"), get("db.namespace")));
            assert_eq!(span.kind, SpanKind::Client);
        } else if has("messaging.system") {
            assert_eq!((span.kind, get("messaging.operation.type")), (SpanKind::Consumer, "process"));
        } else {
            assert!(span.kind == SpanKind::Consumer || span.name == "partner report", "{span:#?}");
        }
    }
}

/// Gateway, client, server and database are there, of every service an order passes.
fn check_services(spans: &[&Span]) {
    let methods = |kind: SpanKind| -> BTreeSet<&str> {
        let of = spans.iter().filter(|span| span.kind == kind).filter_map(|span| span.attributes.get("rpc.method"));
        of.map(String::as_str).collect()
    };
    let called = methods(SpanKind::Client);
    assert_eq!(called, methods(SpanKind::Server), "each call is seen at both ends");
    for method in [
        "waybill.order.v1.OrderService/PlaceOrder",
        "waybill.inventory.v1.InventoryService/Allocate",
        "waybill.partner.v1.PartnerService/SubmitReport",
        "waybill.fulfillment.v1.FulfillmentService/RecordShipment",
        "waybill.fulfillment.v1.FulfillmentService/RecordMilestone",
        "waybill.fulfillment.v1.FulfillmentService/RecordProofOfDelivery",
    ] {
        assert!(called.contains(method), "{method} is not in {called:?}");
    }
    let databases: BTreeSet<&str> =
        spans.iter().filter_map(|span| span.attributes.get("db.namespace")).map(String::as_str).collect();
    for service in ["order", "inventory", "fulfillment", "partner", "operations"] {
        assert!(databases.contains(service), "{service} is not in {databases:?}");
    }
}

/// The spans that are about the order say so, up to the proof of delivery.
fn check_order(spans: &[&Span], order_id: &str) {
    let mut named: HashMap<&str, usize> = HashMap::new();
    for span in spans {
        match span.attributes.get("waybill.order_id") {
            Some(named_order) => {
                assert_eq!(named_order, order_id, "{span:#?}");
                *named.entry(&span.name).or_default() += 1;
            }
            None => assert!(!span.attributes.contains_key("messaging.system"), "{span:#?}"),
        }
    }
    for name in [
        "waybill.order.v1.OrderService/PlaceOrder",
        "PlaceOrder order",
        "process order.submitted",
        "process order.released",
        "process fulfillment.requested",
        "waybill.partner.v1.PartnerService/SubmitReport",
        "waybill.fulfillment.v1.FulfillmentService/RecordShipment",
        "process shipment.shipped",
        "process shipment.delivered",
        "partner report",
        "process shipment.pod_captured",
    ] {
        assert!(named.contains_key(name), "{name} is not in {named:?}");
    }
}
