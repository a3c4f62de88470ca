//! State that a process has once, for all of its servers.

use crate::{credentials, metrics};

/// Installs the recorder of metrics, and the cryptography of TLS and of tokens. It is for `main`
/// alone: no constructor changes the process. Repeating it changes nothing, nor does it replace what the process has.
pub fn install_process_defaults() {
    metrics::install();
    credentials::install_token_verifier();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::trace!("the process has chosen its cryptography already");
    }
}
