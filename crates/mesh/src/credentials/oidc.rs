//! Bearer tokens: their signature, issuer, audience and time.

mod claims;
mod crypto;
mod jwks;

use std::{fmt, sync::Arc, time::Duration};

use clap::ValueEnum;
use jsonwebtoken::{Validation, errors::ErrorKind};
use serde_json::{Map, Value};
use tokio::time::Instant;
use types::{Clock as _, Fault, SystemClock};

use super::{Config, ConfigError, refusal};
use crate::principal::Principal;
use claims::Claims;
use jwks::{Jwks, Source};

pub(crate) use crypto::install;

/// How far the clocks of the provider and ours may be apart, in seconds.
const LEEWAY: u64 = 30;
/// Longer than any token lasts.
const FOREVER: Duration = Duration::from_hours(365 * 24);

/// An algorithm a token may be signed with: the provider has the key, and we only what checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "RS384")]
    Rs384,
    #[value(name = "RS512")]
    Rs512,
    #[value(name = "PS256")]
    Ps256,
    #[value(name = "PS384")]
    Ps384,
    #[value(name = "PS512")]
    Ps512,
    #[value(name = "ES256")]
    Es256,
    #[value(name = "ES384")]
    Es384,
    #[value(name = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    const fn of_tokens(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Rs512 => jsonwebtoken::Algorithm::RS512,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Ps384 => jsonwebtoken::Algorithm::PS384,
            Self::Ps512 => jsonwebtoken::Algorithm::PS512,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

/// One identity provider.
pub(super) struct Oidc {
    issuer: String,
    audience: Vec<String>,
    algorithms: Vec<jsonwebtoken::Algorithm>,
    claims: Claims,
    keys: Arc<Jwks>,
}

impl Oidc {
    /// The configured provider, if one is.
    pub(super) fn new(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(issuer) = config.oidc_issuer.clone() else { return Ok(None) };
        let source = match &config.oidc_jwks_url {
            Some(url) => Source::Keys(url.clone()),
            None => Source::Issuer(issuer.clone()),
        };
        Ok(Some(Self {
            issuer,
            audience: config.oidc_audience.clone(),
            algorithms: config.oidc_algorithms.iter().map(|algorithm| algorithm.of_tokens()).collect(),
            claims: Claims::of(config),
            keys: Arc::new(Jwks::new(source)?),
        }))
    }

    /// Who calls with this token, and when it ends.
    pub(super) async fn verify(&self, token: &str) -> Result<(Principal, Instant), Fault> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| malformed())?;
        if !self.algorithms.contains(&header.alg) {
            return Err(refusal("algorithm", "the token is signed with an algorithm that is not taken"));
        }
        if header.crit.is_some() {
            return Err(refusal("malformed", "the token has critical header parameters that are not understood"));
        }
        // Not proven yet, but a token that says itself that it is another issuer's is no reason to ask for keys.
        let claims: Map<String, Value> =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| malformed())?;
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(refusal("issuer", "the token is not of the issuer that is trusted here"));
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let mut wanted = Validation::new(header.alg);
        wanted.leeway = LEEWAY;
        wanted.validate_nbf = true;
        wanted.set_issuer(&[&self.issuer]);
        wanted.set_audience(&self.audience);
        wanted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let proven = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &wanted);
        let claims = proven.map_err(|error| refused(error.kind()))?.claims;
        Ok((self.claims.principal(&claims)?, end(&claims)))
    }
}

/// When a token of these claims, which has an end, is no longer taken.
fn end(claims: &Map<String, Value>) -> Instant {
    let (now, seconds) = (Instant::now(), claims.get("exp").and_then(Value::as_f64).unwrap_or_default());
    let left = seconds + LEEWAY as f64 - SystemClock.now().as_micros() as f64 / 1e6;
    now + Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(FOREVER).min(FOREVER)
}

fn malformed() -> Fault {
    refusal("malformed", "the token cannot be read")
}

/// The refusal of a token for this error.
fn refused(wrong: &ErrorKind) -> Fault {
    match wrong {
        ErrorKind::ExpiredSignature => refusal("expired", "the token has expired"),
        ErrorKind::ImmatureSignature => refusal("not_yet_valid", "the token is not valid yet"),
        ErrorKind::InvalidIssuer => refusal("issuer", "the token is not of the issuer that is trusted here"),
        ErrorKind::InvalidAudience => refusal("audience", "the token is for another audience"),
        ErrorKind::InvalidSignature => refusal("signature", "the token's signature is not valid"),
        ErrorKind::MissingRequiredClaim(claim) => refusal("claim", format!("the token has no claim {claim}")),
        ErrorKind::InvalidClaimFormat(claim) => refusal("claim", format!("the token's claim {claim} cannot be read")),
        ErrorKind::InvalidAlgorithm => refusal("algorithm", "the token's algorithm does not fit its key"),
        ErrorKind::InvalidToken
        | ErrorKind::InvalidEcdsaKey
        | ErrorKind::InvalidEddsaKey
        | ErrorKind::InvalidRsaKey(_)
        | ErrorKind::RsaFailedSigning
        | ErrorKind::Signing(_)
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm
        | ErrorKind::InvalidKeyFormat
        | ErrorKind::InvalidSubject
        | ErrorKind::MissingAlgorithm
        | ErrorKind::Base64(_)
        | ErrorKind::Json(_)
        | ErrorKind::Utf8(_)
        | ErrorKind::Provider(_)
        | _ => malformed(),
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc").field("issuer", &self.issuer).field("audience", &self.audience).finish_non_exhaustive()
    }
}
