//! REST for portals, partners and people, in front of the services.
//!
//! **Owns** the REST API: it passes every `/v1` call to [`transcode`], and serves the description and the catalogue of
//! the API with a page to try it. Callers are identified by the authenticator it is given; without one every call is
//! made as the channels' fixed principal, and none is taken from a page of another site. It has no database and uses no generated type: routes, JSON and the
//! description follow from the descriptors it is given.
//!
//! **Absent on purpose**: rules of any service, and a route written by hand for a method.

mod apis;
mod docs;
mod entry;
mod front;
mod serve;

use std::{collections::HashMap, sync::Arc};

use apis::Contract;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use entry::{Entry, Guard};
use front::Client;
use mesh::{
    Access, Arriving, Channel, Connection, Deprecations,
    credentials::{Authenticator, Caller},
};
use prost_reflect::DescriptorPool;
use tower::ServiceExt as _;
use transcode::{DEFAULT_BODY_LIMIT, Transcoder, Upstream};

pub use front::Front;
pub use serve::serve;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Settings of the gateway.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Largest request body in bytes; a larger one is refused with 413.
    #[arg(long, env = "WAYBILL_MAX_BODY", default_value_t = DEFAULT_BODY_LIMIT)]
    pub max_body: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_body: DEFAULT_BODY_LIMIT }
    }
}

/// The descriptors cannot be served as REST.
#[derive(Debug, thiserror::Error)]
#[error("the routes cannot be served: {0}")]
pub struct RouteError(String);

/// The REST API of services.
///
/// `upstreams` are the full names of gRPC services and the channel to each. With an authenticator every call is made on
/// behalf of the caller that it identifies.
pub fn router(
    descriptors: &DescriptorPool,
    upstreams: &[(&'static str, Channel)],
    authenticator: Option<Arc<Authenticator>>,
    config: &Config,
) -> Result<Router, RouteError> {
    let names: Vec<_> = upstreams.iter().map(|(name, _)| *name).collect();
    let access = Access::of(descriptors, &names).map_err(|error| RouteError(error.to_string()))?;
    let deprecations = Deprecations::of(descriptors, &names).map_err(|error| RouteError(error.to_string()))?;
    let (access, deprecations) = (Arc::new(access), Arc::new(deprecations));
    let guard = authenticator.map(|authenticator| Guard { authenticator, access, deprecations });
    let transcoder = transcoder(descriptors, upstreams, guard.as_ref())?.with_body_limit(config.max_body);
    let contract = Contract::of(&transcoder)?;
    let description = fixed(&described(&transcoder, &contract));
    let catalogue = fixed(&contract.catalogue());
    let api = Arc::new(Api { transcoder, guard });
    let router = Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/openapi.json", get(move || std::future::ready(description.clone())))
        .route(apis::PATH, get(move || std::future::ready(catalogue.clone())).fallback(apis::only_get))
        .merge(docs::router())
        .fallback(transcoded)
        .with_state(api.clone());
    Ok(match &api.guard {
        Some(_) => router,
        None => router.layer(middleware::from_fn_with_state(api, refuse_web_pages)),
    })
}

/// The REST API and the check of who calls it.
struct Api {
    transcoder: Transcoder,
    guard: Option<Guard>,
}

/// The description of the REST API, as `/openapi.json` has it.
pub fn openapi(
    descriptors: &DescriptorPool,
    upstreams: &[(&'static str, Channel)],
) -> Result<serde_json::Value, RouteError> {
    let transcoder = transcoder(descriptors, upstreams, None)?;
    Ok(described(&transcoder, &Contract::of(&transcoder)?))
}

/// A JSON answer that is always the same.
fn fixed(document: &serde_json::Value) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], Bytes::from(document.to_string()))
}

fn transcoder(
    descriptors: &DescriptorPool,
    upstreams: &[(&'static str, Channel)],
    guard: Option<&Guard>,
) -> Result<Transcoder, RouteError> {
    let entry = |channel: &Channel| Upstream::new(Entry::new(channel.clone(), guard.cloned()).map_err(Into::into));
    let upstreams: HashMap<String, Upstream> =
        upstreams.iter().map(|(service, channel)| ((*service).to_owned(), entry(channel))).collect();
    Transcoder::new(descriptors, upstreams)
        .map_err(|errors| RouteError(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
}

fn described(transcoder: &Transcoder, contract: &Contract) -> serde_json::Value {
    let mut document = transcoder.openapi("Waybill", VERSION);
    contract.describe(&mut document);
    document
}

/// Answers a call: first it is found out who calls, and whether it may. Only then is the body read.
async fn transcoded(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let client = parts.extensions.get::<Client>().cloned().unwrap_or_default();
    if let (Some(guard), Some(method)) = (&api.guard, api.transcoder.called_method(&parts)) {
        match guard.admit(&parts.headers, method, &client).await {
            Ok(caller) => drop(parts.extensions.insert::<Arc<Caller>>(caller)),
            Err(fault) => {
                let refusal = guard.refusal(method, fault);
                return api.transcoder.refuse(&parts, refusal).map(Body::new).into_response();
            }
        }
    }
    if api.guard.is_none()
        && api.transcoder.called_method(&parts).is_some()
        && mesh::may_be_a_form(&parts.method, &parts.headers)
    {
        return api.transcoder.refuse_media_type(&parts).map(Body::new).into_response();
    }
    // What has arrived is counted until the call is answered.
    let load = parts.extensions.get::<Connection>().map(|connection| connection.load(client.name()));
    let answer = match &load {
        Some(load) => api.transcoder.call(Request::from_parts(parts, Arriving::new(body, load))).await,
        None => api.transcoder.call(Request::from_parts(parts, body)).await,
    };
    answer.map(Body::new).into_response()
}

/// Refuses what pages of other sites make a browser send while every caller is the administrator.
async fn refuse_web_pages(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    match mesh::refuse_other_sites(&request) {
        Ok(()) => next.run(request).await,
        Err(fault) => {
            let refusal = mesh::status(fault).into_http();
            api.transcoder.refuse(&request.into_parts().0, refusal).map(Body::new).into_response()
        }
    }
}
