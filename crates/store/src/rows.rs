//! The rows that a batch of commands decides on: those that were loaded, and their changes.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
};

use types::Fault;

use crate::{
    connection::{Connection, Lock},
    failure::Failure,
    needs::{Needs, Want},
    record::{Key, Record},
    row::Row,
    statement::{Change, Load, Shortfall},
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
    /// The row with this key. A fault when the command did not declare that it needs it.
    pub fn get<R: Record>(&self, key: &R::Key) -> Result<Option<&R>, Fault> {
        let key = key.to_values();
        let found = self.table::<R>().and_then(|table| table.get(&key));
        if found.is_some() || (1..=R::KEY.len()).any(|length| self.has::<R>(R::KEY.get(..length), key.get(..length))) {
            return Ok(found);
        }
        Err(forgotten::<R>(R::KEY))
    }

    /// All rows whose first key columns equal `prefix`, in key order. A fault when the command did not declare that it needs them.
    pub fn under<R: Record>(&self, prefix: &(impl Key + ?Sized)) -> Result<Vec<&R>, Fault> {
        let prefix = prefix.to_values();
        if (1..=prefix.len()).any(|length| self.has::<R>(R::KEY.get(..length), prefix.get(..length))) {
            return Ok(self.table::<R>().map(|table| table.under(&prefix)).unwrap_or_default());
        }
        Err(forgotten::<R>(R::KEY))
    }

    /// All rows in which `columns` equal `values`, in key order. A fault when the command did not declare that it needs them.
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
    /// A changed row has to be made from the one `get` returns; anything else fails the command.
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

    /// Loads what of `needs` is not loaded yet, in one round; returns whether there was any.
    pub(crate) async fn load(&mut self, conn: &Connection, needs: Needs, lock: Lock) -> Result<bool, Failure> {
        let missing = self.missing(needs);
        if missing.is_empty() {
            return Ok(false);
        }
        let loads: Vec<Load> = missing.iter().map(Missing::load).collect();
        let found = conn.load(&loads, lock).await?;
        self.absorb(missing, found)?;
        Ok(true)
    }

    /// What of `needs` is not loaded yet: one load for each table and set of columns.
    pub(crate) fn missing(&self, needs: Needs) -> Vec<Missing> {
        let mut missing = HashMap::<_, (Want, HashSet<_>)>::new();
        for mut want in needs.wanted {
            let at = (want.record, want.columns);
            if self.loaded.get(&at).is_some_and(|loaded| loaded.contains(&want.values)) {
                continue;
            }
            let values = std::mem::take(&mut want.values);
            missing.entry(at).or_insert_with(|| (want, HashSet::new())).1.insert(values);
        }
        let missing = missing.into_values();
        let mut missing: Vec<_> =
            missing.map(|(want, values)| Missing { table: (want.table)(), want, values }).collect();
        missing.sort_by_key(|missing| (missing.table.name(), missing.want.columns));
        missing
    }

    /// Takes the rows found for each of `missing`.
    pub(crate) fn absorb(
        &mut self,
        missing: Vec<Missing>,
        found: impl IntoIterator<Item = Vec<Row>>,
    ) -> Result<(), Failure> {
        for (Missing { want, table, values }, rows) in missing.into_iter().zip(found) {
            let table = self.tables.entry(want.record).or_insert(table);
            table.index(want.columns);
            table.absorb(rows)?;
            self.loaded.entry((want.record, want.columns)).or_default().extend(values);
        }
        Ok(())
    }

    /// The changes of rows that were loaded: one for each table, in the order in which loads lock.
    pub(crate) fn updates(&self) -> impl Iterator<Item = Change> {
        self.by_name().into_iter().map(updates)
    }

    /// The new rows: one change for each table.
    pub(crate) fn inserts(&self) -> impl Iterator<Item = Change> {
        self.by_name().into_iter().map(inserts)
    }

    fn by_name(&self) -> Vec<&dyn AnyTable> {
        let mut tables: Vec<_> = self.tables.values().map(AsRef::as_ref).collect();
        tables.sort_by_key(|table| table.name());
        tables
    }
}

/// Rows that were asked for and are not loaded.
#[derive(Debug)]
pub(crate) struct Missing {
    want: Want,
    table: Box<dyn AnyTable>,
    values: HashSet<Vec<Value>>,
}

impl Missing {
    pub(crate) fn load(&self) -> Load {
        let Self { want, table, values } = self;
        let select = format!("{}, version", table.columns().join(", "));
        Load::new(table.name(), select, want.columns, values.iter().cloned().collect(), table.key())
    }
}

fn inserts(table: &dyn AnyTable) -> Change {
    let columns = format!("{}, version", table.columns().join(", "));
    let conflict = format!("ON CONFLICT ({}) DO NOTHING", table.key().join(", "));
    Change::insert(table.name(), columns, conflict, table.inserts()).all_or(Shortfall::Exists)
}

/// Each row only when the table still has the version it was loaded with.
fn updates(table: &dyn AnyTable) -> Change {
    let (key, columns) = (table.key(), table.columns());
    let version = columns.len() + 1;
    let pair = |(index, column): (usize, &&str)| format!("{column} = @{}", index + 1);
    let set = columns.iter().enumerate().skip(key.len()).map(pair);
    let set: Vec<String> = std::iter::once(format!("version = @{version}")).chain(set).collect();
    let condition: Vec<String> = key
        .iter()
        .enumerate()
        .map(pair)
        .chain(std::iter::once(format!("{}.version = @{}", table.name(), version + 1)))
        .collect();
    Change::update(table.name(), set.join(", "), condition.join(" AND "), table.updates()).all_or(Shortfall::Conflict)
}

fn forgotten<R: Record>(columns: &[&str]) -> Fault {
    Fault::internal(format!("rows of {} by {columns:?} were read without being asked for in needs", R::TABLE))
}
