//! A member's server: its handlers behind the stack that every call passes, over the network or in one process.

mod accept;
mod connection;
mod grpc;
mod health;
mod overload;
mod stack;

use std::{collections::HashSet, convert::Infallible, sync::Arc};

use axum::response::IntoResponse;
use futures::future::BoxFuture;
use http::Request;
use prost_reflect::{DescriptorPool, FileDescriptor};
use tokio::net::TcpListener;
use tonic::{body::Body, server::NamedService, service::Routes};
use tonic_health::pb::health_server::HealthServer;
use tower::Service;
use types::{Clock, SystemClock};

pub use accept::{Limits, accept};
pub use connection::Wire;
pub(crate) use health::Readiness;
pub(crate) use overload::{PRIORITY, Priority};
pub(crate) use stack::Stack;

use crate::{
    access::{Access, AccessError},
    channel::Channel,
    config::Config,
    credentials::Authenticator,
    deprecation::{DeprecationError, Deprecations},
    intake::Intake,
    lifecycle::Stop,
    metrics::{Meters, Side},
    principal::Principal,
    quota::Quotas,
    tls::{self, TlsError},
    usage::Usage,
};
use health::Healths;
use overload::{Limit, Overload};
use stack::Shared;

/// The largest message of a call of health or reflection, which anybody may make: it has little more than a name.
const LARGEST_QUESTION: usize = 16 * 1_024;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The access rules are not complete.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The announced ends of methods contradict themselves.
    #[error(transparent)]
    Deprecation(#[from] DeprecationError),
    /// The descriptors cannot be reflected.
    #[error("descriptors cannot be reflected: {0}")]
    Reflection(tonic_reflection::server::Error),
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server being put together. Clones share the limit of calls worked on at once, quotas, and what is counted of them.
#[derive(Debug, Clone)]
pub struct Server {
    name: String,
    config: Config,
    descriptors: DescriptorPool,
    routes: Routes,
    services: Vec<&'static str>,
    readiness: Readiness,
    unsigned: Arc<Principal>,
    authenticator: Option<Arc<Authenticator>>,
    limit: Arc<Limit>,
    quotas: Arc<Quotas>,
    usage: Usage,
    intake: Intake,
    draining: Stop,
    clock: Arc<dyn Clock>,
}

impl Server {
    /// A server without services. `descriptors` is the encoded `FileDescriptorSet` of those it will have.
    pub fn new(name: impl Into<String>, config: &Config, descriptors: &DescriptorPool) -> Self {
        let draining = Stop::new();
        Self {
            name: name.into(),
            config: config.clone(),
            descriptors: descriptors.clone(),
            routes: Routes::default(),
            services: Vec::new(),
            readiness: Readiness::always(draining.clone()),
            unsigned: Arc::new(Principal::anonymous()),
            authenticator: None,
            limit: Arc::new(Limit::up_to(config.max_concurrency)),
            quotas: Arc::new(Quotas::new(config)),
            usage: Usage::new(Arc::new(SystemClock)),
            intake: Intake::of(&config.intake),
            draining,
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds a generated service.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes = self.routes.add_service(service);
        self.services.push(S::NAME);
        self
    }

    /// Makes health follow a check, which is run whenever health is asked for.
    #[must_use]
    pub fn with_readiness<F, R>(mut self, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        self.readiness = Readiness::new(self.draining.clone(), check);
        self
    }

    /// The principal of calls that carry none; without it they have no identity.
    #[must_use]
    pub fn with_default_principal(mut self, principal: Principal) -> Self {
        self.unsigned = Arc::new(principal);
        self
    }

    /// Counts what comes in together with the process's other listeners.
    #[must_use]
    pub fn with_intake(mut self, intake: &Intake) -> Self {
        self.intake = intake.clone();
        self
    }

    /// The counts of calls to this server.
    pub fn usage(&self) -> Usage {
        self.usage.clone()
    }

    /// The clock by which methods end at their sunset, instead of the machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Accepts the principal that a member sends; every other caller has to prove its identity.
    #[must_use]
    pub fn with_authenticator(mut self, authenticator: Arc<Authenticator>) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// A channel to this server inside the process.
    pub fn into_channel(self) -> Result<Channel, ServerError> {
        Ok(Channel::in_process(self.into_stack()?))
    }

    /// Serves calls over the network. When the process leaves, health says so; when it stops, no more connections are
    /// accepted, calls have the drain timeout to end, and the rest is cut off.
    pub fn serve(self, listener: TcpListener, stop: Stop) -> BoxFuture<'static, Result<(), ServerError>> {
        Box::pin(self.serve_until(listener, stop))
    }

    async fn serve_until(self, listener: TcpListener, stop: Stop) -> Result<(), ServerError> {
        let config = self.config.clone();
        let callers = match &self.authenticator {
            Some(_) => tls::Callers::MembersAndOthers,
            None => tls::Callers::Members,
        };
        let tls = tls::Server::load(&config.tls, callers, &["h2"])?;
        let (name, draining, intake) = (self.name.clone(), self.draining.clone(), self.intake.clone());
        let stack = self.into_stack()?;
        let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        tracing::info!(member = name, address, tls = tls.is_some(), "serving");
        tokio::join!(grpc::serve(listener, stack, &config, tls, &intake, &draining), draining.follow(&stop));
        tracing::info!(member = name, "stopped serving");
        Ok(())
    }

    fn into_stack(self) -> Result<Stack, ServerError> {
        let access = Access::of(&self.descriptors, &self.services)?;
        let mut deprecations = Deprecations::of(&self.descriptors, &self.services)?;
        if !self.config.serve_ended {
            deprecations = deprecations.enforced_by(self.clock);
        }
        let health = Healths {
            services: self.services.iter().map(|name| (*name).to_owned()).collect(),
            readiness: self.readiness,
        };
        let routes = reflection(self.routes, &self.descriptors, &self.services)
            .map_err(ServerError::Reflection)?
            .add_service(HealthServer::new(health).max_decoding_message_size(LARGEST_QUESTION));
        let overload = Overload::new(&self.name, self.limit, access.paths());
        let shared = Shared {
            member: self.name.into(),
            meters: Meters::of(Side::Server, access.paths()),
            access,
            deprecations,
            overload,
            quotas: self.quotas,
            usage: self.usage,
            timeout: self.config.request_timeout,
            log_sample: self.config.request_log_sample,
            draining: self.draining,
            unsigned: self.unsigned,
            authenticator: self.authenticator,
        };
        Ok(Stack::new(shared, routes))
    }
}

/// Adds both versions of reflection, for the services that are served.
fn reflection(
    routes: Routes,
    descriptors: &DescriptorPool,
    services: &[&str],
) -> Result<Routes, tonic_reflection::server::Error> {
    let files = files_of(descriptors, services);
    let builder = |own: &str| {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(&files)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health")
            .with_service_name(own);
        services.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    Ok(routes
        .add_service(
            builder("grpc.reflection.v1.ServerReflection").build_v1()?.max_decoding_message_size(LARGEST_QUESTION),
        )
        .add_service(
            builder("grpc.reflection.v1alpha.ServerReflection")
                .build_v1alpha()?
                .max_decoding_message_size(LARGEST_QUESTION),
        ))
}

/// The packages of services and all they import, as an encoded `FileDescriptorSet`. Events are in a file of their own, which
/// no service imports.
fn files_of(descriptors: &DescriptorPool, services: &[&str]) -> Vec<u8> {
    let packages: HashSet<&str> =
        services.iter().filter_map(|name| name.rsplit_once('.')).map(|(package, _)| package).collect();
    let mut wanted: Vec<FileDescriptor> =
        descriptors.files().filter(|file| packages.contains(file.package_name())).collect();
    let (mut seen, mut set) = (HashSet::new(), Vec::new());
    while let Some(file) = wanted.pop() {
        if seen.insert(file.name().to_owned()) {
            wanted.extend(file.dependencies());
            // Encoded by the descriptor itself, for the decoded one has no custom options.
            prost::encoding::bytes::encode(1, &file.encode_to_vec(), &mut set);
        }
    }
    set
}
