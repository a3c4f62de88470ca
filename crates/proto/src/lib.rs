//! The contracts of Waybill: generated messages, clients and servers, and the descriptor set they were made from.
//!
//! The sources are in `proto/waybill`; comments there are the reference.
#![allow(clippy::all, clippy::pedantic, rustdoc::all, reason = "generated code")]

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use generated::{google, waybill::*};

/// The compiled descriptor set with all options and comments, as protobuf bytes of a `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The same, decoded once for the whole process.
///
/// The build has made it, so it can be decoded. Were it not so, no server would find its services in it, and none would boot.
pub fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap_or_default());
    &POOL
}
