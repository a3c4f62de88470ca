//! The services and methods of the descriptors, as a catalogue.

use http::Method;
use prost_reflect::{MethodDescriptor, ServiceDescriptor};

use crate::{
    comments::{Comments, first_sentence},
    rule::annotations,
    transcoder::Transcoder,
};

/// A service of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedService {
    /// Full name.
    pub name: String,
    /// The first sentence of its comment.
    pub description: String,
    /// Its methods, in the order of the contract.
    pub methods: Vec<DescribedMethod>,
}

/// A method of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedMethod {
    /// Its name in the service.
    pub name: String,
    /// `/package.Service/Method`
    pub path: String,
    /// The first sentence of its comment.
    pub description: String,
    /// Which sides of a call are streams.
    pub kind: CallKind,
    /// Its HTTP bindings; empty when it is not routed.
    pub bindings: Vec<Binding>,
    /// Whether it is marked as deprecated.
    pub deprecated: bool,
}

/// Which sides of a call are streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// One request, one response.
    Unary,
    /// One request, a stream of responses.
    ServerStream,
    /// A stream of requests, one response.
    ClientStream,
    /// Streams of requests and responses.
    BidirectionalStream,
}

/// One `google.api.http` binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The HTTP method; `None` is any.
    pub method: Option<Method>,
    /// The path template, as in the contract.
    pub path: String,
}

impl Transcoder {
    /// Every service of the descriptors, by name.
    pub fn services(&self) -> Vec<DescribedService> {
        let pool = &self.compiled.pool;
        let comments = Comments::of(pool);
        let mut services: Vec<_> = pool.services().map(|service| self.service(&service, &comments)).collect();
        services.sort_by(|one, other| one.name.cmp(&other.name));
        services
    }

    fn service(&self, service: &ServiceDescriptor, comments: &Comments) -> DescribedService {
        DescribedService {
            name: service.full_name().to_owned(),
            description: first_sentence(comments.get(&service.parent_file(), service.path())),
            methods: service.methods().map(|method| self.method(&method, comments)).collect(),
        }
    }

    fn method(&self, method: &MethodDescriptor, comments: &Comments) -> DescribedMethod {
        let routed = self.compiled.endpoints.iter().any(|endpoint| endpoint.method == *method);
        let bindings = if routed { annotations(method) } else { Vec::new() };
        DescribedMethod {
            name: method.name().to_owned(),
            path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
            description: first_sentence(comments.get(&method.parent_file(), method.path())),
            kind: match (method.is_client_streaming(), method.is_server_streaming()) {
                (false, false) => CallKind::Unary,
                (false, true) => CallKind::ServerStream,
                (true, false) => CallKind::ClientStream,
                (true, true) => CallKind::BidirectionalStream,
            },
            bindings: bindings.into_iter().map(|one| Binding { method: one.method, path: one.path }).collect(),
            deprecated: is_deprecated(method),
        }
    }
}

/// Whether a method is marked as deprecated.
pub(crate) fn is_deprecated(method: &MethodDescriptor) -> bool {
    method.method_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated())
}
