//! A destination of calls: the addresses of a service, and the choice among them.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use arc_swap::ArcSwap;
use http::{Request, Response};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Status, body::Body};
use types::Fault;

use super::{
    endpoint::{Endpoint, Sender},
    health::Outcome,
    target::{Malformed, Target},
};
use crate::{fault::status, tls};

/// How often names are looked up again, give or take a fifth.
const LOOK_UP: Duration = Duration::from_secs(5);
/// How often addresses that are down are looked after.
const UPKEEP: Duration = Duration::from_secs(1);
/// The share of addresses that may be ejected at a time.
const MOST_EJECTED: f64 = 0.5;
/// How often a request that was never sent is given to another connection.
const UNSENT: u32 = 3;

/// A member. Its connections end with it.
#[derive(Debug)]
pub(super) struct Member {
    targets: Vec<Arc<Target>>,
    endpoints: ArcSwap<Vec<Arc<Endpoint>>>,
    looked_up: Mutex<Option<Instant>>,
    /// Told when an address was connected to, or could not be.
    changed: watch::Sender<()>,
    upkeep: OnceLock<AbortOnDropHandle<()>>,
}

/// Why a call came to no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// No address can be connected to.
    Unreachable,
    /// The member answered that it did not process the call, or the call was never sent.
    Refused,
    /// The connection broke; the member may have worked on the call.
    Lost,
    /// The request cannot be sent.
    Unsendable(Box<Status>),
}

impl Unanswered {
    /// What the caller of this service is answered.
    pub(super) fn status(self, service: &str) -> Status {
        match self {
            Self::Unreachable | Self::Refused | Self::Lost => {
                let fault = Fault::unavailable(format!("the service {service} cannot be reached"));
                status(fault.fact("service", service))
            }
            Self::Unsendable(status) => *status,
        }
    }
}

impl From<Status> for Unanswered {
    fn from(status: Status) -> Self {
        Self::Unsendable(Box::new(status))
    }
}

impl Member {
    /// The member at a URL, or at several with commas between. A host name may have many addresses.
    pub(super) fn parse(urls: &str, tls: Option<&tls::Client>) -> Result<Self, Malformed> {
        let targets: Vec<_> =
            urls.split(',').map(|url| Target::parse(url.trim(), tls).map(Arc::new)).collect::<Result<_, _>>()?;
        let changed = watch::Sender::new(());
        let known = targets.iter().filter_map(|target| Some((target.clone(), target.literal()?)));
        let known = known.map(|(target, address)| Arc::new(Endpoint::new(target, address, changed.clone()))).collect();
        let (endpoints, looked_up) = (ArcSwap::from_pointee(known), Mutex::new(None));
        Ok(Self { targets, endpoints, looked_up, changed, upkeep: OnceLock::new() })
    }

    /// What it is called in metrics and logs.
    pub(super) fn name(&self) -> &str {
        self.targets.first().map_or("", |target| target.authority.as_str())
    }

    /// The host of its first URL.
    pub(super) fn host(&self) -> &str {
        self.targets.first().map_or("", |target| target.host.as_str())
    }

