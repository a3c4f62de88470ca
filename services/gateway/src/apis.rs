//! The catalogue of the API at `/v1/apis`: roles, routes and announced end of every method, all from the descriptors.

use axum::{
    http::{
        HeaderMap, StatusCode,
        header::{ALLOW, CONTENT_TYPE},
    },
    response::IntoResponse,
};
use mesh::{Access, Deprecation, Deprecations, Role, Scope};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use transcode::{CallKind, DescribedMethod, DescribedService, Transcoder};

use crate::{RouteError, VERSION};

/// Where the catalogue is.
pub(crate) const PATH: &str = "/v1/apis";

/// Refuses other methods, as the routes of services do.
pub(crate) async fn only_get(headers: HeaderMap) -> impl IntoResponse {
    let problem = json!({
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "only GET is possible here",
        "code": "UNIMPLEMENTED",
        "requestId": headers.get("x-request-id").and_then(|id| id.to_str().ok()),
    });
    let headers = [(ALLOW, "GET, HEAD"), (CONTENT_TYPE, "application/problem+json")];
    (StatusCode::METHOD_NOT_ALLOWED, headers, problem.to_string())
}

/// What the contract says besides routes.
#[derive(Debug)]
pub(crate) struct Contract {
    access: Access,
    deprecations: Deprecations,
    services: Vec<DescribedService>,
    digest: String,
}

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue<'c> {
    version: &'static str,
    digest: &'c str,
    services: Vec<Service<'c>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Service<'c> {
    name: &'c str,
    version: &'c str,
    description: &'c str,
    methods: Vec<Method<'c>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Method<'c> {
    name: &'c str,
    description: &'c str,
    grpc: &'c str,
    http: Vec<Http<'c>>,
    kind: &'static str,
    roles: Vec<&'static str>,
    scope: &'static str,
    deprecated: bool,
    #[serde(flatten)]
    end: End<'c>,
}

#[derive(Debug, Serialize)]
struct Http<'c> {
    method: &'c str,
    path: &'c str,
}

/// The announced end of a method, where there is one.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct End<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecate_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sunset_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    successor: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'c str>,
}

impl Contract {
    /// Reads what the descriptors say of all their services.
    pub(crate) fn of(transcoder: &Transcoder) -> Result<Self, RouteError> {
        let pool = transcoder.pool();
        let services = transcoder.services();
        let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
        let access = Access::of(pool, &names).map_err(|error| RouteError(error.to_string()))?;
        let deprecations = Deprecations::of(pool, &names).map_err(|error| RouteError(error.to_string()))?;
        let digest = Sha256::digest(pool.encode_to_vec()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(Self { access, deprecations, services, digest: format!("sha256:{digest}") })
    }

    /// The catalogue.
    pub(crate) fn catalogue(&self) -> Value {
        let services = self.services.iter().map(|service| Service {
            name: &service.name,
            version: service.name.rsplit('.').nth(1).unwrap_or_default(),
            description: &service.description,
            methods: service.methods.iter().map(|method| self.method(method)).collect(),
        });
        json!(Catalogue { version: VERSION, digest: &self.digest, services: services.collect() })
    }

    fn method<'c>(&'c self, method: &'c DescribedMethod) -> Method<'c> {
        let (roles, scope) = self.rule(&method.path);
        let http = method.bindings.iter().map(|binding| Http {
            method: binding.method.as_ref().map_or("*", |method| method.as_str()),
            path: &binding.path,
        });
        Method {
            name: &method.name,
            description: &method.description,
            grpc: &method.path,
            http: http.collect(),
            kind: match method.kind {
                CallKind::Unary => "unary",
                CallKind::ServerStream => "server_stream",
                CallKind::ClientStream => "client_stream",
                CallKind::BidirectionalStream => "bidirectional_stream",
            },
            roles,
            scope,
            deprecated: method.deprecated,
            end: self.deprecations.get(&method.path).map(End::from).unwrap_or_default(),
        }
    }

    fn rule(&self, path: &str) -> (Vec<&'static str>, &'static str) {
        let Some(rule) = self.access.rule(path) else { return (Vec::new(), "none") };
        let scope = match rule.scope {
            Scope::None => "none",
            Scope::Account => "account",
            Scope::Partner => "partner",
            Scope::Distributor => "distributor",
        };
        (rule.roles.iter().map(Role::as_str).collect(), scope)
    }

    /// Adds to the OpenAPI document who may call, until when, and the catalogue itself.
    pub(crate) fn describe(&self, document: &mut Value) {
        let items = document["paths"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut);
        for operation in items.filter_map(Value::as_object_mut).flat_map(serde_json::Map::values_mut) {
            let Some(path) = operation["x-grpc-method"].as_str().map(str::to_owned) else { continue };
            let (roles, scope) = self.rule(&path);
            operation["x-roles"] = roles.into();
            operation["x-scope"] = scope.into();
            let end = self.deprecations.get(&path).map(End::from).unwrap_or_default();
            let facts = [
                ("x-deprecated-since", end.deprecate_time.as_deref()),
                ("x-sunset", end.sunset_time.as_deref()),
                ("x-successor", end.successor),
            ];
            for (name, fact) in facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))) {
                operation[name] = fact.into();
            }
        }
        document["paths"][PATH] = json!({"get": operation()});
        document["components"]["securitySchemes"] = json!({
            "token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token of the identity provider the mesh trusts, or the first administrator's.",
            },
            "apiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "x-api-key",
                "description": "A key of an API client: `POST /v1/api-clients/{api_client_id}/api-keys`.",
            },
        });
        // The last one is none: a mesh on one machine only may run without credentials.
        document["security"] = json!([{"token": []}, {"apiKey": []}, {}]);
    }
}

