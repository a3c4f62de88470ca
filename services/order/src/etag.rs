//! Etags: the version a caller saw.

use types::{Fault, Reason};

/// Refuses when the caller saw another version; an empty etag is any.
pub(crate) fn check(etag: &str, version: i64) -> Result<(), Fault> {
    if etag.is_empty() || etag == version.to_string() {
        return Ok(());
    }
    Err(Fault::new(Reason::EtagMismatch, "the resource has changed since it was read").fact("etag", version))
}
