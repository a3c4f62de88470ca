//! PostgreSQL by hand: databases of the bench's own, what the server's own rate is, and many rows at once. Not how a
//! service uses it.

use std::{
    error::Error,
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use futures::SinkExt as _;
use tokio_postgres::{
    Client, Config, NoTls, Statement,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use super::{
    load::Load,
    process::{self, Counted},
    record::Sample,
    row::{Field, Placed, Rows},
};

/// How many bytes of rows are sent together when many are stored.
const TOGETHER: usize = 1 << 20;

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

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connecting to PostgreSQL")?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    });
    Ok(client)
}

/// A server, and databases of the bench on it.
pub(super) struct Postgres {
    client: Client,
    url: String,
    /// In the name of every database, so that two benches do not meet.
    name: String,
    made: Vec<String>,
    /// The server's first process, when it is on this machine.
    pub(super) postmaster: Option<u32>,
    /// What the server says it is, and how durable its commits are.
    pub(super) version: String,
}

impl Postgres {
    /// Connects to the database of the URL, next to which the others are made.
    pub(super) async fn connect(url: &str) -> anyhow::Result<Self> {
        let client = connect(&url.parse().context("reading the PostgreSQL URL")?).await?;
        let settings = "SELECT pg_backend_pid(), current_setting('server_version'), current_setting('fsync'), \
                        current_setting('synchronous_commit')";
        let row = client.query_one(settings, &[]).await?;
        let backend = u32::try_from(row.get::<_, i32>(0))?;
        let (version, fsync, commit): (&str, &str, &str) = (row.get(1), row.get(2), row.get(3));
        let version = format!("PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}");
        let name = format!("waybill_bench_{}", std::process::id());
        let postmaster = process::postmaster(backend);
        Ok(Self { client, url: url.to_owned(), name, made: Vec::new(), postmaster, version })
    }

    /// The URL of a database of this server.
    pub(super) fn url(&self, database: &str) -> anyhow::Result<String> {
        let (server, query) = match self.url.split_once('?') {
            Some((server, query)) => (server, format!("?{query}")),
            None => (self.url.as_str(), String::new()),
        };
        let (server, _) =
            server.rsplit_once('/').filter(|(server, _)| server.contains("//")).context("no database in the URL")?;
        Ok(format!("{server}/{database}{query}"))
    }

    /// The name of a service's database under a label.
    pub(super) fn database(&self, label: &str, service: &str) -> String {
        format!("{}_{label}_{service}", self.name)
    }

    /// Makes a database, as a copy of another if told so. Nobody may be connected to that one.
    pub(super) async fn make(&mut self, database: String, copy_of: Option<&str>) -> anyhow::Result<()> {
        let copy = copy_of.map_or_else(String::new, |of| format!(" TEMPLATE {of} STRATEGY FILE_COPY"));
        self.client.batch_execute(&format!("CREATE DATABASE {database}{copy}")).await?;
        self.made.push(database);
        Ok(())
    }

    /// Drops the databases that `those` picks.
    pub(super) async fn remove(&mut self, those: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let (gone, kept) = self.made.drain(..).partition(|database| those(database));
        self.made = kept;
        let gone: Vec<String> = gone;
        for database in gone {
            self.client.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await?;
        }
        Ok(())
    }

    /// Writes everything out, so that what one measurement left does not burden the next.
    pub(super) async fn checkpoint(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("CHECKPOINT").await?)
    }
}

/// A connection with the statements of a `PlaceOrder` prepared.
struct Caller {
    client: Client,
    order: Statement,
    lines: Statement,
    request: Statement,
    head: Statement,
    event: Statement,
    moved: Statement,
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
            moved: client.prepare("UPDATE log_head SET position = $1, hash = $2 WHERE id = 1").await?,
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
        tx.execute(&self.moved, &[&position, &hash]).await?;
        tx.commit().await
    }
}

fn params(rows: &Rows) -> Vec<&(dyn ToSql + Sync)> {
    rows.rows.iter().flatten().map(|field| field as &(dyn ToSql + Sync)).collect()
}

/// How fast orders are placed by hand, each caller with a connection of its own.
pub(super) async fn measure(url: &str, placed: &Placed, load: Load, postmaster: Option<u32>) -> anyhow::Result<Sample> {
    let config: Config = url.parse()?;
    let mut callers = Vec::with_capacity(load.callers);
    for _ in 0..load.callers {
        callers.push(Caller::connect(&config, placed).await?);
    }
    let next = AtomicU64::new(1);
    let counted = Counted::of([std::process::id()]).and_server(postmaster);
    let place =
        async |caller: &mut Caller, _| Ok(caller.place(placed.again(next.fetch_add(1, Ordering::Relaxed))).await?);
    let sample = load.run(&counted, callers, place).await?;
    Ok(Sample { peak_mib: None, cpu_ms: sample.cpu_ms.filter(|_| postmaster.is_some()), ..sample })
}

/// Stores rows for every number.
pub(super) async fn fill(
    url: &str,
    numbers: std::ops::Range<u64>,
    tables: &[&dyn Fn(u64) -> Rows],
) -> anyhow::Result<()> {
    let client = connect(&url.parse()?).await?;
    client.batch_execute("SET synchronous_commit = off").await?;
    for rows in tables {
        let Rows { table, columns, .. } = rows(numbers.start);
        let sink = client.copy_in(&format!("COPY {table} ({}) FROM STDIN", columns.join(", "))).await?;
        let mut sink = std::pin::pin!(sink);
        let mut text = String::with_capacity(TOGETHER + 4_096);
        for number in numbers.clone() {
            for row in rows(number).rows {
                copy_text(&row, &mut text);
            }
            if text.len() >= TOGETHER {
                sink.send(Bytes::from(std::mem::take(&mut text))).await?;
            }
        }
        sink.send(Bytes::from(text)).await?;
        sink.as_mut().finish().await?;
    }
    Ok(client.batch_execute("VACUUM ANALYZE").await?)
}

/// A row as COPY reads it.
fn copy_text(row: &[Field], text: &mut String) {
    for (at, field) in row.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "\t" });
        // Writing to a String does not fail.
        let _ignored = match field {
            Field::Null => write!(text, "\\N"),
            Field::Integer(integer) => write!(text, "{integer}"),
            Field::Text(plain) => {
                for c in plain.chars() {
                    match c {
                        '\\' => text.push_str("\\\\"),
                        '\t' => text.push_str("\\t"),
                        '\n' => text.push_str("\\n"),
                        '\r' => text.push_str("\\r"),
                        c => text.push(c),
                    }
                }
                Ok(())
            }
            Field::Bytes(bytes) => {
                text.push_str("\\\\x");
                bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))
            }
        };
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_copy_reads_it() {
        let mut text = String::new();
        let row = [Field::Integer(-1), Field::Null, Field::Text("a\tb\\".to_owned()), Field::Bytes(vec![0, 255])];
        copy_text(&row, &mut text);
        assert_eq!(text, "-1\t\\N\ta\\tb\\\\\t\\\\x00ff\n");
    }
}
