//! A running `waybill`, ended with the test.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::process::Command;
use waybill::{child_process, rest::Rest};

/// Where a mesh can be reached.
pub(crate) struct Addresses {
    pub(crate) rest: String,
    pub(crate) grpc: BTreeMap<String, String>,
    pub(crate) metrics: String,
}

pub(crate) struct Process(child_process::Process);

/// A client of the gateway at `base`.
pub(crate) fn rest_client(base: impl Into<String>) -> Rest {
    mesh::install_process_defaults();
    Rest::new(base).unwrap()
}

impl Process {
    /// Starts `waybill` with these arguments and nothing of this environment's settings.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_logging(arguments, Stdio::null())
    }

    /// The same, with its log going there.
    pub(crate) fn start_logging(arguments: &[&str], log: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waybill"));
        command.args(arguments);
        Self::of(command, log)
    }

    fn of(mut command: Command, log: impl Into<Stdio>) -> Self {
        command.env_clear();
        Self(child_process::Process::start(command, log).unwrap())
    }

    /// Starts the whole mesh on a directory and free ports, and answers when it is up.
    pub(crate) async fn up(data: &Path) -> (Self, Rest) {
        let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_waybill"));
        command.args([&["up", "--data", data.to_str().unwrap()][..], &ports[..]].concat());
        Self::up_with(command).await
    }

    /// As `up`, with a command of the caller.
    pub(crate) async fn up_with(command: Command) -> (Self, Rest) {
        let mut process = Self::of(command, Stdio::null());
        let line = process.line_with("REST").await;
        let base = line.split_whitespace().find_map(|word| word.strip_suffix("/v1/orders")).unwrap().to_owned();
        (process, rest_client(base))
    }

    /// Waits until it is up and returns the addresses that it prints.
    pub(crate) async fn addresses(&mut self) -> Addresses {
        let url = |line: &str| line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        let rest = url(&self.line_with("REST").await).replace("/v1/orders", "");
        let mut grpc = BTreeMap::new();
        loop {
            let line = self.line_with("http://").await;
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["gRPC", address, service] => drop(grpc.insert((*service).to_owned(), (*address).to_owned())),
                ["watch", metrics] => return Addresses { rest, grpc, metrics: (*metrics).to_owned() },
                _ => {}
            }
        }
    }

    /// The next line of its output that has this text.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        self.0.line_with(text).await.unwrap()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// `kill -9`.
    pub(crate) async fn kill(self) {
        self.0.kill().await.unwrap();
    }

    /// Waits for it to end by itself, at most so long.
    pub(crate) async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.0.ended_within(limit).await.unwrap()
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.0.ended().await.unwrap()
    }

    /// Waits until it listens at an address.
    pub(crate) async fn listens(&mut self, address: SocketAddr) {
        self.0.listens(address).await.unwrap();
    }

    /// Asks it to stop, as an orchestrator does. Every shell has a `kill` of its own; not every system has the program.
    pub(crate) async fn terminate(&self) {
        let id = self.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status().await.unwrap().success());
    }
}
