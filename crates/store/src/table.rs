//! The rows of one table that a batch has loaded or made.

use std::{
    any::Any,
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

type Columns = &'static [&'static str];

/// Loaded rows, what accepted commands made of them, and what the present command makes of them.
#[derive(Debug)]
pub(crate) struct Table<R> {
    rows: BTreeMap<Vec<Value>, Loaded<R>>,
    overlay: BTreeMap<Vec<Value>, R>,
    indexes: HashMap<Columns, BTreeMap<Vec<Value>, BTreeSet<Vec<Value>>>>,
}

#[derive(Debug)]
struct Loaded<R> {
    record: R,
    /// Version in the database; 0 when the row is not there.
    saved: i64,
}

/// A table of any row type.
pub(crate) trait AnyTable: Any + fmt::Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn key(&self) -> Columns;
    fn columns(&self) -> Columns;
    /// Takes rows from the database; what the batch has made of a row already is kept.
    fn absorb(&mut self, rows: Vec<Row>) -> Result<(), Fault>;
    /// Prepares lookups by `columns`.
    fn index(&mut self, columns: Columns);
    /// Accepts the present command's changes.
    fn merge(&mut self);
    /// Drops the present command's changes.
    fn discard(&mut self);
    /// New rows, in key order: columns and version.
    fn inserts(&self) -> Vec<Vec<Value>>;
    /// Changed rows, in key order: columns, version, version in the database.
    fn updates(&self) -> Vec<Vec<Value>>;
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), overlay: BTreeMap::new(), indexes: HashMap::new() }
    }
}

impl<R: Record> Table<R> {
    pub(crate) fn get(&self, key: &[Value]) -> Option<&R> {
        self.overlay.get(key).or_else(|| self.rows.get(key).map(|loaded| &loaded.record))
    }

    pub(crate) fn under(&self, prefix: &[Value]) -> Vec<&R> {
        let mut found = BTreeMap::new();
        for (key, loaded) in self.rows.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)) {
            found.insert(key, &loaded.record);
        }
        for (key, record) in self.overlay.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)) {
            found.insert(key, record);
        }
        found.into_values().collect()
    }

    pub(crate) fn by(&self, columns: Columns, values: &[Value]) -> Vec<&R> {
        if R::KEY.starts_with(columns) {
            return self.under(values);
        }
        let mut found = BTreeMap::new();
        let indexed = self.indexes.get(columns).and_then(|index| index.get(values));
        for key in indexed.into_iter().flatten().filter(|key| !self.overlay.contains_key(*key)) {
            if let Some(loaded) = self.rows.get(key) {
                found.insert(key, &loaded.record);
            }
        }
        for (key, record) in &self.overlay {
            if pick::<R>(columns, &record.values()) == values {
                found.insert(key, record);
            }
        }
        found.into_values().collect()
    }

    /// Puts a record and returns it with its new version; with a fault when it is not made from the present row.
    pub(crate) fn put(&mut self, mut record: R) -> Result<&R, (Fault, R)> {
        let key = record.key_values();
        let before = self.rows.get(&key).map_or(0, |loaded| loaded.record.version());
        let present = self.overlay.get(&key).map_or(before, Record::version);
        if record.version() == 0 && present > 0 {
            return Err((exists(R::TABLE), record));
        }
        if record.version() != present {
            let fault = Fault::internal(format!("a row of {} was not made from the present one", R::TABLE));
            return Err((fault, record));
        }
        record.set_version(before + 1);
        Ok(self.overlay.entry(key).insert_entry(record).into_mut())
    }

    fn set(&mut self, key: Vec<Value>, record: R, saved: i64) {
        if self.indexes.is_empty() {
            self.rows.insert(key, Loaded { record, saved });
            return;
        }
        let values = record.values();
        let before = self.rows.get(&key).map(|loaded| loaded.record.values());
        for (columns, index) in &mut self.indexes {
            let old = before.as_ref().map(|before| pick::<R>(columns, before));
            if let Some(keys) = old.and_then(|old| index.get_mut(&old)) {
                keys.remove(&key);
            }
            index.entry(pick::<R>(columns, &values)).or_default().insert(key.clone());
        }
        self.rows.insert(key, Loaded { record, saved });
    }

    fn changed(&self) -> impl Iterator<Item = &Loaded<R>> {
        self.rows.values().filter(|loaded| loaded.record.version() != loaded.saved)
    }
}

impl<R: Record> AnyTable for Table<R> {
    fn name(&self) -> &'static str {
        R::TABLE
    }

    fn key(&self) -> Columns {
        R::KEY
    }

    fn columns(&self) -> Columns {
        R::COLUMNS
    }

    fn absorb(&mut self, rows: Vec<Row>) -> Result<(), Fault> {
        for row in rows {
            let record = R::read(Fields::new(R::TABLE, row.into_values()))?;
            let key = record.key_values();
            if !self.rows.contains_key(&key) {
                let saved = record.version();
                self.set(key, record, saved);
            }
        }
        Ok(())
    }

    fn index(&mut self, columns: Columns) {
        // Rows are in key order.
        if R::KEY.starts_with(columns) || self.indexes.contains_key(columns) {
            return;
        }
        let mut index: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (key, loaded) in &self.rows {
            index.entry(pick::<R>(columns, &loaded.record.values())).or_default().insert(key.clone());
        }
        self.indexes.insert(columns, index);
    }

    fn merge(&mut self) {
        for (key, record) in std::mem::take(&mut self.overlay) {
            let saved = self.rows.get(&key).map_or(0, |loaded| loaded.saved);
            self.set(key, record, saved);
        }
    }

    fn discard(&mut self) {
        self.overlay.clear();
    }

    fn inserts(&self) -> Vec<Vec<Value>> {
        let new = self.changed().filter(|loaded| loaded.saved == 0);
        new.map(|loaded| with(loaded.record.values(), &[loaded.record.version()])).collect()
    }

    fn updates(&self) -> Vec<Vec<Value>> {
        let known = self.changed().filter(|loaded| loaded.saved > 0);
        known.map(|loaded| with(loaded.record.values(), &[loaded.record.version(), loaded.saved])).collect()
    }
}

fn with(mut values: Vec<Value>, versions: &[i64]) -> Vec<Value> {
    values.extend(versions.iter().map(|version| Value::Integer(*version)));
    values
}

/// The values of `columns` out of those of a whole row.
fn pick<R: Record>(columns: &[&str], values: &[Value]) -> Vec<Value> {
    let value =
        |column: &&str| R::COLUMNS.iter().position(|name| name == column).and_then(|at| values.get(at)).cloned();
    columns.iter().filter_map(value).collect()
}
