//! The rows that a batch of commands decides on: those that were loaded, and their changes.

use std::{
    any::TypeId,
    collections::{HashMap, HashSet},
};

use types::Fault;

use crate::{
    connection::{Connection, Lock},
    failure::Failure,
    needs::{Needs, Want},
    record::{Key, Record},
    row::Row,
    statement::{Change, Load, Unchanged},
    table::{AnyRecord, Columns, Schema, Table},
    value::Value,
};

/// The rows a command may read and change. It sees what earlier commands of its batch have changed.
#[derive(Debug, Default)]
pub struct Rows {
    tables: HashMap<TypeId, Table>,
    loaded: HashMap<(TypeId, Columns), HashSet<Vec<Value>>>,
    misuse: Option<Fault>,
    /// Whether any command of the batch has put a row.
    changed: bool,
}

impl Rows {
    /// The row with this key. A fault when the command did not declare that it needs it.
    pub fn get<R: Record>(&self, key: &R::Key) -> Result<Option<&R>, Fault> {
        Ok(self.find(Schema::of::<R>(), &key.to_values())?.and_then(<dyn AnyRecord>::downcast))
    }

    /// All rows whose first key columns equal `prefix`, in key order. A fault when the command did not declare that it needs them.
    pub fn under<R: Record>(&self, prefix: &(impl Key + ?Sized)) -> Result<Vec<&R>, Fault> {
        let found = self.find_under(Schema::of::<R>(), &prefix.to_values())?;
        Ok(found.into_iter().filter_map(<dyn AnyRecord>::downcast).collect())
    }

    /// All rows in which `columns` equal `values`, in key order. A fault when the command did not declare that it needs them.
    pub fn by<R: Record>(&self, columns: Columns, values: &(impl Key + ?Sized)) -> Result<Vec<&R>, Fault> {
        let found = self.find_by(Schema::of::<R>(), columns, &values.to_values())?;
        Ok(found.into_iter().filter_map(<dyn AnyRecord>::downcast).collect())
    }

    /// Saves a row with the command: a new one when its version is 0. Returns it with its new version.
    ///
    /// A changed row has to be made from the one `get` returns; anything else fails the command.
    pub fn put<R: Record>(&mut self, mut record: R) -> R {
        let key = Record::key_values(&record);
        let table = self.change(Schema::of::<R>());
        match table.next_version(&key, Record::version(&record)) {
            Ok(version) => {
                record.set_version(version);
                table.put(key, Box::new(record.clone()));
            }
            Err(misuse) => self.misuse = Some(misuse),
        }
        record
    }

    fn find(&self, schema: Schema, key: &[Value]) -> Result<Option<&dyn AnyRecord>, Fault> {
        let found = self.tables.get(&schema.record).and_then(|table| table.get(key));
        if found.is_some() || self.has_prefix(&schema, key) {
            return Ok(found);
        }
        Err(forgotten(&schema, schema.key))
    }

    fn find_under(&self, schema: Schema, prefix: &[Value]) -> Result<Vec<&dyn AnyRecord>, Fault> {
        if self.has_prefix(&schema, prefix) {
            return Ok(self.tables.get(&schema.record).map(|table| table.under(prefix)).unwrap_or_default());
        }
        Err(forgotten(&schema, schema.key))
    }

    fn find_by(&self, schema: Schema, columns: Columns, values: &[Value]) -> Result<Vec<&dyn AnyRecord>, Fault> {
        if let Some(unknown) = columns.iter().find(|column| !schema.columns.contains(column)) {
            return Err(Fault::internal(format!("the record of {} has no column {unknown}", schema.table)));
        }
        if self.has(&schema, columns, values) {
            return Ok(self.tables.get(&schema.record).map(|table| table.by(columns, values)).unwrap_or_default());
        }
        Err(forgotten(&schema, columns))
    }

    /// Whether the rows under any part of a key were loaded.
    fn has_prefix(&self, schema: &Schema, key: &[Value]) -> bool {
        let parts = schema.key.len().min(key.len());
        (1..=parts).any(|length| match (schema.key.get(..length), key.get(..length)) {
            (Some(columns), Some(values)) => self.has(schema, columns, values),
            _ => false,
        })
    }

