//! The rows of one table that a batch has loaded or made.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use types::Fault;

use crate::{
    failure::exists,
    record::{Fields, Record},
    row::Row,
    value::Value,
};

pub(crate) type Columns = &'static [&'static str];

/// What is known of a record type where its type is not: maps of rows are compiled once, and not for each type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    pub(crate) record: TypeId,
    pub(crate) table: &'static str,
    pub(crate) key: Columns,
    /// All columns but `version`; those of the key come first.
    pub(crate) columns: Columns,
    read: fn(Fields) -> Result<Box<dyn AnyRecord>, Fault>,
}

impl Schema {
    pub(crate) fn of<R: Record>() -> Self {
        Self {
            record: TypeId::of::<R>(),
            table: R::TABLE,
            key: R::KEY,
            columns: R::COLUMNS,
            read: |fields| R::read(fields).map(|record| Box::new(record) as Box<dyn AnyRecord>),
        }
    }
}

/// A record of any type.
pub(crate) trait AnyRecord: Any + fmt::Debug + Send + Sync {
    fn values(&self) -> Vec<Value>;
    fn value(&self, column: &str) -> Option<Value>;
    fn changed(&self, original: &dyn AnyRecord) -> Vec<&'static str>;
    fn key_values(&self) -> Vec<Value>;
    fn version(&self) -> i64;
}

impl<R: Record> AnyRecord for R {
    fn values(&self) -> Vec<Value> {
        Record::values(self)
    }

    fn value(&self, column: &str) -> Option<Value> {
        Record::value(self, column)
    }

    fn changed(&self, original: &dyn AnyRecord) -> Vec<&'static str> {
        original.downcast().map_or_else(|| R::COLUMNS.to_vec(), |original| Record::changed(self, original))
    }

    fn key_values(&self) -> Vec<Value> {
        Record::key_values(self)
    }

    fn version(&self) -> i64 {
        Record::version(self)
    }
}

impl dyn AnyRecord {
    /// The record, when it is of this type.
    pub(crate) fn downcast<R: Record>(&self) -> Option<&R> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }

    /// The values of these columns alone: others may be messages, which take long to encode.
    fn pick(&self, columns: &[&str]) -> Vec<Value> {
        columns.iter().filter_map(|column| self.value(column)).collect()
    }

    fn has(&self, columns: &[&str], values: &[Value]) -> bool {
        columns.iter().zip(values).all(|(column, value)| self.value(column).as_ref() == Some(value))
    }
}

/// Loaded rows, what accepted commands made of them, and what the present command makes of them.
#[derive(Debug)]
pub(crate) struct Table {
    schema: Schema,
    rows: BTreeMap<Vec<Value>, Loaded>,
    overlay: BTreeMap<Vec<Value>, Box<dyn AnyRecord>>,
    indexes: HashMap<Columns, BTreeMap<Vec<Value>, BTreeSet<Vec<Value>>>>,
}

#[derive(Debug)]
struct Loaded {
    record: Box<dyn AnyRecord>,
    /// The row in the database, once the batch has changed it.
    original: Option<Box<dyn AnyRecord>>,
    /// Version in the database; 0 when the row is not there.
    saved: i64,
}

