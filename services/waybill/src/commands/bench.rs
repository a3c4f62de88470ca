//! The measurements: `bench`.
#![expect(clippy::print_stdout, reason = "a command line speaks on its standard streams")]

use anyhow::Context as _;

use crate::bench;

/// Measures on a thread of its own: the callers leave the rest of the machine to the servers.
pub(super) async fn run(options: bench::Options) -> anyhow::Result<()> {
    let measured = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(bench::run(&options))
    });
    let table = measured.await.context("the bench ended early")??;
    println!("{table}");
    Ok(())
}
