//! The OpenAPI document.

use serde_json::{Value, json};

use crate::depot::Depot;

fn document() -> Value {
    Depot::silent().transcoder.openapi("Depot", "1")
}

fn names(parameters: &Value, place: &str) -> Vec<String> {
    let parameters = parameters.as_array().unwrap().iter().filter(|parameter| parameter["in"] == place);
    parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_rule_is_a_path() {
    let document = document();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        paths,
        [
            "/v1/crates",
            "/v1/crates/{crateId}",
            "/v1/crates/{crateId}:seal",
            "/v1/crates:watch",
            "/v1/drawers/{drawer}:peek",
            "/v1/everything",
            "/v1/files/{name}",
            "/v1/labels",
            "/v1/old-labels",
            "/v1/shelves/{filter.shelf}/crates",
        ]
    );
}

#[test]
fn an_operation_is_described_by_its_comment() {
    let get = &document()["paths"]["/v1/crates/{crateId}"]["get"];
    assert_eq!(get["operationId"], "DepotService_GetCrate");
    assert_eq!(get["summary"], "Reads a crate");
    assert_eq!(get["description"], "Reads a crate. It has to exist.");
    assert_eq!(
        get["parameters"][0],
        json!({"name": "crateId", "in": "path", "required": true, "description": "Which one.", "schema": {"type": "string"}})
    );
    assert_eq!(
        get["responses"]["200"]["content"]["application/json"]["schema"],
        json!({"$ref": "#/components/schemas/depot.v1.Crate"})
    );
    let statuses: Vec<_> = get["responses"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(statuses, ["200", "400", "401", "403", "404", "405", "406", "429", "499", "500", "501", "503", "504"]);
}

#[test]
fn what_is_not_in_path_or_body_is_a_query_parameter() {
    let document = document();
    let list = &document["paths"]["/v1/shelves/{filter.shelf}/crates"]["get"]["parameters"];
    assert_eq!(names(list, "path"), ["filter.shelf"]);
    assert_eq!(
        names(list, "query"),
        [
            "filter.materials",
            "filter.madeAfter",
            "filter.sealed",
            "pageSize",
            "tags",
            "fields",
            "heavierThan",
            "ratio",
            "cursor"
        ]
    );
    let update = &document["paths"]["/v1/crates/{crateId}"]["patch"]["parameters"];
    assert_eq!(names(update, "path"), ["crateId"]);
    assert_eq!(names(update, "query"), ["updateMask", "requestId"]);
    assert_eq!(names(update, "header"), ["Idempotency-Key"]);
    let seal = &document["paths"]["/v1/crates/{crateId}:seal"]["post"];
    assert_eq!(names(&seal["parameters"], "header"), ["If-Match"]);
    let body = &seal["requestBody"]["content"]["application/json"]["schema"]["properties"];
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["etag", "why"]);
    assert!(seal["responses"]["412"].is_object());
    let create = &document["paths"]["/v1/crates"]["post"]["requestBody"];
    assert_eq!(create["required"], true);
}

#[test]
fn schemas_say_what_the_json_is() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let crate_ = &schemas["depot.v1.Crate"];
    assert_eq!(crate_["description"], "A crate.");
    assert_eq!(crate_["properties"]["crateId"]["readOnly"], true);
    assert_eq!(
        crate_["properties"]["weight"],
        json!({
            "type": ["string", "integer"],
            "format": "int64",
            "pattern": "^-?[0-9]+$",
            "description": "In grams.",
        })
    );
    assert_eq!(
        crate_["properties"]["createdAt"],
        json!({"type": "string", "format": "date-time", "description": "When it was made."})
    );
    assert_eq!(schemas["depot.v1.Line"]["required"], json!(["sku"]));
    assert_eq!(schemas["depot.v1.Line"]["properties"]["sku"], json!({"type": "string", "minLength": 1}));
    let material = &schemas["depot.v1.Material"];
    assert_eq!(material["enum"], json!(["MATERIAL_STEEL", "MATERIAL_UNSPECIFIED", "MATERIAL_WOOD"]));
    let description = material["description"].as_str().unwrap();
    assert!(description.contains("- `MATERIAL_WOOD`: Trees."), "{description}");
    let everything = &schemas["depot.v1.Everything"];
    assert_eq!(everything["properties"]["child"], json!({"$ref": "#/components/schemas/depot.v1.Everything"}));
    assert_eq!(everything["properties"]["doubleValue"]["type"], json!(["number", "null"]));
    assert_eq!(
        everything["properties"]["linesByInt32"]["additionalProperties"],
        json!({"$ref": "#/components/schemas/depot.v1.Line"})
    );
    assert!(everything["description"].as_str().unwrap().contains("At most one of `choiceInt32`"));
}

#[test]
fn streams_and_problems_are_documented() {
    let document = document();
    let watch = &document["paths"]["/v1/crates:watch"]["get"]["responses"]["200"]["content"];
    assert_eq!(watch.as_object().unwrap().keys().collect::<Vec<_>>(), ["application/x-ndjson", "text/event-stream"]);
    let conflict = &document["components"]["responses"]["Conflict"]["content"]["application/problem+json"];
    assert_eq!(conflict["schema"], json!({"$ref": "#/components/schemas/Problem"}));
}

#[test]
fn a_deprecated_method_is_marked_and_says_how_it_ends() {
    let document = document();
    let old = &document["paths"]["/v1/old-labels"]["get"];
    assert_eq!(
        (&old["deprecated"], &old["x-grpc-method"]),
        (&json!(true), &json!("/depot.v1.DepotService/ListOldLabels"))
    );
    assert_eq!(old["responses"]["410"], json!({"$ref": "#/components/responses/Gone"}));
    for name in ["Deprecation", "Sunset", "Link"] {
        assert!(old["responses"]["200"]["headers"][name].is_object(), "{name}");
    }
    let new = &document["paths"]["/v1/labels"]["get"];
    assert_eq!((new.get("deprecated"), new["responses"].get("410")), (None, None));
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    found.push(reference.clone());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some_and(Value::is_object), "{reference}");
    }
}
