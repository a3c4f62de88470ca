//! PostgreSQL without the services: the server's own rate.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context as _;
use bytes::BytesMut;
use tokio_postgres::{
    Client, Config, NoTls, Statement,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use crate::{
    load::Load,
    placed::Placed,
    rows::{Field, Rows},
    sample::Sample,
    usage::Meter,
};

impl ToSql for Field {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) => integer.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

/// Connects to a database.
pub(crate) async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connecting to PostgreSQL")?;
    // The client's calls fail when the connection does.
    tokio::spawn(connection);
    Ok(client)
}

/// A connection with the statements of a `PlaceOrder` prepared.
struct Caller {
    client: Client,
    order: Statement,
    lines: Statement,
    request: Statement,
    head: Statement,
    event: Statement,
    advance: Statement,
}

impl Caller {
    async fn connect(config: &Config, placed: &Placed) -> anyhow::Result<Self> {
        let client = connect(config).await?;
        client.batch_execute("SET synchronous_commit = on").await?;
        let insert = |rows: &Rows| rows.insert(rows.rows.len(), |number| format!("${number}"));
        Ok(Self {
            order: client.prepare(&insert(&placed.order)).await?,
            lines: client.prepare(&insert(&placed.lines)).await?,
            request: client.prepare(&insert(&placed.request)).await?,
            head: client.prepare("SELECT position, hash FROM log_head WHERE id = 1 FOR UPDATE").await?,
            event: client.prepare(&insert(&placed.event)).await?,
            advance: client.prepare("UPDATE log_head SET position = $1, hash = $2 WHERE id = 1").await?,
            client,
        })
    }

    /// The statements of one `PlaceOrder` in a transaction of their own.
    async fn place(&mut self, mut placed: Placed) -> Result<(), tokio_postgres::Error> {
        let tx = self.client.transaction().await?;
        tx.execute(&self.order, &params(&placed.order)).await?;
        tx.execute(&self.lines, &params(&placed.lines)).await?;
        tx.execute(&self.request, &params(&placed.request)).await?;
        let head = tx.query_one(&self.head, &[]).await?;
        let (position, hash) = placed.chain(head.get(0), head.get(1));
        tx.execute(&self.event, &params(&placed.event)).await?;
        tx.execute(&self.advance, &[&position, &hash]).await?;
        tx.commit().await
    }
}

fn params(rows: &Rows) -> Vec<&(dyn ToSql + Sync)> {
    rows.rows.iter().flatten().map(|field| field as &(dyn ToSql + Sync)).collect()
}

/// Measures how fast orders are placed by hand, each caller with a connection of its own.
pub(crate) async fn measure(url: &str, placed: &Placed, load: Load, postmaster: Option<u32>) -> anyhow::Result<Sample> {
    let config: Config = url.parse()?;
    let mut callers = Vec::with_capacity(load.callers);
    for _ in 0..load.callers {
        callers.push(Caller::connect(&config, placed).await?);
    }
    let next = AtomicU64::new(1);
    let meter = Meter::of([std::process::id()]).and_server(postmaster);
    let place =
        async |caller: &mut Caller, _| Ok(caller.place(placed.another(next.fetch_add(1, Ordering::Relaxed))).await?);
    let sample = load.run(&meter, callers, place).await?;
    Ok(Sample { peak_mib: None, cpu_ms: sample.cpu_ms.filter(|_| postmaster.is_some()), ..sample })
}
