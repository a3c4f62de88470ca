//! The whole mesh without calls: how long it takes to start on an empty directory, and its memory.

use std::time::Duration;

use crate::{databases::Engine, scenario::IDLE, server::Mesh, testbed::Testbed, usage::Meter};

pub(crate) const READY: &str = "time to ready on an empty directory";
pub(crate) const RESIDENT: &str = "resident memory of an idle mesh";

/// How long it has no calls before its memory is measured.
const REST: Duration = Duration::from_secs(1);

/// One round, on SQLite only.
pub(crate) async fn round(testbed: &mut Testbed) -> anyhow::Result<()> {
    if testbed.engine() != Engine::Sqlite {
        return Ok(());
    }
    let empty = testbed.databases.empty("idle")?;
    let data = empty.directory.join("data").display().to_string();
    let mesh = Mesh::start(&testbed.binary, &empty.directory, vec!["--data".to_owned(), data]).await?;
    testbed.note(IDLE, READY, "ms", mesh.startup.as_secs_f64() * 1_000.0);
    tokio::time::sleep(REST).await;
    if let Some(resident) = Meter::of([mesh.process.id()]).resident_mib() {
        testbed.note(IDLE, RESIDENT, "MiB", resident);
    }
    mesh.process.kill().await?;
    testbed.databases.discard(empty).await
}
