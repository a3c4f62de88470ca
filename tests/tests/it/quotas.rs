//! Quotas and usage of API clients, over REST.

use mesh::{Accounts, Kind, Principal, Role, Stop};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use waybill::compose::Config;
use waybill_e2e::{World, each_with};

fn limited(settings: &[&str]) -> Config {
    let quotas = settings.iter().map(|setting| setting.parse().unwrap()).collect();
    Config { mesh: mesh::Config { quotas, max_streams: 1, ..mesh::Config::default() }, ..Config::default() }
}

fn alice() -> Principal {
    Principal {
        kind: Kind::Person,
        subject: "alice".to_owned(),
        roles: Role::Customer.into(),
        accounts: Accounts::Only(vec!["acc_ACME".parse().unwrap()]),
        partner: None,
        key: None,
    }
}

/// The address of a gateway whose callers are this principal.
fn portal(world: &World, principal: &Principal) -> String {
    let routes = world.mesh.clients.rest(principal);
    let router = gateway::router(proto::pool(), &routes, None, &gateway::Config::default()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    waybill_e2e::serve(listener, router, &Stop::new());
    base
}

async fn get(base: &str, path: &str) -> Response {
    Client::new().get(format!("{base}{path}")).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn a_portal_sees_its_remaining_quota_then_429_and_its_usage_is_recorded() {
    each_with(limited(&["customer.bulk=2/10m", "customer.read=50/10m"]), |world| async move {
        let portal = portal(&world, &alice());
        for left in ["\"bulk\";r=1;t=300", "\"bulk\";r=0;t=600"] {
            let answer = get(&portal, "/v1/orders").await;
            assert_eq!(answer.status(), 200);
            assert_eq!(header(&answer, "ratelimit-policy"), "\"bulk\";q=2;w=600");
            assert_eq!(header(&answer, "ratelimit"), left);
        }
        let refused = get(&portal, "/v1/orders").await;
        assert_eq!(refused.status(), 429);
        let after: u64 = header(&refused, "retry-after").parse().unwrap();
        assert!((1..=300).contains(&after), "{after}");
        assert_eq!(header(&refused, "ratelimit"), format!("\"bulk\";r=0;t={after}"));
        assert_eq!(header(&refused, "ratelimit-policy"), "\"bulk\";q=2;w=600");
        let problem: Value = refused.json().await.unwrap();
        assert_eq!((&problem["reason"], &problem["metadata"]["quota"]), (&json!("RESOURCE_EXHAUSTED"), &json!("bulk")));
        let kinds: Vec<&str> =
            problem["details"].as_array().unwrap().iter().filter_map(|it| it["@type"].as_str()).collect();
        for kind in ["RetryInfo", "QuotaFailure"] {
            assert!(kinds.iter().any(|it| it.ends_with(kind)), "{kind} in {kinds:?}");
        }
        // Another class has a budget of its own, and so has another service. An answer that fails costs too.
        let missing = get(&portal, "/v1/orders/ord_unknown").await;
        assert_eq!((missing.status().as_u16(), header(&missing, "ratelimit")), (404, "\"read\";r=49;t=12"));
        assert_eq!(get(&portal, "/v1/returns").await.status(), 200);

        world.mesh.report_usage().await;
        let usage = world.get("/v1/usage?client=person:alice&method=waybill.order.v1.OrderService.ListOrders").await;
        let usage_rows: Vec<_> = usage["usage"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["client"].as_str().unwrap(), it["outcome"].as_str().unwrap(), it["calls"].as_str().unwrap()))
            .collect();
        let expected = [("person:alice", "CALL_OUTCOME_ANSWERED", "2"), ("person:alice", "CALL_OUTCOME_LIMITED", "1")];
        assert_eq!(usage_rows, expected);
        assert_eq!(usage["usage"][0]["deprecated"], false);
        assert_eq!(get(&portal, "/v1/usage").await.status(), 403, "it is nothing for customers");
        let administrator = get(world.rest.base(), "/v1/orders").await;
        assert!(!administrator.headers().contains_key("ratelimit"), "administrators have no quota");
    })
    .await;
}

#[tokio::test]
async fn a_customer_may_open_a_limited_number_of_timelines() {
    each_with(limited(&[]), |world| async move {
        world.furnish().await;
        let order_id = world.order("PO-1", &[("TEA", 1)]).await;
        world.drain().await;
        let portal = portal(&world, &alice());
        let path = format!("/v1/orders/{order_id}/timeline:follow");
        let first = get(&portal, &path).await;
        assert_eq!((first.status().as_u16(), header(&first, "ratelimit-policy")), (200, "\"stream\";q=60;w=60"));
        let refused = get(&portal, &path).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "5"));
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["detail"], "more than 1 streams open at once");
        drop(first);
        // The service notices the end a moment later.
        while get(&portal, &path).await.status() != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
