//! [`PeerCertificate`]: who is on the other side, as a certificate says it.

use std::fmt;
use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::name;
use super::spiffe::SpiffeId;

/// Who calls, as the certificate says that the client showed and that was found good: signed by one of
/// the CAs that the server takes, and valid when the connection was opened.
///
/// [`Context::peer_certificate`](crate::Context::peer_certificate) has it. It is read once a connection
/// and shared by its calls.
pub struct PeerCertificate {
    der: CertificateDer<'static>,
    subject: String,
    names: Names,
    spiffe_id: Option<SpiffeId>,
}

/// The subject alternative names (RFC 5280, section 4.2.1.6), each sort in the certificate's order.
#[derive(Default)]
struct Names {
    dns: Vec<String>,
    uris: Vec<String>,
    emails: Vec<String>,
    ips: Vec<IpAddr>,
    /// Whether there is one that can't be read.
    has_unreadable: bool,
}

impl PeerCertificate {
    /// Reads a certificate; None where it isn't X.509, or has its names twice.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok()?;
        let names = names.map(|names| Names::of(&names.value.general_names));
        let names = names.unwrap_or_default();
        Some(Self {
            subject: name::rfc4514(certificate.subject()),
            spiffe_id: names.spiffe_id(),
            names,
            der: der.clone().into_owned(),
        })
    }

    /// The subject, as RFC 4514 writes it: `CN=items,O=Shop`. Often empty today, where the names below
    /// say who it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The DNS names; one with a wildcard stays as it is.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.names.dns
    }

    /// The URIs.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.names.uris
    }

    /// The e-mail addresses.
    #[must_use]
    pub fn emails(&self) -> &[String] {
        &self.names.emails
    }

    /// The IP addresses.
    #[must_use]
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.names.ips
    }

    /// The SPIFFE id, where the certificate has exactly one URI and that is one
    /// ([X509-SVID](https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md), section 2).
    #[must_use]
    pub fn spiffe_id(&self) -> Option<&SpiffeId> {
        self.spiffe_id.as_ref()
    }

    /// The certificate itself, in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl Names {
    fn of(names: &[GeneralName<'_>]) -> Self {
        let mut found = Self::default();
        for name in names {
            match name {
                GeneralName::DNSName(name) => found.dns.push((*name).to_owned()),
                GeneralName::URI(uri) => found.uris.push((*uri).to_owned()),
                GeneralName::RFC822Name(email) => found.emails.push((*email).to_owned()),
                GeneralName::IPAddress(bytes) => match ip(bytes) {
                    Some(ip) => found.ips.push(ip),
                    None => found.has_unreadable = true,
                },
                GeneralName::Invalid(..) => found.has_unreadable = true,
                _ => {}
            }
        }
        found
    }

    fn spiffe_id(&self) -> Option<SpiffeId> {
        // One that can't be read may be another URI.
        match self.uris.as_slice() {
            [uri] if !self.has_unreadable => SpiffeId::parse(uri),
            _ => None,
        }
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCertificate")
            .field("subject", &self.subject)
            .field("dns_names", &self.names.dns)
            .field("uris", &self.names.uris)
            .field("emails", &self.names.emails)
            .field("ip_addresses", &self.names.ips)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spiffe_id_is_the_only_uri() {
        let id = |names: &[GeneralName<'_>]| {
            let id = Names::of(names).spiffe_id();
            id.map(|id| id.to_string())
        };
        let own = GeneralName::URI("spiffe://example.org/items");
        let dns = GeneralName::DNSName("items");
        assert_eq!(
            id(&[dns.clone(), own.clone()]).as_deref(),
            Some("spiffe://example.org/items")
        );
        assert_eq!(id(&[dns]), None);
        assert_eq!(id(&[own.clone(), own.clone()]), None);
        assert_eq!(
            id(&[own.clone(), GeneralName::URI("https://example.org")]),
            None
        );
        let unreadable = GeneralName::Invalid(x509_parser::asn1_rs::Tag(6), b"\xff");
        assert_eq!(id(&[own, unreadable]), None);
    }

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        let names = [
            GeneralName::IPAddress(&[10, 0, 0, 1]),
            GeneralName::IPAddress(&[0; 16]),
            GeneralName::IPAddress(&[10, 0, 0, 0, 255, 0, 0, 0]),
        ];
        let names = Names::of(&names);
        assert_eq!(
            names.ips,
            [IpAddr::from([10, 0, 0, 1]), IpAddr::from([0_u8; 16])]
        );
        assert!(names.has_unreadable);
    }
}
