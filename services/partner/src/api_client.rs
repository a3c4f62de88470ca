//! Programs that call from outside: whose they are, what they may do and see.

pub(crate) mod access;
pub(crate) mod create;
pub(crate) mod issue;
pub(crate) mod key;
pub(crate) mod lists;
pub(crate) mod revoke;
pub(crate) mod rpc;
pub(crate) mod update;
pub(crate) mod used;
pub(crate) mod wire;
pub(crate) mod words;

use proto::partner::v1::ApiClientChanged;
use store::NewEvent;
use types::{ApiClientId, PartnerId, Timestamp};

use words::Words;

store::text_enum! {
    /// Whose program an API client is.
    pub(crate) enum Kind {
        /// An outside party's.
        Partner = "PARTNER",
        /// The distributor's own.
        Application = "APPLICATION",
        /// A customer's.
        Customer = "CUSTOMER",
    }
}

store::text_enum! {
    /// Whether an API client's keys work.
    pub(crate) enum State {
        /// They do.
        Live = "LIVE",
        /// They do not.
        Suspended = "SUSPENDED",
    }
}

store::record! {
    /// A program that calls from outside.
    pub(crate) struct ApiClient in "api_clients" key (api_client_id: ApiClientId) {
        /// Name.
        name: String,
        /// Whose program it is.
        kind: Kind,
        /// Names of its roles.
        roles: Words,
        /// The accounts whose data it sees; `*` for all.
        account_ids: Words,
        /// The partner it belongs to.
        partner_id: Option<PartnerId>,
        /// Whom to ask about it.
        contact: String,
        /// Whether its keys work.
        state: State,
        /// How many keys were ever made: changes with each, so that two replicas can not both make the last one.
        keys_made: i64,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

/// A fact about an API client as it is now.
pub(crate) fn told(kind: &'static str, api_client: &ApiClient) -> NewEvent {
    let fact = ApiClientChanged { api_client: Some(wire::api_client(api_client)) };
    NewEvent::untyped(kind, &api_client.api_client_id, api_client.version, api_client.version, &fact)
}
