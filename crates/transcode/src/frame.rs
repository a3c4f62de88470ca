//! gRPC framing: a message is a prefix of five bytes and its encoding; the status is in headers or trailers.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use prost::Message;
use tonic::{Code, body::Body};

use crate::{headers::text, template::decode_segment, transcoder::BoxError};

const PREFIX: usize = 5;
/// The largest message that is accepted from an upstream.
const LARGEST: usize = 64 << 20;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A call that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// An encoded `google.rpc.Status`, or nothing.
    pub(crate) details: Bytes,
    /// The other headers or trailers.
    pub(crate) headers: Box<HeaderMap>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: &str) -> Self {
        Self { code, message: message.to_owned(), details: Bytes::new(), headers: Box::default() }
    }

    /// The upstream did not answer.
    pub(crate) fn of_transport(error: BoxError) -> Self {
        match tonic::Status::try_from_error(error) {
            Ok(status) => Self::from(status),
            Err(error) => {
                tracing::warn!(error, "upstream call failed");
                Self::new(Code::Unavailable, "the service cannot be reached")
            }
        }
    }

    /// The status in headers or trailers, unless it is OK.
    fn of(headers: &HeaderMap, status: &[u8]) -> Result<(), Self> {
        let code = Code::from_bytes(status);
        if code == Code::Ok {
            return Ok(());
        }
        let message = text(headers, "grpc-message").unwrap_or_default();
        let details = headers.get("grpc-status-details-bin").and_then(|value| BASE64.decode(value).ok());
        Err(Self {
            code,
            message: decode_segment(message).unwrap_or_else(|| message.to_owned()),
            details: details.unwrap_or_default().into(),
            headers: Box::new(headers.clone()),
        })
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            details: Bytes::copy_from_slice(status.details()),
            headers: Box::new(status.metadata().clone().into_headers()),
        }
    }
}

/// A message with its prefix.
pub(crate) fn frame(message: &impl Message) -> Option<Bytes> {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(PREFIX + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).ok()?);
    message.encode(&mut framed).ok()?;
    Some(framed.freeze())
}

/// The messages of an answer.
#[derive(Debug)]
pub(crate) struct Frames {
    body: Body,
    buffer: BytesMut,
    ended: bool,
}

impl Frames {
    /// Splits an answer into its headers and its messages; a failure when the headers have a status other than OK.
    pub(crate) fn of(response: Response<Body>) -> Result<(HeaderMap, Self), Failure> {
        let (head, body) = response.into_parts();
        if let Some(status) = head.headers.get("grpc-status") {
            Failure::of(&head.headers, status.as_bytes())?;
            return Ok((head.headers, Self { body: Body::empty(), buffer: BytesMut::new(), ended: true }));
        }
        let code = match head.status {
            StatusCode::OK => return Ok((head.headers, Self { body, buffer: BytesMut::new(), ended: false })),
            StatusCode::BAD_REQUEST => Code::Internal,
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::NOT_FOUND => Code::Unimplemented,
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
            _ => Code::Unknown,
        };
        let message = format!("the service answered with HTTP status {}", head.status.as_u16());
        Err(Failure { headers: Box::new(head.headers), ..Failure::new(code, &message) })
    }

    /// The next message; `None` after the last one of a successful call. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.ended {
                return match self.buffer.len() {
                    0 => Ok(None),
                    _ => Err(Failure::new(Code::Internal, "the service's answer ends inside a message")),
                };
            }
            let frame = match self.body.frame().await {
                Some(Ok(frame)) => frame,
                Some(Err(status)) => return Err(Failure::from(status)),
                None => return Err(Failure::new(Code::Unavailable, "the service's answer has no end")),
            };
            match frame.into_data() {
                Ok(data) if self.buffer.is_empty() => self.buffer = BytesMut::from(data),
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(frame) => {
                    let Ok(trailers) = frame.into_trailers() else { continue };
                    self.ended = true;
                    let status = trailers.get("grpc-status").map_or(&b"2"[..], |status| status.as_bytes());
                    Failure::of(&trailers, status)?;
                }
            }
        }
    }

    /// The only message of a unary call.
    pub(crate) async fn only(mut self) -> Result<Bytes, Failure> {
        let message =
            self.next().await?.ok_or_else(|| Failure::new(Code::Internal, "the service answered without a message"))?;
        match self.next().await? {
            None => Ok(message),
            Some(_) => Err(Failure::new(Code::Internal, "the service answered with several messages")),
        }
    }

    fn take(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some((prefix, rest)) = self.buffer.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let [compressed, length @ ..] = *prefix;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if compressed != 0 {
            return Err(Failure::new(Code::Internal, "the service's answer is compressed, which was not requested"));
        }
        if length > LARGEST {
            return Err(Failure::new(Code::Internal, "the service's answer is too large"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn frames(parts: Vec<Frame<Bytes>>) -> Frames {
        let parts = parts.into_iter().map(Ok::<_, Infallible>);
        let response = Response::new(Body::new(StreamBody::new(futures::stream::iter(parts))));
        Frames::of(response).unwrap().1
    }

    fn data(bytes: &'static [u8]) -> Frame<Bytes> {
        Frame::data(Bytes::from_static(bytes))
    }

    fn trailers(pairs: &[(&'static str, &'static str)]) -> Frame<Bytes> {
        Frame::trailers(pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
    }

    #[tokio::test]
    async fn messages_are_found_however_the_bytes_are_cut() {
        let mut frames = frames(vec![
            data(&[0, 0, 0]),
            data(&[0, 2, b'a']),
            data(&[b'b', 0, 0, 0, 0, 1, b'c', 0, 0, 0, 0, 0]),
            trailers(&[("grpc-status", "0")]),
        ]);
        assert_eq!(frames.next().await.unwrap().unwrap(), "ab");
        assert_eq!(frames.next().await.unwrap().unwrap(), "c");
        assert_eq!(frames.next().await.unwrap().unwrap(), "");
        assert_eq!(frames.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_answer_that_is_cut_or_compressed_is_a_failure() {
        let cut = frames(vec![data(&[0, 0, 0, 0, 2, b'a']), trailers(&[("grpc-status", "0")])]).only().await;
        assert_eq!(cut.unwrap_err().code, Code::Internal);
        let without_end = frames(vec![data(&[0, 0, 0, 0, 0])]).only().await;
        assert_eq!(without_end.unwrap_err().code, Code::Unavailable);
        let compressed = frames(vec![data(&[1, 0, 0, 0, 0]), trailers(&[("grpc-status", "0")])]).only().await;
        assert_eq!(compressed.unwrap_err().code, Code::Internal);
        let large = frames(vec![data(&[0, 255, 255, 255, 255])]).only().await;
        assert_eq!(large.unwrap_err().code, Code::Internal);
    }

    #[tokio::test]
    async fn a_status_in_the_trailers_is_a_failure_and_bad_details_are_none() {
        let status = [("grpc-status", "5"), ("grpc-message", "no%20such"), ("grpc-status-details-bin", "%%%")];
        let failure = frames(vec![trailers(&status)]).only().await.unwrap_err();
        assert_eq!((failure.code, failure.message.as_str(), failure.details.len()), (Code::NotFound, "no such", 0));
    }
}
