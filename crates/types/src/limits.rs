//! Limits of what a request may contain. The services share them, so that what one accepts, the next accepts too.
//!
//! Limits elsewhere:
//!
//! | what | how much | where |
//! |---|---|---|
//! | entries of a page | 50 unless asked, at most 500 | `crates/store/src/page.rs` |
//! | events of a page | 100 unless asked, at most 1,000 | `crates/store/src/event_api.rs` |
//! | entries of a page of a timeline | 100 unless asked, at most 1,000 | `services/operations/src/store.rs` |
//! | bytes of the rows of a page | 3.75 MiB, or one row | [`MAX_PAGE_BYTES`] |
//! | body of a REST request | 4 MiB (`--max-body`) | `crates/transcode/src/transcoder.rs` |
//! | message of a gRPC request | 4 MiB, which is tonic's default | |
//! | message of an answer to the gateway, or of a log | 64 MiB | `crates/transcode/src/frame.rs`, `crates/store/src/follower.rs` |
//! | address and headers of a REST request | 16 KiB each, 1,000 parameters | `crates/transcode/src/limits.rs` |

use std::time::Duration;

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

/// The most characters of a stock keeping unit.
pub const MAX_SKU: usize = 64;

/// The most lines of a street address after the first.
pub const MAX_STREET_LINES: usize = 4;

/// The most references, and the most fields of its own, that a customer gives an order or a line.
pub const MAX_OWN_FIELDS: usize = 20;

/// The most bytes of the rows of a page, beyond which it ends early, though not before its first row. With what is around the rows it
/// is less than the 4 MiB of an answer that gRPC clients accept unless told otherwise.
pub const MAX_PAGE_BYTES: usize = (4 << 20) - (256 << 10);

/// The most characters of a request id (REST: `Idempotency-Key`).
pub const MAX_REQUEST_ID: usize = 200;

/// The most units in one field.
pub const MAX_QUANTITY: i64 = 1_000_000_000;

/// The most decimals of a quantity.
pub const MAX_DECIMALS: i32 = 6;

/// The highest price of one unit, in minor units of its currency, so that no amount overflows.
pub const MAX_PRICE: i64 = 1_000_000_000_000;

/// The most wrong fields that a refusal names: they travel in headers, which are limited in size.
pub const MAX_VIOLATIONS: usize = 50;

/// How far the clock of a party outside may be ahead. What is said to occur later than that did not.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