    fn has(&self, schema: &Schema, columns: Columns, values: &[Value]) -> bool {
        self.loaded.get(&(schema.record, columns)).is_some_and(|loaded| loaded.contains(values))
    }

    fn change(&mut self, schema: Schema) -> &mut Table {
        self.changed = true;
        self.tables.entry(schema.record).or_insert_with(|| Table::new(schema))
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

    /// Whether anything that was asked for is not loaded yet.
    pub(crate) fn lack(&self, wanted: &[Want]) -> bool {
        let is_loaded = |want: &Want| {
            let of_columns = self.loaded.get(&(want.schema.record, want.columns));
            of_columns.is_some_and(|loaded| loaded.contains(&want.values))
        };
        !wanted.iter().all(is_loaded)
    }

    /// What of `needs` is not loaded yet: one load for each table and set of columns.
    pub(crate) fn missing(&self, needs: Needs) -> Vec<Missing> {
        let mut missing = HashMap::<_, (Want, HashSet<_>)>::new();
        for mut want in needs.wanted {
            let at = (want.schema.record, want.columns);
            if self.loaded.get(&at).is_some_and(|loaded| loaded.contains(&want.values)) {
                continue;
            }
            let values = std::mem::take(&mut want.values);
            missing.entry(at).or_insert_with(|| (want, HashSet::new())).1.insert(values);
        }
        let missing = missing.into_values();
        let mut missing: Vec<_> = missing.map(|(want, values)| Missing { want, values }).collect();
        missing.sort_by_key(|missing| (missing.want.schema.table, missing.want.columns));
        missing
    }

    /// Takes the rows found for each of `missing`.
    pub(crate) fn absorb(
        &mut self,
        missing: Vec<Missing>,
        found: impl IntoIterator<Item = Vec<Row>>,
    ) -> Result<(), Failure> {
        for (Missing { want: Want { schema, columns, .. }, values }, rows) in missing.into_iter().zip(found) {
            let table = self.tables.entry(schema.record).or_insert_with(|| Table::new(schema));
            table.index(columns);
            table.absorb(rows)?;
            self.loaded.entry((schema.record, columns)).or_default().extend(values);
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

    fn by_name(&self) -> Vec<&Table> {
        let mut tables: Vec<_> = self.tables.values().collect();
        tables.sort_by_key(|table| table.schema().table);
        tables
    }
}

/// Rows that were asked for and are not loaded.
#[derive(Debug)]
pub(crate) struct Missing {
    want: Want,
    values: HashSet<Vec<Value>>,
}

impl Missing {
    pub(crate) fn load(&self) -> Load {
        let Self { want: Want { schema, columns, .. }, values } = self;
        let select = format!("{}, version", schema.columns.join(", "));
        Load::new(schema.table, select, columns, values.iter().cloned().collect(), schema.key)
    }
}

fn inserts(table: &Table) -> Change {
    let Schema { table: name, key, columns, .. } = table.schema();
    let columns = format!("{}, version", columns.join(", "));
    let conflict = format!("ON CONFLICT ({}) DO NOTHING", key.join(", "));
    Change::insert(name, columns, conflict, table.inserts()).all_or(Unchanged::Exists)
}

/// Each row only when the table still has the version it was loaded with.
fn updates(table: &Table) -> Change {
    let Schema { table: name, key, .. } = table.schema();
    let (changed, rows) = table.updates();
    let version = key.len() + changed.len() + 1;
    let pair = |(index, column): (usize, &&str)| format!("{column} = @{}", index + 1);
    let set = key.iter().chain(&changed).enumerate().skip(key.len()).map(pair);
    let set: Vec<String> = std::iter::once(format!("version = @{version}")).chain(set).collect();
    let condition: Vec<String> =
        key.iter().enumerate().map(pair).chain(std::iter::once(format!("{name}.version = @{}", version + 1))).collect();
    Change::update(name, set.join(", "), condition.join(" AND "), rows).all_or(Unchanged::Conflict)
}

fn forgotten(schema: &Schema, columns: &[&str]) -> Fault {
    Fault::internal(format!("rows of {} by {columns:?} were read without being asked for in needs", schema.table))
}
