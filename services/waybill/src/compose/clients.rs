//! The channels from one service to the others.

use std::collections::BTreeMap;

use mesh::{Channel, Principal, Secret, credentials::KeyChanges};
use proto::events::EventSource;

use super::services::SERVICES;

/// A channel to every service. In one process the channels are in memory, in a cluster they lead to addresses. Clones and
/// what is made of them share what this process announces of keys.
#[derive(Debug, Clone)]
pub struct ServiceClients {
    channels: BTreeMap<&'static str, Channel>,
    unconfigured: Channel,
    key_changes: KeyChanges,
}

impl ServiceClients {
    /// Clients without any channel, on which every call fails: for what needs only the contracts, and as a starting point.
    pub fn unconfigured() -> anyhow::Result<Self> {
        Ok(Self {
            channels: BTreeMap::new(),
            unconfigured: Channel::connect("http://localhost")?,
            key_changes: KeyChanges::default(),
        })
    }

    /// What the partner service announces of keys, when it is in this process.
    pub fn key_changes(&self) -> &KeyChanges {
        &self.key_changes
    }

    /// The same channels, with another one to a service.
    #[must_use]
    pub fn with(mut self, service: &'static str, channel: Channel) -> Self {
        self.channels.insert(service, channel);
        self
    }

    /// The channel to a service.
    pub fn to(&self, service: &str) -> Channel {
        self.channels.get(service).unwrap_or(&self.unconfigured).clone()
    }

    /// The full names of the gRPC services that have REST routes, and the channel to each, on behalf of `principal`.
    pub fn rest(&self, principal: &Principal) -> Vec<(&'static str, Channel)> {
        let routes =
            SERVICES.iter().flat_map(|service| service.rest.iter().map(|full_name| (*full_name, service.name)));
        routes.map(|(full_name, service)| (full_name, self.to(service).for_principal(principal))).collect()
    }

    /// The same channels, which send the mesh token with each call.
    #[must_use]
    pub fn with_mesh_token(&self, token: Option<&Secret>) -> Self {
        self.map(|channel| channel.with_mesh_token(token))
    }

    /// The same channels, for calls that a service makes on its own behalf.
    pub(super) fn on_behalf_of(&self, service: &str) -> Self {
        self.map(|channel| channel.for_service(service))
    }

    /// The channel to the log of every service but `follower`.
    pub(super) fn logs(&self, follower: &str) -> Vec<(EventSource, Channel)> {
        let others = SERVICES.iter().filter(|service| service.name != follower);
        others.map(|service| (service.log, self.to(service.name))).collect()
    }

    fn map(&self, with: impl Fn(&Channel) -> Channel) -> Self {
        Self {
            channels: self.channels.iter().map(|(service, channel)| (*service, with(channel))).collect(),
            unconfigured: with(&self.unconfigured),
            key_changes: self.key_changes.clone(),
        }
    }
}
