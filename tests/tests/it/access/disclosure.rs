//! What answers disclose: to customers of their orders, to carriers of other packages, to callers that repeat another's
//! request.

use std::collections::BTreeSet;

use mesh::{Kind, Principal, Role};
use proto::events::EventType;
use serde_json::{Value, json};
use tonic::Code;
use waybill_e2e::{World, address, each};

use super::{
    calls::{self, Gateway},
    parties::{Party, milestone, partner, shipped, text},
};

async fn call(world: &World, caller: &Principal, name: &str, request: Value) -> Result<Value, Code> {
    calls::grpc(world, caller, &calls::method(name), &request).await.map_err(|status| status.code())
}

fn event_types(timeline: &Value) -> BTreeSet<String> {
    let entries = timeline["entries"].as_array().unwrap();
    entries.iter().map(|entry| text(&entry["event"], "type")).collect()
}

#[tokio::test]
async fn a_customer_sees_the_progress_of_its_order_without_internal_events() {
    each(|world| async move {
        let a = Party::settle(&world, "A").await;
        let hold = json!({"reason": "HOLD_REASON_FRAUD", "note": "looks odd"});
        world.post(&format!("/v1/orders/{}:placeHold", a.open_order), &hold).await;
        world.drain().await;
        let request = json!({"orderId": a.order, "pageSize": 1000});
        let shown = call(&world, &a.customer, "ListTimeline", request.clone()).await.unwrap();
        let all = call(&world, &a.clerk, "ListTimeline", request).await.unwrap();
        let (shown_types, all_types) = (event_types(&shown), event_types(&all));
        for event_type in [
            EventType::OrderSubmitted,
            EventType::OrderConfirmed,
            EventType::ShipmentShipped,
            EventType::ShipmentDelivered,
            EventType::ReturnAuthorized,
        ] {
            assert!(shown_types.contains(event_type.as_str()), "{event_type} is not in {shown_types:?}");
        }
        for event_type in [
            EventType::FulfillmentRouted,
            EventType::InventoryReserved,
            EventType::PartnerMessageApplied,
            EventType::FulfillmentAccepted,
        ] {
            assert!(
                !shown_types.contains(event_type.as_str()) && all_types.contains(event_type.as_str()),
                "{event_type}: {shown_types:?} {all_types:?}"
            );
        }
        for entry in shown["entries"].as_array().unwrap() {
            let event = &entry["event"];
            assert_eq!(entry["audience"], "AUDIENCE_CUSTOMER");
            assert_eq!(
                (&event["actor"], &event["causationId"], &event["traceParent"]),
                (&json!(""), &json!(""), &json!(""))
            );
        }
        assert!(all["entries"].as_array().unwrap().iter().all(|entry| entry["event"]["actor"] != ""));

        // The stream has the same events and no others.
        let gateway = Gateway::of(&world, &a.customer).await;
        let streamed = gateway.follow(&a.order, shown["entries"].as_array().unwrap().len()).await;
        assert_eq!(streamed.iter().map(|entry| text(&entry["event"], "type")).collect::<BTreeSet<_>>(), shown_types);
        assert!(streamed.iter().all(|entry| entry["event"]["actor"].as_str().unwrap_or_default().is_empty()));

        let held = call(&world, &a.customer, "GetOrder", json!({"orderId": a.open_order})).await.unwrap();
        assert_eq!((&held["holds"][0]["note"], &held["holds"][0]["placedBy"]), (&json!(""), &json!("")), "{held}");
        assert_eq!(held["status"], "ORDER_STATUS_ON_HOLD");
        assert_eq!(held["supportedActions"], json!(["CancelOrder", "ProposeOrderChange"]));
        let held = call(&world, &a.clerk, "GetOrder", json!({"orderId": a.open_order})).await.unwrap();
        assert_eq!(held["holds"][0]["note"], "looks odd");
    })
    .await;
}

fn order(account: &str, sku: &str, request_id: &str) -> Value {
    let lines = json!([{"sku": sku, "quantity": 1}]);
    let (to, po) = (address("DE"), format!("PO {request_id}"));
    json!({"requestId": request_id, "accountId": account, "customerPo": po, "shipToAddress": to, "lines": lines})
}

