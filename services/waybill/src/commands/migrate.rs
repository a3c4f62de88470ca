//! Migrates a service's database, before the service itself is upgraded.

use std::sync::Arc;

use clap::Args;
use types::SystemClock;

use super::{claim::Claim, database::Database, exit::Unusable, role::Role};

/// The database to migrate.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// The service whose database is migrated.
    #[arg(value_parser = Role::parser())]
    role: Role,
    #[command(flatten)]
    database: Database,
}

/// Migrates a database.
pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let Role::Service(service) = options.role else {
        return Err(Unusable("the gateway has no database".to_owned()).into());
    };
    let database = options.database.options()?;
    let _claim = Claim::of(&database)?;
    let db = service.open(&database, Arc::new(SystemClock)).await?;
    db.close().await;
    tracing::info!(service = service.name, "the database is up to date");
    Ok(())
}
