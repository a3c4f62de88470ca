//! Requests as no well-behaved client sends them.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Bytes that a body is made of, which cost the sender nothing.
static CHUNK: [u8; 64 * 1_024] = [0; 64 * 1_024];

/// The host and port of a URL.
pub(crate) fn address(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    rest.split('/').next().unwrap()
}

/// Sends so many bytes and no more, and reads what comes until the other end closes; returns the status.
pub(crate) async fn http1(address: &str, head: &str, bytes: usize) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut text = Vec::new();
    let sending = async {
        write.write_all(head.as_bytes()).await?;
        for sent in (0..bytes).step_by(CHUNK.len()) {
            write.write_all(&CHUNK[..CHUNK.len().min(bytes - sent)]).await?;
        }
        // The rest never comes.
        std::future::pending::<std::io::Result<()>>().await
    };
    // A connection that is closed while more comes is reset, and its answer may be lost.
    tokio::select! {
        read = read.read_to_end(&mut text) => drop(read),
        _ = sending => {}
    }
    let status = std::str::from_utf8(&text).ok().and_then(|text| text.split(' ').nth(1)?.parse().ok());
    status.unwrap_or_default()
}

/// An HTTP/2 connection.
pub(crate) async fn http2(address: &str) -> SendRequest<Body> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A beginning and so many bytes, after which nothing comes.
pub(crate) fn half_a_body(beginning: &'static [u8], bytes: usize) -> Body {
    let chunks = (0..bytes).step_by(CHUNK.len()).map(move |sent| &CHUNK[..CHUNK.len().min(bytes - sent)]);
    let chunks = std::iter::once(beginning).chain(chunks).map(|chunk| Ok(Frame::data(Bytes::from_static(chunk))));
    StreamBody::new(stream::iter(chunks).chain(stream::pending())).boxed_unsync()
}

/// A body that has ended.
pub(crate) fn whole_body(bytes: &'static [u8]) -> Body {
    http_body_util::Full::new(Bytes::from_static(bytes)).boxed_unsync()
}

/// Sends a request and reads the answer to its end; `None` when it was cut off.
pub(crate) async fn ask(sender: &SendRequest<Body>, request: Request<Body>) -> Option<Response<Bytes>> {
    let mut sender = sender.clone();
    sender.ready().await.ok()?;
    let (head, body): (_, Incoming) = sender.send_request(request).await.ok()?.into_parts();
    let body = body.collect().await.ok()?;
    let mut response = Response::from_parts(head, Bytes::new());
    if let Some(trailers) = body.trailers() {
        response.headers_mut().extend(trailers.clone());
    }
    *response.body_mut() = body.to_bytes();
    Some(response)
}

/// A gRPC call of a method.
pub(crate) fn call(authority: &str, path: &str, body: Body) -> Request<Body> {
    let builder = Request::post(format!("http://{authority}{path}"));
    builder.header("content-type", "application/grpc").header("te", "trailers").body(body).unwrap()
}
