//! A row type: its table, its key, its columns.

use std::fmt;

use types::Fault;

use crate::value::{Column, Value};

/// A type whose values are rows of one table. Made by [`record!`](crate::record).
pub trait Record: fmt::Debug + Clone + PartialEq + Send + Sync + 'static {
    /// Type of the primary key: one column, or a tuple of them.
    type Key: Key;
    /// The table.
    const TABLE: &'static str;
    /// Columns of the primary key.
    const KEY: &'static [&'static str];
    /// All columns but `version`; those of the key come first.
    const COLUMNS: &'static [&'static str];

    /// Values of `COLUMNS`, in that order.
    fn values(&self) -> Vec<Value>;

    /// The value of one of `COLUMNS`.
    fn value(&self, column: &str) -> Option<Value>;

    /// Those of `COLUMNS` in which it differs from another.
    fn changed(&self, original: &Self) -> Vec<&'static str>;

    /// Values of `KEY`.
    fn key_values(&self) -> Vec<Value>;

    /// The row's version: 0 before it is saved, one more with every command that changes it.
    fn version(&self) -> i64;

    /// Sets the version.
    fn set_version(&mut self, version: i64);

    /// Reads `COLUMNS` and `version`.
    fn read(fields: Fields) -> Result<Self, Fault>;
}

/// One or several column values: a primary key, the first part of one, or what to look up.
pub trait Key {
    /// The values in column order.
    fn to_values(&self) -> Vec<Value>;
}

impl<T: Column> Key for T {
    fn to_values(&self) -> Vec<Value> {
        vec![self.to_value()]
    }
}

impl Key for str {
    fn to_values(&self) -> Vec<Value> {
        vec![Value::Text(self.to_owned())]
    }
}

impl Key for [Value] {
    fn to_values(&self) -> Vec<Value> {
        self.to_vec()
    }
}

macro_rules! tuple_keys {
    ($(($($part:ident),+))+) => {$(
        impl<$($part: Column),+> Key for ($($part,)+) {
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn to_values(&self) -> Vec<Value> {
                let ($($part,)+) = self;
                vec![$($part.to_value()),+]
            }
        }
    )+};
}

tuple_keys!((A, B)(A, B, C)(A, B, C, D)(A, B, C, D, E));

/// The values of one row, taken in order.
#[derive(Debug)]
pub struct Fields {
    table: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Fields {
    pub(crate) fn new(table: &'static str, values: Vec<Value>) -> Self {
        Self { table, values: values.into_iter() }
    }

    /// The next value; `column` is for the message when it cannot be read.
    pub fn next<T: Column>(&mut self, column: &'static str) -> Result<T, Fault> {
        let value = self.values.next().and_then(T::from_value);
        value.ok_or_else(|| Fault::internal(format!("{}.{column} cannot be read", self.table)))
    }
}

/// Defines a row type.
///
/// ```
/// # extern crate waybill_store as store;
/// use types::{AccountId, OrderId, Timestamp};
///
/// store::record! {
///     /// One order.
///     pub struct Order in "orders" key (order_id: OrderId) {
///         /// Whose it is.
///         account_id: AccountId,
///         /// When it was closed.
///         closed_time: Option<Timestamp>,
///     }
/// }
/// ```
///
/// The table needs a column of the same name for each, a `version BIGINT NOT NULL`, and the key as primary key.
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident in $table:literal key ($($(#[$key_meta:meta])* $key:ident : $key_type:ty),+ $(,)?) {
            $($(#[$field_meta:meta])* $field:ident : $type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $(
                $(#[$key_meta])*
                #[doc = concat!("Key of `", $table, "`.")]
                pub $key: $key_type,
            )+
            $($(#[$field_meta])* pub $field: $type,)*
            /// Version of the row: 0 before it is saved.
            pub version: i64,
        }

        impl $crate::Record for $name {
            type Key = $crate::key_type!($($key_type),+);
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const COLUMNS: &'static [&'static str] = &[$(stringify!($key),)+ $(stringify!($field),)*];

            fn values(&self) -> Vec<$crate::Value> {
                vec![
                    $($crate::Column::to_value(&self.$key),)+
                    $($crate::Column::to_value(&self.$field),)*
                ]
            }

            fn value(&self, column: &str) -> Option<$crate::Value> {
                $(if column == stringify!($key) {
                    return Some($crate::Column::to_value(&self.$key));
                })+
                $(if column == stringify!($field) {
                    return Some($crate::Column::to_value(&self.$field));
                })*
                None
            }

            fn changed(&self, original: &Self) -> Vec<&'static str> {
                let columns = [
                    $((self.$key != original.$key, stringify!($key)),)+
                    $((self.$field != original.$field, stringify!($field)),)*
                ];
                columns.into_iter().filter_map(|(differs, column)| differs.then_some(column)).collect()
            }

            fn key_values(&self) -> Vec<$crate::Value> {
                vec![$($crate::Column::to_value(&self.$key)),+]
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn set_version(&mut self, version: i64) {
                self.version = version;
            }

            fn read(mut fields: $crate::Fields) -> Result<Self, $crate::Fault> {
                Ok(Self {
                    $($key: fields.next(stringify!($key))?,)+
                    $($field: fields.next(stringify!($field))?,)*
                    version: fields.next("version")?,
                })
            }
        }
    };
}

/// One type as it is, several as a tuple.
#[doc(hidden)]
#[macro_export]
macro_rules! key_type {
    ($type:ty) => { $type };
    ($($type:ty),+) => { ($($type),+) };
}
