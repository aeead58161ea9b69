//! [`Key`] and [`KeySet`]: what signatures are checked with.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Refusal;

/// The shortest secret for HS256, in bytes: as long as what it makes (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// The shortest RSA key, in bits (RFC 7518, section 3.3).
const SHORTEST_RSA: usize = 2048;

/// A coordinate of P-256, and a key of Ed25519, in bytes (RFC 7518, section 6.2.1.2; RFC 8037).
const POINT: usize = 32;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// The one of this name (RFC 7518, section 3.1; RFC 8037).
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// What signatures of one algorithm are checked with. It has one algorithm, so that a token can't choose:
/// a public key is never taken for a secret.
pub(super) struct Key {
    kid: Option<Box<str>>,
    /// Whose tokens it is for; those of all who are named where there is none.
    issuer: Option<Box<str>>,
    algorithm: Algorithm,
    material: Material,
}

enum Material {
    // It has room for the longest of its kind.
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Key {
    /// A secret for HS256.
    pub(super) fn secret(secret: &[u8]) -> Result<Self, String> {
        if secret.trim_ascii_start().starts_with(b"-----BEGIN ") {
            // Who signs with what everybody knows is the oldest way in (RFC 8725, section 2.1).
            return Err(
                "it is PEM, and most of what is PEM is public; is it for RS256?".to_owned(),
            );
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(format!(
                "it has {} bytes, and HS256 takes {SHORTEST_SECRET} at least (RFC 7518, section 3.2)",
                secret.len()
            ));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Ok(Self::new(Algorithm::Hs256, Material::Secret(Box::new(key))))
    }

    /// A public key, as PEM.
    pub(super) fn pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, String> {
        let der = der(pem)?;
        let wrong = || format!("it is no public key for {}", algorithm.name());
        let key = match algorithm {
            Algorithm::Hs256 => return Err(wrong()),
            Algorithm::Rs256 => {
                let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &der);
                key.map_err(|_| wrong())?
            }
            Algorithm::Es256 => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &der).map_err(|_| wrong())?
            }
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, &der).map_err(|_| wrong())?,
        };
        Self::public(algorithm, key)
    }

    /// An RSA key of its modulus and exponent.
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, String> {
        let key = RsaPublicKeyComponents { n, e };
        let key = key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
        let key = key.map_err(|_| "`n` and `e` are no RSA key".to_owned())?;
        Self::public(Algorithm::Rs256, key)
    }

    /// A point of P-256.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<Self, String> {
        let wrong = || "`x` and `y` are no point of P-256".to_owned();
        if (x.len(), y.len()) != (POINT, POINT) {
            return Err(wrong());
        }
        let point = [&[4], x, y].concat();
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point);
        Self::public(Algorithm::Es256, key.map_err(|_| wrong())?)
    }

    /// A key of Ed25519.
    pub(super) fn ed25519(x: &[u8]) -> Result<Self, String> {
        let wrong = || "`x` is no key of Ed25519".to_owned();
        // The library takes it in an envelope too.
        if x.len() != POINT {
            return Err(wrong());
        }
        let key = ParsedPublicKey::new(&ED25519, x);
        Self::public(Algorithm::EdDsa, key.map_err(|_| wrong())?)
    }

    fn public(algorithm: Algorithm, key: ParsedPublicKey) -> Result<Self, String> {
        if algorithm == Algorithm::Rs256 {
            let der = key.as_der().ok();
            let key = der.and_then(|der| PublicEncryptingKey::from_der(der.as_ref()).ok());
            // One that is too short for the library is too short for us.
            let bits = key.map_or(0, |key| key.key_size_bits());
            if bits < SHORTEST_RSA {
                return Err(format!(
                    "it is shorter than {SHORTEST_RSA} bits (RFC 7518, section 3.3)"
                ));
            }
        }
        Ok(Self::new(algorithm, Material::Public(key)))
    }

    fn new(algorithm: Algorithm, material: Material) -> Self {
        Self {
            kid: None,
            issuer: None,
            algorithm,
            material,
        }
    }

    /// The same key, by this name.
    pub(super) fn named(mut self, kid: &str) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The same key, for tokens of this issuer.
    pub(super) fn issued_by(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, signed, signature).is_ok(),
            Material::Public(key) => key.verify_sig(signed, signature).is_ok(),
        }
    }

    /// Whether it is the same key by the same name. Secrets are not compared: none is fetched.
    pub(super) fn is(&self, other: &Self) -> bool {
        let same = match (&self.material, &other.material) {
            (Material::Public(own), Material::Public(other)) => own.as_ref() == other.as_ref(),
            _ => false,
        };
        same && self.kid == other.kid && self.algorithm == other.algorithm
    }
}

/// The keys of a moment.
#[derive(Default)]
pub(super) struct KeySet {
    /// Another one for each set that differs from the one before.
    pub(super) generation: u64,
    pub(super) keys: Vec<Arc<Key>>,
}

/// Why no key is found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// There may be one elsewhere.
    Unknown,
    /// No other key would help.
    Never(Refusal),
}

impl KeySet {
    /// The key for a token that names this one. A token that names none has the one key that there is, and
    /// so has any token where that key has no name.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, NoKey> {
        let only = match self.keys.as_slice() {
            [only] => Some(&**only),
            _ => None,
        };
        let mut named = self
            .keys
            .iter()
            .map(|key| &**key)
            .filter(|key| kid.is_some() && key.kid() == kid)
            .peekable();
        let mut found = match (named.peek().is_some(), kid) {
            (true, _) => named.collect(),
            (false, Some(_)) => only.filter(|key| key.kid.is_none()).into_iter().collect(),
            (false, None) if self.keys.len() > 1 => return Err(NoKey::Never(Refusal::TokenKey)),
            (false, None) => only.into_iter().collect::<Vec<_>>(),
        };
        if found.is_empty() {
            return Err(NoKey::Unknown);
        }
        found.retain(|key| key.algorithm == algorithm);
        let key = found.first().copied();
        key.ok_or(NoKey::Never(Refusal::TokenAlgorithm))
    }
}

/// What is in a PEM text: a public key (RFC 5280), or an RSA key alone (RFC 8017).
fn der(pem: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(pem).map_err(|_| "it is no PEM: it is no text".to_owned())?;
    for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
        let (begin, end) = (
            format!("-----BEGIN {label}-----"),
            format!("-----END {label}-----"),
        );
        let inside = text
            .split_once(&begin)
            .and_then(|(_, rest)| rest.split_once(&end));
        if let Some((inside, _)) = inside {
            let packed: String = inside.split_ascii_whitespace().collect();
            let der = STANDARD.decode(packed);
            return der.map_err(|_| "it is no PEM: it is not base64 inside".to_owned());
        }
    }
    Err(match text.contains("PRIVATE KEY-----") {
        true => "it is a private key; only who issues tokens should have that",
        false if text.contains("-----BEGIN CERTIFICATE-----") => {
            "it is a certificate; `openssl x509 -pubkey -noout` makes the public key of it"
        }
        false => "it has no public key; PEM is wanted, with `-----BEGIN PUBLIC KEY-----`",
    }
    .to_owned())
}
