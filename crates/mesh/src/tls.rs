//! TLS whose certificates change while it is used: every handshake uses the newest valid files.

mod certificate;
mod watch;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::{config::duration, peer::Peer};
use watch::Watched;

/// The PEM files of certificates. They are read again when they change.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Files {
    /// Certificate chain that the listeners show, and that calls to https:// members show as their caller's. PEM.
    #[arg(long = "tls-cert", env = "WAYBILL_TLS_CERT", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate. PEM.
    #[arg(long = "tls-key", env = "WAYBILL_TLS_KEY", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Authorities that issue the certificates of members. PEM. Whoever calls over gRPC must show one of theirs, or prove
    /// who they are otherwise where credentials are configured.
    #[arg(long = "tls-client-ca", env = "WAYBILL_TLS_CLIENT_CA", requires = "cert")]
    pub client_ca: Option<PathBuf>,
    /// Authorities that must have issued the certificates of https:// members. PEM.
    #[arg(long = "tls-ca", env = "WAYBILL_TLS_CA")]
    pub ca: Option<PathBuf>,
    /// How often the files are looked at.
    #[arg(long = "tls-poll", env = "WAYBILL_TLS_POLL", default_value = "30s", value_parser = duration)]
    pub poll: Duration,
}

impl Default for Files {
    fn default() -> Self {
        Self { cert: None, key: None, client_ca: None, ca: None, poll: Duration::from_secs(30) }
    }
}

/// Certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file has no certificate or key in it.
    #[error("{what}: not PEM: {source}")]
    Pem {
        /// Which file.
        what: &'static str,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The files do not go together.
    #[error("the certificates cannot be used: {0}")]
    Unusable(String),
}

/// Whose connections a listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Those of members, when the files say who issues their certificates; otherwise anybody's.
    Members,
    /// Anybody's; a member is known by its certificate when it shows one, others have to prove themselves otherwise.
    MembersAndOthers,
    /// Anybody's.
    Anybody,
}

/// The certificate a listener shows.
#[derive(Debug, Clone)]
pub struct Server(Watched<ServerConfig>);

impl Server {
    /// Reads the files and goes on watching them; `None` when none are given. `protocols` as ALPN names them.
    pub fn load(files: &Files, callers: Callers, protocols: &[&str]) -> Result<Option<Self>, TlsError> {
        let (Some(cert), Some(key)) = (&files.cert, &files.key) else { return Ok(None) };
        let client_ca = files.client_ca.as_ref().filter(|_| callers != Callers::Anybody);
        let paths: Vec<_> = [Some(cert), Some(key), client_ca].into_iter().flatten().cloned().collect();
        let protocols: Vec<_> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let build = move |contents: &[Vec<u8>]| server_config(contents, callers, &protocols);
        Ok(Some(Self(watch::watched(paths, files.poll, build)?)))
    }

    /// Shakes hands. Returns the peer with the stream.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        address: SocketAddr,
    ) -> io::Result<(server::TlsStream<TcpStream>, Peer)> {
        let stream = TlsAcceptor::from(self.0.load_full()).accept(stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let peer = match certificate {
            Some(certificate) => Peer::Member(certificate::name(certificate).map_err(io::Error::other)?),
            None => Peer::Address(address),
        };
        Ok((stream, peer))
    }
}

/// Whom callers trust, and the certificate they show.
#[derive(Debug, Clone)]
pub struct Client(Watched<ClientConfig>);

impl Client {
    /// Reads the files and goes on watching them; `None` when no authority is given.
    pub fn load(files: &Files) -> Result<Option<Self>, TlsError> {
        let Some(ca) = &files.ca else { return Ok(None) };
        let identity = files.cert.as_ref().zip(files.key.as_ref());
        let identity = identity.map_or(vec![], |(cert, key)| vec![cert, key]);
        let paths: Vec<_> = [vec![ca], identity].concat().into_iter().cloned().collect();
        Ok(Some(Self(watch::watched(paths, files.poll, client_config)?)))
    }

    /// Shakes hands with the member of this name.
    pub(crate) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(self.0.load_full()).connect(name, stream).await
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err by its name")]
fn unusable(error: impl ToString) -> TlsError {
    TlsError::Unusable(error.to_string())
}

/// From the contents of the certificate, the key, and the callers' authorities.
fn server_config(contents: &[Vec<u8>], callers: Callers, protocols: &[Vec<u8>]) -> Result<ServerConfig, TlsError> {
    let [cert, key, rest @ ..] = contents else { return Err(unusable("no certificate")) };
    let (chain, key) = identity(cert, key)?;
    certificate::note_expiry("server", &chain);
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(unusable)?;
    let builder = match rest {
        [client_ca, ..] => {
            let roots = Arc::new(roots(client_ca, "client authorities")?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = match callers {
                Callers::Members => verifier,
                Callers::MembersAndOthers | Callers::Anybody => verifier.allow_unauthenticated(),
            };
            builder.with_client_cert_verifier(verifier.build().map_err(unusable)?)
        }
        [] => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = protocols.to_vec();
    Ok(config)
}

/// From the contents of the members' authorities, and of the caller's own certificate and key.
fn client_config(contents: &[Vec<u8>]) -> Result<ClientConfig, TlsError> {
    let [ca, identity_files @ ..] = contents else { return Err(unusable("no authority")) };
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(unusable)?.with_root_certificates(roots(ca, "authorities")?);
    let mut config = match identity_files {
        [cert, key, ..] => {
            let (chain, key) = identity(cert, key)?;
            certificate::note_expiry("client", &chain);
            builder.with_client_auth_cert(chain, key).map_err(unusable)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(cert: &[u8], key: &[u8]) -> Result<Identity, TlsError> {
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem { what: "key", source })?;
    Ok((certificates(cert, "certificate")?, key))
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|source| TlsError::Pem { what, source })?;
    if chain.is_empty() { Err(unusable(format!("{what}: no certificate in the file"))) } else { Ok(chain) }
}

fn roots(pem: &[u8], what: &'static str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, what)? {
        roots.add(certificate).map_err(unusable)?;
    }
    Ok(roots)
}
