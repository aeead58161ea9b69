//! What both sides of TLS need: certificates and keys as they are read, and who a certificate is of.
//!
//! The provider of the cryptography, aws-lc-rs, is given wherever rustls takes one. The process-wide
//! default is never asked: there, two libraries that install different ones panic.

mod identity;
mod name;
mod pem;
mod spiffe;
mod validity;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use self::identity::PeerCertificate;
pub(crate) use self::pem::{Broken, Pem, certificates, private_key};
pub use self::spiffe::SpiffeId;
pub(crate) use self::validity::{Standing, Validity};

/// What HTTP/2 is called in ALPN (RFC 9113, section 3.2).
pub(crate) const H2: &[u8] = b"h2";

/// The cryptography that TLS is made of.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
