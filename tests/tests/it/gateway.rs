//! REST conventions: idempotency keys, etags, streams and the API description.

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
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

/// SKUs that a path has to encode, and how.
const SKUS: [(&str, &str); 8] = [
    ("A/4 80g", "A%2F4%2080g"),
    ("Kaffee & Tee", "Kaffee%20&%20Tee"),
    ("C++", "C%2B+"),
    ("50%?#", "50%25%3F%23"),
    ("Größe:1", "Gr%C3%B6%C3%9Fe%3A1"),
    ("1.5", "1%2E5"),
    (".", "."),
    ("..", ".."),
];

/// Calls over a connection of its own, with the path as it is: other clients take dots out of it.
async fn raw(base: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let address = base.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let object = answer.find('{').zip(answer.rfind('}')).map_or("{}", |(from, to)| &answer[from..=to]);
    (status, serde_json::from_str(object).unwrap())
}

#[tokio::test]
async fn items_of_any_sku_are_read_changed_found_and_ordered_over_rest() {
    each(|world| async move {
        world.furnish().await;
        let base = world.rest.base();
        for (sku, encoded) in SKUS {
            world.item(sku, "HANDLING_CLASS_AMBIENT").await;
            world.receive("nod_hamburg", sku, 10).await;
            let path = format!("/v1/items/{encoded}");
            let (status, item) = raw(base, "GET", &path, "").await;
            assert_eq!((status, &item["sku"]), (200, &json!(sku)), "{path}");
            let (status, item) = raw(base, "PATCH", &path, r#"{"name": "renamed"}"#).await;
            assert_eq!((status, &item["name"]), (200, &json!("renamed")), "{path}");
            let stock = format!("/v1/locations/nod_hamburg/stock/{encoded}:adjust");
            let (status, _) = raw(base, "POST", &stock, r#"{"delta": "-1", "reason": "broken"}"#).await;
            assert_eq!(status, 200, "{stock}");
            let query = encoded.replace('+', "%2B").replace('&', "%26");
            let found = world.get(&format!("/v1/items:batchGet?skus={query}")).await;
            assert_eq!(found["items"][0]["sku"], sku, "{query}");
            let movements = world.get(&format!("/v1/stock-movements?sku={query}")).await;
            assert_eq!(movements["movements"].as_array().unwrap().len(), 2, "{query}");
        }
        let lines = SKUS.map(|(sku, _)| (sku, 2));
        let order_id = world.order("PO-1", &lines).await;
        world.drain().await;
        for (sku, encoded) in SKUS {
            let query = encoded.replace('+', "%2B").replace('&', "%26");
            let found = world.get(&format!("/v1/orders?q={query}")).await;
            assert_eq!(found["orders"][0]["orderId"], json!(order_id), "{sku}");
        }
        let work = world.fulfillment_orders(&order_id).await;
        let skus: Vec<_> = work[0]["lines"].as_array().unwrap().iter().map(|line| line["sku"].clone()).collect();
        assert_eq!(skus, SKUS.map(|(sku, _)| json!(sku)));
        let timeline = world.get(&format!("/v1/orders/{order_id}/timeline")).await;
        assert!(timeline.to_string().contains("Kaffee & Tee"));
        world.check_laws().await;
    })
    .await;
}
