//! The listener of the REST API: HTTP/1.1 and HTTP/2, with or without TLS, with limits for slow callers.

use std::time::Duration;

use axum::{Router, body::Body, extract::Request};
use futures::future::BoxFuture;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use mesh::{Intake, Limits, Stop, tls};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::front::Front;

/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How often a silent connection is asked whether it lives, and how long it has to answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// The longest head, as other servers have it.
const HEADERS: u32 = 64 * 1_024;
/// How many bytes of one request, and of all requests of a connection, a caller may send before they are read.
const WINDOWS: (u32, u32) = (64 * 1_024, 256 * 1_024);
/// How many bytes of an answer wait for its caller.
const ANSWER: usize = 256 * 1_024;

/// Serves until the stop; calls then have the drain time to end. What comes in is counted there.
pub fn serve<'a>(
    listener: TcpListener,
    router: Router,
    stop: Stop,
    config: &'a mesh::Config,
    intake: &'a Intake,
) -> BoxFuture<'a, Result<(), tls::TlsError>> {
    Box::pin(serve_until(listener, router, stop, config, intake))
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    stop: Stop,
    config: &mesh::Config,
    intake: &Intake,
) -> Result<(), tls::TlsError> {
    let tls = tls::Server::load(&config.tls, tls::Callers::Anybody, &["h2", "http/1.1"])?;
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEADERS as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE.0)
        .keep_alive_timeout(KEEP_ALIVE.1)
        .max_concurrent_streams(config.intake.max_connection_streams)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .max_send_buf_size(ANSWER)
        .max_header_list_size(HEADERS);
    let front = Front::new(router, config.request_log_sample);
    mesh::accept(listener, tls, Limits::http(config), intake, &stop, move |wire, connection| {
        let service = front.clone().map_request(move |request: Request<hyper::body::Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(connection.peer().clone());
            request.extensions_mut().insert(connection.clone());
            request
        });
        builder.serve_connection(TokioIo::new(wire), TowerToHyperService::new(service)).into_owned()
    })
    .await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

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
            let intake = Intake::of(&config.intake);
            tokio::spawn(async move { serve(listener, router, stop, &config, &intake).await })
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
}