#[tokio::test]
async fn a_repeat_is_answered_only_to_the_first_caller() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let first = call(&world, &a.customer, "PlaceOrder", order(&a.account, &a.sku, "r1")).await.unwrap();
        let again = call(&world, &a.customer, "PlaceOrder", order(&a.account, &a.sku, "r1")).await.unwrap();
        assert_eq!(again["orderId"], first["orderId"]);
        // A request id is the caller's own: with it, another caller's request is another request.
        let other = call(&world, &b.customer, "PlaceOrder", order(&b.account, &b.sku, "r1")).await.unwrap();
        assert_ne!(other["orderId"], first["orderId"]);
        let theirs = order(&a.account, &a.sku, "r1");
        assert_eq!(call(&world, &b.customer, "PlaceOrder", theirs.clone()).await, Err(Code::AlreadyExists));
        let nosy = Principal { subject: "nosy".to_owned(), ..b.customer.clone() };
        assert_eq!(call(&world, &nosy, "PlaceOrder", theirs.clone()).await, Err(Code::InvalidArgument));
        // The same subject as another kind of caller.
        let program = Principal { kind: Kind::Application, subject: a.customer.subject.clone(), ..b.customer.clone() };
        assert_eq!(call(&world, &program, "PlaceOrder", theirs.clone()).await, Err(Code::InvalidArgument));
        // A caller that lost access to the account does not get the stored answer either.
        let moved = Principal { accounts: b.customer.accounts.clone(), ..a.customer.clone() };
        assert_eq!(call(&world, &moved, "PlaceOrder", theirs).await, Err(Code::NotFound));
        let cancel = json!({"requestId": "c1", "orderId": first["orderId"]});
        assert!(call(&world, &a.customer, "CancelOrder", cancel.clone()).await.is_ok());
        assert_eq!(call(&world, &moved, "CancelOrder", cancel).await, Err(Code::NotFound));
        let back = json!({"requestId": "b1", "orderId": a.order, "lines": [{"lineNumber": 1, "quantity": 1}]});
        assert!(call(&world, &a.customer, "AuthorizeReturn", back.clone()).await.is_ok());
        assert_eq!(call(&world, &moved, "AuthorizeReturn", back).await, Err(Code::NotFound));
    })
    .await;
}

