//! Address and connection settings of a server.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};

/// How long a server may take to answer at all.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 500;

/// Settings of every connection. PostgreSQL plans a prepared statement once, perhaps while the table is empty, and keeps the
/// plan until statistics are gathered: no table is read through where there is an index, whatever its size. What is joined is
/// a page at most and looked up by key: hash and merge joins read one of the tables through, by its index.
const COMMON: [(&str, &str); 4] =
    [("jit", "off"), ("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];

/// Settings of the connection that writes, which only looks things up by key. The plan is the same whatever the arguments,
/// so that it is made once. A writer that stalls must not hold the log's head against the others.
const WRITER: [(&str, &str); 3] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("lock_timeout", "10s"),
];

/// Settings of a connection that only reads.
const READER: [(&str, &str); 2] = [("default_transaction_read_only", "on"), ("statement_timeout", "30s")];

/// A server, and whether its connections are shared with others between transactions.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    options: PgConnectOptions,
    pooled: bool,
}

impl Server {
    /// Reads a URL. Statements are not logged: they are the same few, and what matters is logged above.
    ///
    /// As with PostgreSQL's own programs, a root certificate that is named is used: `require` then is `verify-ca`. Unlike
    /// them, a server on this machine is reached without TLS where the URL does not ask for it. There it protects nothing,
    /// and sqlx 0.9.0 does not set TCP_NODELAY: over TLS on loopback each statement of more than 16 KiB waits 40 ms for an
    /// acknowledgement. Between machines it costs a round trip at most.
    pub(crate) fn parse(url: &str, pooled: bool) -> Result<Self, sqlx::Error> {
        let mut options = PgConnectOptions::from_str(url)?
            .statement_cache_capacity(STATEMENTS)
            .extra_float_digits(None)
            .disable_statement_logging();
        if options.get_application_name().is_none() {
            options = options.application_name("waybill");
        }
        let named = options.to_url_lossy().query_pairs().any(|(name, _)| name == "sslrootcert");
        if named && matches!(options.get_ssl_mode(), PgSslMode::Require) {
            options = options.ssl_mode(PgSslMode::VerifyCa);
        }
        let asks_for_tls = url.split_once('?').is_some_and(|(_, query)| query.contains("ssl"));
        if !asks_for_tls
            && matches!(options.get_ssl_mode(), PgSslMode::Prefer)
            && types::is_loopback_host(options.get_host())
        {
            options = options.ssl_mode(PgSslMode::Disable);
        }
        Ok(Self { options, pooled })
    }

    pub(crate) fn writer(&self) -> PgConnectOptions {
        self.with(&WRITER)
    }

    pub(crate) fn reader(&self) -> PgConnectOptions {
        self.with(&READER)
    }

    /// Where commits of other processes are listened for; `None` behind a pooler, which keeps no channels.
    pub(crate) fn listener(&self) -> Option<PgConnectOptions> {
        (!self.pooled).then(|| self.options.clone())
    }

    /// Whether it is a socket in the file system.
    pub(crate) fn is_local(&self) -> bool {
        self.options.get_socket().is_some() || self.options.get_host().starts_with('/')
    }

    /// A pooler hands out connections that others have set up: nothing is set on them.
    fn with(&self, settings: &[(&str, &str)]) -> PgConnectOptions {
        if self.pooled {
            return self.options.clone();
        }
        self.options.clone().options(COMMON).options(settings.iter().copied())
    }
}
