//! Fields in the query.

use serde_json::json;

use crate::depot::Depot;

#[tokio::test]
async fn a_query_sets_fields_by_either_name_nested_and_repeated() {
    let depot = Depot::silent();
    let reply = depot
        .get(
            "/v1/crates?pageSize=7&filter.made_after=2026-01-02T03:04:05%2B01:00&filter.materials=MATERIAL_WOOD\
             &filter.materials=-7&tags=a+b&tags=c%26d&fields=crate_id,createdAt&heavierThan=5&ratio=NaN\
             &cursor=-_8&filter.sealed=false&",
        )
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        depot.only_call().json("ListCratesRequest"),
        json!({
            "pageSize": 7,
            "filter": {
                "madeAfter": "2026-01-02T02:04:05Z",
                "materials": ["MATERIAL_WOOD", "MATERIAL_STEEL"],
                "sealed": false,
            },
            "tags": ["a b", "c&d"],
            "fields": "crateId,createdAt",
            "heavierThan": "5",
            "ratio": "NaN",
            "cursor": "+/8=",
        })
    );
}

#[tokio::test]
async fn what_the_query_can_not_say_is_refused_by_name() {
    let depot = Depot::silent();
    for (query, field) in [
        ("pagesize=1", "pagesize"),
        ("$alt=json", "$alt"),
        ("filter=x", "filter"),
        ("filter.nobody=x", "filter.nobody"),
        ("tags.x=1", "tags.x"),
        ("page_size=x", "page_size"),
        ("page_size=1.5", "page_size"),
        ("pageSize=1&page_size=1", "page_size"),
        ("filter.materials=WOOD", "filter.materials"),
        ("filter.made_after=yesterday", "filter.made_after"),
        ("filter.sealed=yes", "filter.sealed"),
        ("heavier_than=", "heavier_than"),
    ] {
        assert_eq!(depot.get(&format!("/v1/crates?{query}")).await.wrong_field(), field, "{query}");
    }
    assert_eq!(depot.get("/v1/crates?tags=%ff").await.status, 400);
    assert!(depot.was_not_called());
}

#[tokio::test]
async fn a_field_of_the_path_may_be_repeated_but_not_contradicted() {
    let depot = Depot::silent();
    assert_eq!(depot.get("/v1/crates/c1?crate_id=c1").await.status, 200);
    assert_eq!(depot.get("/v1/crates/c1?crateId=c2").await.wrong_field(), "crate_id");
    assert_eq!(depot.post("/v1/crates/c1:seal", r#"{"crateId": "c1"}"#).await.status, 200);
    assert_eq!(depot.post("/v1/crates/c1:seal", r#"{"crate_id": "c2"}"#).await.wrong_field(), "crate_id");
}

#[tokio::test]
async fn what_belongs_into_the_body_is_not_taken_from_the_query() {
    let depot = Depot::silent();
    assert_eq!(depot.post("/v1/crates/c1:seal?why=rain", "{}").await.wrong_field(), "why");
    assert!(depot.was_not_called());
}
