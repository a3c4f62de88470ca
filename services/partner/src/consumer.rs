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

use proto::partner::v1::ConsumerChanged;
use store::Draft;
use types::{ConsumerId, PartnerId, Timestamp};

use words::Words;

store::text_enum! {
    /// Whose program a consumer is.
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
    /// Whether a consumer's keys work.
    pub(crate) enum State {
        /// They do.
        Live = "LIVE",
        /// They do not.
        Suspended = "SUSPENDED",
    }
}

store::record! {
    /// A program that calls from outside.
    pub(crate) struct Consumer in "consumers" key (consumer_id: ConsumerId) {
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

/// A fact about a consumer as it is now.
pub(crate) fn told(kind: &'static str, consumer: &Consumer) -> Draft {
    let fact = ConsumerChanged { consumer: Some(wire::consumer(consumer)) };
    Draft::new(kind, &consumer.consumer_id, consumer.version, consumer.version, &fact)
}
