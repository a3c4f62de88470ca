//! Methods whose end is announced: their `deprecated` and `waybill.options.v1.lifecycle` options, read once at the
//! start.
//!
//! Every answer of such a method has the headers of RFC 9745 (`deprecation`), RFC 8594 (`sunset`) and RFC 8288
//! (`link`); after its sunset it is refused.

use std::{
    collections::HashMap,
    str::FromStr,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use types::{Clock, Fault, Reason, Timestamp};

const OPTION: &str = "waybill.options.v1.lifecycle";

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The announced end of one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when it should not be used in new code.
    pub since: Timestamp,
    /// When it stops answering, if that is decided.
    pub sunset: Option<Timestamp>,
    /// Full name of the method to use instead.
    pub successor: Option<String>,
    /// A page for people.
    pub link: Option<String>,
    headers: HeaderMap,
}

/// Announced ends that contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("impossible lifecycles: {}", .0.join("; "))]
pub struct DeprecationError(Vec<String>);

/// The deprecated methods of a server, by request path.
#[derive(Debug, Clone, Default)]
pub struct Deprecations {
    methods: HashMap<String, Deprecation>,
    /// Decides whether a sunset is over; without it none is.
    clock: Option<Arc<dyn Clock>>,
}

impl Deprecations {
    /// Reads the ends of the methods of these services.
    pub fn of(pool: &DescriptorPool, services: &[&str]) -> Result<Self, DeprecationError> {
        let (mut methods, mut problems) = (HashMap::new(), Vec::new());
        for service in services.iter().filter_map(|name| pool.get_service_by_name(name)) {
            for method in service.methods() {
                match read(&method) {
                    Ok(None) => {}
                    Ok(Some(deprecation)) => drop(methods.insert(path(&method), deprecation)),
                    Err(problem) => problems.push(format!("{}: {problem}", method.full_name())),
                }
            }
        }
        if problems.is_empty() { Ok(Self { methods, clock: None }) } else { Err(DeprecationError(problems)) }
    }

    /// Lets methods end at their sunset, by this clock.
    pub(crate) fn enforced_by(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The end of the method at this path, if one is announced.
    pub fn get(&self, path: &str) -> Option<&Deprecation> {
        self.methods.get(path)
    }

    /// Refuses a call of a method that has ended.
    pub(crate) fn refuse_ended(&self, path: &str) -> Result<(), Fault> {
        let (Some(deprecation), Some(clock)) = (self.methods.get(path), &self.clock) else { return Ok(()) };
        match deprecation.sunset {
            Some(sunset) if sunset <= clock.now() => {
                let fault = Fault::new(Reason::MethodEnded, format!("the method ended on {}", http_date(sunset)));
                Err(match &deprecation.successor {
                    Some(successor) => fault.fact("successor", successor),
                    None => fault,
                })
            }
            _ => Ok(()),
        }
    }

    /// Adds to an answer that its method is going to end.
    pub fn announce(&self, path: &str, to: &mut HeaderMap) {
        let Some(deprecation) = self.methods.get(path) else { return };
        for (name, value) in &deprecation.headers {
            to.append(name, value.clone());
        }
    }
}

/// The announced end of a method, or what is wrong with it.
fn read(method: &MethodDescriptor) -> Result<Option<Deprecation>, String> {
    let pool = method.parent_pool();
    let deprecated = method.method_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated());
    let options = method.options();
    let option = pool.get_extension_by_name(OPTION).filter(|option| options.has_extension(option));
    let lifecycle = option.map(|option| options.get_extension(&option).into_owned());
    let lifecycle = match (deprecated, lifecycle.as_ref().and_then(|lifecycle| lifecycle.as_message())) {
        (false, None) => return Ok(None),
        (true, Some(lifecycle)) => lifecycle,
        (true, None) => return Err("is deprecated but has no lifecycle".to_owned()),
        (false, Some(_)) => return Err("has a lifecycle but is not deprecated".to_owned()),
    };
    let since = time(lifecycle, "deprecate_time")?.ok_or("has no deprecate_time")?;
    let sunset = time(lifecycle, "sunset_time")?;
    if sunset.is_some_and(|sunset| sunset < since) {
        return Err("its sunset_time is before its deprecate_time".to_owned());
    }
    let successor = match text(lifecycle, "successor") {
        None => None,
        Some(name) => {
            let mut known = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
            let found = known.find(|other| other.full_name() == name && other != method);
            Some(found.ok_or_else(|| format!("its successor `{name}` is not another method"))?)
        }
    };
    let link = text(lifecycle, "link");
    if let Some(link) = &link {
        let uri = Uri::from_str(link).ok().filter(|_| !link.contains(['<', '>', '"']));
        if uri.is_none_or(|uri| !matches!(uri.scheme_str(), Some("http" | "https"))) {
            return Err(format!("its link `{link}` is not an http or https URL"));
        }
    }
    let links = [
        link.as_ref().map(|link| format!("<{link}>; rel=\"deprecation\"")),
        // The path of a gRPC call; the gateway takes a POST there.
        successor.as_ref().map(|successor| format!("<{}>; rel=\"successor-version\"", path(successor))),
    ];
    let mut headers = HeaderMap::new();
    let value = |text: String| HeaderValue::try_from(text).map_err(|_| "cannot be written to a header");
    headers.insert(DEPRECATION, value(format!("@{}", since.to_parts().0))?);
    if let Some(sunset) = sunset {
        headers.insert(SUNSET, value(http_date(sunset))?);
    }
    for link in links.into_iter().flatten() {
        headers.append(header::LINK, value(link)?);
    }
    let successor = successor.map(|successor| successor.full_name().to_owned());
    Ok(Some(Deprecation { since, sunset, successor, link, headers }))
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn text(lifecycle: &DynamicMessage, field: &str) -> Option<String> {
    let value = lifecycle.get_field_by_name(field)?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn time(lifecycle: &DynamicMessage, field: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = text(lifecycle, field) else { return Ok(None) };
    let read = prost_types::Timestamp::from_str(&text).ok().filter(|time| time.seconds >= 0);
    let time = read.and_then(|time| Timestamp::from_parts(time.seconds, time.nanos));
    time.map(Some).ok_or_else(|| format!("its {field} `{text}` is not a time as in 2027-01-31T00:00:00Z"))
}

/// A time as HTTP headers have it: `Sun, 31 Jan 2027 00:00:00 GMT`.
fn http_date(time: Timestamp) -> String {
    let seconds = u64::try_from(time.to_parts().0).unwrap_or_default();
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}
