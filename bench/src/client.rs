//! Clients that leave the processors to the servers: generated gRPC clients over few connections, and one HTTP/1.1
//! connection for each REST caller.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

/// How long a caller waits before it calls a busy server again, when the answer does not say how long.
const PAUSE: Duration = Duration::from_millis(250);

/// How many callers share a gRPC connection.
const SHARING: usize = 32;

/// gRPC channels, one for each caller.
pub(crate) async fn channels(address: SocketAddr, callers: usize) -> anyhow::Result<Vec<Channel>> {
    let mut connections = Vec::new();
    for _ in 0..callers.div_ceil(SHARING) {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
        connections.push(endpoint.connect().await.with_context(|| format!("connecting to {address}"))?);
    }
    Ok(connections.into_iter().cycle().take(callers).collect())
}

/// A channel for one caller.
pub(crate) async fn channel(address: SocketAddr) -> anyhow::Result<Channel> {
    channels(address, 1).await?.into_iter().next().context("no channel")
}

/// An answer other than success.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {body}")]
struct Refused {
    status: StatusCode,
    body: String,
}

/// How long to wait before calling again, when the error says that the server is busy.
pub(crate) fn retry_after(error: &anyhow::Error) -> Option<Duration> {
    if let Some(status) = error.downcast_ref::<Status>() {
        let busy = matches!(status.code(), Code::ResourceExhausted | Code::Unavailable);
        return busy.then(|| mesh::fault(status).retry_after.unwrap_or(PAUSE));
    }
    let refused = error.downcast_ref::<Refused>()?;
    matches!(refused.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE).then_some(PAUSE)
}

/// Repeats a call while the server is busy.
pub(crate) async fn until_accepted<T>(call: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    loop {
        match call().await {
            Err(error) => tokio::time::sleep(retry_after(&error).ok_or(error)?).await,
            answer => return answer,
        }
    }
}

/// A REST caller.
pub(crate) struct Http {
    connection: SendRequest<Full<Bytes>>,
    host: String,
}

impl Http {
    /// Connections, one for each caller.
    pub(crate) async fn connect(address: SocketAddr, callers: usize) -> anyhow::Result<Vec<Self>> {
        let mut connections = Vec::with_capacity(callers);
        for _ in 0..callers {
            let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
            stream.set_nodelay(true)?;
            let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
            // The calls fail when the connection does.
            tokio::spawn(driver);
            connections.push(Self { connection, host: address.to_string() });
        }
        Ok(connections)
    }

    /// Reads. Any answer other than success is an error.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Bytes> {
        self.call(Request::builder().method(Method::GET).uri(path), Bytes::new()).await
    }

    /// Sends a command under an idempotency key.
    pub(crate) async fn post(&mut self, path: &str, key: &str, body: String) -> anyhow::Result<Bytes> {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json").header("idempotency-key", key);
        self.call(request, Bytes::from(body)).await
    }

    async fn call(&mut self, request: http::request::Builder, body: Bytes) -> anyhow::Result<Bytes> {
        let request = request.header(header::HOST, &self.host).body(Full::new(body))?;
        self.connection.ready().await?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            let body = String::from_utf8_lossy(&answer).into_owned();
            return Err(Refused { status, body }.into());
        }
        Ok(answer)
    }
}
