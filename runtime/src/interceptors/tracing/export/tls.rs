//! [`Tls`]: what a connection to a collector is secured by.

use std::fmt;

use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};

use super::environment::Reader;

const CAS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];
const CERTIFICATES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
];
const KEYS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
];

/// What a connection to a collector is secured by: each is a file's content, in PEM.
pub(super) struct Tls {
    /// Who is trusted; the system's authorities where there is none.
    ca: Option<Vec<u8>>,
    /// What is shown: a certificate and its key.
    own: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let ca = reader.content(CAS);
        if reader.has(CERTIFICATES) != reader.has(KEYS) {
            let [_, certificate] = CERTIFICATES;
            let problem = "it and `OTEL_EXPORTER_OTLP_CLIENT_KEY` are both needed, or neither";
            reader.wrong(certificate, problem.to_owned());
        }
        let (certificate, key) = (reader.content(CERTIFICATES), reader.content(KEYS));
        Self {
            ca,
            own: certificate.zip(key),
        }
    }

    pub(super) fn made(self) -> ClientTlsConfig {
        let made = ClientTlsConfig::new();
        let made = match self.ca {
            Some(pem) => made.ca_certificate(Certificate::from_pem(pem)),
            None => made.with_native_roots(),
        };
        match self.own {
            Some((certificate, key)) => made.identity(Identity::from_pem(certificate, key)),
            None => made,
        }
    }
}

impl fmt::Debug for Tls {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
