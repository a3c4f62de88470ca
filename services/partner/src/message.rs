//! Messages exchanged with partners.

use proto::{event::v1::ExceptionType, events::EventType, partner::v1};
use sha2::{Digest, Sha256};
use types::{AccountId, MessageId, PartnerId, Timestamp};

/// Type of the message that requests a fulfillment order. Types of reports are in `report_kind.rs`.
pub(crate) const FULFILLMENT_REQUESTED: &str = EventType::FulfillmentRequested.as_str();
/// Type of the message that requests the cancellation of a fulfillment order that the partner accepted.
pub(crate) const CANCELLATION_REQUESTED: &str = EventType::FulfillmentCancellationRequested.as_str();
/// Type of the message that requests another address for a fulfillment order that the partner accepted.
pub(crate) const SHIP_TO_CHANGE_REQUESTED: &str = EventType::FulfillmentShipToChangeRequested.as_str();
/// Type of the message that withdraws the request of a fulfillment order that the partner did not accept. It is no event.
pub(crate) const REQUEST_WITHDRAWN: &str = "fulfillment.withdrawn";

store::text_enum! {
    /// The direction of a message.
    pub(crate) enum Direction = v1::MessageDirection {
        /// From the partner.
        In = "IN",
        /// To the partner.
        Out = "OUT",
    }
}

store::text_enum! {
    /// The state of a message.
    pub(crate) enum MessageState = v1::MessageState {
        /// Stored, not applied yet.
        Received = "RECEIVED",
        /// Took effect.
        Applied = "APPLIED",
        /// Took effect but for some parts, which wait.
        PartiallyApplied = "PARTIALLY_APPLIED",
        /// Had no effect.
        Rejected = "REJECTED",
        /// Its control number was used before for other content.
        Quarantined = "QUARANTINED",
        /// A later report took it back or corrects it.
        Retracted = "RETRACTED",
        /// To be sent or fetched.
        Pending = "PENDING",
        /// To be sent or fetched once no hold blocks it.
        Held = "HELD",
        /// Sent.
        Sent = "SENT",
        /// It is not known whether it arrived.
        InDoubt = "IN_DOUBT",
        /// The partner answered it.
        Acknowledged = "ACKNOWLEDGED",
        /// It could not be sent.
        Failed = "FAILED",
    }
}

impl MessageState {
    /// The direction of the messages that have it.
    pub(crate) const fn direction(self) -> Direction {
        match self {
            Self::Received
            | Self::Applied
            | Self::PartiallyApplied
            | Self::Rejected
            | Self::Quarantined
            | Self::Retracted => Direction::In,
            Self::Pending | Self::Held | Self::Sent | Self::InDoubt | Self::Acknowledged | Self::Failed => {
                Direction::Out
            }
        }
    }

    /// The type of the exception that is open while a message is in this state.
    pub(crate) fn exception_type(self) -> Option<ExceptionType> {
        match self {
            Self::Rejected => Some(ExceptionType::ReportRejected),
            Self::PartiallyApplied => Some(ExceptionType::ReportIncomplete),
            Self::Quarantined => Some(ExceptionType::ControlNumberReused),
            Self::Failed => Some(ExceptionType::MessageFailed),
            Self::InDoubt => Some(ExceptionType::MessageInDoubt),
            Self::Received
            | Self::Applied
            | Self::Retracted
            | Self::Pending
            | Self::Held
            | Self::Sent
            | Self::Acknowledged => None,
        }
    }
}

store::text_enum! {
    /// Whether the partner may have an outbound message that it did not confirm.
    pub(crate) enum Arrival {
        /// It was not sent, or the partner answered that it does not have it.
        Impossible = "IMPOSSIBLE",
        /// The result of an attempt to send it is unknown. Kept until the message is sent, also while it is FAILED.
        Possible = "POSSIBLE",
    }
}

store::record! {
    /// One document or call exchanged with a partner, without its content.
    pub(crate) struct Message in "messages" key (message_id: MessageId) {
        /// The partner.
        partner_id: PartnerId,
        /// The direction.
        direction: Direction,
        /// The sender's own number of the message.
        control_number: String,
        /// The type, such as `report.accepted`.
        message_type: String,
        /// The state.
        state: MessageState,
        /// Id of what it is about.
        subject: String,
        /// The order it belongs to; empty when not known.
        order_id: String,
        /// The account of the order; none when the order is not known.
        account_id: Option<AccountId>,
        /// What it did or why it had no effect, for people.
        outcome: String,
        /// What it was recorded as: a tracking report or a shipment; empty otherwise.
        recorded_as: String,
        /// The later message that took it back or corrects it.
        retracted_by: Option<MessageId>,
        /// Media type of the content.
        content_type: String,
        /// SHA-256 of the content, hexadecimal.
        content_hash: String,
        /// Number of attempts to apply or send it.
        attempts: i64,
        /// How often it was received again.
        duplicates: i64,
        /// How often it was replayed.
        replays: i64,
        /// How many parts of it were refused when the rest took effect.
        parts: i64,
        /// Whether the partner may have it although it is not SENT.
        arrival: Arrival,
        /// When it was received or created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::record! {
    /// The content of a message as it was received or sent.
    pub(crate) struct Content in "contents" key (message_id: MessageId) {
        /// The bytes.
        content: Vec<u8>,
    }
}

store::record! {
    /// The first message of a partner with a control number.
    pub(crate) struct ControlNumber in "control_numbers" key (partner_id: PartnerId, control_number: String) {
        /// The message.
        message_id: MessageId,
    }
}

/// Columns by which the messages of a partner with one control number are looked up.
pub(crate) const BY_CONTROL_NUMBER: &[&str] = &["partner_id", "direction", "control_number"];

/// Columns by which the messages about one subject are looked up.
pub(crate) const BY_SUBJECT: &[&str] = &["subject", "direction"];

/// Columns by which the messages of a partner in one state are looked up.
pub(crate) const BY_PARTNER_AND_STATE: &[&str] = &["partner_id", "state"];

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
