//! One URL of a destination, and the addresses of its host.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use tokio::net::lookup_host;

use crate::tls;

/// How long a look-up may take.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a text is not the address of a member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("{0}")]
    Uri(String),
    #[error("expected http:// or https://")]
    Scheme,
    #[error("https:// needs the authorities that issue certificates: --tls-ca")]
    NoAuthority,
}

/// What one URL of a member says.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<tls::Client>,
}

impl Target {
    /// Reads a URL; one with TLS needs to know whom to trust.
    pub(super) fn parse(url: &str, tls: Option<&tls::Client>) -> Result<Self, Malformed> {
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| Malformed::Uri(error.to_string()))?;
        let scheme = uri.scheme().cloned().ok_or(Malformed::Scheme)?;
        let (default_port, tls) = match scheme.as_str() {
            "http" => (80, None),
            "https" => (443, Some(tls.cloned().ok_or(Malformed::NoAuthority)?)),
            _ => return Err(Malformed::Scheme),
        };
        let authority = uri.authority().cloned().ok_or_else(|| Malformed::Uri("no host".to_owned()))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(default_port);
        Ok(Self { scheme, authority, host, port, tls })
    }

    /// The address of a host that is one already.
    pub(super) fn literal(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse::<IpAddr>().ok()?, self.port))
    }

    /// The host's present addresses; `None` when the look-up fails.
    pub(super) async fn addresses(&self) -> Option<Vec<SocketAddr>> {
        if let Some(address) = self.literal() {
            return Some(vec![address]);
        }
        let found = tokio::time::timeout(LOOK_UP_TIMEOUT, lookup_host((self.host.as_str(), self.port))).await;
        let error = match found {
            Ok(Ok(found)) => {
                let mut found: Vec<_> = found.collect();
                found.sort_unstable();
                found.dedup();
                return Some(found);
            }
            Ok(Err(error)) => error,
            Err(_) => std::io::ErrorKind::TimedOut.into(),
        };
        tracing::warn!(host = self.host, %error, "a member's name cannot be looked up");
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_url_is_refused() {
        for (text, malformed) in [
            ("order:7001", Malformed::Scheme),
            ("ftp://order", Malformed::Scheme),
            ("https://order", Malformed::NoAuthority),
        ] {
            assert_eq!(Target::parse(text, None).unwrap_err(), malformed);
        }
        assert!(matches!(Target::parse("http://a b", None).unwrap_err(), Malformed::Uri(_)));
        assert!(matches!(Target::parse("", None).unwrap_err(), Malformed::Uri(_)));
    }
}
