//! A service behind a transcoder: it records calls, and the test chooses its answers.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, LazyLock, Mutex},
};

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;
use tonic::body::Body;
use tower::service_fn;
use waybill_transcode::{ResponseBody, Transcoder, Upstream};

pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| compile("depot.proto"));

pub(crate) fn compile(file: &str) -> DescriptorPool {
    let here = env!("CARGO_MANIFEST_DIR");
    let folders = [format!("{here}/tests/protos"), format!("{here}/../../proto/third_party")];
    let mut compiler = protox::Compiler::new(folders).unwrap();
    compiler.include_imports(true).include_source_info(true).open_file(file).unwrap();
    compiler.descriptor_pool()
}

pub(crate) fn message_type(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(&format!("depot.v1.{name}")).unwrap()
}

/// Encodes a message from JSON, read by prost-reflect.
pub(crate) fn encoded(name: &str, json: Value) -> Bytes {
    DynamicMessage::deserialize(message_type(name), json).unwrap().encode_to_vec().into()
}

/// A call that reached the service.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) message: Bytes,
}

impl Call {
    /// The message as JSON, without fields that are not set.
    pub(crate) fn json(&self, name: &str) -> Value {
        let message = DynamicMessage::decode(message_type(name), self.message.clone()).unwrap();
        serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Answer = Arc<dyn Fn(&Call) -> Response<Body> + Send + Sync>;

pub(crate) struct Depot {
    pub(crate) transcoder: Transcoder,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Depot {
    pub(crate) fn answering(answer: impl Fn(&Call) -> Response<Body> + Send + Sync + 'static) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let upstream = upstream(Arc::clone(&calls), Arc::new(answer));
        let upstreams = HashMap::from([("depot.v1.DepotService".to_owned(), upstream)]);
        Self { transcoder: Transcoder::new(&POOL, upstreams).unwrap(), calls }
    }

    /// Answers every call with an empty message.
    pub(crate) fn silent() -> Self {
        Self::answering(|_| ok(Bytes::new()))
    }

    /// Answers every call with the message of the call.
    pub(crate) fn echoing() -> Self {
        Self::answering(|call| ok(call.message.clone()))
    }

    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Reply {
        Reply::of(self.transcoder.call(request).await).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(request(Method::GET, path, &[], "")).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.call(request(Method::POST, path, &[("content-type", "application/json")], body)).await
    }

    /// The only call.
    pub(crate) fn only_call(&self) -> Call {
        let calls = self.calls.lock().unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].clone()
    }

    /// The last call.
    pub(crate) fn last_call(&self) -> Call {
        self.calls.lock().unwrap().pop().unwrap()
    }

    pub(crate) fn was_not_called(&self) -> bool {
        self.calls.lock().unwrap().is_empty()
    }
}

/// A depot whose answer is chosen for each call: its transcoder is compiled once.
pub(crate) struct Answering {
    depot: Depot,
    answer: Arc<Mutex<Bytes>>,
}

impl Answering {
    pub(crate) fn new() -> Self {
        let answer = Arc::new(Mutex::new(Bytes::new()));
        let chosen = Arc::clone(&answer);
        Self { depot: Depot::answering(move |_| ok(chosen.lock().unwrap().clone())), answer }
    }

    /// The HTTP answer when the service answers with these bytes of an `Everything`.
    pub(crate) async fn reply(&self, bytes: Bytes) -> Reply {
        *self.answer.lock().unwrap() = bytes;
        let reply = self.depot.call(request(Method::POST, "/v1/everything", &[], "")).await;
        self.depot.last_call();
        reply
    }
}

fn upstream(calls: Arc<Mutex<Vec<Call>>>, answer: Answer) -> Upstream {
    Upstream::new(service_fn(move |request: Request<Body>| {
        let (calls, answer) = (Arc::clone(&calls), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let framed = body.collect().await?.to_bytes();
            assert_eq!(framed[0], 0);
            assert_eq!(u32::from_be_bytes(framed[1..5].try_into().unwrap()) as usize, framed.len() - 5);
            let call = Call { path: parts.uri.path().to_owned(), headers: parts.headers, message: framed.slice(5..) };
            let response = answer(&call);
            calls.lock().unwrap().push(call);
            Ok(response)
        }
    }))
}

pub(crate) fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) async fn of(response: Response<ResponseBody>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The only wrong field of a refused request.
    pub(crate) fn wrong_field(&self) -> String {
        assert_eq!(self.status, 400, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        assert_eq!(errors.len(), 1, "{self:?}");
        errors[0]["field"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat().into()
}

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

/// An answer of messages and trailers.
pub(crate) fn answer(headers: &[(&str, &str)], messages: &[Bytes], trailers: &[(&str, &str)]) -> Response<Body> {
    let data = messages.iter().map(|message| Frame::data(framed(message)));
    let frames: Vec<_> = data.chain([Frame::trailers(map(trailers))]).map(Ok::<_, Infallible>).collect();
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    *response.headers_mut() = map(headers);
    response
}

pub(crate) fn ok(message: Bytes) -> Response<Body> {
    answer(&[], &[message], &[("grpc-status", "0")])
}

/// A failure in the headers, as tonic answers.
pub(crate) fn failed(headers: &[(&str, &str)]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = map(headers);
    response
}
