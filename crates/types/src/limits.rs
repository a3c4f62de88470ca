//! Limits of what a request may contain. The services share them, so that what one accepts, the next accepts too.
//!
//! Limits elsewhere: the page size is in `store::page`, the body in `gateway::Config::max_body`, path, query and
//! headers in `transcode::limits`, pages of a timeline in `services/operations/src/store.rs`.

/// The most lines, packages or quantities in one request, and the highest number of an order line.
pub const MAX_LINES: usize = 5_000;

/// The most values of a list to filter by, such as states, and the most nodes to exclude.
pub const MAX_CHOICES: usize = 100;

/// The most characters of a reason, a note or another text for people.
pub const MAX_TEXT: usize = 500;

/// The most characters of a name, a contact or a key.
pub const MAX_NAME: usize = 200;

/// The most characters of a number that a party outside assigned, such as a tracking number or a customer PO number.
pub const MAX_OUTSIDE_NUMBER: usize = 64;

/// The most characters of a request id (REST: `Idempotency-Key`).
pub const MAX_REQUEST_ID: usize = 200;

/// The most units in one field.
pub const MAX_QUANTITY: i64 = 1_000_000_000;

/// The highest price of one unit, in minor units of its currency, so that no amount overflows.
pub const MAX_PRICE: i64 = 1_000_000_000_000;

/// The most wrong fields that a refusal names: they travel in headers, which are limited in size.
pub const MAX_VIOLATIONS: usize = 50;
