//! Who is at the other end of a connection.

use std::net::SocketAddr;

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
