//! The listener of the REST API: HTTP/1.1 and HTTP/2, with or without TLS, with limits for slow callers.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use futures::future::BoxFuture;
use http_body::{Frame, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use mesh::{Limits, Stop, tls};
use tokio::{
    net::TcpListener,
    time::{Instant, Sleep},
};
use tower::ServiceExt as _;

use crate::front::Front;

/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long a body may stand still, and how long it may take as a whole.
const BODY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
/// How often a silent connection is asked whether it lives, and how long it has to answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// How many calls one connection may have open.
const STREAMS: u32 = 256;
/// The longest head, as other servers have it.
const HEADERS: u32 = 64 * 1_024;

/// Serves until the stop; calls then have the drain time to end.
pub fn serve(
    listener: TcpListener,
    router: Router,
    stop: Stop,
    config: &mesh::Config,
) -> BoxFuture<'_, Result<(), tls::TlsError>> {
    Box::pin(serve_until(listener, router, stop, config))
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    stop: Stop,
    config: &mesh::Config,
) -> Result<(), tls::TlsError> {
    let tls = tls::Server::load(&config.tls, tls::Callers::Anybody, &["h2", "http/1.1"])?;
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE.0)
        .keep_alive_timeout(KEEP_ALIVE.1)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS);
    let front = Front::new(router, config.request_log_sample);
    mesh::accept(listener, tls, Limits::http(config), &stop, move |wire, peer| {
        let service = front.clone().map_request(move |request: Request<hyper::body::Incoming>| {
            let mut request: Request = request.map(|body| Body::new(Paced::new(body, BODY)));
            request.extensions_mut().insert(peer.clone());
            request
        });
        builder.serve_connection(TokioIo::new(wire), TowerToHyperService::new(service)).into_owned()
    })
    .await;
    Ok(())
}

/// A body that has to keep coming.
struct Paced<B> {
    inner: B,
    pause: Duration,
    end: Instant,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<B> Paced<B> {
    fn new(inner: B, (pause, whole): (Duration, Duration)) -> Self {
        Self { inner, pause, end: Instant::now() + whole, waiting: None }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Paced<B>
where
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until = self.end.min(Instant::now() + self.pause);
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
        net::TcpStream,
        sync::mpsc,
    };

    use super::*;

    /// A body that is sent by the test.
    struct Sent(mpsc::UnboundedReceiver<Bytes>);

    impl HttpBody for Sent {
        type Data = Bytes;
        type Error = axum::BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
            self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_given_up() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let body = Body::new(Paced::new(Sent(receiver), BODY));
        sender.send(Bytes::from_static(b"{")).unwrap();
        assert!(axum::body::to_bytes(body, 1_000).await.is_err());
        drop(sender);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_too() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let trickle = tokio::spawn(async move {
            let mut sent = 0;
            while sender.send(Bytes::from_static(b" ")).is_ok() {
                sent += 1;
                tokio::time::sleep(BODY.0 / 2).await;
            }
            sent
        });
        assert!(axum::body::to_bytes(Body::new(Paced::new(Sent(receiver), BODY)), 1_000).await.is_err());
        assert!((12..=14).contains(&trickle.await.unwrap()));
    }

    async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn rest_is_served_under_tls_and_ends_with_the_stop() {
        let directory = tempfile::tempdir().unwrap();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (directory.path().join("cert"), directory.path().join("key"));
        std::fs::write(&cert, certified.cert.pem()).unwrap();
        std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
        let files = tls::Files { cert: Some(cert), key: Some(key), ..tls::Files::default() };
        let config = mesh::Config { tls: files, ..mesh::Config::default() };

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), Stop::new());
        let peer = async |request: Request| format!("{:?}", request.extensions().get::<mesh::Peer>());
        let router = Router::new().route("/", axum::routing::get(peer));
        let serving = {
            let stop = stop.clone();
            tokio::spawn(async move { serve(listener, router, stop, &config).await })
        };

        let mut roots = rustls::RootCertStore::empty();
        roots.add(certified.cert.der().clone()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(client));
        let stream = TcpStream::connect(address).await.unwrap();
        let text = get(connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()).await;
        assert!(text.starts_with("HTTP/1.1 200") && text.contains("Some(Address(127.0.0.1:"), "{text}");

        // Connections that never say anything do not hold it.
        let silent = TcpStream::connect(address).await.unwrap();
        stop.request();
        tokio::time::timeout(Duration::from_secs(300), serving).await.expect("it hangs").unwrap().unwrap();
        drop(silent);
    }

    #[tokio::test]
    async fn a_body_that_comes_is_read_whole() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let trickle = tokio::spawn(async move {
            for _ in 0..100 {
                sender.send(Bytes::from_static(b" ")).unwrap();
                tokio::task::yield_now().await;
            }
        });
        let read = axum::body::to_bytes(Body::new(Paced::new(Sent(receiver), BODY)), 1_000).await.unwrap();
        assert_eq!(read.len(), 100);
        trickle.await.unwrap();
    }
}
