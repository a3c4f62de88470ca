//! Settings of what callers may have open and in flight.

use clap::Args;

/// The bounds of what comes in, for all listeners of a process together.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct IntakeSettings {
    /// How many connections are open at once; further ones are closed at once.
    #[arg(long = "max-connections", env = "WAYBILL_MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,
    /// How many of them are from one address (IPv6: from one /64).
    #[arg(long = "max-address-connections", env = "WAYBILL_MAX_ADDRESS_CONNECTIONS", default_value_t = 512)]
    pub max_address_connections: usize,
    /// How many requests one connection to the REST API has open at once. One to a service has twice as many as
    /// --max-concurrency.
    #[arg(long = "max-connection-streams", env = "WAYBILL_MAX_CONNECTION_STREAMS", default_value_t = 256)]
    pub max_connection_streams: u32,
    /// How many bytes of requests are in memory at once. What is more is answered with 503.
    #[arg(long = "max-request-bytes", env = "WAYBILL_MAX_REQUEST_BYTES", default_value_t = 64 << 20)]
    pub max_request_bytes: usize,
    /// How many of them are of one client; of one address, when it has no credentials. Members of the mesh have no such
    /// bound.
    #[arg(long = "max-client-bytes", env = "WAYBILL_MAX_CLIENT_BYTES", default_value_t = 16 << 20)]
    pub max_client_bytes: usize,
    /// How many of them are of one connection; no less than the largest body.
    #[arg(long = "max-connection-bytes", env = "WAYBILL_MAX_CONNECTION_BYTES", default_value_t = 8 << 20)]
    pub max_connection_bytes: usize,
    /// How many calls without credentials (health, reflection) one address has open at once.
    #[arg(long = "max-anonymous-calls", env = "WAYBILL_MAX_ANONYMOUS_CALLS", default_value_t = 64)]
    pub max_anonymous_calls: usize,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_address_connections: 512,
            max_connection_streams: 256,
            max_request_bytes: 64 << 20,
            max_client_bytes: 16 << 20,
            max_connection_bytes: 8 << 20,
            max_anonymous_calls: 64,
        }
    }
}
