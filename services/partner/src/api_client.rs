//! API clients: programs that call from outside.

pub(crate) mod access;
pub(crate) mod bounds;
pub(crate) mod create_client;
pub(crate) mod update_client;

use proto::partner::v1;
use types::{ApiClientId, PartnerId, Timestamp};

use crate::text_list::TextList;

store::text_enum! {
    /// Whose program an API client is.
    pub(crate) enum ApiClientKind = v1::ApiClientKind {
        /// An outside party's.
        Partner = "PARTNER",
        /// The distributor's own.
        Application = "APPLICATION",
        /// A customer's.
        Customer = "CUSTOMER",
    }
}

store::text_enum! {
    /// Whether the keys of an API client are accepted.
    pub(crate) enum ApiClientState = v1::ApiClientState {
        /// They are accepted.
        Live = "LIVE",
        /// They are refused.
        Suspended = "SUSPENDED",
    }
}

store::record! {
    /// A program that calls from outside.
    pub(crate) struct ApiClient in "api_clients" key (api_client_id: ApiClientId) {
        /// Name.
        name: String,
        /// Whose program it is.
        kind: ApiClientKind,
        /// Names of its roles.
        roles: TextList,
        /// The accounts whose data it sees; `*` for all.
        account_ids: TextList,
        /// The partner it belongs to.
        partner_id: Option<PartnerId>,
        /// Whom to ask about it.
        contact: String,
        /// Whether its keys are accepted.
        state: ApiClientState,
        /// Number of keys ever created. It changes with each, so that two replicas cannot both create the last one.
        keys_created: i64,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

/// About how long an API client is without its accounts, when it is encoded.
const API_CLIENT_BYTES: usize = 1_000;

impl ApiClient {
    /// About how long it is when it is encoded.
    pub(crate) fn bytes(&self) -> usize {
        API_CLIENT_BYTES + self.account_ids.0.iter().map(|account_id| account_id.len() + 2).sum::<usize>()
    }
}
