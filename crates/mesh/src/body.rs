//! Response body that enforces the deadline of a call, runs in its context and records its end.
//!
//! A stream outlives its handler, and tower's layers end with the head of the response.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context as Waker, Poll, ready},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::StreamBody;
use tonic::{Code, Status, body::Body};
use tracing::Span;
use types::Fault;

use crate::{deadline::End, fault::status, lifecycle::panic_text, observe::Observed, request::Context};

/// A response's body with what belongs to its call.
pub(crate) struct Answer {
    inner: Body,
    end: End,
    context: Context,
    /// Until the call has ended, which is then recorded at once.
    observed: Option<Observed>,
}

impl Answer {
    /// Wraps the body of a response, noting its status if the headers have it.
    pub(crate) fn wrap(
        response: http::Response<Body>,
        end: End,
        context: Context,
        mut observed: Observed,
    ) -> http::Response<Body> {
        observed.ended_as(response.headers());
        response.map(|inner| {
            if inner.is_end_stream() {
                return inner;
            }
            Body::new(Self { inner, end, context, observed: Some(observed) })
        })
    }

    /// The trailers that end the call with this fault.
    fn cut(&mut self, fault: Fault) -> Frame<Bytes> {
        self.inner = Body::empty();
        let status = self.context.clone().enter(|| status(fault));
        if let Some(mut observed) = self.observed.take() {
            observed.ended(&status);
        }
        trailers(&status)
    }

    /// Polls the handler's body where the handler ran: in its span and context, a panic being an internal error.
    fn poll_inner(&mut self, cx: &mut Waker<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let span = self.observed.as_ref().map_or_else(Span::none, |observed| observed.span().clone());
        let _entered = span.enter();
        let (inner, context) = (&mut self.inner, self.context.clone());
        let poll = || context.enter(|| Pin::new(inner).poll_frame(cx));
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|panic| {
            let fault = Fault::internal(format!("stream panicked: {}", panic_text(panic.as_ref())));
            Poll::Ready(Some(Ok(self.cut(fault))))
        })
    }
}

/// The trailers of an answer that ends with this status.
fn trailers(status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", HeaderValue::from(Code::Internal as i32));
    }
    Frame::trailers(trailers)
}

/// The same answer, which ends with a fault as soon as there is one.
pub fn ending_with(response: http::Response<Body>, mut fault: BoxFuture<'static, Fault>) -> http::Response<Body> {
    response.map(|mut inner| {
        let mut ended = false;
        Body::new(StreamBody::new(futures::stream::poll_fn(move |cx| {
            if ended {
                return Poll::Ready(None);
            }
            if let Poll::Ready(fault) = fault.as_mut().poll(cx) {
                (inner, ended) = (Body::empty(), true);
                return Poll::Ready(Some(Ok::<_, Status>(trailers(&status(fault)))));
            }
            Pin::new(&mut inner).poll_frame(cx)
        })))
    })
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Waker<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.observed.is_none() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(fault) = self.end.poll(cx) {
            if self.end.makes_way()
                && let Some(observed) = &mut self.observed
            {
                observed.made_way();
            }
            return Poll::Ready(Some(Ok(self.cut(fault))));
        }
        let frame = ready!(self.poll_inner(cx));
        let ends = match &frame {
            Some(Ok(frame)) => frame.trailers_ref().is_some(),
            Some(Err(_)) | None => true,
        };
        if ends && let Some(mut observed) = self.observed.take() {
            match &frame {
                Some(Ok(frame)) => frame.trailers_ref().into_iter().for_each(|trailers| observed.ended_as(trailers)),
                Some(Err(error)) => observed.ended(error),
                None => {}
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.observed.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
