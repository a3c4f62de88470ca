//! A proxy before a member, whose connections can be cut and stalled.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What the proxy does with data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    /// No data passes.
    stalled: bool,
    /// How often all connections were cut. A connection is reset when this changes.
    cuts: u64,
}

/// A listener that forwards to a member, on an address of its own.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Proxy {
    /// Forwards to `target` from now on.
    pub(crate) async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = watch::Sender::new(State::default());
        let watching = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target, watching.subscribe()));
            }
        });
        Ok(Self { address, state })
    }

    /// Where the member is reached through it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets every connection.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Stalls all connections, or resumes them.
    pub(crate) fn stall(&self, stalled: bool) {
        self.state.send_modify(|state| state.stalled = stalled);
    }
}

/// Forwards one connection. It is reset when the member does not listen, as the member's machine would.
async fn forward(client: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    let cuts = state.borrow().cuts;
    client.set_nodelay(true).ok();
    let Ok(member) = TcpStream::connect(target).await else {
        client.set_zero_linger().ok();
        return;
    };
    member.set_nodelay(true).ok();
    let (from_client, to_client) = client.into_split();
    let (from_member, to_member) = member.into_split();
    let (upwards, downwards) = (state.clone(), state.clone());
    let both = async { tokio::join!(copy(from_client, to_member, upwards), copy(from_member, to_client, downwards)) };
    tokio::select! {
        _ = both => {}
        _ = state.wait_for(|state| state.cuts != cuts) => {}
    }
}

/// Copies until one side ends, and ends the other side's reading then.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if state.wait_for(|state| !state.stalled).await.is_err() || read == 0 {
            break;
        }
        let Some(bytes) = buffer.get(..read) else { break };
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    to.shutdown().await.ok();
}
