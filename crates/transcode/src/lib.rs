//! REST to gRPC and back, from descriptors and `google.api.http` rules.
//!
//! Owns the routes, the JSON of requests and answers, the form of errors, the OpenAPI document and the catalogue: all of
//! them from the same compiled rules, so that they can not drift apart. It knows no service: it is given encoded descriptors and, for
//! each service that shall be reachable, somewhere to send its calls.
//!
//! Promises: rules that can not work are refused at the start, all at once. A request is either understood as a whole or
//! refused with the names of what is wrong; nothing a caller sends is silently left out. Every failure is answered as
//! `application/problem+json`. Bytes of a service that are no message are an error, never a panic. Dropping an answer
//! cancels the call.
//!
//! Deliberately absent: identity, quotas and CORS, which are layers around it; retries and deadlines, which are the
//! upstream's; client streams; `google.api.HttpBody`.

mod catalogue;
mod comments;
mod frame;
mod headers;
mod limits;
mod openapi;
mod problem;
mod request;
mod respond;
mod router;
mod rule;
mod stream;
mod template;
mod transcoder;
mod wire;

pub use catalogue::{Binding, CallKind, DescribedMethod, DescribedService};
pub use rule::RuleError;
pub use transcoder::{BoxError, CalledMethod, RefusalReason, ResponseBody, Transcoder, Upstream};
