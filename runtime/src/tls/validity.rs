//! [`Validity`]: how long a chain of certificates can still be used.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::name;
use super::pem::Pem;

/// A certificate that has less left is about to expire, in seconds: a day, in which somebody can still
/// do something about it.
const SOON: i64 = 24 * 3600;

/// One that lives for hours is about to expire in this part of its life. Whoever gives out such ones
/// replaces them sooner: SPIRE after half of it, cert-manager after two thirds.
const LAST_PART: i64 = 4;

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

    /// Says once in the log that it can't be used, or not for long; `told` is how it stood when that was
    /// last looked at.
    pub(crate) fn tell(&self, certificate: &Pem, told: &mut Standing) {
        let standing = self.now();
        if standing == *told {
            return;
        }
        *told = standing;
        let (subject, from, until) = (&self.subject, self.from(), self.until());
        match standing {
            Standing::Good => {}
            Standing::NotYet => {
                tracing::warn!(%certificate, subject, from, "the certificate is not valid yet");
            }
            Standing::ExpiresSoon => {
                tracing::warn!(%certificate, subject, until, "the certificate expires soon");
            }
            Standing::Expired => {
                tracing::warn!(%certificate, subject, until, "the certificate has expired");
            }
        }
    }

    /// How it stands now.
    fn now(&self) -> Standing {
        self.at(ASN1Time::now().timestamp())
    }

    /// How it stands at a time, in seconds since 1970.
    fn at(&self, now: i64) -> Standing {
        let (from, until) = (self.from.timestamp(), self.until.timestamp());
        let left = until.saturating_sub(now);
        let soon = SOON.min(until.saturating_sub(from) / LAST_PART);
        if left < 0 {
            Standing::Expired
        } else if now < from {
            Standing::NotYet
        } else if left <= soon {
            Standing::ExpiresSoon
        } else {
            Standing::Good
        }
    }

    /// When it begins, as a text.
    fn from(&self) -> String {
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

    fn lives(from: i64, until: i64) -> Validity {
        let time = |seconds| ASN1Time::from_timestamp(seconds).unwrap();
        Validity {
            subject: String::new(),
            from: time(from),
            until: time(until),
        }
    }

    #[test]
    fn a_day_before_its_end_a_certificate_expires_soon() {
        let validity = lives(1_000_000, 2_000_000);
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

    #[test]
    fn one_that_lives_for_an_hour_expires_soon_in_its_last_quarter() {
        let validity = lives(0, 3600);
        for (now, standing) in [
            (0, Standing::Good),
            (2699, Standing::Good),
            (2700, Standing::ExpiresSoon),
            (3601, Standing::Expired),
        ] {
            assert_eq!(validity.at(now), standing, "{now}");
        }
    }
}
