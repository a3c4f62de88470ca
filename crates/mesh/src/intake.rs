//! What callers may have open and in flight: connections, bytes of requests, and calls without credentials. It bounds the
//! memory that anybody can take, before it is known who calls and after.

mod body;
mod settings;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use types::{Fault, Reason};

pub use body::Arriving;
pub use settings::IntakeSettings;

use crate::peer::Peer;

/// When to come back: calls that hold memory are short.
const RETRY: Duration = Duration::from_secs(1);

/// The count of what is open and in flight in a process. Clones are the same count.
#[derive(Debug, Clone)]
pub struct Intake(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: IntakeSettings,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    bytes: usize,
    of_addresses: HashMap<IpAddr, usize>,
    of_strangers: HashMap<IpAddr, usize>,
    of_clients: HashMap<Arc<str>, usize>,
}

/// An open connection, in the extensions of its requests.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Open>);

#[derive(Debug)]
struct Open {
    intake: Intake,
    address: IpAddr,
    peer: Peer,
    secure: bool,
    bytes: Mutex<usize>,
}

/// A connection that was accepted, until it is known who is at its other end.
#[derive(Debug)]
pub(crate) struct Accepted(Option<(Intake, IpAddr)>);

/// The bytes of one call's request that are in memory, until it is dropped.
#[derive(Debug)]
pub struct Load {
    intake: Intake,
    connection: Option<Connection>,
    client: Option<Arc<str>>,
    bytes: Mutex<usize>,
}

/// A call without credentials, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stranger(Intake, IpAddr);

impl Intake {
    /// Nothing is open yet.
    pub fn of(settings: &IntakeSettings) -> Self {
        Self(Arc::new(Shared { settings: settings.clone(), counts: Mutex::default() }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        lock(&self.0.counts)
    }

    /// How many bytes of requests are in memory.
    pub fn bytes(&self) -> usize {
        self.counts().bytes
    }

    /// Counts a connection, unless there are too many.
    pub(crate) fn accept(&self, address: IpAddr) -> Result<Accepted, &'static str> {
        let settings = &self.0.settings;
        let (address, mut counts) = (network(address), self.counts());
        if counts.connections >= settings.max_connections {
            return Err(refused("connections"));
        }
        let of_address = counts.of_addresses.entry(address).or_default();
        if *of_address >= settings.max_address_connections {
            return Err(refused("address_connections"));
        }
        *of_address += 1;
        counts.connections += 1;
        metrics::gauge!("intake_connections").increment(1);
        Ok(Accepted(Some((self.clone(), address))))
    }

    /// Counts the bytes of a call's request, which is of a client and came over a connection. What a member sends for
    /// others is counted in all only.
    pub fn load(&self, connection: Option<&Connection>, client: Option<Arc<str>>) -> Arc<Load> {
        Arc::new(Load { intake: self.clone(), connection: connection.cloned(), client, bytes: Mutex::default() })
    }

    fn stranger(&self, address: IpAddr) -> Result<Stranger, Fault> {
        let (address, mut counts) = (network(address), self.counts());
        let calls = counts.of_strangers.entry(address).or_default();
        if *calls >= self.0.settings.max_anonymous_calls {
            refused("anonymous_calls");
            let message = "too many calls without credentials from this address at once";
            return Err(Fault { retry_after: Some(RETRY), ..Fault::new(Reason::ResourceExhausted, message) });
        }
        *calls += 1;
        Ok(Stranger(self.clone(), address))
    }
}

impl Accepted {
    /// The connection of this peer, with TLS or without.
    pub(crate) fn begin(mut self, peer: Peer, secure: bool) -> Option<Connection> {
        let (intake, address) = self.0.take()?;
        Some(Connection(Arc::new(Open { intake, address, peer, secure, bytes: Mutex::default() })))
    }
}

impl Connection {
    /// The other end.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// Whether it has TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// The bytes of a call by this client, or of nobody.
    pub fn load(&self, client: Option<&str>) -> Arc<Load> {
        let client = client.map_or_else(|| format!("address:{}", self.0.address).into(), Arc::from);
        self.0.intake.load(Some(self), Some(client))
    }

    /// The bytes of a call that a member makes.
    pub(crate) fn load_of_member(&self) -> Arc<Load> {
        self.0.intake.load(None, None)
    }

