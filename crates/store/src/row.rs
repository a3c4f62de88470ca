//! Rows of a query.

use std::sync::Arc;

use types::Fault;

use crate::value::{Column, Value};

/// One row of a result.
#[derive(Debug, Clone)]
pub struct Row {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(names: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { names, values }
    }

    /// The column with this name.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, Fault> {
        let index = self.names.iter().position(|column| column == name);
        self.at(index.ok_or_else(|| Fault::internal(format!("no column {name} in the result")))?)
    }

    /// The column at this place, from 0.
    pub fn at<T: Column>(&self, index: usize) -> Result<T, Fault> {
        let value = self.values.get(index).cloned();
        value
            .and_then(T::from_value)
            .ok_or_else(|| Fault::internal(format!("column {index} of the result cannot be read")))
    }

    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values
    }
}
