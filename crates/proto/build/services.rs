//! Generates clients and servers of gRPC services with the names of tonic's own generator.
//!
//! What tonic makes of a method's types is a few thousand lines of machine code for each, in every crate that calls or
//! answers it. Here a method only reads and writes its messages; see `src/grpc.rs` for the rest.

use std::fmt::{Error, Write as _};

use prost_build::{Comments, Method, Service, ServiceGenerator};

/// What prost calls for each service.
pub struct Generator;

impl ServiceGenerator for Generator {
    fn generate(&mut self, service: Service, out: &mut String) {
        if let Some(method) = service.methods.iter().find(|method| method.client_streaming) {
            let problem = format!("{}: no method with a stream of requests is generated yet", method.proto_name);
            out.push_str(&format!("compile_error!({problem:?});\n"));
            return;
        }
        // Writing to a String does not fail.
        let _written = client(&service, out).and_then(|()| server(&service, out));
    }
}

fn client(service: &Service, out: &mut String) -> Result<(), Error> {
    let name = &service.name;
    let full = full_name(service);
    writeln!(out, "/// Client of {name}.\npub mod {}_client {{", module(service))?;
    writeln!(out, "    use crate::grpc::{{client::*, tonic}};")?;
    documented(out, 1, &service.comments);
    writeln!(out, "    #[derive(Debug, Clone)]\n    pub struct {name}Client<T> {{ inner: Grpc<T> }}")?;
    writeln!(out, "    impl<T> {name}Client<T>\n    where\n        T: GrpcService<Body>,")?;
    writeln!(out, "        T::Error: Into<StdError>,")?;
    writeln!(out, "        T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,")?;
    writeln!(out, "        <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,\n    {{")?;
    writeln!(out, "        /// Calls over this channel.")?;
    writeln!(out, "        pub fn new(inner: T) -> Self {{ Self {{ inner: Grpc::new(inner) }} }}")?;
    writeln!(out, "        /// The largest message that is taken, in bytes.\n        #[must_use]")?;
    writeln!(out, "        pub fn max_decoding_message_size(self, limit: usize) -> Self {{")?;
    writeln!(out, "            Self {{ inner: self.inner.max_decoding_message_size(limit) }}\n        }}")?;
    for method in &service.methods {
        let (input, output) = (path(&method.input_type), path(&method.output_type));
        let (reply, call) = match method.server_streaming {
            true => (format!("Streaming<{output}>"), "call_streaming"),
            false => (output, "call"),
        };
        documented(out, 2, &method.comments);
        writeln!(out, "        pub async fn {}(&mut self, request: impl IntoRequest<{input}>)", method.name)?;
        writeln!(out, "            -> Result<tonic::Response<{reply}>, tonic::Status>\n        {{")?;
        writeln!(out, "            let method = GrpcMethod::new({full:?}, {:?});", method.proto_name)?;
        writeln!(out, "            let path = \"/{full}/{}\";", method.proto_name)?;
        writeln!(out, "            {call}(&mut self.inner, request.into_request(), method, path).await\n        }}")?;
    }
    writeln!(out, "    }}\n}}")
}

fn server(service: &Service, out: &mut String) -> Result<(), Error> {
    let name = &service.name;
    writeln!(out, "/// Server of {name}.\npub mod {}_server {{", module(service))?;
    writeln!(out, "    use crate::grpc::{{server::*, tonic}};")?;
    documented(out, 1, &service.comments);
    writeln!(out, "    #[async_trait]\n    pub trait {name}: Send + Sync + 'static {{")?;
    for method in &service.methods {
        let (input, mut reply) = (path(&method.input_type), path(&method.output_type));
        if method.server_streaming {
            writeln!(out, "        /// The stream of answers of `{}`.", method.name)?;
            writeln!(
                out,
                "        type {}: Stream<Item = Result<{reply}, tonic::Status>> + Send + 'static;",
                stream(method)
            )?;
            reply = format!("Self::{}", stream(method));
        }
        documented(out, 2, &method.comments);
        writeln!(out, "        async fn {}(&self, request: tonic::Request<{input}>)", method.name)?;
        writeln!(out, "            -> Result<tonic::Response<{reply}>, tonic::Status>;")?;
    }
    writeln!(out, "    }}")?;
    writeln!(out, "    /// Serves what implements [`{name}`].\n    #[derive(Debug)]")?;
    writeln!(out, "    pub struct {name}Server<T> {{ inner: Arc<T> }}")?;
    writeln!(out, "    impl<T> {name}Server<T> {{\n        /// Serves this.")?;
    writeln!(out, "        pub fn new(inner: T) -> Self {{ Self {{ inner: Arc::new(inner) }} }}\n    }}")?;
    writeln!(out, "    impl<T> Clone for {name}Server<T> {{")?;
    writeln!(out, "        fn clone(&self) -> Self {{ Self {{ inner: self.inner.clone() }} }}\n    }}")?;
    writeln!(out, "    impl<T> tonic::server::NamedService for {name}Server<T> {{")?;
    writeln!(out, "        const NAME: &'static str = {:?};\n    }}", full_name(service))?;
    writeln!(out, "    impl<T: {name}> Service<HttpRequest> for {name}Server<T> {{")?;
    writeln!(
        out,
        "        type Response = HttpResponse;\n        type Error = Infallible;\n        type Future = Answer;"
    )?;
    writeln!(out, "        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {{")?;
    writeln!(out, "            Poll::Ready(Ok(()))\n        }}")?;
    writeln!(out, "        fn call(&mut self, request: HttpRequest) -> Answer {{")?;
    writeln!(out, "            let inner = self.inner.clone();\n            match request.uri().path() {{")?;
    for method in &service.methods {
        let answer = if method.server_streaming { "answer_streaming" } else { "answer" };
        let encode = if method.server_streaming { "encode_stream" } else { "encode" };
        writeln!(out, "                \"/{}/{}\" => {answer}(", full_name(service), method.proto_name)?;
        writeln!(out, "                    request,")?;
        writeln!(out, "                    Box::new(move |request| Box::pin(async move {{")?;
        writeln!(out, "                        Ok({encode}(inner.{}(decode(request)?).await?))", method.name)?;
        writeln!(out, "                    }})),\n                ),")?;
    }
    writeln!(out, "                _ => unimplemented(),\n            }}\n        }}\n    }}\n}}")
}

fn documented(out: &mut String, indent: u8, comments: &Comments) {
    comments.append_with_indent(indent, out);
}

/// `order_service` of OrderService.
fn module(service: &Service) -> String {
    let mut module = String::new();
    for (index, letter) in service.name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            module.push('_');
        }
        module.extend(letter.to_lowercase());
    }
    module
}

/// `waybill.order.v1.OrderService`.
fn full_name(service: &Service) -> String {
    format!("{}.{}", service.package, service.proto_name)
}

/// `FollowEventsStream` of FollowEvents.
fn stream(method: &Method) -> String {
    format!("{}Stream", method.proto_name)
}

/// A message's type, seen from a module below that of its package.
fn path(message: &str) -> String {
    format!("super::{message}")
}
