//! Between the wire and the domain.

use mesh::wire::timestamp;
use proto::partner::v1::{
    MessageDirection, MessageState, Partner as PartnerReply, PartnerKind, PartnerMessage, PartnerState,
};

use crate::{
    message::{Direction, Message, State},
    partner::{self, Partner},
};

/// A partner.
pub(crate) fn partner(partner: &Partner) -> PartnerReply {
    let kind = match partner.kind {
        partner::Kind::Warehouse => PartnerKind::Warehouse,
        partner::Kind::Carrier => PartnerKind::Carrier,
        partner::Kind::Erp => PartnerKind::Erp,
        partner::Kind::Customer => PartnerKind::Customer,
    };
    let state = match partner.state {
        partner::State::Live => PartnerState::Live,
        partner::State::Suspended => PartnerState::Suspended,
    };
    PartnerReply {
        partner_id: partner.partner_id.to_string(),
        name: partner.name.clone(),
        kind: kind.into(),
        scac: partner.scac.clone(),
        endpoint_url: partner.endpoint_url.clone(),
        state: state.into(),
        etag: partner.version.to_string(),
        create_time: Some(timestamp(partner.create_time)),
        update_time: Some(timestamp(partner.update_time)),
    }
}

/// What a partner does; `None` when not said.
pub(crate) fn kind(kind: PartnerKind) -> Option<partner::Kind> {
    match kind {
        PartnerKind::Unspecified => None,
        PartnerKind::Warehouse => Some(partner::Kind::Warehouse),
        PartnerKind::Carrier => Some(partner::Kind::Carrier),
        PartnerKind::Erp => Some(partner::Kind::Erp),
        PartnerKind::Customer => Some(partner::Kind::Customer),
    }
}

/// Whether messages are exchanged; they are when nothing is said.
pub(crate) fn partner_state(state: PartnerState) -> partner::State {
    match state {
        PartnerState::Unspecified | PartnerState::Live => partner::State::Live,
        PartnerState::Suspended => partner::State::Suspended,
    }
}

/// A message; its content is left out of lists and events.
pub(crate) fn message(message: &Message, content: Vec<u8>) -> PartnerMessage {
    let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    PartnerMessage {
        message_id: message.message_id.to_string(),
        partner_id: message.partner_id.to_string(),
        direction: direction_number(message.direction).into(),
        control_number: message.control_number.clone(),
        r#type: message.kind.clone(),
        state: state_number(message.state).into(),
        subject: message.subject.clone(),
        order_id: message.order_id.clone(),
        outcome: message.outcome.clone(),
        content_type: message.content_type.clone(),
        content: content.into(),
        content_hash: message.content_hash.clone(),
        attempts: count(message.attempts),
        duplicates: count(message.duplicates),
        create_time: Some(timestamp(message.create_time)),
        update_time: Some(timestamp(message.update_time)),
    }
}

/// Which way a message went; `None` when not said.
pub(crate) fn direction(direction: MessageDirection) -> Option<Direction> {
    match direction {
        MessageDirection::Unspecified => None,
        MessageDirection::In => Some(Direction::In),
        MessageDirection::Out => Some(Direction::Out),
    }
}

fn direction_number(direction: Direction) -> MessageDirection {
    match direction {
        Direction::In => MessageDirection::In,
        Direction::Out => MessageDirection::Out,
    }
}

/// How far a message is; `None` when not said.
pub(crate) fn message_state(state: MessageState) -> Option<State> {
    State::ALL.iter().copied().find(|known| state_number(*known) == state)
}

fn state_number(state: State) -> MessageState {
    match state {
        State::Received => MessageState::Received,
        State::Applied => MessageState::Applied,
        State::Rejected => MessageState::Rejected,
        State::Quarantined => MessageState::Quarantined,
        State::Pending => MessageState::Pending,
        State::Sent => MessageState::Sent,
        State::InDoubt => MessageState::InDoubt,
        State::Acknowledged => MessageState::Acknowledged,
        State::Failed => MessageState::Failed,
    }
}
