//! REST to gRPC and back, from descriptors and `google.api.http` rules.
//!
//! **Owns** the routes, the JSON of requests and answers, the form of errors, the OpenAPI document and the catalogue, all
//! derived from the same compiled rules. It knows no service: it is given encoded descriptors, and an upstream for each
//! service that is to be reachable.
//!
//! **Promises**: invalid rules are refused at the start, all at once. A request is either read completely or refused with
//! the names of its wrong fields; no field is silently ignored. Every failure is answered as `application/problem+json`.
//! Bytes of a service that are not a message are an error, never a panic. Dropping an answer cancels the call.
//!
//! **Absent on purpose**: identity, quotas and CORS, which are layers around it; retries and deadlines, which belong to
//! the upstream; client streams; `google.api.HttpBody`.

mod catalogue;
mod comments;
mod frame;
mod headers;
mod limits;
mod openapi;
mod problem;
mod protobuf;
mod request;
mod respond;
mod router;
mod rule;
mod stream;
mod template;
mod transcoder;

pub use catalogue::{Binding, CallKind, DescribedMethod, DescribedService};
pub use rule::RuleError;
pub use transcoder::{BoxError, CalledMethod, DEFAULT_BODY_LIMIT, RefusalReason, ResponseBody, Transcoder, Upstream};
