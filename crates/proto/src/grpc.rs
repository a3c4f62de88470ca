//! Calls of any method, as bytes: tonic's part of a call is compiled once, and not for each method and crate.
//!
//! The generated clients and servers are thin: they read and write their messages and leave the rest to this module.

use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::Bytes,
};

use crate::MessageBytes;

pub(crate) use ::tonic;

/// What generated clients use.
pub(crate) mod client {
    pub(crate) use tonic::{
        GrpcMethod, IntoRequest, Streaming,
        body::Body,
        client::{Grpc, GrpcService},
        codegen::{Body as HttpBody, Bytes, StdError},
    };
    use tonic::{Request, Response, Status, codegen::http::uri::PathAndQuery};

    use super::BytesCodec;
    use crate::MessageBytes;

    /// Calls a unary method.
    pub(crate) async fn call<T, M, R>(
        grpc: &mut Grpc<T>,
        request: Request<M>,
        method: GrpcMethod<'static>,
        path: &'static str,
    ) -> Result<Response<R>, Status>
    where
        T: GrpcService<Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
        <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
        M: MessageBytes,
        R: MessageBytes,
    {
        let request = request.map(|message| message.to_bytes());
        let (metadata, bytes, extensions) = call_bytes(grpc, request, method, path).await?.into_parts();
        Ok(Response::from_parts(metadata, super::decoded(bytes)?, extensions))
    }

    async fn call_bytes<T>(
        grpc: &mut Grpc<T>,
        mut request: Request<Bytes>,
        method: GrpcMethod<'static>,
        path: &'static str,
    ) -> Result<Response<Bytes>, Status>
    where
        T: GrpcService<Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
        <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
    {
        ready(grpc).await?;
        request.extensions_mut().insert(method);
        grpc.unary(request, PathAndQuery::from_static(path), BytesCodec).await
    }

    /// Calls a method that answers with a stream.
    pub(crate) async fn call_streaming<T, M, R>(
        grpc: &mut Grpc<T>,
        mut request: Request<M>,
        method: GrpcMethod<'static>,
        path: &'static str,
    ) -> Result<Response<Streaming<R>>, Status>
    where
        T: GrpcService<Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
        <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
        M: prost::Message + Send + Sync + 'static,
        R: prost::Message + Default + Send + Sync + 'static,
    {
        ready(grpc).await?;
        request.extensions_mut().insert(method);
        let codec = tonic_prost::ProstCodec::<M, R>::default();
        grpc.server_streaming(request, PathAndQuery::from_static(path), codec).await
    }

    async fn ready<T>(grpc: &mut Grpc<T>) -> Result<(), Status>
    where
        T: GrpcService<Body>,
        T::Error: Into<StdError>,
    {
        grpc.ready().await.map_err(|error| Status::unknown(format!("Service was not ready: {}", error.into())))
    }
}

/// What generated servers use.
pub(crate) mod server {
    pub(crate) use std::{
        convert::Infallible,
        pin::Pin,
        sync::Arc,
        task::{Context, Poll},
    };

    use tonic::{
        Request, Response, Status,
        codegen::tokio_stream::StreamExt as _,
        server::{Grpc, ServerStreamingService, UnaryService},
    };
    pub(crate) use tonic::{
        async_trait,
        codegen::{BoxFuture, Bytes, Service, tokio_stream::Stream},
    };

    use super::BytesCodec;
    use crate::MessageBytes;

    pub(crate) type HttpRequest = tonic::codegen::http::Request<tonic::body::Body>;
    pub(crate) type HttpResponse = tonic::codegen::http::Response<tonic::body::Body>;
    pub(crate) type Answer = BoxFuture<HttpResponse, Infallible>;

    /// A handler of one call.
    type Handler<R> = Box<dyn FnOnce(Request<Bytes>) -> BoxFuture<Response<R>, Status> + Send>;

    /// Encoded messages.
    pub(crate) struct BytesStream(Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>);

    impl Stream for BytesStream {
        type Item = Result<Bytes, Status>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.as_mut().poll_next(cx)
        }
    }

    /// The request of a method; a status when it is not its message.
    pub(crate) fn decode<M: MessageBytes>(request: Request<Bytes>) -> Result<Request<M>, Status> {
        let (metadata, extensions, bytes) = request.into_parts();
        Ok(Request::from_parts(metadata, extensions, super::decoded(bytes)?))
    }

    /// The response of a unary method.
    pub(crate) fn encode<R: MessageBytes>(response: Response<R>) -> Response<Bytes> {
        response.map(|message| message.to_bytes())
    }

    /// The response of a method that answers with a stream.
    pub(crate) fn encode_stream<S, R>(response: Response<S>) -> Response<BytesStream>
    where
        S: Stream<Item = Result<R, Status>> + Send + 'static,
        R: MessageBytes,
    {
        let encoded = |messages: S| messages.map(|message| message.map(|message| message.to_bytes()));
        response.map(|messages| BytesStream(Box::pin(encoded(messages))))
    }

    /// Answers a call of a unary method.
    pub(crate) fn answer(request: HttpRequest, handler: Handler<Bytes>) -> Answer {
        Box::pin(async move { Ok(Grpc::new(BytesCodec).unary(Once(Some(handler)), request).await) })
    }

    /// Answers a call of a method that answers with a stream.
    pub(crate) fn answer_streaming(request: HttpRequest, handler: Handler<BytesStream>) -> Answer {
        Box::pin(async move { Ok(Grpc::new(BytesCodec).server_streaming(Once(Some(handler)), request).await) })
    }

    /// Answers a call of a method that is not there.
    pub(crate) fn unimplemented() -> Answer {
        Box::pin(async { Ok(Status::unimplemented("").into_http()) })
    }

    /// Tonic asks for a service, which may be called again; it is called once.
    struct Once<R>(Option<Handler<R>>);

    impl<R: 'static> Once<R> {
        fn handle(&mut self, request: Request<Bytes>) -> BoxFuture<Response<R>, Status> {
            match self.0.take() {
                Some(handler) => handler(request),
                None => Box::pin(async { Err(Status::internal("a call was handled twice")) }),
            }
        }
    }

    impl UnaryService<Bytes> for Once<Bytes> {
        type Response = Bytes;
        type Future = BoxFuture<Response<Bytes>, Status>;

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            self.handle(request)
        }
    }

    impl ServerStreamingService<Bytes> for Once<BytesStream> {
        type Response = Bytes;
        type ResponseStream = BytesStream;
        type Future = BoxFuture<Response<BytesStream>, Status>;

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            self.handle(request)
        }
    }
}

fn decoded<M: MessageBytes>(bytes: Bytes) -> Result<M, Status> {
    M::from_bytes(bytes).map_err(|error| Status::internal(error.to_string()))
}

/// Messages as they are on the wire, for a method whose types are not known.
#[derive(Debug, Clone, Copy)]
pub struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use prost::bytes::BufMut as _;
        to.put(bytes);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        use prost::bytes::Buf as _;
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