    /// Sends a request to one of the addresses, if possible not to the one to avoid, and notes how that address did.
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Request<Body>,
        deadline: Option<Instant>,
        avoid: &mut Option<SocketAddr>,
    ) -> Result<Response<Body>, Unanswered> {
        let mut unsent = 0;
        loop {
            let (endpoint, mut sender) = match self.pick(*avoid) {
                Some(picked) => picked,
                None => self.connected(*avoid).await?,
            };
            *avoid = Some(endpoint.address);
            if let Err(error) = endpoint.stamp(&mut request) {
                return Err(status(Fault::internal(error.to_string())).into());
            }
            let pending = Pending::begin(self.clone(), endpoint, deadline);
            let mut error = match sender.try_send_request(request).await {
                Ok(response) => {
                    pending.end(Outcome::of(code_of(&response)));
                    return Ok(response.map(Body::new));
                }
                Err(error) => error,
            };
            match error.take_message() {
                Some(returned) if unsent < UNSENT => {
                    pending.end(Outcome::Nothing);
                    unsent += 1;
                    request = returned;
                }
                returned => {
                    let error = error.into_error();
                    tracing::debug!(%error, "no answer");
                    if returned.is_some() || is_refused(&error) {
                        pending.end(Outcome::Nothing);
                        return Err(Unanswered::Refused);
                    }
                    pending.end(Outcome::Failed);
                    return Err(Unanswered::Lost);
                }
            }
        }
    }

    /// A connected address that is not ejected: the cheaper of two taken at random, as all callers choosing the cheapest
    /// of all would flood it. An ejected address is better than none.
    fn pick(&self, avoid: Option<SocketAddr>) -> Option<(Arc<Endpoint>, Sender)> {
        let endpoints = self.endpoints.load();
        if let [only] = endpoints.as_slice() {
            return Some((only.clone(), only.sender()?));
        }
        let now = Instant::now();
        let find = |usable: &dyn Fn(&Endpoint) -> bool| {
            let count = endpoints.len();
            let start = if count == 0 { return None } else { rand::random_range(0..count) };
            let mut turn = endpoints.iter().cycle().skip(start).take(count);
            turn.find_map(|endpoint| Some((endpoint, endpoint.sender().filter(|_| usable(endpoint))?)))
        };
        let admitted = |endpoint: &Endpoint| endpoint.health().admits(now);
        let Some((first, sender)) = find(&|endpoint| avoid != Some(endpoint.address) && admitted(endpoint)) else {
            return find(&admitted).or_else(|| find(&|_| true)).map(|(endpoint, sender)| (endpoint.clone(), sender));
        };
        let other = |endpoint: &Endpoint| {
            !std::ptr::eq(endpoint, Arc::as_ptr(first)) && avoid != Some(endpoint.address) && admitted(endpoint)
        };
        match find(&other) {
            Some((second, second_sender)) if second.health().cost(now) < first.health().cost(now) => {
                Some((second.clone(), second_sender))
            }
            _ => Some((first.clone(), sender)),
        }
    }

    /// Waits for the first address that can be connected to; every one is tried.
    async fn connected(self: &Arc<Self>, avoid: Option<SocketAddr>) -> Result<(Arc<Endpoint>, Sender), Unanswered> {
        self.keep_up();
        let (began, mut changes) = (Instant::now(), self.changed.subscribe());
        if self.endpoints.load().is_empty() {
            self.look_up(began).await;
        }
        loop {
            changes.mark_unchanged();
            if let Some(picked) = self.pick(avoid) {
                return Ok(picked);
            }
            let endpoints = self.endpoints.load_full();
            let waiting = endpoints.iter().filter(|endpoint| endpoint.failed_since(began).is_none());
            if waiting.inspect(|endpoint| endpoint.connect()).count() == 0 {
                let error = endpoints.iter().find_map(|endpoint| endpoint.failed_since(began));
                tracing::debug!(member = self.name(), error = error.as_deref().unwrap_or("no address"), "unreachable");
                return Err(Unanswered::Unreachable);
            }
            // The member is held by this call, and so is the sender of its changes.
            if changes.changed().await.is_err() {
                return Err(Unanswered::Unreachable);
            }
        }
    }

    /// Begins to look names up again and to connect to what is down, if there is something to choose from.
    fn keep_up(self: &Arc<Self>) {
        let named = self.targets.iter().any(|target| target.literal().is_none());
        if !named && self.targets.len() < 2 {
            return;
        }
        self.upkeep.get_or_init(|| AbortOnDropHandle::new(tokio::spawn(upkeep(Arc::downgrade(self), named))));
    }

    /// Looks every name up, unless that was done since then. A name that cannot be looked up keeps its addresses.
    async fn look_up(&self, since: Instant) {
        let mut looked_up = self.looked_up.lock().await;
        if looked_up.is_some_and(|at| at >= since) {
            return;
        }
        let mut next: Vec<Arc<Endpoint>> = Vec::new();
        for target in &self.targets {
            let known = self.endpoints.load_full();
            let known = known.iter().filter(|endpoint| Arc::ptr_eq(&endpoint.target, target));
            let Some(addresses) = target.addresses().await else {
                next.extend(known.cloned());
                continue;
            };
            let mut known: Vec<_> = known.filter(|endpoint| addresses.contains(&endpoint.address)).cloned().collect();
            for address in addresses {
                if !known.iter().any(|endpoint| endpoint.address == address) {
                    known.push(Arc::new(Endpoint::new(target.clone(), address, self.changed.clone())));
                }
            }
            next.append(&mut known);
        }
        self.endpoints.store(Arc::new(next));
        *looked_up = Some(Instant::now());
        self.changed.send_replace(());
    }

    /// Ejects an address, unless too many are.
    fn eject(&self, endpoint: &Endpoint) {
        let endpoints = self.endpoints.load();
        let others = endpoints.iter().filter(|other| !std::ptr::eq(Arc::as_ptr(other), endpoint));
        let ejected = others.filter(|other| other.health().is_ejected()).count();
        if (ejected + 1) as f64 > endpoints.len() as f64 * MOST_EJECTED {
            return;
        }
        endpoint.health().eject(Instant::now());
        metrics::counter!("rpc_client_ejections_total", "member" => self.name().to_owned()).increment(1);
        tracing::info!(member = self.name(), address = %endpoint.address, "address ejected");
    }
}

