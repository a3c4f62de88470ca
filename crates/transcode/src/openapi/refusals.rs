//! Documentation of refusals.

use serde_json::{Map, Value, json};

use crate::problem::MEDIA_TYPE;

/// Status, name, meaning and headers of the refusals.
const REFUSALS: [(&str, &str, &str, &[&str]); 18] = [
    (
        "400",
        "BadRequest",
        "The input is wrong, or the present state does not allow the action; `errors` names fields.",
        &[],
    ),
    ("401", "Unauthenticated", "The call has no valid credentials.", &["WWW-Authenticate"]),
    ("403", "PermissionDenied", "The caller may not do this.", &[]),
    ("404", "NotFound", "The resource does not exist, or the caller does not see it.", &[]),
    ("405", "MethodNotAllowed", "The path has other methods.", &["Allow"]),
    ("406", "NotAcceptable", "The `Accept` header excludes the media type of the answer.", &[]),
    ("408", "RequestTimeout", "The body did not arrive in time.", &[]),
    ("409", "Conflict", "The resource exists already, or was changed at the same time.", &[]),
    ("410", "Gone", "The method has reached its announced end.", &["Deprecation", "Sunset", "Link"]),
    ("412", "PreconditionFailed", "The resource has changed since the version named by `If-Match`.", &[]),
    ("413", "TooLarge", "The body is too large.", &[]),
    ("415", "UnsupportedMediaType", "The body is not `application/json`.", &[]),
    ("429", "TooManyRequests", "The caller is over its quota, or the service is overloaded.", &["Retry-After"]),
    ("499", "Cancelled", "The call was cancelled before it was answered.", &[]),
    ("500", "Internal", "An internal error.", &[]),
    ("501", "Unimplemented", "The service does not have this method.", &[]),
    ("503", "Unavailable", "The service cannot answer now.", &["Retry-After"]),
    ("504", "DeadlineExceeded", "The deadline passed before the answer; the call may have taken effect.", &[]),
];

/// Name, meaning and schema of the headers of answers.
const HEADERS: [(&str, &str, &str); 9] = [
    ("Allow", "The methods of the path.", "string"),
    ("Deprecation", "From when on the method should not be used: `@` and seconds since 1970 (RFC 9745).", "string"),
    ("ETag", "The version of the resource, for `If-Match`.", "string"),
    ("Link", "A page about the deprecation, and the successor (RFC 8288).", "string"),
    ("Location", "The URL of the resource.", "string"),
    ("RequestId", "The id of the request, for support.", "string"),
    ("Retry-After", "Seconds after which to try again.", "integer"),
    ("Sunset", "When the method ends (RFC 8594).", "string"),
    ("WWW-Authenticate", "The authentication schemes.", "string"),
];

/// The headers of answers.
pub(super) fn headers() -> Map<String, Value> {
    let header = |(name, description, kind): &(&str, &str, &str)| {
        ((*name).to_owned(), json!({"description": description, "schema": {"type": kind}}))
    };
    HEADERS.iter().map(header).collect()
}

/// A reference to a header.
pub(super) fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// References to the refusals with these statuses.
pub(super) fn references(statuses: &[&str]) -> Map<String, Value> {
    let wanted = REFUSALS.iter().filter(|(status, ..)| statuses.contains(status));
    wanted
        .map(|(status, name, ..)| ((*status).to_owned(), json!({"$ref": format!("#/components/responses/{name}")})))
        .collect()
}

/// The refusals.
pub(super) fn responses() -> Map<String, Value> {
    let response = |(_, name, description, own): &(&str, &str, &str, &[&str])| {
        let content = json!({MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}});
        let mut headers = json!({"X-Request-Id": header("RequestId")});
        for name in *own {
            headers[*name] = header(name);
        }
        ((*name).to_owned(), json!({"description": description, "headers": headers, "content": content}))
    };
    REFUSALS.iter().map(response).collect()
}

/// The schemas of a refusal's body.
pub(super) fn schemas() -> [(String, Value); 2] {
    let text = |description: &str| json!({"type": "string", "description": description});
    let violation = json!({
        "type": "object",
        "properties": {
            "field": text("Path of the field, in the names of the proto: `lines[2].quantity`."),
            "description": text("What is wrong with it."),
            "reason": text("Why, for a program, such as `ITEM_UNKNOWN`, of a field of an order's line."),
        },
        "required": ["field", "description"],
    });
    let problem = json!({
        "type": "object",
        "description": "A refusal (RFC 9457).",
        "properties": {
            "type": text("`urn:waybill:error:` and the reason, or `about:blank`."),
            "title": text("The reason in words."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": text("One sentence for a person."),
            "code": text("The gRPC code, such as `NOT_FOUND`."),
            "reason": text("Why, for a program, such as `ETAG_MISMATCH`."),
            "errors": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Violation"},
                "description": "The wrong fields.",
            },
            "metadata": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Facts for a program.",
            },
            "details": {
                "type": "array",
                "items": {"type": "object", "properties": {"@type": {"type": "string"}}},
                "description": "The details as the service gave them.",
            },
            "requestId": text("The id of the request, for support."),
        },
        "required": ["type", "title", "status", "detail", "code"],
    });
    [("Problem".to_owned(), problem), ("Violation".to_owned(), violation)]
}
