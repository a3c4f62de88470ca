//! Requests of web pages to a mesh without credentials, where every caller is the local administrator.
//!
//! A page of any site can make the browser of the person at this machine call it. Such a call names the page in `Origin`,
//! or, after the name of its site was made to lead here, the site in `Host`.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, Method, Request, header, uri::Authority};
use types::{Fault, Reason};

use crate::intake::Connection;

/// Refuses a request that is not to a name of this machine, or that another site's page makes.
pub fn refuse_other_sites<B>(request: &Request<B>) -> Result<(), Fault> {
    let secure = request.extensions().get::<Connection>().is_some_and(Connection::is_secure);
    check(request.uri().authority(), request.headers(), secure)
}

fn check(authority: Option<&Authority>, headers: &HeaderMap, secure: bool) -> Result<(), Fault> {
    let hosts = headers.get_all(header::HOST).iter().map(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let hosts: Option<Vec<_>> = authority.cloned().map(Some).into_iter().chain(hosts).collect();
    let own = match hosts.as_deref() {
        Some([own, ..]) if hosts.iter().flatten().all(is_this_machine) => own.clone(),
        _ => return Err(refusal("the host has to be localhost or a loopback address")),
    };
    let scheme = if secure { "https" } else { "http" };
    for origin in headers.get_all(header::ORIGIN) {
        let same = origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(of, rest)| {
            of.eq_ignore_ascii_case(scheme) && rest.parse().is_ok_and(|other| same_place(&own, &other, secure))
        });
        if !same {
            return Err(refusal("a page of another origin may not call it"));
        }
    }
    Ok(())
}

fn refusal(what: &str) -> Fault {
    let why = "no credentials are configured, so whoever calls is the administrator";
    Fault::new(Reason::PermissionDenied, format!("{why}: {what}"))
}

/// Whether a page of any site can send this change without the browser asking first, as it can a form.
pub fn may_be_a_form(method: &Method, headers: &HeaderMap) -> bool {
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    changes && !has_content_type(headers, |kind| kind == "application/json" || kind.ends_with("+json"))
}

/// Refuses a gRPC call that another site's page makes: not even as a form, to a server that is not strict.
pub(crate) fn refuse_web_pages<B>(request: &Request<B>) -> Result<(), Fault> {
    refuse_other_sites(request)?;
    if has_content_type(request.headers(), |kind| kind.starts_with("application/grpc")) {
        return Ok(());
    }
    Err(refusal("a call needs the content type of gRPC"))
}

/// Whether the media type, without parameters and in lower case, is a wanted one.
fn has_content_type(headers: &HeaderMap, wanted: impl Fn(&str) -> bool) -> bool {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let essence = only.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    wanted(&essence.trim().to_ascii_lowercase())
}

fn is_this_machine(authority: &Authority) -> bool {
    let host = authority.host();
    let ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let has_nothing_odd = authority.as_str() == host || authority.port_u16().is_some();
    has_nothing_odd
        && !authority.as_str().contains('@')
        && (host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
            || ipv6.and_then(|host| host.parse().ok()).is_some_and(|address: Ipv6Addr| address.is_loopback()))
}

fn same_place(own: &Authority, other: &Authority, secure: bool) -> bool {
    let port = |authority: &Authority| authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    own.host().eq_ignore_ascii_case(other.host()) && port(own) == port(other) && !other.as_str().contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request<()> {
        let builder = Request::builder().method(method).uri("/v1/orders");
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
    }

    fn admits(headers: &[(&str, &str)]) -> bool {
        refuse_other_sites(&request("GET", headers)).is_ok()
    }

    #[test]
    fn the_host_is_a_name_of_this_machine() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.8.7", "[::1]:8080", "[::1]"] {
            assert!(admits(&[("host", host)]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:8080",
            "[::2]:8080",
            "0.0.0.0",
            "localhost:x",
            "evil@localhost",
            "localhost@evil.example",
            "2130706433",
        ] {
            assert!(!admits(&[("host", host)]), "{host}");
        }
        assert!(!admits(&[]) && !admits(&[("host", "localhost"), ("host", "evil.example")]));
        let rebound = Request::builder().uri("http://evil.example/x").header("host", "localhost").body(()).unwrap();
        assert!(refuse_other_sites(&rebound).is_err());
        assert!(refuse_other_sites(&Request::builder().uri("http://127.0.0.1:7001/x").body(()).unwrap()).is_ok());
    }

    #[test]
    fn the_origin_is_absent_or_the_hosts_own() {
        let host = ("host", "localhost:8080");
        assert!(admits(&[host, ("origin", "http://localhost:8080")]));
        assert!(admits(&[("host", "localhost"), ("origin", "http://localhost:80")]));
        for origin in [
            "null",
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:8080",
            "http://127.0.0.1:8080",
            "http://evil.example",
            "http://localhost:8080@evil.example",
            "",
            "file://",
        ] {
            assert!(!admits(&[host, ("origin", origin)]), "{origin}");
        }
        assert!(!admits(&[host, ("origin", "http://localhost:8080"), ("origin", "http://evil.example")]));
    }

    #[test]
    fn a_change_is_sent_as_json() {
        let admits = |method: &str, headers: &[(&str, &str)]| {
            let request = request(method, headers);
            !may_be_a_form(request.method(), request.headers())
        };
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(admits("POST", &[("content-type", kind)]), "{kind}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(!admits(method, &[]), "{method}");
            for kind in ["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json"] {
                assert!(!admits(method, &[("content-type", kind)]), "{method} {kind}");
            }
        }
        assert!(!admits("POST", &[("content-type", "application/json"), ("content-type", "text/plain")]));
        assert!(admits("GET", &[]) && admits("HEAD", &[]));
    }
}