async fn upkeep(member: Weak<Member>, named: bool) {
    let mut next_look_up = Instant::now() + jittered(LOOK_UP);
    loop {
        tokio::time::sleep(jittered(UPKEEP)).await;
        let Some(member) = member.upgrade() else { return };
        let now = Instant::now();
        let due: Vec<_> = member.endpoints.load().iter().filter(|endpoint| endpoint.is_due(now)).cloned().collect();
        if named && (now >= next_look_up || !due.is_empty()) {
            member.look_up(now).await;
            next_look_up = Instant::now() + jittered(LOOK_UP);
        }
        for endpoint in member.endpoints.load().iter().filter(|endpoint| endpoint.is_due(now)) {
            endpoint.connect();
        }
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.8..1.2))
}

/// The status in the headers of a response.
pub(super) fn code_of<B>(response: &Response<B>) -> Code {
    match response.headers().get("grpc-status") {
        Some(code) => Code::from_bytes(code.as_bytes()),
        None if response.status().is_success() => Code::Ok,
        None if response.status().is_server_error() => Code::Unavailable,
        None => Code::Unknown,
    }
}

/// Whether the peer answered that it did not process the call.
fn is_refused(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let drained = error.is_remote() && error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            return drained || (error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM));
        }
        source = error.source();
    }
    false
}

/// A call on its way to an address. Dropped without an end, it counts against the address only past its deadline.
#[derive(Debug)]
struct Pending {
    member: Arc<Member>,
    endpoint: Arc<Endpoint>,
    began: Instant,
    deadline: Option<Instant>,
    outcome: Option<Outcome>,
}

impl Pending {
    fn begin(member: Arc<Member>, endpoint: Arc<Endpoint>, deadline: Option<Instant>) -> Self {
        endpoint.health().begin();
        Self { member, endpoint, began: Instant::now(), deadline, outcome: None }
    }

    fn end(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let now = Instant::now();
        let given_up = || {
            let late = self.deadline.is_some_and(|deadline| deadline <= now);
            if late { Outcome::Failed } else { Outcome::Nothing }
        };
        let outcome = self.outcome.unwrap_or_else(given_up);
        let failing = self.endpoint.health().end(outcome, now.saturating_duration_since(self.began), now);
        if failing {
            self.member.eject(&self.endpoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_member_may_have_many_urls() {
        let member = Member::parse("http://10.0.0.1:7001, http://[::1]:7001,http://order.mesh", None).unwrap();
        let hosts: Vec<_> = member.targets.iter().map(|target| (target.host.as_str(), target.port)).collect();
        assert_eq!(hosts, [("10.0.0.1", 7001), ("::1", 7001), ("order.mesh", 80)]);
        assert_eq!(member.endpoints.load().len(), 2, "names are looked up at the first call");
    }

    #[tokio::test]
    async fn looking_up_again_keeps_the_addresses_that_stay() {
        let member = Member::parse("http://localhost:7001", None).unwrap();
        member.look_up(Instant::now()).await;
        let first = member.endpoints.load_full();
        assert!(first.iter().any(|endpoint| endpoint.address.ip().is_loopback()));
        member.look_up(Instant::now()).await;
        for (before, after) in first.iter().zip(member.endpoints.load().iter()) {
            assert!(Arc::ptr_eq(before, after));
        }
        assert_eq!(first.len(), member.endpoints.load().len());
    }
}
