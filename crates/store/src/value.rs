//! Values as both databases store them: TEXT, BIGINT and BYTEA only.

use bytes::Bytes;
use proto::MessageBytes;
use types::{BasisPoints, Currency, Timestamp};

/// One value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// No value. PostgreSQL wants to know of which type.
    Null(Kind),
    /// A BIGINT.
    Integer(i64),
    /// A TEXT.
    Text(String),
    /// A BYTEA.
    Bytes(Vec<u8>),
}

/// The column types both databases share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// BIGINT.
    Integer,
    /// TEXT.
    Text,
    /// BYTEA.
    Bytes,
}

impl Value {
    /// The column type it belongs to.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Integer(_) => Kind::Integer,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
        }
    }
}

/// A type that is one column.
pub trait Column: Sized {
    /// The column's type.
    const KIND: Kind;

    /// The value to save.
    fn to_value(&self) -> Value;

    /// The saved value read back; `None` when it is not one of this type.
    fn from_value(value: Value) -> Option<Self>;
}

impl Column for i64 {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value {
        Value::Integer(*self)
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Integer(integer) = value { Some(integer) } else { None }
    }
}

impl Column for String {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl Column for Vec<u8> {
    const KIND: Kind = Kind::Bytes;

    fn to_value(&self) -> Value {
        Value::Bytes(self.clone())
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
    }
}

impl Column for Bytes {
    const KIND: Kind = Kind::Bytes;

    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }

    fn from_value(value: Value) -> Option<Self> {
        Vec::from_value(value).map(Self::from)
    }
}

impl Column for Timestamp {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value {
        Value::Integer(self.as_micros())
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_micros)
    }
}

impl Column for BasisPoints {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value {
        Value::Integer(self.get())
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).and_then(Self::new)
    }
}

impl<T: Column> Column for Option<T> {
    const KIND: Kind = T::KIND;

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null(T::KIND), Column::to_value)
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Null(_) = value { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// A protobuf message kept in one BYTEA column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proto<M>(pub M);

impl<M: MessageBytes> Column for Proto<M> {
    const KIND: Kind = Kind::Bytes;

    fn to_value(&self) -> Value {
        Value::Bytes(self.0.to_bytes().into())
    }

    fn from_value(value: Value) -> Option<Self> {
        Vec::from_value(value).and_then(|bytes| M::from_bytes(bytes.into()).ok()).map(Self)
    }
}

/// Makes types with `as_str` and `FromStr` TEXT columns.
#[macro_export]
macro_rules! text_column {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::Column for $type {
            const KIND: $crate::Kind = $crate::Kind::Text;

            fn to_value(&self) -> $crate::Value {
                $crate::Value::Text(self.as_str().to_owned())
            }

            fn from_value(value: $crate::Value) -> Option<Self> {
                if let $crate::Value::Text(text) = value { text.parse().ok() } else { None }
            }
        }
    )+};
}

/// A text that is not a value of an enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a value of {name}")]
pub struct UnknownValue {
    /// The enum.
    pub name: &'static str,
    /// The text.
    pub text: String,
}

/// Defines an enum that is a TEXT column: `as_str`, `FromStr` and `ALL` come with it.
///
/// After `=`, the enum of the contract that has the same values: conversions both ways come with it, checked by the
/// compiler for completeness.
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$meta:meta])* $vis:vis enum $name:ident = $contract:ty {
            $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $crate::text_enum! { $(#[$meta])* $vis enum $name { $($(#[$doc])* $variant = $text),+ } }

        impl From<$name> for $contract {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)+ }
            }
        }

        impl $name {
            /// The value that the contract names; `None` when it is not set.
            $vis fn from_contract(value: $contract) -> Option<Self> {
                type Contract = $contract;
                match value {
                    Contract::Unspecified => None,
                    $(Contract::$variant => Some(Self::$variant),)+
                }
            }
        }
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text in the column.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::UnknownValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|value| value.as_str() == text);
                found.ok_or_else(|| $crate::UnknownValue { name: stringify!($name), text: text.to_owned() })
            }
        }

        $crate::text_column!($name);
    };
}

// A blanket implementation over `types::Id` would collide with the one for `String`.
mod ids {
    use types::{
        AccountId, ApiClientId, ApiKeyId, DecisionId, ExceptionId, FulfillmentOrderId, Id as _, MessageId, NodeId,
        OrderId, PackageId, PartnerId, PriceListId, ReturnId, ShipToId, ShipmentId, TrackingReportId,
    };

    text_column!(
        AccountId,
        ApiKeyId,
        ExceptionId,
        ApiClientId,
        DecisionId,
        FulfillmentOrderId,
        MessageId,
        NodeId,
        OrderId,
        PackageId,
        TrackingReportId,
        PartnerId,
        PriceListId,
        ReturnId,
        ShipToId,
        ShipmentId,
    );
}

text_column!(Currency);
