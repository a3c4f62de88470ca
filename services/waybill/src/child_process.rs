//! Servers in processes of their own, for the programs that try them: tests, `chaos` and the bench.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long a process may take for something it surely does; only a broken one takes as long.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    id: u32,
}

impl Process {
    /// Starts a command without input. Its standard error goes to `log`.
    pub fn start(mut command: Command, log: impl Into<Stdio>) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("starting {:?}", command.as_std().get_program()))?;
        let id = child.id().context("a process without an id")?;
        let output = child.stdout.take().context("a process without output")?;
        Ok(Self { child, lines: BufReader::new(output).lines(), id })
    }

    /// The id that the system gave it.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Reads its output to the next line that contains `text`.
    pub async fn line_with(&mut self, text: &str) -> anyhow::Result<String> {
        let found = async {
            while let Some(line) = self.lines.next_line().await? {
                if line.contains(text) {
                    return Ok(line);
                }
            }
            anyhow::bail!("the process ended")
        };
        timeout(PATIENCE, found).await.map_err(Into::into).flatten().with_context(|| format!("waiting for {text:?}"))
    }

    /// Waits until it listens at an address. Fails when it ends before.
    pub async fn listens(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let listening = async {
            while TcpStream::connect(address).await.is_err() {
                let ended = self.ended_within(Duration::from_millis(5)).await?;
                anyhow::ensure!(ended.is_none(), "the process ended");
            }
            Ok(())
        };
        timeout(PATIENCE, listening)
            .await
            .map_err(Into::into)
            .flatten()
            .with_context(|| format!("waiting for {address}"))
    }

    /// Waits for it to end by itself, at most for `limit`.
    pub async fn ended_within(&mut self, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
        timeout(limit, self.child.wait()).await.ok().transpose()
    }

    /// Waits for it to end by itself, and reads what it writes meanwhile.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let ending = async {
            while self.lines.next_line().await?.is_some() {}
            Ok(self.child.wait().await?)
        };
        timeout(PATIENCE, ending).await.context("the process does not end")?
    }

    /// Ends it as a power failure would (`kill -9`).
    pub async fn kill(mut self) -> std::io::Result<()> {
        self.child.kill().await
    }
}

/// A loopback address at which nothing listens. Its port is below those that systems give to a process that asks for any,
/// and processes start at different ports and count up from there, so that no other process is given it before it is used.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let window = u16::try_from(std::process::id() % 400).unwrap_or(0);
    loop {
        let port = 18_000 + (window * 25 + NEXT.fetch_add(1, Ordering::Relaxed) % 10_000) % 10_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
