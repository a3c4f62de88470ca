//! Wrong input over REST is refused with the name of the field, and nothing is stored.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use waybill_e2e::{World, address, each};

struct Raw<'a> {
    world: &'a World,
    http: Client,
}

impl Raw<'_> {
    async fn send(&self, method: Method, path: &str, media: &str, body: String) -> (u16, Value) {
        let url = format!("{}{path}", self.world.rest.base());
        let response = self.http.request(method, url).header("content-type", media).body(body).send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path} {status}");
        (status, response.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, "application/json", body.to_string()).await
    }
}

fn order() -> Value {
    json!({
        "accountId": "acc_ACME", "customerPo": "PO-1", "shipToAddress": address("DE"),
        "lines": [{"sku": "TEA", "quantity": 1}],
    })
}

fn with(path: &[&str], value: Value) -> Value {
    let mut order = order();
    let mut at = &mut order;
    for step in path {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[*step],
        };
    }
    *at = value;
    order
}

#[tokio::test]
async fn every_wrong_field_of_an_order_is_named_and_nothing_is_stored() {
    each(|world| async move {
        world.furnish().await;
        let raw = Raw { world: &world, http: Client::new() };
        let wrong: [(Value, &str); 17] = [
            (with(&["lines", "0", "sku"], json!("NOPE")), "lines[0].sku"),
            (with(&["accountId"], json!("acc_NOBODY")), "account_id"),
            (with(&["accountId"], json!("ACME")), "account_id"),
            (with(&["lines", "0", "uom"], json!("PALLET")), "lines[0].uom"),
            (with(&["shipToAddress", "country"], json!("XX")), "ship_to_address.country"),
            (with(&["currency"], json!("XYZ")), "currency"),
            (with(&["currency"], json!("EUR")), "currency"),
            (with(&["lines", "0", "quantity"], json!(-1)), "lines[0].quantity"),
            (with(&["lines", "0", "quantity"], json!(0)), "lines[0].quantity"),
            (with(&["lines", "0", "quantity"], json!("9000000000000")), "lines[0].quantity"),
            (with(&["lines"], json!([])), "lines"),
            (with(&["lines", "0", "discountBasisPoints"], json!(10_001)), "lines[0].discount_basis_points"),
            (with(&["customerPo"], json!("")), "customer_po"),
            (with(&["customerPo"], json!("x".repeat(65))), "customer_po"),
            (with(&["shipToAddress"], Value::Null), "ship_to_id"),
            (with(&["lines", "0", "quantity"], json!("many")), "lines[0].quantity"),
            (with(&["lines", "0", "colour"], json!("red")), "lines[0].colour"),
        ];
        for (body, field) in &wrong {
            let (status, problem) = raw.post("/v1/orders", body).await;
            let named: Vec<&str> = problem["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|error| error["field"].as_str())
                .collect();
            assert!(matches!(status, 400 | 404), "{body}: {problem}");
            assert!(named.iter().any(|name| name == field), "{field} is not named: {problem}");
        }
        let orders = world.get("/v1/orders").await;
        assert_eq!(orders["orders"], json!([]), "nothing is stored");
    })
    .await;
}

#[tokio::test]
async fn a_malformed_request_is_refused_with_the_status_for_its_cause() {
    each(|world| async move {
        let raw = Raw { world: &world, http: Client::new() };
        let json = "application/json";
        let cases = [
            (Method::POST, "/v1/orders", json, "{\"accountId\": ".to_owned(), 400),
            (Method::POST, "/v1/orders", "text/xml", "<order/>".to_owned(), 415),
            (Method::POST, "/v1/orders", json, format!("{{\"customerPo\": \"{}\"}}", "x".repeat(20 << 20)), 413),
            (Method::GET, "/v1/nothing", json, String::new(), 404),
            (Method::DELETE, "/v1/orders", json, String::new(), 405),
            (Method::GET, "/v1/orders?colour=red", json, String::new(), 400),
            (Method::GET, "/v1/orders?pageSize=many", json, String::new(), 400),
            (Method::GET, "/v1/orders?pageToken=forged", json, String::new(), 400),
            (Method::GET, "/v1/orders/ord_unknown", json, String::new(), 404),
        ];
        for (method, path, media, body, expected) in cases {
            let (status, problem) = raw.send(method, path, media, body).await;
            assert_eq!(status, expected, "{path}: {problem}");
            assert!(!problem["detail"].as_str().unwrap().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_with_the_field_and_the_limit() {
    each(|world| async move {
        world.furnish().await;
        let raw = Raw { world: &world, http: Client::new() };
        let endless = "x".repeat(5_000);
        let wrong = [
            ("/v1/orders", with(&["requestId"], json!(endless)), "request_id"),
            ("/v1/orders", with(&["customerPo"], json!(endless)), "customer_po"),
            ("/v1/orders", with(&["shipToAddress", "street"], json!(endless)), "ship_to_address.street"),
            ("/v1/orders/ord_1:cancel", json!({"reason": endless}), "reason"),
            ("/v1/orders/ord_1:placeHold", json!({"reason": "HOLD_REASON_CREDIT", "note": endless}), "note"),
            ("/v1/accounts", json!({"name": endless, "currency": "USD"}), "name"),
            ("/v1/fulfillment-orders/ful_1:accept", json!({"requestId": endless}), "request_id"),
            ("/v1/exceptions/exc_1:assign", json!({"requestId": endless, "assignee": "Ann"}), "request_id"),
            ("/v1/exceptions/exc_1:resolve", json!({"resolution": endless}), "resolution"),
            ("/v1/returns", json!({"orderId": "ord_1", "reason": endless, "lines": []}), "reason"),
            ("/v1/routing:preview", json!({"excludedNodeIds": vec!["nod_a"; 101]}), "excluded_node_ids"),
            ("/v1/locations/nod_hamburg:receive", json!({"items": [], "reference": endless}), "reference"),
            ("/v1/partners/par_x/reports", json!({"controlNumber": endless}), "control_number"),
        ];
        for (path, body, field) in wrong {
            let (status, problem) = raw.post(path, &body).await;
            assert_eq!((status, &problem["reason"]), (400, &json!("INVALID_ARGUMENT")), "{path}: {problem}");
            let violation = problem["errors"].as_array().unwrap().iter().find(|error| error["field"] == field);
            let description = violation.and_then(|error| error["description"].as_str()).unwrap_or_default();
            assert!(description.starts_with("must have at most "), "{field} of {path}: {problem}");
        }
        for (path, field) in [
            ("/v1/orders", "states"),
            ("/v1/orders", "statuses"),
            ("/v1/returns", "states"),
            ("/v1/messages", "states"),
            ("/v1/exceptions", "states"),
            ("/v1/shipments", "states"),
            ("/v1/fulfillment-orders", "execution_states"),
        ] {
            let path = format!("{path}?{}", format!("{field}=1&").repeat(101));
            let (status, problem) = raw.send(Method::GET, &path, "application/json", String::new()).await;
            let violation = json!({"field": field, "description": "must have at most 100 elements, but has 101"});
            assert_eq!((status, &problem["errors"][0]), (400, &violation), "{problem}");
        }
        for (length, expected) in [(12_000, 400), (20_000, 414)] {
            let path = format!("/v1/items?pageToken={}", "A".repeat(length));
            let (status, problem) = raw.send(Method::GET, &path, "application/json", String::new()).await;
            assert_eq!(status, expected, "{problem}");
        }
        let page = world.get("/v1/items?pageSize=100000").await;
        assert_eq!(page["items"][0]["sku"], "TEA", "a page size above the limit is the limit");
    })
    .await;
}

#[tokio::test]
async fn a_second_order_with_the_same_po_number_follows_the_accounts_policy() {
    each(|world| async move {
        world.furnish().await;
        let strict = json!({"accountId": "acc_STRICT", "name": "Strict", "currency": "USD", "billTo": address("DE")});
        world.post("/v1/accounts", &strict).await;
        let first = world.post("/v1/orders", &with(&["accountId"], json!("acc_STRICT"))).await;
        let refused = world.refused("/v1/orders", &with(&["accountId"], json!("acc_STRICT"))).await;
        assert_eq!((refused.status, refused.reason.as_str()), (409, "DUPLICATE_CUSTOMER_PO"));
        assert!(refused.detail.contains(first["orderId"].as_str().unwrap()), "{refused:?}");
        world.post("/v1/orders", &order()).await;
        world.post("/v1/orders", &order()).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_of_5000_lines_travels_to_its_node() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 5_000).await;
        let lines: Vec<Value> = (0..5_000).map(|_| json!({"sku": "TEA", "quantity": 1})).collect();
        // A client without a deadline: how fast the machine is does not matter.
        let url = format!("{}/v1/orders", world.rest.base());
        let placed = Client::new().post(url).json(&with(&["lines"], json!(lines))).send().await.unwrap();
        let placed: Value = placed.json().await.unwrap();
        world.drain().await;
        let fulfillment_orders = world.fulfillment_orders(placed["orderId"].as_str().unwrap()).await;
        assert_eq!(fulfillment_orders[0]["lines"].as_array().unwrap().len(), 5_000);
        let mut too_many = lines;
        too_many.push(json!({"sku": "TEA", "quantity": 1}));
        let raw = Raw { world: &world, http: Client::new() };
        let (status, problem) = raw.post("/v1/orders", &with(&["lines"], json!(too_many))).await;
        assert_eq!(status, 400, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("lines"), "{problem}");
    })
    .await;
}
