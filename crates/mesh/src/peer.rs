//! The peer of a connection: the process itself, an address, or a member with a certificate.

use std::net::{IpAddr, SocketAddr};

/// What the transport knows of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A caller in this process.
    Process,
    /// A connection without a certificate, from this address.
    Address(SocketAddr),
    /// A member of the mesh, by the name its certificate was issued for.
    Member(String),
}

impl Peer {
    /// The address of a caller that is known by it.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.ip()),
            Self::Process | Self::Member(_) => None,
        }
    }
}