impl Table {
    pub(crate) fn new(schema: Schema) -> Self {
        Self { schema, rows: BTreeMap::new(), overlay: BTreeMap::new(), indexes: HashMap::new() }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn get(&self, key: &[Value]) -> Option<&dyn AnyRecord> {
        self.overlay.get(key).or_else(|| self.rows.get(key).map(|loaded| &loaded.record)).map(AsRef::as_ref)
    }

    pub(crate) fn under(&self, prefix: &[Value]) -> Vec<&dyn AnyRecord> {
        let mut found = BTreeMap::new();
        for (key, loaded) in self.rows.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)) {
            found.insert(key, &*loaded.record);
        }
        for (key, record) in self.overlay.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)) {
            found.insert(key, &**record);
        }
        found.into_values().collect()
    }

    pub(crate) fn by(&self, columns: Columns, values: &[Value]) -> Vec<&dyn AnyRecord> {
        if self.schema.key.starts_with(columns) {
            return self.under(values);
        }
        let mut found = BTreeMap::new();
        let indexed = self.indexes.get(columns).and_then(|index| index.get(values));
        for key in indexed.into_iter().flatten().filter(|key| !self.overlay.contains_key(*key)) {
            if let Some(loaded) = self.rows.get(key) {
                found.insert(key, &*loaded.record);
            }
        }
        for (key, record) in &self.overlay {
            if record.has(columns, values) {
                found.insert(key, &**record);
            }
        }
        found.into_values().collect()
    }

    /// The version that a record of `version` is saved with; a fault when it is not made from the present row.
    pub(crate) fn next_version(&self, key: &[Value], version: i64) -> Result<i64, Fault> {
        let before = self.rows.get(key).map_or(0, |loaded| loaded.record.version());
        let present = self.overlay.get(key).map_or(before, |record| record.version());
        if version == 0 && present > 0 {
            return Err(exists(self.schema.table));
        }
        if version != present {
            return Err(Fault::internal(format!("a row of {} was not made from the present one", self.schema.table)));
        }
        Ok(before + 1)
    }

    /// Makes a record part of what the present command changes.
    pub(crate) fn put(&mut self, key: Vec<Value>, record: Box<dyn AnyRecord>) {
        self.overlay.insert(key, record);
    }

    /// Takes rows from the database; what the batch has made of a row already is kept.
    pub(crate) fn absorb(&mut self, rows: Vec<Row>) -> Result<(), Fault> {
        for row in rows {
            let record = (self.schema.read)(Fields::new(self.schema.table, row.into_values()))?;
            let key = record.key_values();
            if !self.rows.contains_key(&key) {
                let saved = record.version();
                self.reindex(&key, None, &*record);
                self.rows.insert(key, Loaded { record, original: None, saved });
            }
        }
        Ok(())
    }

    /// Prepares lookups by `columns`.
    pub(crate) fn index(&mut self, columns: Columns) {
        // Rows are in key order.
        if self.schema.key.starts_with(columns) || self.indexes.contains_key(columns) {
            return;
        }
        let mut index: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (key, loaded) in &self.rows {
            index.entry(loaded.record.pick(columns)).or_default().insert(key.clone());
        }
        self.indexes.insert(columns, index);
    }

    /// Accepts the present command's changes.
    pub(crate) fn merge(&mut self) {
        for (key, record) in std::mem::take(&mut self.overlay) {
            let before = self.rows.remove(&key);
            self.reindex(&key, before.as_ref().map(|before| &*before.record), &*record);
            let loaded = match before {
                Some(Loaded { record: before, original, saved }) => {
                    Loaded { record, original: original.or(Some(before)), saved }
                }
                None => Loaded { record, original: None, saved: 0 },
            };
            self.rows.insert(key, loaded);
        }
    }

    /// Drops the present command's changes.
    pub(crate) fn discard(&mut self) {
        self.overlay.clear();
    }

    /// New rows, in key order: columns and version.
    pub(crate) fn inserts(&self) -> Vec<Vec<Value>> {
        let new = self.changed().filter(|loaded| loaded.saved == 0);
        new.map(|loaded| with(loaded.record.values(), &[loaded.record.version()])).collect()
    }

    /// Changed rows: the columns in which any of them has changed, and of each row in key order its key, these columns, its
    /// version and that in the database. Columns that are not written leave their indexes alone.
    pub(crate) fn updates(&self) -> (Vec<&'static str>, Vec<Vec<Value>>) {
        let known: Vec<_> = self.changed().filter(|loaded| loaded.saved > 0).collect();
        let of_row = |loaded: &&Loaded| match &loaded.original {
            Some(original) => loaded.record.changed(&**original),
            None => self.schema.columns.to_vec(),
        };
        let changed: BTreeSet<_> = known.iter().flat_map(of_row).collect();
        let changed: Vec<_> = changed.into_iter().collect();
        let row = |loaded: &Loaded| {
            let mut values = loaded.record.key_values();
            values.extend(loaded.record.pick(&changed));
            with(values, &[loaded.record.version(), loaded.saved])
        };
        let rows = known.into_iter().map(row).collect();
        (changed, rows)
    }

    /// Has the indexes find a row by its present values.
    fn reindex(&mut self, key: &[Value], before: Option<&dyn AnyRecord>, record: &dyn AnyRecord) {
        for (columns, index) in &mut self.indexes {
            let (old, new) = (before.map(|before| before.pick(columns)), record.pick(columns));
            if old.as_ref() == Some(&new) {
                continue;
            }
            if let Some(keys) = old.and_then(|old| index.get_mut(&old)) {
                keys.remove(key);
            }
            index.entry(new).or_default().insert(key.to_vec());
        }
    }

    fn changed(&self) -> impl Iterator<Item = &Loaded> {
        self.rows.values().filter(|loaded| loaded.record.version() != loaded.saved)
    }
}

fn with(mut values: Vec<Value>, versions: &[i64]) -> Vec<Value> {
    values.extend(versions.iter().map(|version| Value::Integer(*version)));
    values
}
