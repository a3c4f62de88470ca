//! Export of traces: this program's own setting, and OpenTelemetry's environment variables.
//!
//! The SDK reads `OTEL_EXPORTER_OTLP_HEADERS`, `_TIMEOUT` and `_COMPRESSION`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*` and `OTEL_SPAN_*` itself. The variables that it does not read, or not as
//! specified, are read here.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Where and how traces are sent.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Otlp {
    /// Where traces are sent: the URL of an OTLP collector speaking gRPC, http:// or https://. Without it, and without
    /// OTEL_EXPORTER_OTLP_ENDPOINT, none are. The other OTEL_ variables of traces count too: headers, certificates,
    /// timeout, sampler, resource attributes.
    #[arg(long = "otlp-endpoint", env = "WAYBILL_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    #[arg(long = "otel-endpoint", env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide = true)]
    endpoint: Option<String>,
    #[arg(long = "otel-traces-endpoint", env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", hide = true)]
    traces_endpoint: Option<String>,
    #[arg(long = "otel-protocol", env = "OTEL_EXPORTER_OTLP_PROTOCOL", hide = true)]
    protocol: Option<String>,
    #[arg(long = "otel-traces-protocol", env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", hide = true)]
    traces_protocol: Option<String>,
    #[arg(long = "otel-certificate", env = "OTEL_EXPORTER_OTLP_CERTIFICATE", hide = true)]
    certificate: Option<PathBuf>,
    #[arg(long = "otel-client-certificate", env = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", hide = true)]
    client_certificate: Option<PathBuf>,
    #[arg(long = "otel-client-key", env = "OTEL_EXPORTER_OTLP_CLIENT_KEY", hide = true)]
    client_key: Option<PathBuf>,
    #[arg(long = "otel-traces-exporter", env = "OTEL_TRACES_EXPORTER", hide = true)]
    exporter: Option<String>,
    #[arg(long = "otel-service-name", env = "OTEL_SERVICE_NAME", hide = true)]
    service_name: Option<String>,
    #[arg(long = "otel-sdk-disabled", env = "OTEL_SDK_DISABLED", hide = true)]
    disabled: Option<String>,
}

/// Why traces cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// The protocol is another one.
    #[error("OTEL_EXPORTER_OTLP_PROTOCOL is {0}, but traces are sent over grpc only")]
    Protocol(String),
    /// A certificate or key cannot be read.
    #[error("reading {} for the OTLP endpoint", path.display())]
    File {
        /// The file.
        path: PathBuf,
        source: io::Error,
    },
    /// The endpoint or its certificates cannot be used.
    #[error("unusable OTLP endpoint")]
    Exporter(#[from] ExporterBuildError),
}

impl Otlp {
    /// Traces are sent to the collector at this URL.
    pub fn to(endpoint: impl Into<String>) -> Self {
        Self { otlp_endpoint: Some(endpoint.into()), ..Self::default() }
    }

    /// What records and sends the traces of this process, if anything does. `service` is its name unless one is set.
    pub(super) fn provider(&self, service: &str) -> Result<Option<SdkTracerProvider>, OtlpError> {
        let Some(endpoint) = self.endpoint() else { return Ok(None) };
        let protocol = set(self.traces_protocol.as_ref()).or(set(self.protocol.as_ref()));
        if let Some(other) = protocol.filter(|protocol| *protocol != "grpc") {
            return Err(OtlpError::Protocol(other.to_owned()));
        }
        let mut exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint);
        if endpoint.starts_with("https://") {
            exporter = exporter.with_tls_config(self.tls()?);
        }
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter.build()?);
        Ok(Some(provider.with_resource(self.resource(service)).build()))
    }

    fn endpoint(&self) -> Option<&str> {
        let disabled = self.disabled.as_deref().is_some_and(|disabled| disabled.eq_ignore_ascii_case("true"));
        if disabled || self.exporter.as_deref() == Some("none") {
            return None;
        }
        set(self.otlp_endpoint.as_ref()).or(set(self.traces_endpoint.as_ref())).or(set(self.endpoint.as_ref()))
    }

    /// The given authorities, else the system's.
    fn tls(&self) -> Result<ClientTlsConfig, OtlpError> {
        let tls = match &self.certificate {
            Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        match (&self.client_certificate, &self.client_key) {
            (Some(certificate), Some(key)) => Ok(tls.identity(Identity::from_pem(read(certificate)?, read(key)?))),
            _ => Ok(tls),
        }
    }

    fn resource(&self, service: &str) -> Resource {
        let given = Resource::builder().build();
        let name = given.get(&Key::new("service.name")).map(|name| name.to_string());
        // Without a name the SDK makes one up.
        let name = name.filter(|name| !name.starts_with("unknown_service"));
        let name = set(self.service_name.as_ref()).map(str::to_owned).or(name).unwrap_or_else(|| service.to_owned());
        Resource::builder().with_attribute(KeyValue::new("service.name", name)).build()
    }
}

