//! The call that is being answered, and its context.
//!
//! Its request id (`x-request-id`, up to 64 plain characters) is for logs and traces. It is not the contract's
//! `request_id`, which makes a command repeatable.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::{principal::Principal, server::Priority};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The call being answered.
#[derive(Debug, Clone)]
pub struct CallInfo {
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The caller's `x-request-id`, or one made on arrival. Not the `request_id` of a command.
    pub request_id: String,
    /// The W3C `traceparent` to keep with whatever the call causes.
    pub trace_parent: String,
    /// When the caller stops waiting; streams may have none.
    pub deadline: Option<Instant>,
}

/// What runs now: the call being answered, or the trace that background work continues.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) call: Option<Arc<CallInfo>>,
    pub(crate) trace_parent: Option<Arc<str>>,
    pub(crate) trace_state: Option<HeaderValue>,
    pub(crate) repeats: Repeats,
    pub(crate) priority: Priority,
}

/// Who repeats a call when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Repeats {
    /// The channel that makes it.
    #[default]
    ByUs,
    /// Whoever the call is made for.
    ByCaller,
}

/// Set when the caller repeats the call when it fails.
const REPEATED: HeaderName = HeaderName::from_static("waybill-repeated");

impl Repeats {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        if headers.contains_key(REPEATED) { Self::ByCaller } else { Self::ByUs }
    }

    /// Writes it to the headers of a call.
    pub(crate) fn write_to(self, headers: &mut HeaderMap) {
        match self {
            Self::ByUs => drop(headers.remove(REPEATED)),
            Self::ByCaller => drop(headers.insert(REPEATED, HeaderValue::from_static("1"))),
        }
    }
}

tokio::task_local! {
    static CONTEXT: Context;
}

impl Context {
    /// The context of the running code; empty outside of any.
    pub(crate) fn current() -> Self {
        CONTEXT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs the work in this context.
    pub(crate) fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CONTEXT.scope(self, work)
    }

    /// Runs the function in this context.
    pub(crate) fn enter<T>(self, run: impl FnOnce() -> T) -> T {
        CONTEXT.sync_scope(self, run)
    }
}

/// Who calls. Anonymous, when the request did not come through a [`Server`](crate::Server).
pub fn caller<T>(request: &tonic::Request<T>) -> &Principal {
    static NOBODY: LazyLock<Principal> = LazyLock::new(Principal::anonymous);
    request.extensions().get::<Arc<CallInfo>>().map_or(&NOBODY, |call| &call.principal)
}

/// The call a handler answers.
pub fn call<T>(request: &tonic::Request<T>) -> CallInfo {
    request.extensions().get::<Arc<CallInfo>>().map(|call| CallInfo::clone(call)).unwrap_or_else(|| CallInfo {
        principal: Arc::new(Principal::anonymous()),
        request_id: new_id(),
        trace_parent: crate::telemetry::trace_parent().unwrap_or_default(),
        deadline: None,
    })
}

/// The caller's id, if it is short and plain enough for every log, or a new one.
pub(crate) fn id(headers: &HeaderMap) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    headers
        .get(REQUEST_ID)
        .map(HeaderValue::as_bytes)
        .filter(|id| (1..=64).contains(&id.len()) && id.iter().copied().all(plain))
        .and_then(|id| String::from_utf8(id.to_vec()).ok())
        .unwrap_or_else(new_id)
}

fn new_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_id_is_kept_and_any_other_replaced() {
        let given = |text| id(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(text))]));
        assert_eq!(given("0190-ab_C"), "0190-ab_C");
        assert_eq!(given("a b").len(), 32);
        assert_ne!(id(&HeaderMap::new()), id(&HeaderMap::new()));
    }
}
