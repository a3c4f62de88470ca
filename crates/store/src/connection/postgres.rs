//! PostgreSQL, over the network: the number of round trips counts.
//!
//! The driver does not send a statement before the one before it is answered. So all loads of a round are one statement,
//! and so are all changes of a batch; see `load` and `write`.

pub(crate) mod connect;
pub(crate) mod listen;
mod load;
pub(crate) mod problem;
mod values;
mod write;

use std::fmt;

use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;

pub(crate) use load::Lock;
pub(crate) use values::{arguments, rows};
pub(crate) use write::Scope;

use crate::{
    failure::Failure,
    row::Row,
    statement::{Change, Load},
    value::Value,
};

/// A connection to a server. It runs one statement after the other.
pub(crate) struct Connection(Mutex<PgConnection>);

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) async fn open(options: &PgConnectOptions) -> Result<Self, Failure> {
        let opened = tokio::time::timeout(connect::TIMEOUT, options.connect()).await;
        let connection = opened.map_err(|_| Failure::lost("the server does not answer"))??;
        Ok(Self(Mutex::new(connection)))
    }

    pub(crate) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(args)?);
        rows(&query.fetch_all(&mut *self.0.lock().await).await?)
    }

    pub(crate) async fn execute(&self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(args)?);
        Ok(query.execute(&mut *self.0.lock().await).await?.rows_affected())
    }

    pub(crate) async fn script(&self, sql: &str) -> Result<(), Failure> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *self.0.lock().await).await?;
        Ok(())
    }

    pub(crate) async fn load(&self, loads: &[Load], lock: Lock) -> Result<Vec<Vec<Row>>, Failure> {
        load::load(&mut *self.0.lock().await, loads, lock).await
    }

    pub(crate) async fn write(&self, changes: &[Change], scope: Scope) -> Result<(), Failure> {
        write::write(&mut *self.0.lock().await, changes, scope).await
    }
}
