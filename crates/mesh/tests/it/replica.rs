//! Replicas of a service with a real contract, whose answers the test chooses.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::Poll,
};

use futures::{FutureExt, future::BoxFuture};
use http::HeaderMap;
use mesh::{Channel, Config, Principal, Server, Stop};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{Response, Status, body::Body, server::NamedService};
use tonic_prost::ProstCodec;

use crate::probe::{Answer, Handler, Question, ask_with, question};

/// Reads, so it is repeated.
pub(crate) const GET: &str = "/waybill.order.v1.OrderService/GetOrder";
/// Changes something, and is repeated only with a request id.
pub(crate) const PLACE: &str = "/waybill.order.v1.OrderService/PlaceOrder";

type Answers = dyn Fn(usize, HeaderMap) -> BoxFuture<'static, Result<(), Status>> + Send + Sync;

/// Answers every call as the function says, which is given the call's number and headers.
#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) calls: Arc<AtomicUsize>,
    answers: Arc<Answers>,
}

impl Replica {
    pub(crate) fn new<F, R>(answers: F) -> Self
    where
        F: Fn(usize, HeaderMap) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let answers = move |number, headers| answers(number, headers).boxed();
        Self { calls: Arc::default(), answers: Arc::new(answers) }
    }

    /// Answers at once.
    pub(crate) fn good() -> Self {
        Self::new(|_, _| async { Ok(()) })
    }

    /// Never works.
    pub(crate) fn bad() -> Self {
        Self::new(|_, _| async { Err(Status::unavailable("no")) })
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn server(&self, config: &Config) -> Server {
        Server::new("order", config, proto::pool())
            .with_default_principal(Principal::local_administrator())
            .add_service(self.clone())
    }

    /// Serves on the network until stopped.
    pub(crate) async fn serve(&self) -> Serving {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.serve_on(listener)
    }

    pub(crate) fn serve_on(&self, listener: TcpListener) -> Serving {
        let (address, stop) = (listener.local_addr().unwrap(), Stop::new());
        let task = tokio::spawn(self.server(&Config::default()).serve(listener, stop.clone()));
        Serving { address, stop, task }
    }
}

pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<Result<(), mesh::ServerError>>,
}

/// The way to several addresses.
pub(crate) fn to(addresses: &[SocketAddr]) -> Channel {
    let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
    Channel::connect(&urls.join(",")).unwrap()
}

/// An address at which nobody listens and, on Linux, nobody will by chance: of a host of its own.
pub(crate) fn nobody() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    let host = if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, 0, 0, NEXT.fetch_add(1, Ordering::SeqCst))
    } else {
        Ipv4Addr::LOCALHOST
    };
    std::net::TcpListener::bind((host, 0)).unwrap().local_addr().unwrap()
}

pub(crate) async fn get(channel: &Channel) -> Result<(), Status> {
    ask_with(channel, question(""), GET).await.map(drop)
}

impl NamedService for Replica {
    const NAME: &'static str = "waybill.order.v1.OrderService";
}

impl tower::Service<http::Request<Body>> for Replica {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let (answers, headers) = (self.answers.clone(), request.headers().clone());
        let handler = Handler(move |_: tonic::Request<Question>| {
            let answer = answers(number, headers.clone());
            async move { answer.await.map(|()| Response::new(Answer::default())) }
        });
        async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Answer, Question>::default());
            Ok(grpc.unary(handler, request).await)
        }
        .boxed()
    }
}
