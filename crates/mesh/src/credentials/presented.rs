//! Reads the credentials in a caller's headers.

use http::{HeaderMap, HeaderName, header};
use types::Fault;

use super::refusal;

/// What every API key begins with.
pub const KEY_PREFIX: &str = "wbk_";

/// Where an API key may be presented too.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a caller presents.
#[derive(PartialEq, Eq)]
pub(super) enum Presented<'h> {
    Nothing,
    Key(&'h str),
    Token(&'h str),
}

impl<'h> Presented<'h> {
    /// Reads the credential of a call. Two of them are refused, as it is not clear which one counts.
    pub(super) fn read(headers: &'h HeaderMap) -> Result<Self, Fault> {
        let mut credentials = headers.get_all(header::AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
        let Some(credential) = credentials.next() else { return Ok(Self::Nothing) };
        if credentials.next().is_some() {
            return Err(refusal("ambiguous", "the call has more than one credential"));
        }
        let text = credential.to_str().map_err(|_| refusal("malformed", "the credential cannot be read"))?;
        if !headers.contains_key(header::AUTHORIZATION) {
            return Self::of_key(text.trim());
        }
        let text = text.trim();
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refusal("scheme", "only bearer tokens are taken"));
        }
        match token {
            "" => Err(refusal("malformed", "the bearer token is empty")),
            key if key.starts_with(KEY_PREFIX) => Self::of_key(key),
            token => Ok(Self::Token(token)),
        }
    }

    /// Only what has the form of a key is looked up, so that nonsense costs no call.
    fn of_key(text: &'h str) -> Result<Self, Fault> {
        let body = text.strip_prefix(KEY_PREFIX).and_then(|body| body.split_once('_'));
        let word = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphanumeric());
        match body {
            Some((prefix, secret)) if text.len() <= 128 && word(prefix) && word(secret) => Ok(Self::Key(text)),
            _ => Err(refusal("malformed", "the API key cannot be read")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> String {
        let headers: HeaderMap =
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        match Presented::read(&headers) {
            Ok(Presented::Nothing) => "nothing".to_owned(),
            Ok(Presented::Key(key)) => format!("key {key}"),
            Ok(Presented::Token(token)) => format!("token {token}"),
            Err(fault) => fault.facts[0].1.clone(),
        }
    }

    #[test]
    fn a_credential_is_read_wherever_it_may_be() {
        assert_eq!(read(&[]), "nothing");
        assert_eq!(read(&[("authorization", "Bearer a.b.c")]), "token a.b.c");
        assert_eq!(read(&[("authorization", "bearer  wbk_a_b ")]), "key wbk_a_b");
        assert_eq!(read(&[("x-api-key", "wbk_a_b")]), "key wbk_a_b");
    }

    #[test]
    fn what_is_no_credential_is_told_without_repeating_it() {
        assert_eq!(read(&[("authorization", "Basic dTpw")]), "scheme");
        assert_eq!(read(&[("authorization", "Bearer")]), "malformed");
        assert_eq!(read(&[("authorization", "Bearer ")]), "malformed");
        assert_eq!(read(&[("x-api-key", "a.b.c")]), "malformed");
        for rubbish in ["wbk_", "wbk_a", "wbk_a_", "wbk__b", "wbk_a_b_c", &format!("wbk_a_{}", "b".repeat(128))] {
            assert_eq!(read(&[("x-api-key", rubbish)]), "malformed", "{rubbish}");
        }
        assert_eq!(read(&[("authorization", "Bearer a.b.c"), ("x-api-key", "wbk_a_b")]), "ambiguous");
    }
}