/// An empty variable counts as none.
fn set(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn read(path: &Path) -> Result<Vec<u8>, OtlpError> {
    fs::read(path).map_err(|source| OtlpError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::tls;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_programs_own_endpoint_counts_before_that_of_traces_and_of_all_signals() {
        assert_eq!(Otlp::default().endpoint(), None);
        let all = Otlp { endpoint: text("http://all"), traces_endpoint: text(""), ..Otlp::default() };
        assert_eq!(all.endpoint(), Some("http://all"));
        let traces = Otlp { traces_endpoint: text("http://traces"), ..all };
        assert_eq!(traces.endpoint(), Some("http://traces"));
        let own = Otlp { otlp_endpoint: text("http://own"), ..traces };
        assert_eq!(own.endpoint(), Some("http://own"));
        assert_eq!(Otlp { disabled: text("True"), ..own.clone() }.endpoint(), None);
        assert_eq!(Otlp { exporter: text("none"), ..own }.endpoint(), None);
    }

    #[test]
    fn a_service_has_the_name_it_is_given() {
        let name = |otlp: Otlp| otlp.resource("order").get(&Key::new("service.name")).unwrap().to_string();
        assert_eq!(name(Otlp::default()), "order");
        assert_eq!(name(Otlp { service_name: text("order-eu"), ..Otlp::default() }), "order-eu");
    }

    #[test]
    fn another_protocol_and_missing_files_are_refused() {
        let https = Otlp::to("https://collector:4317");
        let http = Otlp { protocol: text("http/protobuf"), ..https.clone() };
        assert!(matches!(http.provider("order"), Err(OtlpError::Protocol(_))));
        let lost = Otlp { certificate: Some("/nowhere/ca.pem".into()), ..https };
        assert!(matches!(lost.provider("order"), Err(OtlpError::File { .. })));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn traces_are_sent_over_tls_to_a_collector_that_the_given_authority_vouches_for() {
        let directory = tempfile::tempdir().unwrap();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = |name: &str, pem: String| {
            let path = directory.path().join(name);
            fs::write(&path, pem).unwrap();
            Some(path)
        };
        let (cert, key) = (file("cert", certified.cert.pem()), file("key", certified.signing_key.serialize_pem()));
        let files = tls::Files { cert: cert.clone(), key, ..tls::Files::default() };
        let collector = tls::Server::load(&files, tls::Callers::Anybody, &["h2"]).unwrap().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let received = tokio::spawn(async move {
            let (stream, address) = listener.accept().await.unwrap();
            let (stream, _) = collector.accept(stream, address).await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let (request, _) = connection.accept().await.unwrap().unwrap();
            request.uri().path().to_owned()
        });
        let otlp = Otlp { certificate: cert, ..Otlp::to(endpoint) };
        let provider = otlp.provider("order").unwrap().unwrap();
        provider.tracer("test").start("span").end();
        let flushing = tokio::task::spawn_blocking(move || provider.force_flush());
        assert_eq!(received.await.unwrap(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        flushing.abort();
    }
}
