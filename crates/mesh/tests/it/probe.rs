//! A service that does what its requests ask for, its client, and servers of it.

use std::{convert::Infallible, future::ready, net::SocketAddr, sync::Arc, task::Poll};

use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream};
use http::uri::PathAndQuery;
use mesh::{Channel, Config, Peer, Principal, Server, Stop};
use prost_reflect::DescriptorPool;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle, time::Instant};
use tonic::{Request, Response, Status, Streaming, body::Body, server::NamedService};
use tonic_prost::ProstCodec;
use types::Fault;

pub(crate) const ASK: &str = "/waybill.test.v1.ProbeService/Ask";
pub(crate) const FOLLOW: &str = "/waybill.test.v1.ProbeService/Follow";

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Question {
    #[prost(string, tag = "1")]
    pub(crate) what: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Answer {
    #[prost(string, tag = "1")]
    pub(crate) principal: String,
    #[prost(string, tag = "2")]
    pub(crate) request_id: String,
    #[prost(string, tag = "3")]
    pub(crate) trace_parent: String,
    #[prost(uint64, tag = "4")]
    pub(crate) left_millis: u64,
}

/// The service; `gate` holds calls of "hold" until the test adds permits, `next` is who it forwards to.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) held: Arc<Semaphore>,
    pub(crate) next: Option<Channel>,
}

impl Default for Probe {
    fn default() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), held: Arc::new(Semaphore::new(0)), next: None }
    }
}

impl Probe {
    pub(crate) fn forwarding_to(next: Channel) -> Self {
        Self { next: Some(next), ..Self::default() }
    }

    async fn ask(self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let call = mesh::call(&request);
        assert_eq!(*mesh::caller(&request), *call.principal);
        match request.get_ref().what.as_str() {
            "echo" => (),
            "peer" => {
                let peer = request.extensions().get::<Peer>().expect("every call has one");
                return Ok(Response::new(Answer { principal: format!("{peer:?}"), ..Answer::default() }));
            }
            "invalid" => return Err(mesh::status(Fault::invalid("lines[2].quantity", "must be positive"))),
            "internal" => return Err(mesh::status(Fault::internal("secret"))),
            "panic" => panic!("asked to"),
            "never" => std::future::pending().await,
            "hold" => {
                self.held.add_permits(1);
                self.gate.acquire().await.expect("open").forget();
            }
            "forward" => return ask(&self.next.expect("a next hop"), "echo").await,
            what => panic!("unknown: {what}"),
        }
        let left = call.deadline.map_or(0, |at| at.duration_since(Instant::now()).as_millis());
        Ok(Response::new(Answer {
            principal: call.principal.to_string(),
            request_id: call.request_id,
            trace_parent: call.trace_parent,
            left_millis: left.try_into().expect("short"),
        }))
    }

    fn follow(self, request: Request<Question>) -> Result<Response<Answers>, Status> {
        let first = stream::once(async { Ok(Answer::default()) });
        let rest: Answers = match request.into_inner().what.as_str() {
            "never" => stream::pending().boxed(),
            "flood" => {
                stream::repeat_with(|| Ok(Answer { principal: "x".repeat(10_000), ..Answer::default() })).boxed()
            }
            "panic" => stream::once(async {
                // The answer before is sent first.
                tokio::task::yield_now().await;
                panic!("asked to")
            })
            .boxed(),
            "forward" => {
                let next = self.next.expect("a next hop");
                stream::once(async move { Ok(ask(&next, "echo").await?.into_inner()) }).boxed()
            }
            what => panic!("unknown: {what}"),
        };
        Ok(Response::new(first.chain(rest).boxed()))
    }
}

type Answers = std::pin::Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

impl NamedService for Probe {
    const NAME: &'static str = "waybill.test.v1.ProbeService";
}

impl tower::Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut grpc = tonic::server::Grpc::new(ProstCodec::<Answer, Question>::default());
        let probe = self.clone();
        async move {
            Ok(match request.uri().path() {
                ASK => grpc.unary(Handler(move |request| probe.clone().ask(request)), request).await,
                _ => grpc.server_streaming(Handler(move |request| ready(probe.clone().follow(request))), request).await,
            })
        }
        .boxed()
    }
}

pub(crate) struct Handler<F>(pub(crate) F);

impl<F, R, A> tower::Service<Request<Question>> for Handler<F>
where
    F: Fn(Request<Question>) -> R,
    R: Future<Output = Result<Response<A>, Status>>,
{
    type Response = Response<A>;
    type Error = Status;
    type Future = R;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Question>) -> R {
        (self.0)(request)
    }
}

pub(crate) fn question(what: &str) -> Request<Question> {
    Request::new(Question { what: what.to_owned() })
}

/// Asks as a service.
pub(crate) async fn ask(channel: &Channel, what: &str) -> Result<Response<Answer>, Status> {
    ask_with(channel, question(what), ASK).await
}

pub(crate) async fn ask_with(
    channel: &Channel,
    request: Request<Question>,
    path: &'static str,
) -> Result<Response<Answer>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.expect("always ready");
    grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::<Question, Answer>::default()).await
}

pub(crate) async fn follow(channel: &Channel, request: Request<Question>) -> Result<Streaming<Answer>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.expect("always ready");
    let codec = ProstCodec::<Question, Answer>::default();
    Ok(grpc.server_streaming(request, PathAndQuery::from_static(FOLLOW), codec).await?.into_inner())
}

/// The descriptors of the probe and of the real options.
pub(crate) fn descriptors() -> &'static DescriptorPool {
    compile(&["probe.proto"])
}

/// The descriptors of one of the tests' contracts and of what it imports.
pub(crate) fn compile(files: &[&str]) -> &'static DescriptorPool {
    let mut compiler = protox::Compiler::new(["tests/protos", "../../proto", "../../proto/third_party"]).unwrap();
    compiler.include_imports(true).open_files(files).unwrap();
    Box::leak(Box::new(compiler.descriptor_pool()))
}

pub(crate) fn server(config: &Config, probe: Probe) -> Server {
    Server::new("probe", config, descriptors())
        .with_default_principal(Principal::service("somebody"))
        .add_service(probe)
}

/// A server on the network, and the way to it.
pub(crate) struct Served {
    pub(crate) channel: Channel,
    pub(crate) address: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<Result<(), mesh::ServerError>>,
}

pub(crate) async fn serve(server: Server) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::new();
    let task = tokio::spawn(server.serve(listener, stop.clone()));
    Served { channel: Channel::connect(&format!("http://{address}")).unwrap(), address, stop, task }
}

/// The same server in the process and on the network.
pub(crate) async fn both(server: Server) -> [Channel; 2] {
    [server.clone().into_channel().unwrap(), serve(server).await.channel]
}
