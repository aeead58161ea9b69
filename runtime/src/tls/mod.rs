//! What both sides of TLS need: certificates and keys as they are read, and who a certificate is of.
//!
//! The provider of the cryptography, aws-lc-rs, is given wherever rustls takes one. The process-wide
//! default is never asked: there, two libraries that install different ones panic.

mod certificates;
#[cfg(feature = "server")]
mod identity;
mod name;
mod pem;
#[cfg(feature = "server")]
mod spiffe;
mod validity;
mod watched;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(crate) use self::certificates::{Own, Roots};
#[cfg(feature = "server")]
pub use self::identity::PeerCertificate;
pub(crate) use self::pem::{Broken, Pem};
#[cfg(feature = "server")]
pub use self::spiffe::SpiffeId;
pub(crate) use self::validity::Standing;
#[cfg(feature = "server")]
pub(crate) use self::validity::Validity;
pub(crate) use self::watched::{News, Watched};

/// What HTTP/2 is called in ALPN (RFC 9113, section 3.2).
pub(crate) const H2: &[u8] = b"h2";

/// The cryptography that TLS is made of.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
