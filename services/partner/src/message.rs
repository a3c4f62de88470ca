//! Messages exchanged with partners, and what is told of them.

use proto::partner::v1::MessageChanged;
use sha2::{Digest, Sha256};
use store::NewEvent;
use types::{MessageId, PartnerId, Timestamp};

use crate::wire;

store::text_enum! {
    /// Which way a message went.
    pub(crate) enum Direction {
        /// From the partner.
        In = "IN",
        /// To the partner.
        Out = "OUT",
    }
}

store::text_enum! {
    /// How far a message is.
    pub(crate) enum State {
        /// Stored, not applied yet.
        Received = "RECEIVED",
        /// Took effect.
        Applied = "APPLIED",
        /// Had no effect.
        Rejected = "REJECTED",
        /// Its reference was used before for other content.
        Quarantined = "QUARANTINED",
        /// To be sent or fetched.
        Pending = "PENDING",
        /// Sent.
        Sent = "SENT",
        /// Nobody knows whether it arrived.
        InDoubt = "IN_DOUBT",
        /// The partner answered it.
        Acknowledged = "ACKNOWLEDGED",
        /// It could not be sent.
        Failed = "FAILED",
    }
}

store::text_enum! {
    /// Whether the partner may have a message to it that it did not confirm.
    pub(crate) enum Arrival {
        /// It was not sent, or the partner said that it has not got it.
        Excluded = "EXCLUDED",
        /// An attempt to send it came to no clear end. Remembered until it is sent, also while it failed.
        Possible = "POSSIBLE",
    }
}

store::record! {
    /// One document or call exchanged with a partner, without its content.
    pub(crate) struct Message in "messages" key (message_id: MessageId) {
        /// The partner.
        partner_id: PartnerId,
        /// Which way it went.
        direction: Direction,
        /// The sender's own number of it.
        control_number: String,
        /// What it is.
        kind: String,
        /// How far it is.
        state: State,
        /// What it is about.
        subject: String,
        /// The order it belongs to; empty when not known.
        order_id: String,
        /// What it did, or why it did nothing.
        outcome: String,
        /// Media type of the content.
        content_type: String,
        /// SHA-256 of the content, hexadecimal.
        content_hash: String,
        /// How often it was tried to apply or send.
        attempts: i64,
        /// How often it came again.
        duplicates: i64,
        /// Whether the partner may have it although it is not sent.
        arrival: Arrival,
        /// When it came or was made.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::record! {
    /// The content of a message, as it came or went.
    pub(crate) struct Content in "contents" key (message_id: MessageId) {
        /// The bytes.
        content: Vec<u8>,
    }
}

store::record! {
    /// Which message of a partner used a reference first.
    pub(crate) struct Reference in "control_numbers" key (partner_id: PartnerId, control_number: String) {
        /// That message.
        message_id: MessageId,
    }
}

/// Columns by which all messages from a partner with one reference are looked up.
pub(crate) const BY_REFERENCE: &[&str] = &["partner_id", "direction", "control_number"];

/// Columns by which all messages about one thing are looked up.
pub(crate) const BY_SUBJECT: &[&str] = &["subject", "direction"];

/// Columns by which messages that stand alike are looked up.
pub(crate) const BY_STATE: &[&str] = &["state"];

/// A fact about a message as it is now.
pub(crate) fn told(kind: &'static str, message: &Message) -> NewEvent {
    let fact = MessageChanged { message: Some(wire::message(message, Vec::new())) };
    NewEvent::untyped(kind, &message.message_id, message.version, message.version, &fact).correlation(&message.order_id)
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_everybody_computes() {
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
