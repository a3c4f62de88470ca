//! The fault of a refused call.

use std::{fmt, time::Duration};

macro_rules! reasons {
    ($(#[$of:meta])* $reasons:ident: $($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $reasons {
            $($(#[$doc])* $name,)*
        }

        impl $reasons {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in messages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The reason with this name in messages.
            pub fn from_wire(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
            }
        }
    };
}

reasons! {
    /// Why a call was refused: the `ErrorInfo.reason` of the answer, as in `proto/waybill/error/v1/reason.proto`.
    Reason:
    /// One or more fields are wrong; the violations name them.
    InvalidArgument = "INVALID_ARGUMENT";
    /// The call has no valid credentials.
    Unauthenticated = "UNAUTHENTICATED";
    /// The caller may not do this.
    PermissionDenied = "PERMISSION_DENIED";
    /// The resource does not exist, or the caller does not see it.
    NotFound = "NOT_FOUND";
    /// A resource with this id or number exists already.
    AlreadyExists = "ALREADY_EXISTS";
    /// The request id was used before, with another request.
    RequestIdReused = "REQUEST_ID_REUSED";
    /// The partner's control number was used before, with other content.
    ControlNumberReused = "CONTROL_NUMBER_REUSED";
    /// The resource has changed since the etag was read.
    EtagMismatch = "ETAG_MISMATCH";
    /// The present state does not allow the action; `supported_actions` lists the actions it allows.
    ActionNotSupported = "ACTION_NOT_SUPPORTED";
    /// The account's policy refuses a second order with the same customer PO number.
    DuplicateCustomerPo = "DUPLICATE_CUSTOMER_PO";
    /// There is less stock than requested.
    InsufficientStock = "INSUFFICIENT_STOCK";
    /// Fewer units than requested can still be returned.
    NoReturnableQuantity = "NO_RETURNABLE_QUANTITY";
    /// The account is blocked for new orders.
    AccountBlocked = "ACCOUNT_BLOCKED";
    /// The order is beyond the account's credit limit, and the account's policy refuses such orders.
    CreditLimitExceeded = "CREDIT_LIMIT_EXCEEDED";
    /// The caller is over its quota, or the service is overloaded.
    ResourceExhausted = "RESOURCE_EXHAUSTED";
    /// The service cannot answer now; a retry may help.
    Unavailable = "UNAVAILABLE";
    /// The deadline passed before the answer.
    DeadlineExceeded = "DEADLINE_EXCEEDED";
    /// The server does not have this method.
    Unimplemented = "UNIMPLEMENTED";
    /// An error of Waybill itself; its details are not shown to callers.
    Internal = "INTERNAL";
    /// The method has reached its announced end.
    MethodEnded = "METHOD_ENDED";
}

reasons! {
    /// Why a line of an order is refused: the `reason` of a field violation, as in `proto/waybill/error/v1/reason.proto`.
    LineReason:
    /// The field is malformed or out of its range.
    Invalid = "INVALID";
    /// Another line of the order has the line number.
    LineNumberReused = "LINE_NUMBER_REUSED";
    /// There is no such item.
    ItemUnknown = "ITEM_UNKNOWN";
    /// The item cannot be ordered any more.
    ItemDiscontinued = "ITEM_DISCONTINUED";
    /// The item has no such unit.
    UnitUnknown = "UNIT_UNKNOWN";
    /// The quantity is not a whole number of base units.
    QuantityNotConvertible = "QUANTITY_NOT_CONVERTIBLE";
    /// The quantity has more decimals than the unit allows.
    TooManyDecimals = "TOO_MANY_DECIMALS";
    /// The quantity is more than a line can have.
    QuantityTooLarge = "QUANTITY_TOO_LARGE";
    /// The quantity is not a multiple of what the item, or its unit, is ordered in.
    OrderMultiple = "ORDER_MULTIPLE";
    /// The quantity is less than the least of the item, or of its unit.
    BelowMinimum = "BELOW_MINIMUM";
    /// The caller may not set prices and discounts.
    PriceNotAllowed = "PRICE_NOT_ALLOWED";
    /// No price is known for the item in the order's currency.
    PriceMissing = "PRICE_MISSING";
    /// The price that the customer expects differs by more than the account's policy accepts.
    PriceDiscrepancy = "PRICE_DISCREPANCY";
    /// The line comes to an amount that is too large.
    AmountTooLarge = "AMOUNT_TOO_LARGE";
    /// Goods of this kind cannot be sent there.
    NotDeliverable = "NOT_DELIVERABLE";
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field as in the proto: `lines[2].quantity`.
    pub field: String,
    /// What is wrong with it, a lowercase fragment.
    pub description: String,
    /// Why, for a program, when the field is of an order's line.
    pub reason: Option<LineReason>,
}

impl Violation {
    /// A wrong field without a reason for a program.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into(), reason: None }
    }
}

/// A refusal: the reason, and what a caller needs to react.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The reason.
    pub reason: Reason,
    /// One sentence for a person.
    pub message: String,
    /// The wrong fields, when the input is wrong.
    pub violations: Vec<Violation>,
    /// Facts for a program: names and values.
    pub facts: Vec<(&'static str, String)>,
    /// The time to wait before a repeat, when a repeat may help.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// A refusal with a reason and a sentence.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), violations: Vec::new(), facts: Vec::new(), retry_after: None }
    }

    /// One wrong field.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::violations(vec![Violation::new(field, description)])
    }

    /// Several wrong fields; the message names the first.
    pub fn violations(violations: Vec<Violation>) -> Self {
        let message = match violations.as_slice() {
            [] => "invalid request".to_owned(),
            [one] => format!("{}: {}", one.field, one.description),
            [first, rest @ ..] => format!("{}: {} (and {} more)", first.field, first.description, rest.len()),
        };
        Self { violations, ..Self::new(Reason::InvalidArgument, message) }
    }

    /// There is no `kind` with this `id`.
    pub fn not_found(kind: &'static str, id: impl fmt::Display) -> Self {
        Self::new(Reason::NotFound, format!("{kind} {id} not found")).fact("resource", id)
    }

    /// The present state does not allow the action.
    pub fn not_supported(message: impl Into<String>) -> Self {
        Self::new(Reason::ActionNotSupported, message)
    }

    /// Refuses to change a `kind` that has changed since its etag was read. An empty etag is not compared.
    pub fn check_etag(kind: &'static str, etag: &str, version: i64) -> Result<(), Self> {
        if etag.is_empty() || etag == version.to_string() {
            return Ok(());
        }
        let message = format!("the {kind} was changed since it was read");
        Err(Self::new(Reason::EtagMismatch, message).fact("etag", version))
    }

    /// Adds what the resource supports and its etag as they are now to a refusal for its state, so that the caller can go on without
    /// reading it again. Other refusals stay as they are.
    #[must_use]
    pub fn refreshed(mut self, supported_actions: &[&str], version: i64) -> Self {
        if !matches!(self.reason, Reason::EtagMismatch | Reason::ActionNotSupported) {
            return self;
        }
        self.facts.retain(|(name, _)| !["supported_actions", "etag"].contains(name));
        self.fact("supported_actions", supported_actions.join(",")).fact("etag", version)
    }

    /// The service cannot answer now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Reason::Unavailable, message) }
    }

    /// An error of Waybill itself. The message is for the log; a caller gets "internal error".
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Reason::Internal, message)
    }

    /// Adds a fact for a program.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Whether the same call may succeed later without a change.
    pub fn is_transient(&self) -> bool {
        matches!(self.reason, Reason::Unavailable | Reason::DeadlineExceeded | Reason::ResourceExhausted)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_the_state_says_what_is_supported_now() {
        let stale = Fault::check_etag("return", "1", 2).unwrap_err().refreshed(&["CloseReturn", "CancelReturn"], 2);
        let now = vec![("supported_actions", "CloseReturn,CancelReturn".to_owned()), ("etag", "2".to_owned())];
        assert_eq!(stale.facts, now);
        assert_eq!(Fault::not_supported("it has ended").refreshed(&[], 3).facts[1], ("etag", "3".to_owned()));
        assert!(Fault::invalid("etag", "is required").refreshed(&[], 3).facts.is_empty());
    }

    #[test]
    fn a_fault_with_many_violations_names_the_first() {
        let wrong = |field: &str| Violation::new(field, "is required");
        let fault = Fault::violations(vec![wrong("account_id"), wrong("lines")]);
        assert_eq!(fault.message, "account_id: is required (and 1 more)");
        assert_eq!(fault.reason, Reason::InvalidArgument);
    }
}
