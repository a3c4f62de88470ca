//! Backups of embedded databases: `backup` and `restore`.
#![expect(clippy::print_stdout, reason = "a command line speaks on its standard streams")]

use std::path::PathBuf;

use mesh::Secret;
use types::SystemClock;

use super::exit::Unusable;
use crate::backup;

/// What to copy, and where to.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Directory of the embedded databases. A mesh may be running on it.
    #[arg(long, env = "WAYBILL_DATA", default_value = "waybill-data")]
    data: PathBuf,
    /// Directory to make. Until it is whole it is called DIR.partial.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    elsewhere: Elsewhere,
}

/// What to put back, and where.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct RestoreOptions {
    /// The backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Directory to make; it may be there if it is empty. Until it is whole it is called DIR.restoring.
    #[arg(long, env = "WAYBILL_DATA", default_value = "waybill-data", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    elsewhere: Elsewhere,
}

/// Databases that this program does not copy.
#[derive(Debug, clap::Args)]
#[group(skip)]
struct Elsewhere {
    /// Refused: databases on a server are copied with the server's own tools.
    #[arg(long, env = "WAYBILL_DATABASE_TEMPLATE", hide_env_values = true)]
    database_template: Option<Secret>,
    /// Refused as well.
    #[arg(long, env = "WAYBILL_DATABASE_TEMPLATE_FILE", value_name = "FILE")]
    database_template_file: Option<PathBuf>,
}

impl Elsewhere {
    fn refuse(&self) -> anyhow::Result<()> {
        if self.database_template.is_none() && self.database_template_file.is_none() {
            return Ok(());
        }
        let problem = "--database-template names databases on a server: copy them with its own tools, all at one moment, such \
                    as pg_basebackup and point-in-time recovery; pg_dump copies one after the other and only fits a mesh \
                    that is stopped";
        Err(Unusable(problem.to_owned()).into())
    }
}

/// Takes a backup.
pub(super) async fn take(options: Options) -> anyhow::Result<()> {
    options.elsewhere.refuse()?;
    let Options { data, to, .. } = options;
    let shown = to.display().to_string();
    let taken = tokio::task::spawn_blocking(move || backup::take(&data, &to, &SystemClock)).await??;
    tell("backed up", &taken.manifest);
    println!("in {shown}; writers waited at most {:.1} ms", taken.held.as_secs_f64() * 1_000.0);
    Ok(())
}

/// Puts a backup back.
pub(super) async fn restore(options: RestoreOptions) -> anyhow::Result<()> {
    options.elsewhere.refuse()?;
    let RestoreOptions { from, data, .. } = options;
    let shown = data.display().to_string();
    let manifest = tokio::task::spawn_blocking(move || backup::restore(&from, &data)).await??;
    tell("restored", &manifest);
    println!("in {shown}; `waybill up --data {shown}` goes on from there");
    Ok(())
}

fn tell(done: &str, manifest: &backup::Manifest) {
    println!("{done} the mesh as it was at {}", manifest.cut_time);
    for database in &manifest.databases {
        println!("  {:<12} {:>12} bytes, {} events", database.service, database.bytes, database.log_position);
    }
}
