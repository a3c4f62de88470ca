//! Classes of methods, and the settings of their rates.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use prost_reflect::MethodDescriptor;

use super::rates::Rate;
use crate::{access::option_name, config::duration, role::Role};

const OPTION: &str = "waybill.options.v1.quota_class";

/// What a call costs: each client has a budget of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Reads little.
    Read,
    /// Changes something.
    Write,
    /// Reads much.
    Bulk,
    /// Stays open.
    Stream,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Bulk, Self::Stream];

    /// The name in headers, settings and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Bulk => "bulk",
            Self::Stream => "stream",
        }
    }

    /// The scope of an API key that covers it: what does not write reads.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Read | Self::Bulk | Self::Stream => "read",
            Self::Write => "write",
        }
    }
}

/// The class of a method: what its option says, or else what its shape does.
pub(crate) fn class(method: &MethodDescriptor) -> Class {
    let pool = method.parent_pool();
    let options = method.options();
    let extension = |name| pool.get_extension_by_name(name).filter(|extension| options.has_extension(extension));
    let named = extension(OPTION).and_then(|option| option_name(&option.kind(), &options.get_extension(&option)));
    match named.as_deref() {
        Some("QUOTA_CLASS_READ") => return Class::Read,
        Some("QUOTA_CLASS_WRITE") => return Class::Write,
        Some("QUOTA_CLASS_BULK") => return Class::Bulk,
        Some("QUOTA_CLASS_STREAM") => return Class::Stream,
        _ => (),
    }
    if method.is_client_streaming() || method.is_server_streaming() {
        return Class::Stream;
    }
    let got = extension("google.api.http").is_some_and(|http| {
        options.get_extension(&http).as_message().is_some_and(|rule| rule.has_field_by_name("get"))
    });
    // 1 is NO_SIDE_EFFECTS.
    let harmless = options.get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number()) == Some(1);
    match (got || harmless, method.input().get_field_by_name("page_size").is_some()) {
        (true, true) => Class::Bulk,
        (true, false) => Class::Read,
        (false, _) => Class::Write,
    }
}

/// Changes rates: `customer.read=600/1m`, `partner.*=off`, `*.bulk=60/1m`. `*` is every role, or every class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaSetting {
    pub(super) roles: Vec<Role>,
    pub(super) classes: Vec<Class>,
    pub(super) rate: Option<Rate>,
}

impl FromStr for QuotaSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "expected ROLE.CLASS=CALLS/TIME or ROLE.CLASS=off, like customer.read=600/1m".to_owned();
        let (who, rate) = text.split_once('=').ok_or_else(form)?;
        let (role, class) = who.split_once('.').ok_or_else(form)?;
        let roles = match role {
            "*" => Role::ALL.into_iter().filter(|role| *role != Role::Service).collect(),
            "service" => return Err("services have no quota".to_owned()),
            name => vec![Role::from_name(name).ok_or_else(|| format!("{name} is not a role"))?],
        };
        let classes = match class {
            "*" => Class::ALL.to_vec(),
            name => {
                let known = Class::ALL.into_iter().find(|class| class.as_str() == name);
                vec![known.ok_or_else(|| format!("{name} is none of the classes read, write, bulk, stream"))?]
            }
        };
        let rate = match rate {
            "off" => None,
            rate => {
                let (calls, window) = rate.split_once('/').ok_or_else(form)?;
                let calls: NonZeroU32 = calls.parse().map_err(|_| "expected a number of calls from 1".to_owned())?;
                let window = duration(window)?;
                if !(Duration::from_secs(1)..=Duration::from_secs(3_600)).contains(&window) {
                    return Err("expected a time of 1s to 60m".to_owned());
                }
                Some(Rate { calls, window })
            }
        };
        Ok(Self { roles, classes, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_says_nothing_is_refused_and_says_why() {
        let error = |text: &str| text.parse::<QuotaSetting>().unwrap_err();
        assert!(error("customer.read").starts_with("expected ROLE.CLASS="));
        assert!(error("customer=1/1s").starts_with("expected ROLE.CLASS="));
        assert_eq!(error("clerk.read=1/1s"), "clerk is not a role");
        assert_eq!(error("customer.all=1/1s"), "all is none of the classes read, write, bulk, stream");
        assert_eq!(error("customer.read=0/1s"), "expected a number of calls from 1");
        assert_eq!(error("customer.read=1/1ms"), "expected a time of 1s to 60m");
        assert_eq!(error("service.read=1/1s"), "services have no quota");
    }
}
