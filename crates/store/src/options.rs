//! Settings of a database: where it is and how it is used.

use std::{fmt, time::Duration};

/// Default of the number of reading connections.
pub const READERS: u32 = 8;

/// Settings of one database.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://user:password@host/database`.
    pub url: String,
    /// How many connections read at most. On PostgreSQL one more writes, and one listens for commits of other processes.
    pub readers: u32,
    /// Whether connections to PostgreSQL pass a pooler that gives them to others between transactions: nothing is set on
    /// them, and other processes' commits are looked for instead of listened for.
    pub pooled: bool,
    /// How long answers are kept for repeated requests.
    pub request_retention: Duration,
    /// What to do about migrations that were not applied yet.
    pub migrate: Migrate,
}

/// What opening does about migrations that were not applied yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Apply them.
    Apply,
    /// Refuse to open: a job of its own applies them.
    Require,
}

impl Options {
    /// The usual settings for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: READERS,
            pooled: false,
            request_retention: Duration::from_secs(7 * 24 * 60 * 60),
            migrate: Migrate::Apply,
        }
    }

    /// The URL without its password.
    pub fn redacted_url(&self) -> String {
        let Some((scheme, rest)) = self.url.split_once("://") else { return self.url.clone() };
        let rest = rest.split('?').next().unwrap_or(rest);
        match rest.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or(user);
                format!("{scheme}://{user}@{host}")
            }
            None => format!("{scheme}://{rest}"),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.redacted_url())
            .field("readers", &self.readers)
            .field("pooled", &self.pooled)
            .field("request_retention", &self.request_retention)
            .field("migrate", &self.migrate)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        for url in ["postgres://me:s3cr@t@db/order", "postgres://me@db/order?password=s3cr@t"] {
            let shown = format!("{:?}", Options::new(url));
            assert!(!shown.contains("s3cr"), "{shown}");
            assert!(shown.contains("postgres://me@db/order"), "{shown}");
        }
    }
}
