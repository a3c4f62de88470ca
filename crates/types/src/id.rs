//! Typed identifiers with a prefix. The body is a UUIDv7, so that ids sort by the time at which they were generated.

use std::{fmt, str::FromStr};

use uuid::{ContextV7, Uuid};

use crate::Timestamp;

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {prefix}_ followed by 1 to 64 letters, digits, '-' or '_'")]
pub struct IdError {
    /// The expected prefix, without the underscore.
    pub prefix: &'static str,
}

/// An identifier with its own prefix.
///
/// A generated id has a UUIDv7 body; ids of master data (nodes, partners, accounts) may be chosen by their creator, so any
/// body of letters, digits, `-` and `_` is accepted.
pub trait Id: Clone + Ord + fmt::Display + FromStr<Err = IdError> + Send + Sync + 'static {
    /// The prefix, without the underscore.
    const PREFIX: &'static str;

    /// Generates an id that sorts after those generated before `now`.
    fn generate(now: Timestamp) -> Self;

    /// The whole id as text.
    fn as_str(&self) -> &str;
}

fn parse(prefix: &'static str, text: &str) -> Result<String, IdError> {
    let body = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError { prefix })?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if body.is_empty() || body.len() > 64 || !body.chars().all(plain) {
        return Err(IdError { prefix });
    }
    Ok(text.to_owned())
}

fn body(now: Timestamp) -> Uuid {
    static CONTEXT: std::sync::Mutex<ContextV7> = std::sync::Mutex::new(ContextV7::new());
    let micros = now.as_micros().unsigned_abs();
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(&CONTEXT, micros / 1_000_000, nanos))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn generate(now: Timestamp) -> Self {
                Self(format!("{}_{}", $prefix, body(now).simple()))
            }

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

ids! {
    /// A customer of the distributor.
    AccountId = "acc";
    /// An address at which an account receives goods.
    ShipToId = "shp";
    /// A price list.
    PriceListId = "prl";
    /// An order.
    OrderId = "ord";
    /// A location that stores and ships stock: a warehouse of the distributor or of a 3PL.
    NodeId = "nod";
    /// What one node is to ship for one order.
    FulfillmentOrderId = "ful";
    /// Goods that leave a node together.
    ShipmentId = "shm";
    /// One carton or pallet of a shipment.
    PackageId = "pkg";
    /// A milestone or a proof of delivery.
    TrackingReportId = "trk";
    /// A stored routing decision with its explanation.
    DecisionId = "rtd";
    /// A return merchandise authorization.
    ReturnId = "rma";
    /// An outside party: 3PL, carrier, ERP, customer with EDI.
    PartnerId = "par";
    /// One document or call exchanged with a partner.
    MessageId = "msg";
    /// A program that calls the API from outside.
    ApiClientId = "cli";
    /// A key with which an API client authenticates.
    ApiKeyId = "key";
    /// What only a person can decide.
    ExceptionId = "exc";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_written() {
        let id = OrderId::generate(Timestamp::from_micros(1_700_000_000_000_000));
        assert_eq!(id.to_string().parse::<OrderId>(), Ok(id));
    }

    #[test]
    fn ids_sort_by_the_time_they_were_generated() {
        let early = OrderId::generate(Timestamp::from_micros(1_700_000_000_000_000));
        let late = OrderId::generate(Timestamp::from_micros(1_700_000_000_001_000));
        assert!(early < late);
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        assert!("acc_1".parse::<OrderId>().is_err());
        assert!("ord_".parse::<OrderId>().is_err());
        assert!("ord_a b".parse::<OrderId>().is_err());
    }
}
