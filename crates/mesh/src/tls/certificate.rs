//! Reads certificates.

use rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// The name a certificate was issued for: its first DNS name, else its first URI.
pub(super) fn name(certificate: &CertificateDer<'_>) -> Result<String, String> {
    let certificate = Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let names = certificate.tbs_certificate.get::<SubjectAltName>().map_err(|error| error.to_string())?;
    let names = names.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
    let dns =
        names.iter().find_map(|name| if let GeneralName::DnsName(name) = name { Some(name.as_str()) } else { None });
    let uri = names.iter().find_map(|name| {
        if let GeneralName::UniformResourceIdentifier(name) = name { Some(name.as_str()) } else { None }
    });
    dns.or(uri).map(str::to_owned).ok_or_else(|| "the certificate has neither a DNS name nor a URI".to_owned())
}

/// Reports until when the own certificate is valid, as seconds since 1970.
pub(super) fn note_expiry(shown_by: &'static str, chain: &[CertificateDer<'_>]) {
    let Some(Ok(certificate)) = chain.first().map(|first| Certificate::from_der(first)) else { return };
    let expiry = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    metrics::gauge!("tls_certificate_expiry_timestamp_seconds", "shown_by" => shown_by).set(expiry.as_secs_f64());
}
