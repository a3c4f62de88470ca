//! What a batch of commands decides on: the rows that were loaded, and what became of them.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
};

use futures::future::try_join_all;
use types::Fault;

use crate::{
    connection::Connection,
    failure::Failure,
    needs::{Needs, Want},
    record::{Key, Record},
    statement,
    table::{AnyTable, Table},
    value::Value,
};

type Columns = &'static [&'static str];

/// The rows a command may read and change. It sees what earlier commands of its batch have changed.
#[derive(Debug, Default)]
pub struct Rows {
    tables: HashMap<TypeId, Box<dyn AnyTable>>,
    loaded: HashMap<(TypeId, Columns), HashSet<Vec<Value>>>,
    misuse: Option<Fault>,
    /// Whether any command of the batch has put a row.
    changed: bool,
}

impl Rows {
    /// The row with this key. A fault when the command never said that it needs it.
    pub fn get<R: Record>(&self, key: &R::Key) -> Result<Option<&R>, Fault> {
        let key = key.to_values();
        let found = self.table::<R>().and_then(|table| table.get(&key));
        if found.is_some() || (1..=R::KEY.len()).any(|length| self.has::<R>(R::KEY.get(..length), key.get(..length))) {
            return Ok(found);
        }
        Err(forgotten::<R>(R::KEY))
    }

    /// All rows whose first key columns equal `prefix`, in key order. A fault when the command never said that it needs them.
    pub fn under<R: Record>(&self, prefix: &(impl Key + ?Sized)) -> Result<Vec<&R>, Fault> {
        let prefix = prefix.to_values();
        if (1..=prefix.len()).any(|length| self.has::<R>(R::KEY.get(..length), prefix.get(..length))) {
            return Ok(self.table::<R>().map(|table| table.under(&prefix)).unwrap_or_default());
        }
        Err(forgotten::<R>(R::KEY))
    }

    /// All rows in which `columns` equal `values`, in key order. A fault when the command never said that it needs them.
    pub fn by<R: Record>(&self, columns: Columns, values: &(impl Key + ?Sized)) -> Result<Vec<&R>, Fault> {
        let values = values.to_values();
        if let Some(unknown) = columns.iter().find(|column| !R::COLUMNS.contains(column)) {
            return Err(Fault::internal(format!("the record of {} has no column {unknown}", R::TABLE)));
        }
        if self.has::<R>(Some(columns), Some(&values)) {
            return Ok(self.table::<R>().map(|table| table.by(columns, &values)).unwrap_or_default());
        }
        Err(forgotten::<R>(columns))
    }

    /// Saves a row with the command: a new one when its version is 0. Answers it with its new version.
    ///
    /// A changed row has to be made from the one `get` answers; anything else fails the command.
    pub fn put<R: Record>(&mut self, record: R) -> R {
        self.changed = true;
        let table = self.tables.entry(TypeId::of::<R>()).or_insert_with(|| Box::new(Table::<R>::default()));
        let table: &mut dyn Any = &mut **table;
        let Some(table) = table.downcast_mut::<Table<R>>() else { return record };
        match table.put(record) {
            Ok(put) => put.clone(),
            Err((misuse, record)) => {
                self.misuse = Some(misuse);
                record
            }
        }
    }

    fn table<R: Record>(&self) -> Option<&Table<R>> {
        let table: &dyn Any = &**self.tables.get(&TypeId::of::<R>())?;
        table.downcast_ref()
    }

    fn has<R: Record>(&self, columns: Option<Columns>, values: Option<&[Value]>) -> bool {
        let (Some(columns), Some(values)) = (columns, values) else { return false };
        self.loaded.get(&(TypeId::of::<R>(), columns)).is_some_and(|loaded| loaded.contains(values))
    }

    /// Accepts what the present command has changed; a fault when it misused a row.
    pub(crate) fn accept(&mut self) -> Result<(), Fault> {
        if let Some(misuse) = self.misuse.take() {
            return Err(misuse);
        }
        self.tables.values_mut().for_each(|table| table.merge());
        Ok(())
    }

    /// Whether any command has changed what others may have asked for.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Drops what the present command has changed.
    pub(crate) fn discard(&mut self) {
        self.misuse = None;
        self.tables.values_mut().for_each(|table| table.discard());
    }

    /// Loads what of `needs` is not loaded yet, one statement per table and set of columns; answers whether there was any.
    pub(crate) async fn load(&mut self, conn: &Connection, needs: Needs, lock: &'static str) -> Result<bool, Failure> {
        let mut missing = HashMap::<_, (Want, HashSet<_>)>::new();
        for mut want in needs.wanted {
            let at = (want.record, want.columns);
            if self.loaded.get(&at).is_some_and(|loaded| loaded.contains(&want.values)) {
                continue;
            }
            let values = std::mem::take(&mut want.values);
            missing.entry(at).or_insert_with(|| (want, HashSet::new())).1.insert(values);
        }
        if missing.is_empty() {
            return Ok(false);
        }
        let mut missing: Vec<_> =
            missing.into_iter().map(|(at, (want, values))| (at, (want.table)(), values)).collect();
        missing.sort_by_key(|((_, columns), table, _)| (table.name(), *columns));
        let selects = missing.iter().map(|((_, columns), table, values)| async move {
            let select = format!("SELECT {}, version FROM {}", table.columns().join(", "), table.name());
            let tail =
                if lock.is_empty() { String::new() } else { format!(" ORDER BY {}{lock}", table.key().join(", ")) };
            statement::select(conn, &select, columns, values.iter().cloned().collect(), &tail).await
        });
        let found = try_join_all(selects).await?;
        for (((record, columns), table, values), rows) in missing.into_iter().zip(found) {
            let table = self.tables.entry(record).or_insert(table);
            table.index(columns);
            table.absorb(rows)?;
            self.loaded.entry((record, columns)).or_default().extend(values);
        }
        Ok(true)
    }

    /// Writes all changes: per table one statement for new rows and one for changed ones, in key order.
    pub(crate) async fn save(&self, conn: &Connection) -> Result<bool, Failure> {
        let mut tables: Vec<_> = self.tables.values().map(AsRef::as_ref).collect();
        tables.sort_by_key(|table| table.name());
        let saves =
            tables.into_iter().flat_map(|table| [save(conn, table, Change::Insert), save(conn, table, Change::Update)]);
        Ok(try_join_all(saves).await?.contains(&true))
    }
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Insert,
    Update,
}

/// Writes new or changed rows of one table; answers whether there were any.
async fn save(conn: &Connection, table: &dyn AnyTable, change: Change) -> Result<bool, Failure> {
    let rows = match change {
        Change::Insert => table.inserts(),
        Change::Update => table.updates(),
    };
    if rows.is_empty() {
        return Ok(false);
    }
    let (written, refused) = match change {
        Change::Insert => {
            let columns = format!("{}, version", table.columns().join(", "));
            let conflict = format!(" ON CONFLICT ({}) DO NOTHING", table.key().join(", "));
            let written = statement::insert_or(conn, table.name(), &columns, &conflict, &rows).await?;
            (written, Failure::Exists(table.name()))
        }
        Change::Update => {
            let written = statement::update(conn, table.name(), table.key(), table.columns(), &rows).await?;
            (written, Failure::Conflict)
        }
    };
    if written < rows.len() as u64 { Err(refused) } else { Ok(true) }
}

fn forgotten<R: Record>(columns: &[&str]) -> Fault {
    Fault::internal(format!("rows of {} by {columns:?} were read without being asked for in needs", R::TABLE))
}
