//! The headers that are passed on, in each direction. Headers that are not listed are dropped, so that a caller cannot set
//! those of gRPC or of another principal.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::problem::Problem;

/// From the caller to the service.
const REQUEST_HEADERS: [&str; 8] = [
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "authorization",
    "x-api-key",
    "accept-language",
    "waybill-priority",
];

/// From the service to the caller.
const RESPONSE_HEADERS: [&str; 16] = [
    "x-request-id",
    "www-authenticate",
    "location",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "deprecation",
    "sunset",
    "link",
    "content-language",
];

/// The value of a header, if it is text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The headers of the gRPC call.
pub(crate) fn request_headers(from: &HeaderMap) -> Result<HeaderMap, Problem> {
    let mut to = HeaderMap::with_capacity(REQUEST_HEADERS.len() + 3);
    copy(from, &mut to, &REQUEST_HEADERS);
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    to.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(timeout) = timeout(from)? {
        to.insert("grpc-timeout", timeout);
    }
    Ok(to)
}

/// Adds the headers of an answer that a caller may see.
pub(crate) fn response_headers(from: &HeaderMap, to: &mut HeaderMap) {
    copy(from, to, &RESPONSE_HEADERS);
}

fn copy(from: &HeaderMap, to: &mut HeaderMap, names: &[&'static str]) {
    for name in names {
        for value in from.get_all(*name) {
            to.append(HeaderName::from_static(name), value.clone());
        }
    }
}

/// Whether a body with these headers is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    let Some(content_type) = text(headers, header::CONTENT_TYPE.as_str()) else { return false };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    !encoded && (essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")))
}

/// Whether the caller accepts server-sent events by name.
pub(crate) fn wants_events(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok()).any(|accept| {
        accept.split(',').any(|range| range.split(';').next().is_some_and(|range| range.trim() == "text/event-stream"))
    })
}

/// Whether the caller accepts one of these media types.
pub(crate) fn accepts(headers: &HeaderMap, produced: &[&str]) -> bool {
    let mut ranges = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let mut ranges =
        ranges.flat_map(|accept| accept.split(',')).map(str::trim).filter(|range| !range.is_empty()).peekable();
    ranges.peek().is_none() || ranges.any(|range| produced.iter().any(|media_type| covers(range, media_type)))
}

/// Whether a media range covers a type, with a quality above zero.
fn covers(range: &str, media_type: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let excluded = parts.any(|parameter| {
        let quality = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
        quality.is_some_and(|quality| quality.parse() == Ok(0.0_f32))
    });
    let covered = match essence.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => media_type.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)),
        None => essence.eq_ignore_ascii_case(media_type),
    };
    covered && !excluded
}

/// The value of `grpc-timeout`: the shorter of `Request-Timeout` and `grpc-timeout`.
fn timeout(headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
    let mut shortest: Option<Duration> = None;
    for (name, parse) in [("request-timeout", seconds as fn(&str) -> _), ("grpc-timeout", grpc)] {
        let Some(value) = headers.get(name) else { continue };
        let duration = value.to_str().ok().and_then(|value| parse(value.trim()));
        let duration = duration.ok_or_else(|| Problem::malformed(format!("the {name} header is not a duration")))?;
        shortest = Some(shortest.map_or(duration, |other| other.min(duration)));
    }
    // gRPC allows at most eight digits.
    let written = shortest.map(|duration| match duration.as_millis() {
        millis @ ..=99_999_999 => format!("{millis}m"),
        _ => format!("{}S", duration.as_secs().min(99_999_999)),
    });
    Ok(written.and_then(|written| HeaderValue::try_from(written).ok()))
}

fn seconds(text: &str) -> Option<Duration> {
    let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Duration::try_from_secs_f64(text.parse().ok().filter(|_| valid)?).ok()
}

fn grpc(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_listed_headers_reach_a_service() {
        let from = headers(&[
            ("authorization", "Bearer x"),
            ("x-request-id", "r1"),
            ("cookie", "a=b"),
            ("waybill-principal", "admin"),
            ("grpc-status", "0"),
            ("trace-bin", "AAAA"),
            ("connection", "close"),
        ]);
        let to = request_headers(&from).unwrap();
        let mut names: Vec<_> = to.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "content-type", "te", "x-request-id"]);
    }

    #[test]
    fn the_shorter_deadline_goes_on() {
        for (given, expected) in [
            (&[("request-timeout", "5")][..], Some("5000m")),
            (&[("request-timeout", "0.25")], Some("250m")),
            (&[("grpc-timeout", "2S")], Some("2000m")),
            (&[("grpc-timeout", "2S"), ("request-timeout", "1.5")], Some("1500m")),
            (&[("grpc-timeout", "99999999H")], Some("99999999S")),
            (&[], None),
        ] {
            let to = request_headers(&headers(given)).unwrap();
            assert_eq!(text(&to, "grpc-timeout"), expected, "{given:?}");
        }
        for bad in ["", "-1", "1e3", "inf", "x", "99999999999999999999999"] {
            assert!(request_headers(&headers(&[("request-timeout", bad)])).is_err(), "{bad}");
        }
        for bad in ["", "S", "5", "5x", "123456789S", "-1S"] {
            assert!(request_headers(&headers(&[("grpc-timeout", bad)])).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_answer_has_to_be_acceptable() {
        for (accept, expected) in [
            (&[][..], true),
            (&["*/*"], true),
            (&[""], true),
            (&["text/html, application/xhtml+xml, */*;q=0.8"], true),
            (&["application/*"], true),
            (&["Application/JSON;charset=utf-8"], true),
            (&["text/html", "application/json"], true),
            (&["text/html"], false),
            (&["application/xml;q=1, application/json;q=0"], false),
            (&["application/json;q=0.1"], true),
            (&["*/*;q=0"], false),
            (&["application/jsonp"], false),
        ] {
            let headers = headers(&accept.iter().map(|value| ("accept", *value)).collect::<Vec<_>>());
            assert_eq!(accepts(&headers, &["application/json"]), expected, "{accept:?}");
        }
    }

    #[test]
    fn json_has_many_names() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(is_json(&headers(&[("content-type", content_type)])), expected, "{content_type}");
        }
        assert!(!is_json(&headers(&[("content-type", "application/json"), ("content-encoding", "gzip")])));
    }
}
