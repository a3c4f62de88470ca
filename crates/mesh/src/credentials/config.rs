//! Settings of the accepted credentials.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use super::oidc::Algorithm;
use crate::{config::duration, secret::Secret};

/// Minimum length of a token, so that it cannot be guessed.
const SHORTEST: usize = 32;

/// Settings of the credentials that are taken from outside.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Config {
    /// The identity provider whose bearer tokens are taken: the issuer its tokens name.
    #[arg(long = "oidc-issuer", env = "WAYBILL_OIDC_ISSUER", value_name = "URL", requires = "oidc_audience")]
    pub oidc_issuer: Option<String>,
    /// The audiences of which a token must name one.
    #[arg(
        long = "oidc-audience",
        env = "WAYBILL_OIDC_AUDIENCE",
        value_name = "NAMES",
        value_delimiter = ',',
        requires = "oidc_issuer"
    )]
    pub oidc_audience: Vec<String>,
    /// Where the provider's keys are. Without it the provider's discovery document is asked.
    #[arg(long = "oidc-jwks-url", env = "WAYBILL_OIDC_JWKS_URL", value_name = "URL", requires = "oidc_issuer")]
    pub oidc_jwks_url: Option<String>,
    /// The algorithms tokens may be signed with.
    #[arg(
        long = "oidc-algorithms",
        env = "WAYBILL_OIDC_ALGORITHMS",
        value_name = "NAMES",
        value_delimiter = ',',
        value_enum,
        default_values_t = Algorithm::ALL
    )]
    pub oidc_algorithms: Vec<Algorithm>,
    /// The claim with the caller's roles.
    #[arg(long = "oidc-roles-claim", env = "WAYBILL_OIDC_ROLES_CLAIM", default_value = "waybill_roles")]
    pub oidc_roles_claim: String,
    /// The claim with the accounts the caller sees, or `*` for all.
    #[arg(long = "oidc-accounts-claim", env = "WAYBILL_OIDC_ACCOUNTS_CLAIM", default_value = "waybill_accounts")]
    pub oidc_accounts_claim: String,
    /// The claim with the partner the caller belongs to.
    #[arg(long = "oidc-partner-claim", env = "WAYBILL_OIDC_PARTNER_CLAIM", default_value = "waybill_partner")]
    pub oidc_partner_claim: String,
    /// A file with a token; whoever presents it is an administrator.
    #[arg(long = "admin-token-file", env = "WAYBILL_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// A file with the token members show each other. Every line is taken, the first is shown.
    #[arg(long = "mesh-token-file", env = "WAYBILL_MESH_TOKEN_FILE", value_name = "FILE")]
    pub mesh_token_file: Option<PathBuf>,
    /// How long an API key that was looked up is remembered. A revoked one stops at once in the process that revoked it,
    /// and in others after this time; streams end within twice of it.
    #[arg(long = "api-key-cache", env = "WAYBILL_API_KEY_CACHE", default_value = "5s", value_parser = duration)]
    pub api_key_cache: Duration,
}

/// Why credentials cannot be taken as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file with a token cannot be read.
    #[error("reading the token in {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        source: std::io::Error,
    },
    /// What is in a file is no token.
    #[error("{}: a token has {SHORTEST} or more printable characters and no spaces; one a line", .0.display())]
    NoToken(PathBuf),
    /// An address is not one that keys can be had from safely.
    #[error("{0} is no address to have keys from: it has to be https, or http on this machine")]
    Unsafe(String),
    /// The process has not installed its defaults.
    #[error("the process has no cryptography: its defaults are not installed")]
    NoCryptography,
    /// The client that fetches keys cannot be made.
    #[error("keys cannot be fetched")]
    Client(#[source] reqwest::Error),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            oidc_issuer: None,
            oidc_audience: Vec::new(),
            oidc_jwks_url: None,
            oidc_algorithms: Algorithm::ALL.to_vec(),
            oidc_roles_claim: "waybill_roles".to_owned(),
            oidc_accounts_claim: "waybill_accounts".to_owned(),
            oidc_partner_claim: "waybill_partner".to_owned(),
            admin_token_file: None,
            mesh_token_file: None,
            api_key_cache: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Whether callers have to prove who they are.
    pub fn is_configured(&self) -> bool {
        self.oidc_issuer.is_some() || self.admin_token_file.is_some() || self.mesh_token_file.is_some()
    }

    /// The token of the first administrator.
    pub fn admin_token(&self) -> Result<Option<Secret>, ConfigError> {
        self.admin_token_file.as_deref().map(read_token).transpose()
    }

    /// What this member shows the others, where there are no certificates.
    pub fn mesh_token(&self) -> Result<Option<Secret>, ConfigError> {
        self.mesh_token_file.as_deref().map(read_token).transpose()
    }

    /// What members show this one: the present token, and others while it is being replaced.
    pub(super) fn mesh_tokens(&self) -> Result<Vec<Secret>, ConfigError> {
        self.mesh_token_file.as_deref().map_or_else(|| Ok(Vec::new()), tokens)
    }
}

/// The token in a file, in its first line.
pub fn read_token(path: &Path) -> Result<Secret, ConfigError> {
    tokens(path)?.into_iter().next().ok_or_else(|| ConfigError::NoToken(path.to_owned()))
}

fn tokens(path: &Path) -> Result<Vec<Secret>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let tokens: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let sound = |token: &&str| token.len() >= SHORTEST && token.bytes().all(|c| c.is_ascii_graphic());
    if tokens.is_empty() || !tokens.iter().all(sound) {
        return Err(ConfigError::NoToken(path.to_owned()));
    }
    Ok(tokens.into_iter().map(|token| Secret::from(token.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser, Debug)]
    struct Program {
        #[command(flatten)]
        credentials: Config,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_in_code() {
        let parsed = Program::try_parse_from(["program"]).unwrap().credentials;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Config::default()));
        assert!(!parsed.is_configured());
    }

    #[test]
    fn an_issuer_needs_an_audience_and_no_token_is_signed_with_a_shared_secret() {
        assert!(Program::try_parse_from(["program", "--oidc-issuer", "https://id.example"]).is_err());
        for algorithm in ["HS256", "none", "rs256"] {
            assert!(Program::try_parse_from(["program", "--oidc-algorithms", algorithm]).is_err(), "{algorithm}");
        }
        let parsed = Program::try_parse_from(["program", "--oidc-algorithms", "ES256,EdDSA"]).unwrap();
        assert_eq!(parsed.credentials.oidc_algorithms, [Algorithm::Es256, Algorithm::EdDsa]);
    }
}
