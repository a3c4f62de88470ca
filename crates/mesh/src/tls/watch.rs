//! A value that is built from files, and built again when they change.
//!
//! Written here because `tls-hot-reload` reads certificates and no authorities, and because file notifications miss how
//! Kubernetes replaces the files of a secret.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio_util::task::AbortOnDropHandle;

use super::TlsError;

/// The newest that could be built. Clones watch together.
#[derive(Debug)]
pub(super) struct Watched<T> {
    current: Arc<ArcSwap<T>>,
    _watching: Arc<AbortOnDropHandle<()>>,
}

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self { current: self.current.clone(), _watching: self._watching.clone() }
    }
}

impl<T> Watched<T> {
    pub(super) fn load_full(&self) -> Arc<T> {
        self.current.load_full()
    }
}

/// Builds from the files now, and again whenever a poll finds them changed. Files that cannot be used change nothing.
pub(super) fn watched<T: Send + Sync + 'static>(
    paths: Vec<PathBuf>,
    poll: Duration,
    build: impl Fn(&[Vec<u8>]) -> Result<T, TlsError> + Send + 'static,
) -> Result<Watched<T>, TlsError> {
    let contents = read(&paths)?;
    let current = Arc::new(ArcSwap::from_pointee(build(&contents)?));
    let (watched, mut seen) = (current.clone(), digest(&contents));
    // Aborted with the last user of the files.
    let watching = tokio::spawn(async move {
        loop {
            tokio::time::sleep(poll).await;
            let now = read(&paths).and_then(|contents| {
                let digest = digest(&contents);
                if digest == seen {
                    return Ok(None);
                }
                seen = digest;
                build(&contents).map(Some)
            });
            match now {
                Ok(None) => (),
                Ok(Some(new)) => {
                    watched.store(Arc::new(new));
                    tracing::info!(files = ?paths, "certificates were read again");
                }
                Err(error) => {
                    metrics::counter!("tls_certificates_refused_total").increment(1);
                    tracing::warn!(%error, files = ?paths, "changed certificates are not used");
                }
            }
        }
    });
    Ok(Watched { current, _watching: Arc::new(AbortOnDropHandle::new(watching)) })
}

/// A few small files: reading them takes less than handing the work to another thread.
fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, TlsError> {
    paths.iter().map(|path| fs::read(path).map_err(|source| TlsError::Read { path: path.clone(), source })).collect()
}

fn digest(contents: &[Vec<u8>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    hasher.finish()
}
