//! Repeating calls, in one place only: the first channel a call passes.
//!
//! A channel repeats a call that is safe to repeat (`methods.rs`) and was answered UNAVAILABLE or not at all, within a
//! budget. A header says so to the called member, whose own calls are then not repeated: their failure returns to the
//! first channel. Background work is repeated by its runner, so its calls are not repeated here either. Of these calls,
//! too, one that the called member refused without processing it is repeated, if it is short, safe to repeat and within
//! the budget.
//!
//! The budget is tower's. The loop is not: `tower::retry` repeats a whole service call, and cannot choose another address.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request::Parts};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;
use tower::retry::budget::{Budget, TpsBudget};
use types::retry::call::{ATTEMPTS, FIRST_PAUSE};

use super::{
    destination::{Destination, Unanswered, code_of},
    methods,
};
use crate::{deadline, request::Repeats};

/// The longest request that is kept for a repeat.
const KEPT: usize = 64 * 1_024;
/// The number of attempts before this one.
const PREVIOUS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
/// The pause that the member asks for, in milliseconds; a negative one forbids repeats.
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// Calls a destination, and repeats calls.
#[derive(Clone)]
pub(super) struct Caller {
    destination: Arc<Destination>,
    /// A fifth of calls, and ten a second.
    budget: Arc<TpsBudget>,
}

/// A request that can be repeated, or not.
enum Kept {
    Again(Parts, Bytes),
    Once(Request<Body>),
}

impl Caller {
    pub(super) fn new(destination: Destination) -> Self {
        methods::load();
        let budget = TpsBudget::new(Duration::from_secs(10), 10, 0.2);
        Self { destination: Arc::new(destination), budget: Arc::new(budget) }
    }

    pub(super) async fn call(
        &self,
        request: Request<Body>,
        deadline: Option<Instant>,
        repeats: Repeats,
    ) -> Result<Response<Body>, Unanswered> {
        if !methods::may_be_repeatable(request.uri().path()) {
            return self.once(request, deadline, repeats).await;
        }
        let (mut parts, body) = match keep(request).await? {
            Kept::Again(parts, body) => (parts, body),
            Kept::Once(request) => return self.once(request, deadline, repeats).await,
        };
        Repeats::ByCaller.write_to(&mut parts.headers);
        self.budget.deposit();
        let (mut attempt, mut avoid) = (1, None);
        loop {
            let request = Request::from_parts(parts.clone(), Body::new(Full::new(body.clone())));
            let answer = self.destination.send(request, deadline, &mut avoid).await;
            let Some(pause) = pause(&answer, attempt, repeats) else { return answer };
            let again = Instant::now() + pause;
            if attempt == ATTEMPTS || deadline.is_some_and(|deadline| deadline <= again) || !self.budget.withdraw() {
                return answer;
            }
            drop(answer);
            metrics::counter!("rpc_client_retries_total", "destination" => self.destination.name().to_owned())
                .increment(1);
            tokio::time::sleep_until(again).await;
            parts.headers.insert(PREVIOUS, HeaderValue::from(attempt));
            deadline::shrink(&mut parts.headers, deadline);
            attempt += 1;
        }
    }

    async fn once(
        &self,
        mut request: Request<Body>,
        deadline: Option<Instant>,
        repeats: Repeats,
    ) -> Result<Response<Body>, Unanswered> {
        repeats.write_to(request.headers_mut());
        self.destination.send(request, deadline, &mut None).await
    }

    /// The host that is called.
    pub(super) fn address(&self) -> &str {
        self.destination.host()
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.destination.name()).finish()
    }
}

/// Buffers a request, if it is short and may be repeated.
async fn keep(request: Request<Body>) -> Result<Kept, Status> {
    let (parts, mut body) = request.into_parts();
    let (mut read, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        // Trailers are dropped.
        let Ok(bytes) = frame?.into_data() else { continue };
        length += bytes.len();
        read.push(bytes);
        if length > KEPT {
            let frames = stream::iter(read).map(|bytes| Ok(Frame::data(bytes)));
            let body = Body::new(StreamBody::new(frames.chain(body.into_data_stream().map_ok(Frame::data))));
            return Ok(Kept::Once(Request::from_parts(parts, body)));
        }
    }
    let body = match read.len() {
        1 => read.remove(0),
        _ => read.concat().into(),
    };
    if methods::is_repeatable(parts.uri.path(), &body) {
        Ok(Kept::Again(parts, body))
    } else {
        Ok(Kept::Once(Request::from_parts(parts, Body::new(Full::new(body)))))
    }
}

