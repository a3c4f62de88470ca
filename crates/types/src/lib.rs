//! Pure values of the order-to-delivery domain: ids, money, discounts, time, calendars, and the fault of a refused call.
//!
//! No IO and no runtime: code that needs the time is given a [`Clock`].

mod actor;
mod calendar;
mod clock;
mod country;
mod fault;
mod host;
mod id;
pub mod limits;
mod money;
pub mod retry;
pub mod text;

pub use actor::{Actor, ActorKind};
pub use calendar::{CalendarError, Day, LocalTime, Weekday, Weekdays, WorkingDays, Zone};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use country::is_country;
pub use fault::{Fault, LineReason, Reason, Violation};
pub use host::is_loopback_host;
pub use id::{
    AccountId, ApiClientId, ApiKeyId, DecisionId, ExceptionId, FulfillmentOrderId, Id, IdError, MessageId, NodeId,
    OrderId, PackageId, PartnerId, PriceListId, ReturnId, ShipToId, ShipmentId, TrackingReportId,
};
pub use money::{BasisPoints, Currency, CurrencyError, divide_rounded, line_amount, line_amount_of, share_of_line};
