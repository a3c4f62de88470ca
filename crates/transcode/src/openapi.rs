//! The OpenAPI 3.1 document of the compiled rules.

mod operation;
mod refusals;
mod schema;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use self::schema::Schemas;
use crate::{comments::Comments, rule::Origin, transcoder::Transcoder};

impl Transcoder {
    /// The OpenAPI 3.1 document of the annotated methods, described by the comments in their protos.
    pub fn openapi(&self, title: &str, version: &str) -> Value {
        let compiled = &self.compiled;
        let comments = Comments::of(&compiled.pool);
        let mut schemas = Schemas::new(&comments);
        let mut tags = Map::new();
        let mut paths: Map<String, Value> = Map::new();
        // Paths that only differ in the names of their parameters are one path.
        let mut shapes: HashMap<String, String> = HashMap::new();
        let mut bindings = vec![0_usize; compiled.endpoints.len()];
        for rule in compiled.rules.iter().filter(|rule| rule.origin == Origin::Annotation) {
            let Some(method) = rule.http.as_ref().map(|method| method.as_str().to_ascii_lowercase()) else { continue };
            if !["get", "put", "post", "delete", "options", "head", "patch", "trace"].contains(&method.as_str()) {
                continue;
            }
            let endpoint = &compiled.endpoints[rule.endpoint];
            let service = endpoint.method.parent_service();
            tags.entry(service.name()).or_insert_with(|| {
                let description = comments.get(&service.parent_file(), service.path());
                json!({"name": service.name(), "description": description})
            });
            bindings[rule.endpoint] += 1;
            let (path, mut operation) = operation::operation(rule, endpoint, bindings[rule.endpoint], &mut schemas);
            let path = shapes.entry(rule.template.to_string()).or_insert(path);
            operation::rename(&mut operation, path);
            let item = paths.entry(path.as_str()).or_insert_with(|| json!({}));
            item[method] = operation;
        }
        let mut schemas = schemas.finish();
        schemas.extend(refusals::schemas());
        json!({
            "openapi": "3.1.0",
            "info": {"title": title, "version": version},
            "tags": tags.into_iter().map(|(_, tag)| tag).collect::<Vec<_>>(),
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": refusals::responses(),
                "headers": refusals::headers(),
                "parameters": {
                    "RequestTimeout": {
                        "name": "Request-Timeout",
                        "in": "header",
                        "description": "How long the caller waits, in seconds.",
                        "schema": {"type": "number", "minimum": 0},
                    },
                },
            },
        })
    }
}