#[tokio::test]
async fn a_caller_with_several_roles_sees_what_any_of_them_may_see() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let both = Principal {
            roles: [Role::Customer, Role::Partner].into_iter().collect(),
            partner: b.carrier.partner.clone(),
            ..a.customer.clone()
        };
        let shipments = call(&world, &both, "ListShipments", json!({})).await.unwrap().to_string();
        assert!(shipments.contains(&a.shipment) && shipments.contains(&b.shipment));
        assert!(call(&world, &both, "GetOrder", json!({"orderId": a.order})).await.is_ok());
        assert_eq!(call(&world, &both, "GetOrder", json!({"orderId": b.order})).await, Err(Code::NotFound));
        // Customers may not list fulfillment orders, so a partner does not see those of its accounts.
        let listed = call(&world, &both, "ListFulfillmentOrders", json!({})).await.unwrap();
        assert_eq!(listed["fulfillmentOrders"], json!([]));
        // Customer service that sees every account sees every partner's messages, and reports for none.
        let clerk =
            Principal { roles: [Role::CustomerService, Role::Partner].into_iter().collect(), ..a.warehouse.clone() };
        let message = json!({"messageId": b.warehouse_message});
        assert_eq!(call(&world, &clerk, "GetMessage", message.clone()).await, Err(Code::NotFound));
        assert!(call(&world, &clerk, "GetMessage", json!({"messageId": a.warehouse_message})).await.is_ok());
        let clerk = Principal { accounts: mesh::Accounts::All, ..clerk };
        assert!(call(&world, &clerk, "GetMessage", message).await.is_ok());
        let report = json!({
            "partnerId": b.warehouse_id(), "controlNumber": "x",
            "accepted": {"fulfillmentOrderId": b.open_fulfillment_order},
        });
        assert_eq!(call(&world, &clerk, "SubmitReport", report).await, Err(Code::NotFound));
        // Only the distributor's own people see all accounts; a partner role without a partner sees nothing.
        let everything = Principal { accounts: mesh::Accounts::All, ..a.customer.clone() };
        assert_eq!(call(&world, &everything, "ListOrders", json!({})).await.unwrap()["orders"], json!([]));
        let without_partner = Principal { partner: None, accounts: mesh::Accounts::All, ..a.carrier.clone() };
        assert_eq!(call(&world, &without_partner, "ListShipments", json!({})).await.unwrap()["shipments"], json!([]));
        assert_eq!(call(&world, &without_partner, "ListMessages", json!({})).await.unwrap()["messages"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_report_of_a_carrier_is_buffered_until_the_shipment_names_the_carrier() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let report = async |carrier: &str, reference: &str, tracking: &str, code: &str| {
            world.report(carrier, reference, milestone(tracking, code)).await
        };
        let shipment = async |order: &str| {
            let listed = world.get(&format!("/v1/orders/{order}/shipments")).await;
            listed["shipments"][0].clone()
        };
        // Early: both carriers report on a package that no shipment has yet, then the shipment names one of them.
        report(a.carrier_id(), "e1", "EARLY", "MILESTONE_CODE_IN_TRANSIT").await;
        report(b.carrier_id(), "e1", "EARLY", "MILESTONE_CODE_DELIVERED").await;
        let left = json!({"shipped": shipped(&a.open_fulfillment_order, a.carrier_id(), "EARLY")});
        world.report(a.warehouse_id(), "left", left).await;
        world.drain().await;
        let early = shipment(&a.open_order).await;
        assert_eq!(early["state"], "SHIPMENT_STATE_SHIPPED", "{early}");
        assert_eq!(early["packages"][0]["status"], "MILESTONE_CODE_IN_TRANSIT");
        let exceptions = world.get(&format!("/v1/exceptions?orderId={}", a.open_order)).await;
        assert_eq!(exceptions["exceptions"][0]["type"], "FOREIGN_REPORT", "{exceptions}");
        assert_eq!(exceptions["exceptions"][0]["facts"]["reporter_id"], b.carrier_id());
        let path = format!("/v1/shipments/{}/milestones", early["shipmentId"].as_str().unwrap());
        assert_eq!(world.get(&path).await["milestones"].as_array().unwrap().len(), 1);

        // Late: the label names no carrier, so no carrier's report is applied until it does.
        let mut label = shipped(&b.open_fulfillment_order, "", "LATE");
        world.report(b.warehouse_id(), "label", json!({"labelled": label.clone()})).await;
        let kept = report(b.carrier_id(), "l1", "LATE", "MILESTONE_CODE_DELIVERED").await;
        assert!(text(&kept, "outcome").starts_with("kept"), "{kept}");
        world.drain().await;
        assert_eq!(shipment(&b.open_order).await["state"], "SHIPMENT_STATE_LABELLED");
        let open = format!("/v1/exceptions?orderId={}&states=EXCEPTION_STATE_OPEN", b.open_order);
        assert_eq!(world.get(&open).await["exceptions"][0]["type"], "FOREIGN_REPORT");
        label["carrierId"] = json!(b.carrier_id());
        world.report(b.warehouse_id(), "label again", json!({"labelled": label})).await;
        world.drain().await;
        let late = shipment(&b.open_order).await;
        assert_eq!(late["state"], "SHIPMENT_STATE_DELIVERED", "{late}");
        assert_eq!(world.get(&open).await["exceptions"], json!([]), "the exception is resolved");
        let order = world.get(&format!("/v1/orders/{}", b.open_order)).await;
        assert_eq!(order["status"], "ORDER_STATUS_DELIVERED", "{order}");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn only_the_distributor_sets_prices() {
    each(|world| async move {
        let a = Party::settle(&world, "A").await;
        let buyer = Principal { accounts: a.customer.accounts.clone(), ..partner("par_buyer") };
        for (field, value) in
            [("unitPriceMinor", json!("1000")), ("unitPriceMinor", json!("0")), ("discountBasisPoints", json!(1))]
        {
            let mut request = order(&a.account, &a.sku, &format!("{field} {value}"));
            request["lines"][0][field] = value;
            for caller in [&a.customer, &buyer] {
                let refused = calls::grpc(&world, caller, &calls::method("PlaceOrder"), &request).await.unwrap_err();
                let fault = mesh::fault(&refused);
                let wrong: Vec<_> = fault.violations.into_iter().map(|violation| violation.field).collect();
                let name = if field == "unitPriceMinor" { "unit_price_minor" } else { "discount_basis_points" };
                assert_eq!(wrong, [format!("lines[0].{name}")]);
            }
            assert!(call(&world, &a.clerk, "PlaceOrder", request).await.is_ok());
        }
        assert!(call(&world, &buyer, "PlaceOrder", order(&a.account, &a.sku, "listed")).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_customer_is_told_neither_others_stock_nor_internal_reasons_nor_global_numbers() {
    each(|world| async move {
        let a = Party::settle(&world, "A").await;
        let asked = json!({"skus": [a.sku]});
        let staff = call(&world, &a.clerk, "GetAvailability", asked.clone()).await.unwrap()["availability"][0].clone();
        assert_ne!((&staff["onHand"], &staff["allocated"]), (&json!("0"), &json!("0")));
        let shown = call(&world, &a.customer, "GetAvailability", asked).await.unwrap()["availability"][0].clone();
        assert_eq!((&shown["sku"], &shown["atp"]), (&staff["sku"], &staff["atp"]));
        for field in ["onHand", "reserved", "allocated", "backordered", "shortfall"] {
            assert_eq!(shown[field], "0", "{field}");
        }
        assert_eq!(shown["levels"], json!([]));

        let hold = async |reason: &str| {
            let hold = json!({"reason": reason, "note": "internal"});
            world.post(&format!("/v1/orders/{}:placeHold", a.open_order), &hold).await;
        };
        hold("HOLD_REASON_FRAUD").await;
        hold("HOLD_REASON_ADDRESS_INVALID").await;
        let held = call(&world, &a.customer, "GetOrder", json!({"orderId": a.open_order})).await.unwrap();
        assert_eq!(held["holds"][0]["reason"], "HOLD_REASON_UNSPECIFIED", "{held}");
        assert_eq!(held["holds"][1]["reason"], "HOLD_REASON_ADDRESS_INVALID");
        let listed = call(&world, &a.customer, "ListOrders", json!({})).await.unwrap().to_string();
        assert!(!listed.contains("FRAUD") && !listed.contains("internal"), "{listed}");

        let shipment = call(&world, &a.customer, "GetShipment", json!({"shipmentId": a.shipment})).await.unwrap();
        assert_eq!(
            (&shipment["fulfillmentOrderId"], &shipment["shipmentReference"]),
            (&json!(""), &json!("")),
            "{shipment}"
        );
        let request = json!({"orderId": a.order, "pageSize": 3});
        let page = call(&world, &a.customer, "ListTimeline", request).await.unwrap();
        for entry in page["entries"].as_array().unwrap() {
            assert_eq!((&entry["entryNumber"], &entry["event"]["position"]), (&json!("0"), &json!("0")), "{entry}");
        }
        assert!(!page.to_string().contains(&a.fulfillment_order), "{page}");
        let item = call(&world, &a.warehouse, "GetItem", json!({"sku": a.sku})).await.unwrap();
        assert_eq!(item["listPrice"], Value::Null);
        let work = json!({"fulfillmentOrderId": a.open_fulfillment_order});
        let work = call(&world, &a.warehouse, "GetFulfillmentOrder", work).await.unwrap();
        assert_eq!(work["decisionId"], "");
    })
    .await;
}

#[tokio::test]
async fn goods_are_returned_to_a_known_node_only() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let back =
            |node: &str| json!({"orderId": a.order, "nodeId": node, "lines": [{"lineNumber": 1, "quantity": 1}]});
        let refused = calls::grpc(&world, &a.customer, &calls::method("AuthorizeReturn"), &back("nod_none")).await;
        let fault = mesh::fault(&refused.unwrap_err());
        assert_eq!(fault.violations[0].field, "node_id");
        let returned = call(&world, &a.customer, "AuthorizeReturn", back(&b.node)).await.unwrap();
        assert_eq!(returned["nodeId"], b.node);
    })
    .await;
}

#[tokio::test]
async fn anothers_data_is_answered_like_what_does_not_exist() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let accepted = |id: &str| json!({"accepted": {"fulfillmentOrderId": id}});
        let count = |node: &str| {
            let items = json!([{"sku": a.sku, "quantity": 1}]);
            json!({"snapshot": {"locationId": node, "countTime": "2026-05-28T00:00:00Z", "items": items}})
        };
        let package = |tracking: &str| milestone(tracking, "MILESTONE_CODE_LOST");
        let reports = [
            (
                "fulfillment order",
                [accepted(&b.open_fulfillment_order), accepted("ful_none")],
                b.open_fulfillment_order.as_str(),
                "ful_none",
            ),
            ("count", [count(&b.node), count("nod_none")], b.node.as_str(), "nod_none"),
            ("package", [package(&b.tracking), package("TRACK-NONE")], b.tracking.as_str(), "TRACK-NONE"),
        ];
        for (name, [theirs, nothing], id, none) in reports {
            let theirs = world.report(a.warehouse_id(), &format!("{name} 1"), theirs).await;
            let nothing = world.report(a.warehouse_id(), &format!("{name} 2"), nothing).await;
            // The id of a kept report is made from what it names.
            let is_id = |word: &&str| !word.starts_with("trk_");
            let words = |message: &Value, id: &str| {
                let outcome = text(message, "outcome").replace(id, "ID");
                outcome.split(' ').filter(is_id).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(words(&theirs, id), words(&nothing, none));
            assert_eq!((&theirs["state"], &theirs["orderId"]), (&nothing["state"], &nothing["orderId"]));
        }
        for (name, field, id, none) in [
            ("GetOrder", "orderId", &b.order, "ord_none"),
            ("CancelOrder", "orderId", &b.open_order, "ord_none"),
            ("GetAccount", "accountId", &b.account, "acc_none"),
            ("ListShipTos", "accountId", &b.account, "acc_none"),
            ("GetReturn", "returnId", &b.return_id, "rma_none"),
            ("GetShipment", "shipmentId", &b.shipment, "shm_none"),
            ("ListTimeline", "orderId", &b.order, "ord_none"),
        ] {
            let ask = async |id: &str| {
                let answer = calls::grpc(&world, &a.customer, &calls::method(name), &json!({ field: id })).await;
                let status = answer.unwrap_err();
                (status.code(), status.message().replace(id, "ID"))
            };
            assert_eq!(ask(id).await, ask(none).await, "{name}");
        }
    })
    .await;
}
