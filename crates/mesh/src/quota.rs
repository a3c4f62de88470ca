//! Quotas: each client has a budget for each class of method, which refills over time, and a maximum of open streams.
//!
//! Budgets are of one server, so that a service with three replicas gives a client three times as much. A call that a
//! service makes within a client's call is taken from the client's budget at the service that is called.

mod class;
mod clients;
mod rates;

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Response, header::RETRY_AFTER};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use types::{Fault, Reason};

pub(crate) use class::class;
pub use class::{Class, QuotaSetting};

use crate::{
    access::Rule,
    config::Config,
    fault::status_with,
    principal::{Kind, Principal},
    role::Role,
};
use clients::{Clients, Spent};
use rates::Rates;

/// The fields of draft-ietf-httpapi-ratelimit-headers-10.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// When to try again while the most streams are open: it is not known when one ends.
const STREAM_RETRY: Duration = Duration::from_secs(5);

/// The budgets of a server's clients.
#[derive(Debug)]
pub(crate) struct Quotas {
    rates: Rates,
    clients: Clients,
}

/// The budget of an admitted call, for the headers of its answer.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    headers: Option<[(HeaderName, HeaderValue); 2]>,
    stream: Option<OwnedSemaphorePermit>,
}

impl Quotas {
    pub(crate) fn new(config: &Config) -> Self {
        Self { rates: Rates::new(&config.quotas), clients: Clients::new(config.max_streams) }
    }

    /// Takes a call from its client's budget, or returns the refusal.
    pub(crate) fn admit(&self, principal: &Principal, rule: &Rule) -> Result<Admitted, Box<Response<Body>>> {
        let Some(class) = rule.class.filter(|_| !is_exempt(principal)) else { return Ok(Admitted::default()) };
        let rate = self.rates.of(principal.roles, class);
        let administrator = principal.roles.contains(Role::Administrator);
        if rate.is_none() && (class != Class::Stream || administrator) {
            return Ok(Admitted::default());
        }
        let client = self.clients.find(principal, &self.rates);
        let mut admitted = Admitted::default();
        if class == Class::Stream && !administrator {
            admitted.stream = Some(client.open().ok_or_else(|| Box::new(self.too_many_open(principal)))?);
        }
        let Some((role, rate)) = rate else { return Ok(admitted) };
        match client.spend(class) {
            Spent::Left { units, full_after } => {
                admitted.headers = Some([(POLICY, rate.policy(class)), (LIMIT, limit(class, units, full_after))]);
                Ok(admitted)
            }
            Spent::TooMuch { again_after } => {
                metrics::counter!("quota_refused_total", "class" => class.as_str(), "role" => role.as_str())
                    .increment(1);
                let message = format!("more than {} of {} calls", rate.words(), class.as_str());
                let mut response = refusal(principal, class, message, again_after);
                response.headers_mut().insert(POLICY, rate.policy(class));
                response.headers_mut().insert(LIMIT, limit(class, 0, again_after));
                Err(Box::new(response))
            }
        }
    }

    fn too_many_open(&self, principal: &Principal) -> Response<Body> {
        let role = principal.roles.iter().next().unwrap_or(Role::Public);
        metrics::counter!("quota_refused_total", "class" => "open_streams", "role" => role.as_str()).increment(1);
        let message = format!("more than {} streams open at once", self.clients.most_streams());
        refusal(principal, Class::Stream, message, STREAM_RETRY)
    }
}

impl Admitted {
    /// Writes what is left to the answer's headers, and counts the stream until its answer ends.
    pub(crate) fn announce(self, mut response: Response<Body>) -> Response<Body> {
        for (name, value) in self.headers.into_iter().flatten() {
            response.headers_mut().insert(name, value);
        }
        match self.stream {
            Some(open) => response.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let _counted = &open;
                    frame
                }))
            }),
            None => response,
        }
    }
}

/// Services have no budget: the calls that they work for were limited where they came in.
fn is_exempt(principal: &Principal) -> bool {
    principal.kind == Kind::Service && principal.roles.contains(Role::Service)
}

/// The refusal, with what is needed to do better.
fn refusal(principal: &Principal, class: Class, message: String, again_after: Duration) -> Response<Body> {
    let client = principal.to_string();
    let fault = Fault::new(Reason::ResourceExhausted, message.clone()).fact("quota", class.as_str());
    let fault = Fault { retry_after: Some(again_after), ..fault };
    let status = status_with(fault, |details| {
        details.add_quota_failure_violation(client, message);
    });
    let mut response = status.into_http();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(again_after)));
    response
}

/// `"read";r=599;t=1`: units left, and seconds until the budget is full again or, without any left, a call can be made.
fn limit(class: Class, units: u32, after: Duration) -> HeaderValue {
    let text = format!("\"{}\";r={units};t={}", class.as_str(), seconds(after));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Whole seconds, rounded up, and never none.
fn seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

/// How many streams a client may have open.
fn streams(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
}
