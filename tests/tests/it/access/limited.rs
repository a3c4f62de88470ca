//! Staff limited to some accounts: what they see of the log and of counts, what they may do, and what only those do who see
//! every account.

use std::collections::BTreeSet;

use proto::event::v1::{FollowEventsRequest, ListEventsRequest, event_service_client::EventServiceClient};
use serde_json::{Value, json};
use tonic::Code;
use waybill::compose::service_names;
use waybill_e2e::{World, each};

use super::{
    calls,
    parties::{Party, milestone},
};

async fn call(world: &World, caller: &mesh::Principal, name: &str, request: Value) -> Result<Value, Code> {
    calls::grpc(world, caller, &calls::method(name), &request).await.map_err(|status| status.code())
}

#[tokio::test]
async fn they_see_the_events_of_their_accounts_in_every_log() {
    each(|world| async move {
        let (a, _b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let mut logs = 0;
        for service in service_names() {
            let channel = world.mesh.clients.to(service);
            let mut own = EventServiceClient::new(channel.for_principal(&a.foreman));
            let mut all = EventServiceClient::new(channel.for_principal(&mesh::Principal::local_administrator()));
            let request = ListEventsRequest { page_size: 1_000, ..Default::default() };
            let every = all.list_events(request.clone()).await.unwrap().into_inner();
            assert_eq!(every.position, every.head_position);
            // What belongs to an order belongs to its account.
            for event in every.events.iter().filter(|event| event.correlation_id.starts_with("ord_")) {
                assert!(!event.account_id.is_empty(), "{service} {}: {}", event.r#type, event.subject);
            }
            let of_a = |event: &&proto::event::v1::Event| event.account_id.starts_with("acc_A");
            let expected: Vec<_> = every.events.iter().filter(of_a).map(|event| event.position).collect();
            let listed = own.list_events(request).await.unwrap().into_inner();
            assert_eq!(listed.events.iter().map(|event| event.position).collect::<Vec<_>>(), expected, "{service}");
            assert_eq!(listed.position, every.head_position);

            // Page by page, and as a stream.
            let (mut paged, mut after_position) = (Vec::new(), 0);
            while after_position < every.head_position {
                let request = ListEventsRequest { after_position, page_size: 7, ..Default::default() };
                let page = own.list_events(request).await.unwrap().into_inner();
                paged.extend(page.events.iter().map(|event| event.position));
                assert!(page.position > after_position);
                after_position = page.position;
            }
            assert_eq!(paged, expected, "{service}");
            let request = FollowEventsRequest { until_head: true, ..Default::default() };
            let mut stream = own.follow_events(request).await.unwrap().into_inner();
            let mut followed = Vec::new();
            while let Some(message) = stream.message().await.unwrap() {
                followed.extend(message.events.iter().map(|event| event.position));
            }
            assert_eq!(followed, expected, "{service}");
            logs += usize::from(!expected.is_empty());
        }
        assert!(logs >= 5, "{logs} logs have events of the account");
    })
    .await;
}

#[tokio::test]
async fn they_count_the_exceptions_of_their_accounts() {
    each(|world| async move {
        let (a, _b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        // Fewer units are there than are allocated: that concerns no account alone.
        let lost = json!({"delta": -92, "reason": "lost"});
        world.post(&format!("/v1/locations/{}/stock/{}:adjust", a.node, a.sku), &lost).await;
        world.drain().await;
        let types = |answer: &Value| -> BTreeSet<String> {
            let counts = answer["counts"].as_array().unwrap().iter();
            counts.map(|count| format!("{} {}", count["type"].as_str().unwrap(), count["count"])).collect()
        };
        let own = call(&world, &a.clerk, "SummarizeExceptions", json!({})).await.unwrap();
        assert_eq!(types(&own), BTreeSet::from(["OVER_RECEIVED \"2\"".to_owned()]));
        let all = world.get("/v1/exceptions:summary").await;
        assert!(all.to_string().contains("STOCK_SHORTFALL"), "{all}");
        let listed = call(&world, &a.clerk, "ListExceptions", json!({"type": "STOCK_SHORTFALL"})).await.unwrap();
        assert_eq!(listed["exceptions"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn they_work_on_the_orders_of_their_accounts_only() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let about = |party: &Party| json!({"fulfillmentOrderId": party.open_fulfillment_order});
        let accepted = call(&world, &a.foreman, "AcceptFulfillmentOrder", about(&a)).await.unwrap();
        assert_eq!(accepted["requestState"], "REQUEST_STATE_ACCEPTED");
        let mut asked = about(&a);
        asked["requestId"] = json!("stop");
        let stopped = call(&world, &a.foreman, "RequestCancellation", asked.clone()).await.unwrap();
        assert_eq!(stopped["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
        assert_eq!(call(&world, &a.foreman, "RequestCancellation", about(&b)).await, Err(Code::NotFound));
        // Whoever lost the account does not get the kept answer either.
        let moved = mesh::Principal { accounts: b.foreman.accounts.clone(), ..a.foreman.clone() };
        assert_eq!(call(&world, &moved, "RequestCancellation", asked).await, Err(Code::NotFound));

        // What concerns the whole distributor.
        let items = json!([{"sku": a.sku, "quantity": 1}]);
        for (name, request) in [
            ("ReceiveStock", json!({"locationId": a.node, "items": items})),
            ("AdjustStock", json!({"locationId": a.node, "sku": a.sku, "delta": 1, "reason": "found"})),
            ("UpdateNode", json!({"nodeId": a.node, "state": "NODE_STATE_PAUSED"})),
            ("UpdatePartner", json!({"partnerId": a.warehouse_id(), "endpointUrl": "http://localhost"})),
            ("RecordMilestone", milestone(&a.tracking, "MILESTONE_CODE_LOST")["milestone"].clone()),
            ("VerifyLogs", json!({})),
            ("ListUsage", json!({})),
        ] {
            let refused = call(&world, &a.foreman, name, request).await;
            assert_eq!(refused, Err(Code::PermissionDenied), "{name}");
        }
    })
    .await;
}