impl<'c> From<&'c Deprecation> for End<'c> {
    fn from(deprecation: &'c Deprecation) -> Self {
        Self {
            deprecate_time: Some(written(deprecation.since)),
            sunset_time: deprecation.sunset.map(written),
            successor: deprecation.successor.as_deref(),
            link: deprecation.link.as_deref(),
        }
    }
}

fn written(time: types::Timestamp) -> String {
    let (seconds, nanos) = time.to_parts();
    prost_types::Timestamp { seconds, nanos }.to_string()
}

/// How the catalogue is described.
fn operation() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let object =
        |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let time = |description: &str| json!({"type": "string", "format": "date-time", "description": description});
    let list = |items: Value, description: &str| json!({"type": "array", "items": items, "description": description});
    let http = object(
        json!({"method": text("The HTTP method."), "path": text("The path template.")}),
        json!(["method", "path"]),
    );
    let kinds = json!(["unary", "server_stream", "client_stream", "bidirectional_stream"]);
    let method = object(
        json!({
            "name": text("The method's name in its service."),
            "description": text("What it does."),
            "grpc": text("The path of its gRPC call."),
            "http": list(http, "How it is called over HTTP."),
            "kind": {"type": "string", "enum": kinds, "description": "How many messages a call has."},
            "roles": list(json!({"type": "string"}), "Who may call it, besides administrators."),
            "scope": {"type": "string", "enum": ["none", "account", "partner", "distributor"],
                "description": "What narrows its rows; `distributor` is for callers that see every account."},
            "deprecated": {"type": "boolean", "description": "Whether it should not be used in new code."},
            "deprecateTime": time("Since when it is deprecated."),
            "sunsetTime": time("When it ends."),
            "successor": text("Full name of the method to use instead."),
            "link": text("A page about the deprecation."),
        }),
        json!(["name", "description", "grpc", "http", "kind", "roles", "scope", "deprecated"]),
    );
    let service = object(
        json!({
            "name": text("Full name."),
            "version": text("The version of its contract, such as `v1`."),
            "description": text("What it is for."),
            "methods": list(method, "Its methods."),
        }),
        json!(["name", "version", "description", "methods"]),
    );
    let catalogue = object(
        json!({
            "version": text("The version of Waybill."),
            "digest": text("The SHA-256 of the descriptors all of this is from."),
            "services": list(service, "The services, by name."),
        }),
        json!(["version", "digest", "services"]),
    );
    let content = json!({"application/json": {"schema": catalogue}});
    json!({
        "operationId": "ListApis",
        "tags": ["Gateway"],
        "summary": "Lists every service and method of the mesh",
        "description": "Lists every service and method of the mesh: how it is called, by whom, and until when.",
        "parameters": [],
        "responses": {
            "200": {"description": "The catalogue.", "content": content},
            "405": {"$ref": "#/components/responses/MethodNotAllowed"},
        },
    })
}
