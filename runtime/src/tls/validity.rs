//! [`Validity`]: how long a chain of certificates can still be used.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::name;

/// A certificate that has less left is about to expire, in seconds: a day, in which somebody can still
/// do something about it.
const SOON: i64 = 24 * 3600;

/// How long a chain can be used: as long as the certificate that ends first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    /// The subject of that certificate (RFC 4514).
    pub(crate) subject: String,
    from: ASN1Time,
    until: ASN1Time,
}

/// How a chain stands at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    NotYet,
    ExpiresSoon,
    Expired,
}

impl Validity {
    /// That of a chain; None where it has no certificate that can be read.
    pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let each = chain.iter().filter_map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            let validity = certificate.validity();
            Some(Self {
                subject: name::rfc4514(certificate.subject()),
                from: validity.not_before,
                until: validity.not_after,
            })
        });
        each.min_by_key(|validity| validity.until)
    }

    /// How it stands now.
    pub(crate) fn now(&self) -> Standing {
        self.at(ASN1Time::now().timestamp())
    }

    /// How it stands at a time, in seconds since 1970.
    fn at(&self, now: i64) -> Standing {
        let left = self.until.timestamp().saturating_sub(now);
        if left < 0 {
            Standing::Expired
        } else if now < self.from.timestamp() {
            Standing::NotYet
        } else if left <= SOON {
            Standing::ExpiresSoon
        } else {
            Standing::Good
        }
    }

    /// When it begins, as a text.
    pub(crate) fn from(&self) -> String {
        self.from.to_string()
    }

    /// When it ends, as a text.
    pub(crate) fn until(&self) -> String {
        self.until.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_before_its_end_a_certificate_expires_soon() {
        let time = |seconds| ASN1Time::from_timestamp(seconds).unwrap();
        let validity = Validity {
            subject: String::new(),
            from: time(1_000_000),
            until: time(2_000_000),
        };
        for (now, standing) in [
            (999_999, Standing::NotYet),
            (1_000_000, Standing::Good),
            (2_000_000 - SOON - 1, Standing::Good),
            (2_000_000 - SOON, Standing::ExpiresSoon),
            (2_000_000, Standing::ExpiresSoon),
            (2_000_001, Standing::Expired),
        ] {
            assert_eq!(validity.at(now), standing, "{now}");
        }
    }
}
