//! Bringing a database up to date, before the services that use it are.

use std::sync::Arc;

use clap::Args;
use types::SystemClock;

use super::{claim::Claim, database::Database, exit::Unusable, serve::Role};
use crate::compose;

/// Whose database to bring up to date.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// The service.
    role: Role,
    #[command(flatten)]
    database: Database,
}

/// Brings a database up to date.
pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    if options.role == Role::Gateway {
        return Err(Unusable("the gateway has no database".to_owned()).into());
    }
    let database = options.database.options()?;
    let _claim = Claim::of(&database)?;
    let db = compose::open(options.role.name(), &database, Arc::new(SystemClock)).await?;
    db.close().await;
    tracing::info!(service = options.role.name(), "the database is up to date");
    Ok(())
}