    /// Counts a call without credentials, unless there are too many.
    pub(crate) fn stranger(&self) -> Result<Stranger, Fault> {
        self.0.intake.stranger(self.0.address)
    }
}

impl Load {
    /// Counts so many more bytes, unless there are too many of the connection, the client, or in all.
    fn add(&self, more: usize) -> Result<(), Fault> {
        let settings = &self.intake.0.settings;
        let mut of_connection = self.connection.as_ref().map(|connection| lock(&connection.0.bytes));
        if of_connection.as_ref().is_some_and(|bytes| **bytes + more > settings.max_connection_bytes) {
            return Err(too_many("connection_bytes", "its connection", settings.max_connection_bytes));
        }
        let mut counts = self.intake.counts();
        if counts.bytes + more > settings.max_request_bytes {
            return Err(too_many("bytes", "all callers", settings.max_request_bytes));
        }
        if let Some(client) = &self.client {
            let bytes = counts.of_clients.entry(client.clone()).or_default();
            if *bytes + more > settings.max_client_bytes {
                return Err(too_many("client_bytes", "its client", settings.max_client_bytes));
            }
            *bytes += more;
        }
        counts.bytes += more;
        drop(counts);
        metrics::gauge!("intake_bytes").increment(more as f64);
        if let Some(bytes) = &mut of_connection {
            **bytes += more;
        }
        *lock(&self.bytes) += more;
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let bytes = *lock(&self.bytes);
        if let Some(connection) = &self.connection {
            let mut of_connection = lock(&connection.0.bytes);
            *of_connection = of_connection.saturating_sub(bytes);
        }
        let mut counts = self.intake.counts();
        counts.bytes = counts.bytes.saturating_sub(bytes);
        if let Some(client) = &self.client {
            give_back(&mut counts.of_clients, client, bytes);
        }
        metrics::gauge!("intake_bytes").decrement(bytes as f64);
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        if let Some((intake, address)) = self.0.take() {
            closed(&intake, address);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        closed(&self.intake, self.address);
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        give_back(&mut self.0.counts().of_strangers, &self.1, 1);
    }
}

fn closed(intake: &Intake, address: IpAddr) {
    let mut counts = intake.counts();
    counts.connections = counts.connections.saturating_sub(1);
    metrics::gauge!("intake_connections").decrement(1);
    give_back(&mut counts.of_addresses, &address, 1);
}

/// Takes so many from a count, which is forgotten with its last.
fn give_back<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K, many: usize) {
    let Some(count) = counts.get_mut(of) else { return };
    *count = count.saturating_sub(many);
    if *count == 0 {
        counts.remove(of);
    }
}

/// What counts as one address: a household or a machine has a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn refused(bound: &'static str) -> &'static str {
    metrics::counter!("intake_refused_total", "bound" => bound).increment(1);
    bound
}

fn too_many(bound: &'static str, of: &str, most: usize) -> Fault {
    refused(bound);
    let fault = Fault::unavailable(format!("the requests of {of} that are in flight have more than {most} bytes"));
    Fault { retry_after: Some(RETRY), ..fault }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake() -> Intake {
        Intake::of(&IntakeSettings {
            max_connections: 3,
            max_address_connections: 2,
            max_request_bytes: 100,
            max_client_bytes: 50,
            max_connection_bytes: 30,
            max_anonymous_calls: 1,
            ..IntakeSettings::default()
        })
    }

    fn connect(intake: &Intake, address: &str) -> Connection {
        let address = format!("{address}:1").parse::<std::net::SocketAddr>().unwrap();
        intake.accept(address.ip()).unwrap().begin(Peer::Address(address), false).unwrap()
    }

    #[test]
    fn connections_are_bounded_for_each_address_and_in_all() {
        let intake = intake();
        let first = connect(&intake, "10.0.0.1");
        let _second = connect(&intake, "[::ffff:10.0.0.1]");
        assert_eq!(intake.accept([10, 0, 0, 1].into()).err(), Some("address_connections"));
        let third = connect(&intake, "[2001:db8::1]");
        assert_eq!(intake.accept([10, 0, 0, 2].into()).err(), Some("connections"));
        drop(first);
        let _fourth = connect(&intake, "[2001:db8::2]");
        drop(third);
        assert!(intake.accept("2001:db8::3".parse().unwrap()).is_ok());
        assert_eq!(intake.counts().of_addresses.len(), 2, "what is closed is forgotten");
    }

    #[test]
    fn bytes_are_bounded_for_each_connection_each_client_and_in_all() {
        let intake = intake();
        let (one, other) = (connect(&intake, "10.0.0.1"), connect(&intake, "10.0.0.2"));
        let detail = |refused: Result<(), Fault>| refused.unwrap_err().message;
        let first = one.load(Some("person:a"));
        first.add(30).unwrap();
        assert!(detail(one.load(Some("person:b")).add(1)).contains("connection"));
        let second = other.load(Some("person:a"));
        assert!(detail(second.add(21)).contains("client"));
        second.add(20).unwrap();
        let member = one.load_of_member();
        member.add(50).unwrap();
        assert!(detail(other.load(None).add(1)).contains("all callers"));
        drop(member);
        drop(first);
        one.load(Some("person:b")).add(30).unwrap();
        drop(second);
        assert_eq!(intake.bytes(), 0);
        assert!(intake.counts().of_clients.is_empty());
    }

    #[test]
    fn calls_without_credentials_are_bounded_for_each_address() {
        let intake = intake();
        let (one, other) = (connect(&intake, "10.0.0.1"), connect(&intake, "10.0.0.2"));
        let call = one.stranger().unwrap();
        assert_eq!(one.stranger().unwrap_err().reason, Reason::ResourceExhausted);
        other.stranger().unwrap();
        drop(call);
        one.stranger().unwrap();
    }
}
