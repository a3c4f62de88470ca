//! Something built from files, built again when they change.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;

use super::TlsError;

/// Builds from the files now, and from then on as often as they have changed when looked at. What can not be used
/// leaves the last that could.
pub(super) fn watched<T: Send + Sync + 'static>(
    paths: Vec<PathBuf>,
    poll: Duration,
    build: impl Fn(&[Vec<u8>]) -> Result<T, TlsError> + Send + 'static,
) -> Result<Arc<ArcSwap<T>>, TlsError> {
    let contents = read(&paths)?;
    let current = Arc::new(ArcSwap::from_pointee(build(&contents)?));
    let (watched, mut seen) = (Arc::downgrade(&current), digest(&contents));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(poll).await;
            let Some(current) = watched.upgrade() else { return };
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
                    current.store(Arc::new(new));
                    tracing::info!(files = ?paths, "certificates were read again");
                }
                Err(error) => {
                    metrics::counter!("tls_certificates_refused_total").increment(1);
                    tracing::warn!(%error, files = ?paths, "changed certificates are not used");
                }
            }
        }
    });
    Ok(current)
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
