//! The members of the mesh, each a process of its own behind a proxy.

use std::{
    fmt,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
};

use crate::{
    disk::{Disk, Filling},
    proxy::Proxy,
};

/// How long a member may take to begin, or to end when asked to; only a broken one takes as long.
const PATIENCE: Duration = Duration::from_secs(300);

/// The number of the signal.
const SIGTERM: i32 = 15;

/// The role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    Order,
    Inventory,
    Fulfillment,
    Returns,
    Partner,
    Operations,
    Gateway,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Order,
        Self::Inventory,
        Self::Fulfillment,
        Self::Returns,
        Self::Partner,
        Self::Operations,
        Self::Gateway,
    ];
    /// Those that own a database.
    pub(crate) const WITH_DATABASE: &'static [Self] =
        &[Self::Order, Self::Inventory, Self::Fulfillment, Self::Returns, Self::Partner, Self::Operations];

    /// Its name for `waybill serve`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Inventory => "inventory",
            Self::Fulfillment => "fulfillment",
            Self::Returns => "returns",
            Self::Partner => "partner",
            Self::Operations => "operations",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One member.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its role.
    pub(crate) role: Role,
    /// The proxy through which it is called.
    pub(crate) proxy: Proxy,
    /// Its own address, where it listens once its database is open; of the gateway that of REST.
    listen: SocketAddr,
    disk: Option<Disk>,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    process: Mutex<Process>,
}

/// Its process; locked while something is done to it.
#[derive(Debug, Default)]
pub(crate) struct Process {
    child: Option<Child>,
    full: bool,
    /// It may fail to start on a full disk.
    may_end: bool,
}

impl Process {
    fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }
}

impl Member {
    /// Locks the process for one fault. Also returns a problem when it ended without being asked to.
    pub(crate) async fn take(&self) -> (tokio::sync::MutexGuard<'_, Process>, Option<String>) {
        let mut process = self.process.lock().await;
        let ended = process.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
        let problem =
            ended.filter(|_| !process.may_end).map(|status| format!("{} ended by itself: {status}", self.role));
        if ended.is_some() {
            process.child = None;
        }
        (process, problem)
    }

    /// Starts it unless it runs.
    pub(crate) async fn start(&self, process: &mut Process) -> anyhow::Result<()> {
        if process.child.is_some() {
            return Ok(());
        }
        // Without SIGXFSZ a write beyond the limit fails like one to a full disk instead of ending the process.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", self.role))?;
        let mut errors = child.stderr.take().context("a process without output")?;
        let mut log = tokio::fs::OpenOptions::new().create(true).append(true).open(&self.log).await?;
        tokio::spawn(async move { tokio::io::copy(&mut errors, &mut log).await });
        process.child = Some(child);
        process.may_end = process.full;
        if let (true, Some(disk)) = (process.full, &self.disk) {
            disk.fill(process.id()).await?;
        }
        Ok(())
    }

    /// Waits until it listens.
    pub(crate) async fn listens(&self) -> anyhow::Result<()> {
        let listening = async {
            while TcpStream::connect(self.listen).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, listening).await.with_context(|| format!("{} does not come up", self.role))
    }

    /// `kill -9`.
    pub(crate) async fn kill(&self, process: &mut Process) -> anyhow::Result<()> {
        if let Some(mut child) = process.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Asks it to stop, as an orchestrator does. Fails when it does not end successfully.
    pub(crate) async fn stop(&self, process: &mut Process) -> anyhow::Result<()> {
        if let Some(mut child) = process.child.take() {
            signal(child.id(), "TERM").await?;
            let status =
                tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not end when asked to")??;
            // A process that has just started may not handle the signal yet.
            ensure!(status.success() || status.signal() == Some(SIGTERM), "asked to stop, it ended with {status}");
        }
        Ok(())
    }

    /// Suspends or resumes it.
    pub(crate) async fn pause(&self, process: &Process, paused: bool) -> anyhow::Result<()> {
        signal(process.id(), if paused { "STOP" } else { "CONT" }).await
    }

    /// Leaves it no space on its disk.
    pub(crate) async fn fill(&self, process: &mut Process) -> anyhow::Result<()> {
        process.full = true;
        // Before it listens it is still opening its database, which may fail.
        process.may_end |= TcpStream::connect(self.listen).await.is_err();
        match &self.disk {
            Some(disk) => disk.fill(process.id()).await,
            None => Ok(()),
        }
    }

    /// Gives it space again.
    pub(crate) async fn free(&self, process: &mut Process) -> anyhow::Result<()> {
        process.full = false;
        match &self.disk {
            Some(disk) => disk.free(process.id()).await,
            None => Ok(()),
        }
    }

    /// Keeps its files when it has ended.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        match &self.disk {
            Some(disk) => disk.close().await,
            None => Ok(()),
        }
    }
}

async fn signal(process: Option<u32>, name: &str) -> anyhow::Result<()> {
    let Some(process) = process else { return Ok(()) };
    // Every shell has a `kill` of its own; not every system has the program.
    let ended = Command::new("sh").args(["-c", "kill -$0 $1", name, &process.to_string()]).output().await?;
    // A process that has just ended needs no signal.
    drop(ended);
    Ok(())
}

/// Creates the members without starting them. Their files are below `directory`.
pub(crate) async fn members(program: &Path, directory: &Path, filling: Filling) -> anyhow::Result<Vec<Arc<Member>>> {
    let mut made = Vec::new();
    let mut peers = Vec::new();
    for role in Role::ALL {
        let listen = waybill_e2e::free_address();
        let mut arguments = vec!["serve".to_owned(), role.name().to_owned()];
        arguments.extend(["--admin-listen".to_owned(), "127.0.0.1:0".to_owned()]);
        let (disk, target) = if *role == Role::Gateway {
            let http = waybill_e2e::free_address();
            arguments.extend(["--listen".to_owned(), listen.to_string(), "--http-listen".to_owned(), http.to_string()]);
            (None, http)
        } else {
            let path = directory.join(role.name());
            let database = format!("sqlite:{}/{role}.db", path.display());
            arguments.extend(["--listen".to_owned(), listen.to_string(), "--database-url".to_owned(), database]);
            (Some(Disk::new(path, filling).await?), listen)
        };
        let proxy = Proxy::start(target).await?;
        if *role != Role::Gateway {
            peers.extend([format!("--{role}-url"), address(proxy.address())]);
        }
        made.push((*role, (proxy, target), disk, arguments));
    }
    let member =
        |(role, (proxy, listen), disk, mut arguments): (Role, (Proxy, SocketAddr), Option<Disk>, Vec<String>)| {
            arguments.extend(peers.iter().cloned());
            let log = directory.join(format!("{role}.log"));
            let program = program.to_owned();
            Arc::new(Member { role, proxy, listen, disk, program, arguments, log, process: Mutex::default() })
        };
    Ok(made.into_iter().map(member).collect())
}

/// The URL of an address.
pub(crate) fn address(address: SocketAddr) -> String {
    format!("http://{address}")
}
