//! The contracts of Waybill: generated messages, clients and servers, the registry of events, and the descriptor set they
//! were made from.
//!
//! The sources are in `proto/waybill`; comments there are the reference.
#![allow(clippy::all, clippy::pedantic, rustdoc::all, reason = "generated code")]

pub mod events;
pub mod grpc;
pub mod redact;
pub mod texts;

use std::sync::LazyLock;

use prost::{DecodeError, Message, bytes::Bytes};
use prost_reflect::DescriptorPool;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use generated::{google, waybill::*};

/// The compiled descriptor set with all options and comments, as protobuf bytes of a `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The same, decoded once for the whole process.
///
/// The build made it, so it can be decoded. If it could not, no server would find its services in it, and none would
/// start.
pub fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap_or_default());
    &POOL
}

/// A message of the contracts, to and from its bytes.
///
/// As [`Message`] does it, but compiled for each message in this crate, and not in each crate that uses it.
pub trait MessageBytes: Sized + Send + Sync + 'static {
    /// The message, encoded.
    fn to_bytes(&self) -> Bytes;

    /// Reads an encoded message.
    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError>;
}

macro_rules! message_bytes {
    ($message:ty) => {
        impl crate::MessageBytes for $message {
            fn to_bytes(&self) -> Bytes {
                self.encode_to_vec().into()
            }

            fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
                Self::decode(bytes)
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/message_bytes.rs"));

// The well-known messages that Rust's own types stand for.
message_bytes!(());
message_bytes!(i64);
message_bytes!(bool);

/// A request that a caller may repeat: a repeat with the same id gets the first answer.
pub trait Repeatable {
    /// The caller's id of the request; empty when it gave none.
    fn request_id(&self) -> &str;
}

include!(concat!(env!("OUT_DIR"), "/requests.rs"));

impl event::v1::ExceptionType {
    /// The text on the wire: the name without its prefix, such as `CANCEL_LOST`.
    pub fn text(self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix("EXCEPTION_TYPE_").unwrap_or(name)
    }

    /// The type with this text; `None` when it is not known here.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::from_str_name(&format!("EXCEPTION_TYPE_{text}"))
    }
}
