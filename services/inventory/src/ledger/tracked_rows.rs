//! The loaded rows of one table, and which of them changed.

use std::{borrow::Borrow, collections::BTreeMap};

/// Rows by key. Remembers what a row was before its first change.
#[derive(Debug)]
pub(crate) struct TrackedRows<K, R> {
    rows: BTreeMap<K, R>,
    before: BTreeMap<K, Option<R>>,
}

/// A row that was changed.
#[derive(Debug, Clone)]
pub(crate) struct Change<R> {
    /// `None` when the row is new.
    pub(crate) before: Option<R>,
    pub(crate) after: R,
}

impl<K: Ord, R> FromIterator<(K, R)> for TrackedRows<K, R> {
    fn from_iter<I: IntoIterator<Item = (K, R)>>(rows: I) -> Self {
        Self { rows: rows.into_iter().collect(), before: BTreeMap::new() }
    }
}

impl<K: Ord + Clone, R: Clone + PartialEq> TrackedRows<K, R> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&R>
    where
        K: Borrow<Q>,
    {
        self.rows.get(key)
    }

    /// The row, to be changed.
    pub(crate) fn edit<Q: Ord + ToOwned<Owned = K> + ?Sized>(&mut self, key: &Q) -> Option<&mut R>
    where
        K: Borrow<Q>,
    {
        let row = self.rows.get_mut(key)?;
        if !self.before.contains_key(key) {
            self.before.insert(key.to_owned(), Some(row.clone()));
        }
        Some(row)
    }

    /// The row, to be changed; a new one when there is none.
    pub(crate) fn make(&mut self, key: &K, new: impl FnOnce() -> R) -> &mut R {
        if !self.before.contains_key(key) {
            self.before.insert(key.clone(), self.rows.get(key).cloned());
        }
        self.rows.entry(key.clone()).or_insert_with(new)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &R)> {
        self.rows.iter()
    }

    /// The row as it was before its first change; `None` when it is new.
    pub(crate) fn before<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&R>
    where
        K: Borrow<Q>,
    {
        self.before.get(key).map_or_else(|| self.rows.get(key), Option::as_ref)
    }

    /// Whether the row may have changed.
    pub(crate) fn is_touched<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.before.contains_key(key)
    }

    /// Keys of the rows that may have changed.
    pub(crate) fn touched(&self) -> Vec<K> {
        self.before.keys().cloned().collect()
    }

    /// The rows that changed, in key order, after `complete`.
    pub(crate) fn changes(&mut self, complete: impl Fn(&mut R)) -> Vec<Change<R>> {
        let mut changes = Vec::new();
        for (key, before) in &self.before {
            if let Some(row) = self.rows.get_mut(key).filter(|row| before.as_ref() != Some(&**row)) {
                complete(row);
                changes.push(Change { before: before.clone(), after: row.clone() });
            }
        }
        changes
    }
}
