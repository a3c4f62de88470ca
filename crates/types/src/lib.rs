//! Pure values of the order-to-delivery domain: ids, money, discount, time, and the fault a caller is told.
//!
//! No IO and no runtime: whatever needs the time is given a [`Clock`].

mod clock;
mod fault;
mod id;
mod money;
mod place;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use fault::{Fault, Reason, Violation};
pub use id::{
    AccountId, ApiKeyId, CaseId, ConsumerId, DecisionId, FulfillmentOrderId, Id, IdError, MessageId, NodeId, OrderId,
    PackageId, PartnerId, ReturnId, ShipToId, ShipmentId,
};
pub use money::{BasisPoints, Currency, UnknownCurrency, line_amount};
pub use place::is_country;
