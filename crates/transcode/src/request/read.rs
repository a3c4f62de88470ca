//! Reads a body up to a limit.

use std::{
    error::Error,
    io::{self, ErrorKind},
    pin::pin,
};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;

use types::Fault;

use crate::{headers::is_json, problem::Problem, transcoder::BoxError};

/// The body of a request without one.
pub(crate) async fn read_nothing<B: http_body::Body>(body: B) -> Result<Bytes, Problem> {
    let mut body = pin!(body);
    while !body.is_end_stream() {
        match body.frame().await.map(|frame| frame.map(http_body::Frame::into_data)) {
            None => break,
            Some(Ok(Err(_))) => {}
            Some(Ok(Ok(data))) if !data.has_remaining() => {}
            Some(_) => return Err(Problem::malformed("this method takes no body")),
        }
    }
    Ok(Bytes::new())
}

/// Reads the body of a request. A body must be JSON; a method without a body accepts only an empty one.
pub(crate) async fn read<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Bytes, Problem>
where
    B: http_body::Body<Error: Into<BoxError>>,
{
    let announced = body.size_hint().lower();
    if body.is_end_stream() || body.size_hint().exact() == Some(0) {
        return Ok(Bytes::new());
    }
    if !is_json(headers) {
        return Err(Problem::not_json());
    }
    if usize::try_from(announced).unwrap_or(usize::MAX) > limit {
        return Err(Problem::too_large(limit));
    }
    let mut body = pin!(body);
    let mut read = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unfinished(&*error.into()))?;
        if let Ok(mut data) = frame.into_data() {
            if read.len() + data.remaining() > limit {
                return Err(Problem::too_large(limit));
            }
            read.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Ok(read.freeze())
}

/// The problem of a body that did not end.
fn unfinished(error: &(dyn Error + 'static)) -> Problem {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    if let Some(fault) = causes().find_map(|cause| cause.downcast_ref::<Fault>()) {
        return Problem::busy(&fault.message, fault.retry_after);
    }
    let late =
        causes().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == ErrorKind::TimedOut));
    if late { Problem::too_slow() } else { Problem::malformed("the body ended too early") }
}
