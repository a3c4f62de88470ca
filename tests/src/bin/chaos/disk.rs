//! A member's own disk, which can be filled.
//!
//! It is a small file system where mounting is permitted. Where it is not, as in a plain container, the size of files is
//! limited instead: every write beyond the limit fails.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tokio::process::Command;

/// More than any run needs; only what is written is allocated.
const SIZE: &str = "size=2g";

/// How disks are filled on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filling {
    /// By making a file system no larger than what is in it.
    Mounted,
    /// By limiting the size of the process's files.
    Limited,
}

impl Filling {
    /// The method that this machine permits. Fails when it permits none.
    pub(crate) async fn of_this_machine(directory: &Path) -> anyhow::Result<Self> {
        let probe = directory.join("probe");
        tokio::fs::create_dir_all(&probe).await?;
        if run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs", text(&probe)?]).await.is_ok() {
            run("umount", &[text(&probe)?]).await?;
            return Ok(Self::Mounted);
        }
        run("prlimit", &["--pid", &std::process::id().to_string(), "--fsize"])
            .await
            .context("neither may file systems be mounted nor is there a prlimit: disks cannot be filled here")?;
        Ok(Self::Limited)
    }

    /// Its name in the summary.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mounted => "file systems without space",
            Self::Limited => "limits of file sizes",
        }
    }
}

/// A member's directory.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    filling: Filling,
}

impl Disk {
    /// Makes the directory.
    pub(crate) async fn new(path: PathBuf, filling: Filling) -> anyhow::Result<Self> {
        tokio::fs::create_dir_all(&path).await?;
        if filling == Filling::Mounted {
            run("mount", &["-t", "tmpfs", "-o", SIZE, "tmpfs", text(&path)?]).await?;
        }
        Ok(Self { path, filling })
    }

    /// Leaves no space for the member. `process` is the id of its process if it runs.
    pub(crate) async fn fill(&self, process: Option<u32>) -> anyhow::Result<()> {
        match self.filling {
            Filling::Mounted => {
                // A write between measuring and resizing makes the size too small: measure again.
                for _ in 0..50 {
                    if self.resize(&format!("size={}", self.used().await?)).await.is_ok() {
                        return Ok(());
                    }
                }
                self.resize(&format!("size={}", self.used().await?)).await
            }
            Filling::Limited => limit(process, "1:").await,
        }
    }

    /// Gives it space again.
    pub(crate) async fn free(&self, process: Option<u32>) -> anyhow::Result<()> {
        match self.filling {
            Filling::Mounted => self.resize(SIZE).await,
            Filling::Limited => limit(process, "unlimited:").await,
        }
    }

    /// Unmounts the file system and keeps its files in the directory.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        if self.filling == Filling::Mounted {
            let kept = self.path.with_extension("kept");
            run("cp", &["-a", text(&self.path)?, text(&kept)?]).await?;
            run("umount", &[text(&self.path)?]).await?;
            tokio::fs::remove_dir(&self.path).await?;
            tokio::fs::rename(&kept, &self.path).await?;
        }
        Ok(())
    }

    async fn used(&self) -> anyhow::Result<u64> {
        let answer = run("df", &["-B1", "--output=used", text(&self.path)?]).await?;
        let used: u64 = answer.lines().nth(1).unwrap_or_default().trim().parse().context("reading df")?;
        // SQLite needs some space even to open the index of a write-ahead log: without any it would not start at all.
        Ok(used.max(4_096))
    }

    async fn resize(&self, size: &str) -> anyhow::Result<()> {
        run("mount", &["-o", &format!("remount,{size}"), text(&self.path)?]).await.map(drop)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.filling == Filling::Mounted {
            // Closed already unless the run failed; lazily, since processes may still be ending.
            let unmounting = std::process::Command::new("umount").arg("-lq").arg(&self.path).output();
            drop(unmounting);
        }
    }
}

async fn limit(process: Option<u32>, size: &str) -> anyhow::Result<()> {
    match process {
        Some(process) => run("prlimit", &["--pid", &process.to_string(), &format!("--fsize={size}")]).await.map(drop),
        None => Ok(()),
    }
}

async fn run(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let ended = Command::new(program).args(arguments).output().await.with_context(|| format!("running {program}"))?;
    let errors = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{program} {}: {}", arguments.join(" "), errors.trim());
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
