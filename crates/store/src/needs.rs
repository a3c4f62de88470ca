//! The rows that a command asks for.

use crate::{
    record::{Key, Record},
    table::{Columns, Schema},
    value::Value,
};

/// Collects the rows a command wants to decide on.
#[derive(Debug, Default)]
pub struct Needs {
    pub(crate) wanted: Vec<Want>,
}

/// Rows of one table in which `columns` equal `values`.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) schema: Schema,
    pub(crate) columns: Columns,
    pub(crate) values: Vec<Value>,
}

impl Needs {
    /// The row with this key, if there is one.
    pub fn row<R: Record>(&mut self, key: &R::Key) {
        self.by::<R>(R::KEY, key);
    }

    /// All rows whose first key columns equal `prefix`.
    pub fn under<R: Record>(&mut self, prefix: &(impl Key + ?Sized)) {
        let values = prefix.to_values();
        let columns = R::KEY.get(..values.len()).unwrap_or(R::KEY);
        self.want::<R>(columns, values);
    }

    /// All rows in which `columns` equal `values`. NULL equals nothing.
    pub fn by<R: Record>(&mut self, columns: Columns, values: &(impl Key + ?Sized)) {
        self.want::<R>(columns, values.to_values());
    }

    fn want<R: Record>(&mut self, columns: Columns, values: Vec<Value>) {
        self.wanted.push(Want { schema: Schema::of::<R>(), columns, values });
    }
}
