//! State that a process has once, for all of its servers.

use crate::{credentials, metrics};

/// Installs the recorder of metrics, and the cryptography of TLS and of tokens. `main` calls it before anything else; no
/// constructor does. Repeating it changes nothing, nor does it replace what the process has already.
pub fn install_process_defaults() {
    metrics::install();
    credentials::install_token_verifier();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::trace!("the process has chosen its cryptography already");
    }
}
