//! Which hosts are this machine.

use std::net::IpAddr;

/// Whether a host of a URL is this machine, reached without a network: `localhost` or a loopback address.
pub fn is_loopback_host(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_this_machine() {
        assert!(["localhost", "127.0.0.1", "127.9.0.1", "::1", "[::1]"].into_iter().all(is_loopback_host));
        assert!(
            !["", "localhost.x", "10.0.0.1", "0.0.0.0", "[2001:db8::1]", "/run/postgresql"]
                .into_iter()
                .any(is_loopback_host)
        );
    }
}
