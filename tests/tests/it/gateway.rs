//! REST conventions: idempotency keys, etags, streams and the API description.

use reqwest::Client;
use serde_json::{Value, json};
use waybill_e2e::{address, each};

#[tokio::test]
async fn an_idempotency_key_gets_the_first_answer_and_refuses_another_body() {
    each(|world| async move {
        world.furnish().await;
        let body = |po: &str| {
            let lines = json!([{"sku": "TEA", "quantity": 1}]);
            json!({"accountId": "acc_ACME", "customerPo": po, "shipToAddress": address("DE"), "lines": lines})
        };
        let first = world.rest.post("/v1/orders", Some("key-1"), &body("PO-1")).await.unwrap().unwrap();
        let again = world.rest.post("/v1/orders", Some("key-1"), &body("PO-1")).await.unwrap().unwrap();
        assert_eq!(first, again);
        let other = world.rest.post("/v1/orders", Some("key-1"), &body("PO-2")).await.unwrap().unwrap_err();
        assert_eq!((other.status, other.reason.as_str()), (409, "REQUEST_ID_REUSED"));
        assert_eq!(world.get("/v1/orders").await["orders"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_change_made_on_an_old_view_is_refused_with_412() {
    each(|world| async move {
        world.furnish().await;
        let url = format!("{}/v1/accounts/acc_ACME", world.rest.base());
        let http = Client::new();
        let etag = http.get(&url).send().await.unwrap().headers()["etag"].clone();
        let change = |name: &str| json!({ "name": name });
        let changed = http.patch(&url).header("if-match", &etag).json(&change("Acme Ltd")).send().await.unwrap();
        assert_eq!(changed.status(), 200);
        assert_ne!(changed.headers()["etag"], etag);
        let stale = http.patch(&url).header("if-match", &etag).json(&change("Acme Inc")).send().await.unwrap();
        assert_eq!(stale.status(), 412);
        let problem: Value = stale.json().await.unwrap();
        assert_eq!(problem["reason"], "ETAG_MISMATCH");
        assert_eq!(world.get("/v1/accounts/acc_ACME").await["name"], "Acme Ltd");
    })
    .await;
}

#[tokio::test]
async fn an_orders_timeline_is_followed_as_server_sent_events_and_resumed() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let order_id = world.order("PO-1", &[("TEA", 1)]).await;
        world.drain().await;
        let url = format!("{}/v1/orders/{order_id}/timeline:follow", world.rest.base());
        let http = Client::new();
        let mut stream = http.get(&url).header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        let mut text = String::new();
        while text.matches("\ndata:").count() + usize::from(text.starts_with("data:")) < 3 {
            text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
        }
        drop(stream);
        let ids: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("id: ").or(line.strip_prefix("id:"))).collect();
        let mut resumed =
            http.get(&url).header("accept", "text/event-stream").header("last-event-id", ids[0]).send().await.unwrap();
        let mut rest = String::new();
        while !rest.contains("data:") {
            rest.push_str(std::str::from_utf8(&resumed.chunk().await.unwrap().unwrap()).unwrap());
        }
        let next = rest.lines().find_map(|line| line.strip_prefix("id: ").or(line.strip_prefix("id:"))).unwrap();
        assert_eq!(next, ids[1], "the entry after the last one seen");
    })
    .await;
}

#[tokio::test]
async fn the_description_names_every_route_and_the_page_to_try_it_is_served() {
    each(|world| async move {
        let document = world.get("/openapi.json").await;
        assert_eq!(document["openapi"].as_str().unwrap().split('.').next(), Some("3"));
        for path in ["/v1/orders", "/v1/orders/{orderId}", "/v1/partners/{partnerId}/reports", "/v1/exceptions"] {
            assert!(document["paths"][path].is_object(), "{path} is not described");
        }
        let page = reqwest::get(format!("{}/docs", world.rest.base())).await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().contains("Waybill API"));
    })
    .await;
}
