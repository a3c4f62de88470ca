//! Routes a request, reads it, calls the service and writes the answer.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version, header, request::Parts, uri::PathAndQuery};
use http_body_util::{Full, combinators::UnsyncBoxBody};
use prost_reflect::DescriptorPool;
use tower::{ServiceExt, util::BoxCloneSyncService};

use crate::{
    frame::{Failure, Frames, frame},
    headers, limits,
    problem::{Precondition, Problem},
    protobuf::Tables,
    request,
    respond::{self, ResponseOptions},
    router::{Found, Router},
    rule::{self, Body, Endpoint, Rule, RuleError},
    stream::Format,
};

/// The largest body of a request, in bytes, unless another limit is set: 4 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 4 << 20;

/// The error of a service that did not answer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The target of calls to a service: a channel, or the service's own router in this process.
pub type Upstream = BoxCloneSyncService<Request<tonic::body::Body>, Response<tonic::body::Body>, BoxError>;

/// The body of an answer.
pub type ResponseBody = UnsyncBoxBody<Bytes, Infallible>;

/// The gRPC method that was called, and by which route; in the extensions of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledMethod {
    path: PathAndQuery,
    route: Arc<str>,
}

/// The `ErrorInfo.reason` of a refusal; in the extensions of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalReason(pub String);

/// Answers HTTP requests with gRPC calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Transcoder {
    pub(crate) compiled: Arc<Compiled>,
    tables: Arc<Tables>,
    body_limit: usize,
}

/// The compiled descriptors.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) pool: DescriptorPool,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) rules: Vec<Rule>,
    router: Router<usize>,
}

impl CalledMethod {
    /// `/package.Service/Method`
    pub fn as_str(&self) -> &str {
        self.path.path()
    }

    /// The template of the HTTP path: `/v1/orders/{order_id}`
    pub fn route(&self) -> &str {
        &self.route
    }
}

impl Transcoder {
    /// Compiles the rules of the services that have an upstream.
    ///
    /// # Errors
    /// All errors of all rules.
    pub fn new(pool: &DescriptorPool, upstreams: HashMap<String, Upstream>) -> Result<Self, Vec<RuleError>> {
        let unreadable = |error: prost_reflect::DescriptorError| {
            let problem = error.to_string();
            vec![RuleError { method: "descriptors".to_owned(), rule: "-".to_owned(), problem }]
        };
        // Details of errors can be read even when no proto of a service imports them.
        let details = DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).map_err(unreadable)?;
        let tables = Tables::compile(&[pool, &details]);

