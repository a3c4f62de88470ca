//! PostgreSQL, over the network: statements handed over together travel together.

use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::BytesMut;
use tokio_postgres::{
    Client, Config, NoTls, Statement,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use crate::{
    failure::Failure,
    row::Row,
    value::{Kind, Value},
};

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 500;

/// A connection to a server.
pub(crate) struct Connection {
    client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) async fn open(config: &Config) -> Result<Self, Failure> {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn StdError, "a connection to the database ended");
            }
        });
        Ok(Self { client, prepared: Mutex::default() })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    pub(crate) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        let statement = self.prepare(sql, args.iter().map(|value| scalar(value.kind())).collect()).await?;
        read(&self.client.query(&statement, &parameters(args)).await?)
    }

    pub(crate) async fn execute(&self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        let statement = self.prepare(sql, args.iter().map(|value| scalar(value.kind())).collect()).await?;
        Ok(self.client.execute(&statement, &parameters(args)).await?)
    }

    pub(crate) async fn fetch_columns(&self, sql: &str, rows: &[Vec<Value>]) -> Result<Vec<Row>, Failure> {
        let columns = columns(rows);
        let statement = self.prepare(sql, columns.iter().map(|column| list(column.kind)).collect()).await?;
        read(&self.client.query(&statement, &parameters(&columns)).await?)
    }

    pub(crate) async fn execute_columns(&self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, Failure> {
        let columns = columns(rows);
        let statement = self.prepare(sql, columns.iter().map(|column| list(column.kind)).collect()).await?;
        Ok(self.client.execute(&statement, &parameters(&columns)).await?)
    }

    pub(crate) async fn script(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql).await?)
    }

    async fn prepare(&self, sql: &str, types: Vec<Type>) -> Result<Statement, Failure> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known.filter(|statement| statement.params() == types) {
            return Ok(statement);
        }
        let statement = self.client.prepare_typed(sql, &types).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= STATEMENTS {
            prepared.clear();
        }
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

const fn scalar(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
    }
}

const fn list(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8_ARRAY,
        Kind::Text => Type::TEXT_ARRAY,
        Kind::Bytes => Type::BYTEA_ARRAY,
    }
}

fn parameters<T: ToSql + Sync>(values: &[T]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// The values of one column of many rows.
#[derive(Debug)]
struct Column<'a> {
    kind: Kind,
    values: Vec<&'a Value>,
}

fn columns(rows: &[Vec<Value>]) -> Vec<Column<'_>> {
    let first = rows.first().map_or(&[][..], Vec::as_slice);
    let mut columns: Vec<Column<'_>> =
        first.iter().map(|value| Column { kind: value.kind(), values: Vec::with_capacity(rows.len()) }).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.values.push(value);
        }
    }
    columns
}

type Encoded = Result<IsNull, Box<dyn StdError + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::Integer(integer) => integer.to_sql(&Type::INT8, out),
            Self::Text(text) => text.as_str().to_sql(&Type::TEXT, out),
            Self::Bytes(bytes) => bytes.as_slice().to_sql(&Type::BYTEA, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

impl ToSql for Column<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        self.values.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8_ARRAY, Type::TEXT_ARRAY, Type::BYTEA_ARRAY].contains(ty)
    }

    to_sql_checked!();
}

fn read(rows: &[tokio_postgres::Row]) -> Result<Vec<Row>, Failure> {
    let names: Arc<[String]> = match rows.first() {
        Some(row) => row.columns().iter().map(|column| column.name().to_owned()).collect(),
        None => return Ok(Vec::new()),
    };
    rows.iter().map(|row| Ok(Row::new(names.clone(), values(row)?))).collect()
}

fn values(row: &tokio_postgres::Row) -> Result<Vec<Value>, tokio_postgres::Error> {
    let value = |(index, column): (usize, &tokio_postgres::Column)| {
        Ok(match *column.type_() {
            Type::INT2 => row
                .try_get::<_, Option<i16>>(index)?
                .map_or(Value::Null(Kind::Integer), |small| Value::Integer(small.into())),
            Type::INT4 => row
                .try_get::<_, Option<i32>>(index)?
                .map_or(Value::Null(Kind::Integer), |int| Value::Integer(int.into())),
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Value::Null(Kind::Integer), Value::Integer),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map_or(Value::Null(Kind::Bytes), Value::Bytes),
            _ => row.try_get::<_, Option<String>>(index)?.map_or(Value::Null(Kind::Text), Value::Text),
        })
    };
    row.columns().iter().enumerate().map(value).collect()
}
