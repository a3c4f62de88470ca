//! Servers under test: processes of the same binary, so that what they use is not the bench's.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
};

use crate::compose::service_names;

/// How long a server may take to come up; only a broken one takes as long.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process that ends with this.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    log: PathBuf,
    /// Its id.
    pub(super) id: u32,
}

impl Process {
    /// Starts this binary with these arguments and nothing of the environment's settings. It logs into `directory`.
    pub(super) fn start(directory: &Path, arguments: &[String]) -> anyhow::Result<Self> {
        Self::start_with(directory, arguments, None)
    }

    /// The same, with so many threads that work at the same time; as many as there are processors unless said.
    fn start_with(directory: &Path, arguments: &[String], workers: Option<usize>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding this program")?;
        let workers = workers.map(|workers| ("TOKIO_WORKER_THREADS", workers.to_string()));
        Self::run(directory, &program, arguments, workers)
    }

    /// Starts any program, with nothing in its environment but this.
    pub(super) fn run(
        directory: &Path,
        program: &Path,
        arguments: &[String],
        environment: Option<(&str, String)>,
    ) -> anyhow::Result<Self> {
        let log = directory.join("log");
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let id = child.id().context("a process without an id")?;
        let lines = child.stdout.take().map(|output| BufReader::new(output).lines());
        Ok(Self { child, lines, log, id })
    }

    /// The next line of its output that has this text.
    async fn line_with(&mut self, text: &str) -> anyhow::Result<String> {
        let lines = self.lines.as_mut().context("its output was taken")?;
        let found = async {
            while let Some(line) = lines.next_line().await? {
                if line.contains(text) {
                    return Ok(line);
                }
            }
            anyhow::bail!("it ended")
        };
        let found = tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| Err(anyhow::anyhow!("it hangs")));
        found.with_context(|| format!("waiting for {text:?} of a server: {}", self.told()))
    }

    /// Waits until it listens there.
    pub(super) async fn listens(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let ended = self.child.try_wait()?;
            anyhow::ensure!(ended.is_none() && begun.elapsed() < PATIENCE, "a server did not come up: {}", self.told());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The end of its log.
    fn told(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }

    /// Ends it as a power failure would: what it acknowledged is safe.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// The whole mesh in one process.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) process: Process,
    /// Where REST is served.
    pub(super) http: SocketAddr,
    /// Where the order service is.
    pub(super) order: SocketAddr,
    /// How long it took from the start of the process until it was up.
    pub(super) took: Duration,
}

impl Whole {
    /// Starts it on databases, given as arguments.
    pub(super) async fn start(directory: &Path, databases: Vec<String>) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let ports = ["up", "--log", "warn", "--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
        let arguments: Vec<String> = ports.into_iter().map(str::to_owned).chain(databases).collect();
        let mut process = Process::start(directory, &arguments)?;
        let rest = process.line_with("  REST ").await?;
        let took = begun.elapsed();
        let order = process.line_with("  order").await?;
        Ok(Self { process, http: address(&rest)?, order: address(&order)?, took })
    }
}

/// The address in a line that has a URL in it.
fn address(line: &str) -> anyhow::Result<SocketAddr> {
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let address = url.and_then(|url| url.split('/').next()).context("a line without a URL")?;
    Ok(address.parse()?)
}

/// One service in a process of its own.
#[derive(Debug)]
pub(super) struct Alone {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
}

impl Alone {
    /// Starts a service on its database. Nobody else is there: its followers find nobody to follow.
    pub(super) async fn service(directory: &Path, role: &str, database_url: String) -> anyhow::Result<Self> {
        let address = free_address()?;
        let own = ["--listen".to_owned(), address.to_string(), "--database-url".to_owned(), database_url];
        Self::start(directory, role, own.to_vec(), address, nobody()?, None).await
    }

    /// Starts a gateway in front of the order service; of workers see `Process::start_with`.
    pub(super) async fn gateway(directory: &Path, order: SocketAddr, workers: Option<usize>) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut own = vec!["--listen".to_owned(), free_address()?.to_string()];
        own.extend(["--http-listen".to_owned(), address.to_string()]);
        own.extend(["--order-url".to_owned(), format!("http://{order}")]);
        let others = nobody()?.into_iter().skip(2).collect();
        Self::start(directory, "gateway", own, address, others, workers).await
    }

    async fn start(
        directory: &Path,
        role: &str,
        own: Vec<String>,
        address: SocketAddr,
        peers: Vec<String>,
        workers: Option<usize>,
    ) -> anyhow::Result<Self> {
        let mut arguments: Vec<String> = ["serve", role, "--log", "error", "--admin-listen"].map(str::to_owned).into();
        arguments.push(free_address()?.to_string());
        arguments.extend(own);
        arguments.extend(peers);
        let mut process = Process::start_with(directory, &arguments, workers)?;
        process.listens(address).await?;
        Ok(Self { process, address })
    }
}

/// Addresses of services that are not there, the order service first.
fn nobody() -> anyhow::Result<Vec<String>> {
    let nobody = format!("http://{}", free_address()?);
    Ok(service_names().into_iter().flat_map(|role| [format!("--{role}-url"), nobody.clone()]).collect())
}

/// A loopback address nobody listens at, with a port below those that systems give to whoever asks for any. Processes begin
/// in different places and go on from there, so that nobody else is given one before it is taken.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let place = u16::try_from(std::process::id() % 80)?;
    (0..1_000)
        .map(|_| 28_000 + (place * 50 + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000) % 4_000)
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .context("no free port")
}