/// The pause before the call is repeated; `None` when it is not.
fn pause(answer: &Result<Response<Body>, Unanswered>, attempt: u32, repeats: Repeats) -> Option<Duration> {
    let asked = match answer {
        Ok(response) => {
            let unavailable = repeats == Repeats::ByUs && code_of(response) == Code::Unavailable;
            if unavailable { asked(response.headers())? } else { return None }
        }
        Err(Unanswered::Refused) => Duration::ZERO,
        Err(Unanswered::Unreachable | Unanswered::Lost) if repeats == Repeats::ByUs => Duration::ZERO,
        Err(Unanswered::Unreachable | Unanswered::Lost | Unanswered::Unsendable(_)) => return None,
    };
    let most = FIRST_PAUSE * 2_u32.pow(attempt - 1);
    Some(asked + most.mul_f64(rand::random_range(0.0..1.0)))
}

/// The pause that the member asks for; `None` when it forbids repeats.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    if let Some(pushback) = headers.get(PUSHBACK) {
        return pushback.to_str().ok()?.parse().ok().map(Duration::from_millis);
    }
    let details = Status::from_header_map(headers).map(|status| status.get_error_details());
    Some(details.and_then(|details| details.retry_info()?.retry_delay).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use types::Fault;

    use super::*;

    fn answer(status: Status) -> Result<Response<Body>, Unanswered> {
        Ok(status.into_http())
    }

    #[test]
    fn only_what_may_succeed_elsewhere_is_repeated() {
        assert!(pause(&answer(Status::unavailable("busy")), 1, Repeats::ByUs).is_some());
        for status in [Status::ok(""), Status::internal("broken"), Status::resource_exhausted("shed")] {
            assert_eq!(pause(&answer(status), 1, Repeats::ByUs), None);
        }
        assert!(pause(&Err(Unanswered::Unreachable), 1, Repeats::ByUs).is_some());
        assert!(pause(&Err(Unanswered::Lost), 1, Repeats::ByUs).is_some());
    }

    #[test]
    fn what_the_caller_repeats_is_repeated_only_when_nobody_worked_on_it() {
        assert_eq!(pause(&answer(Status::unavailable("busy")), 1, Repeats::ByCaller), None);
        assert_eq!(pause(&Err(Unanswered::Lost), 1, Repeats::ByCaller), None);
        assert_eq!(pause(&Err(Unanswered::Unreachable), 1, Repeats::ByCaller), None);
        assert!(pause(&Err(Unanswered::Refused), 1, Repeats::ByCaller).is_some());
    }

    #[test]
    fn a_member_says_when_to_come_back() {
        let paused = |status: Status| pause(&answer(status), 1, Repeats::ByUs);
        assert!(paused(crate::status(Fault::unavailable("restarting"))) >= Some(Duration::from_secs(1)));
        let pushed = |text: &str| {
            let mut status = Status::unavailable("busy");
            status.metadata_mut().insert("grpc-retry-pushback-ms", text.parse().unwrap());
            paused(status)
        };
        assert!(pushed("700") >= Some(Duration::from_millis(700)));
        assert_eq!((pushed("-1"), pushed("later")), (None, None), "or not to come back");
    }

    #[tokio::test]
    async fn a_long_request_is_sent_once_and_whole() {
        let frames: Vec<_> = (0..10_u8).map(|n| Bytes::from(vec![n; 10_000])).collect();
        let body = StreamBody::new(stream::iter(frames.clone()).map(|bytes| Ok::<_, Status>(Frame::data(bytes))));
        let request = Request::builder().uri("/waybill.order.v1.OrderService/GetOrder").body(Body::new(body)).unwrap();
        let Kept::Once(request) = keep(request).await.unwrap() else { panic!("kept") };
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), frames.concat());
    }
}
