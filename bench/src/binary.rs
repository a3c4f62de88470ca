//! The binaries under test.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tokio::process::Command;
use waybill::child_process::Process;

/// What a binary is measured as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The binary that is reported on.
    Candidate,
    /// The one it is compared with.
    Baseline,
}

impl Side {
    /// In the names of its directory and databases.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Baseline => "baseline",
        }
    }
}

/// A `waybill` under test.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) side: Side,
    pub(crate) path: PathBuf,
}

impl Binary {
    /// The binary at a path. Fails when there is none.
    pub(crate) fn find(side: Side, path: &Path) -> anyhow::Result<Self> {
        let found = path.canonicalize();
        let path = found.with_context(|| format!("{} is missing: cargo build -p waybill first", path.display()))?;
        Ok(Self { side, path })
    }

    /// What it says it is, such as `waybill 0.1.0`.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.path).arg("--version").env_clear().output().await;
        let output = output.with_context(|| format!("running {}", self.path.display()))?;
        anyhow::ensure!(output.status.success(), "{} --version ends with {}", self.path.display(), output.status);
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Starts it with these arguments; `workers` is the number of threads that work at the same time, as many as there are
    /// processors when not given.
    pub(crate) fn start(
        &self,
        directory: &Path,
        arguments: &[String],
        workers: Option<usize>,
    ) -> anyhow::Result<Process> {
        let workers = workers.map(|workers| ("TOKIO_WORKER_THREADS", workers.to_string()));
        start(directory, &self.path, arguments, workers)
    }
}

/// Starts any program with only this in its environment. It logs into the directory.
pub(crate) fn start(
    directory: &Path,
    program: &Path,
    arguments: &[String],
    environment: Option<(&str, String)>,
) -> anyhow::Result<Process> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment);
    Process::start(command, File::options().create(true).append(true).open(log(directory))?)
}

/// Adds the end of the log in the directory to an error.
pub(crate) fn with_log<T>(directory: &Path, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
    outcome.with_context(|| {
        let log = std::fs::read_to_string(log(directory)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("; ")
    })
}

fn log(directory: &Path) -> PathBuf {
    directory.join("log")
}

/// Where a program is, as a shell finds it.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|path| path.join(program)).find(|program| program.is_file())
}