        let mut compiled =
            Compiled { pool: pool.clone(), endpoints: Vec::new(), rules: Vec::new(), router: Router::default() };
        let mut errors = Vec::new();
        let mut names: Vec<_> = upstreams.into_iter().collect();
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, upstream) in names {
            let Some(service) = pool.get_service_by_name(&name) else {
                let problem = "the service is not described".to_owned();
                errors.push(RuleError { method: name, rule: "-".to_owned(), problem });
                continue;
            };
            for method in service.methods() {
                match Endpoint::new(&method, upstream.clone(), &tables) {
                    Ok(endpoint) => compiled.add(endpoint, &mut errors),
                    Err(error) => errors.push(error),
                }
            }
        }
        if errors.is_empty() {
            Ok(Self { compiled: Arc::new(compiled), tables: Arc::new(tables), body_limit: DEFAULT_BODY_LIMIT })
        } else {
            Err(errors)
        }
    }

    /// The descriptors that were compiled.
    pub fn pool(&self) -> &DescriptorPool {
        &self.compiled.pool
    }

    /// The largest body of a request, in bytes; [`DEFAULT_BODY_LIMIT`] unless set.
    #[must_use]
    pub fn with_body_limit(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// Answers a request. A failure is answered as `application/problem+json`.
    pub async fn call<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: http_body::Body<Error: Into<BoxError>>,
    {
        let (parts, body) = request.into_parts();
        let request_id = parts.headers.get("x-request-id");
        let refuse =
            |problem: Problem| problem.into_response(request_id.and_then(|request_id| request_id.to_str().ok()));
        let mut answer = match self.find(&parts) {
            Ok((rule, path)) => {
                let endpoint = &self.compiled.endpoints[rule.endpoint];
                let mut answer = self.answer(rule, endpoint, &path, &parts, body).await.unwrap_or_else(refuse);
                answer.extensions_mut().insert(CalledMethod { path: endpoint.path.clone(), route: rule.route.clone() });
                answer
            }
            Err(problem) => refuse(problem),
        };
        if let (Some(request_id), false) = (request_id, answer.headers().contains_key("x-request-id")) {
            answer.headers_mut().insert("x-request-id", request_id.clone());
        }
        if let Some(length) = http_body::Body::size_hint(answer.body()).exact()
            && answer.status() != StatusCode::NO_CONTENT
        {
            answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        if parts.method == Method::HEAD {
            *answer.body_mut() = respond::empty();
        }
        answer
    }

    /// The path of the gRPC method that a request calls: `/package.Service/Method`. Without one it is refused whoever calls.
    pub fn called_method(&self, parts: &Parts) -> Option<&str> {
        self.find(parts).ok().map(|(rule, _)| self.compiled.endpoints[rule.endpoint].path.path())
    }

    /// Answers a request whose body was not read with a refusal of its call.
    pub fn refuse(&self, parts: &Parts, refusal: Response<tonic::body::Body>) -> Response<ResponseBody> {
        let problem = match Frames::of(refusal) {
            Ok(_) => Problem::unreadable_answer(),
            Err(failure) => Problem::of_failure(failure, &self.tables, Precondition::None),
        };
        self.refused(parts, problem)
    }

    /// Answers a change whose content type is not JSON, whether it has a body or not.
    pub fn refuse_media_type(&self, parts: &Parts) -> Response<ResponseBody> {
        self.refused(parts, Problem::not_json())
    }

    fn refused(&self, parts: &Parts, problem: Problem) -> Response<ResponseBody> {
        let mut answer = problem.into_response(headers::text(&parts.headers, "x-request-id"));
        if let Ok((rule, _)) = self.find(parts) {
            let path = self.compiled.endpoints[rule.endpoint].path.clone();
            answer.extensions_mut().insert(CalledMethod { path, route: rule.route.clone() });
        }
        answer
    }

    fn find<'p>(&self, parts: &'p Parts) -> Result<(&Rule, Vec<&'p str>), Problem> {
        limits::check(parts)?;
        match self.compiled.router.find(&parts.method, parts.uri.path()) {
            Found::Target(rule, path) => Ok((&self.compiled.rules[*rule], path)),
            Found::OtherMethods(allowed) => Err(Problem::other_method(&parts.method, &allowed)),
            Found::Nothing => Err(Problem::no_route(parts.uri.path())),
        }
    }

    async fn answer<B>(
        &self,
        rule: &Rule,
        endpoint: &Endpoint,
        path: &[&str],
        parts: &Parts,
        body: B,
    ) -> Result<Response<ResponseBody>, Problem>
    where
        B: http_body::Body<Error: Into<BoxError>>,
    {
        let produced = respond::media_types(endpoint);
        if !headers::accepts(&parts.headers, produced) {
            return Err(Problem::not_acceptable(produced));
        }
        let headers = headers::request_headers(&parts.headers)?;
        let body = match &rule.body {
            Body::None => request::read_nothing(body).await?,
            Body::Whole | Body::Field(_) => request::read(&parts.headers, body, self.body_limit).await?,
        };
        let message = request::assemble(rule, endpoint, parts, path, &body)?;
        let framed = frame(&message).ok_or_else(|| Problem::too_large(self.body_limit))?;
        drop((body, message));

        let mut call = Request::new(tonic::body::Body::new(Full::new(framed)));
        *call.method_mut() = Method::POST;
        *call.uri_mut() = endpoint.path.clone().into();
        *call.version_mut() = Version::HTTP_2;
        *call.headers_mut() = headers;
        *call.extensions_mut() = parts.extensions.clone();

        let options = ResponseOptions::new(&self.tables, rule, endpoint, &parts.headers);
        let response = match endpoint.upstream.clone().oneshot(call).await {
            Ok(response) => response,
            Err(error) => return Err(options.problem(Failure::of_transport(error))),
        };
        if endpoint.method.is_server_streaming() {
            let format = match headers::wants_events(&parts.headers) {
                true => Format::Events,
                false => Format::Lines,
            };
            respond::streaming(options, format, response)
        } else {
            respond::unary(options, response).await
        }
    }
}

impl Compiled {
    fn add(&mut self, endpoint: Endpoint, errors: &mut Vec<RuleError>) {
        for rule in rule::compile(&endpoint.method, self.endpoints.len(), errors) {
            match self.router.add(rule.http.clone(), &rule.template, self.rules.len()) {
                Ok(()) => self.rules.push(rule),
                Err(taken) => {
                    let other = &self.rules[*taken];
                    let other = match self.endpoints.get(other.endpoint) {
                        Some(other) => other.method.full_name(),
                        None => endpoint.method.full_name(),
                    };
                    let problem = format!("{other} has this method and path already");
                    errors.push(rule::error(&endpoint.method, &rule.template.to_string(), problem));
                }
            }
        }
        self.endpoints.push(endpoint);
    }
}
