//! Takes out of answers what their callers are not shown, as the `hidden_from` options of the contracts say.

use prost::{Message, bytes::Bytes};

use crate::MessageBytes;

/// What a caller is to the distributor that is not one of its own; somebody with both roles is shown what either is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// A customer.
    pub customer: bool,
    /// A partner.
    pub partner: bool,
}

/// A message with fields that some callers are not shown.
pub trait Redact {
    /// Empties the fields that the viewer is not shown.
    fn redact(&mut self, viewer: Viewer);
}

/// Takes out of an encoded payload what the viewer is not shown; all of it, when it cannot be read.
fn redact_encoded<M: Message + MessageBytes + Redact>(payload: &mut prost_types::Any, viewer: Viewer) {
    payload.value = match M::from_bytes(Bytes::copy_from_slice(&payload.value)) {
        Ok(mut message) => {
            message.redact(viewer);
            message.encode_to_vec().into()
        }
        Err(_) => Bytes::new().into(),
    };
}

include!(concat!(env!("OUT_DIR"), "/redact.rs"));
