//! Keys that sign tokens, made when the test runs.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A key that signs tokens, and its name.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    key: Key,
}

enum Key {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// It takes a while to make one.
static RSA: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    std::array::from_fn(|_| {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        pair.as_der().unwrap().as_ref().to_vec()
    })
});

impl Signer {
    pub(crate) fn hs256(kid: &'static str, secret: &[u8]) -> Self {
        let key = Key::Secret(secret.to_vec());
        Self { kid, key }
    }

    pub(crate) fn rs256(kid: &'static str) -> Self {
        let key = Key::Rsa(RsaKeyPair::from_pkcs8(&RSA[0]).unwrap());
        Self { kid, key }
    }

    /// With another key than the others.
    pub(crate) fn other_rs256(kid: &'static str) -> Self {
        let key = Key::Rsa(RsaKeyPair::from_pkcs8(&RSA[1]).unwrap());
        Self { kid, key }
    }

    pub(crate) fn es256(kid: &'static str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = Key::P256(key);
        Self { kid, key }
    }

    pub(crate) fn eddsa(kid: &'static str) -> Self {
        let key = Key::Ed25519(Ed25519KeyPair::generate().unwrap());
        Self { kid, key }
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self.key {
            Key::Secret(_) => "HS256",
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.alg(), "kid": self.kid })
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    /// A token with this header, and these claims.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.signed(&header.to_string(), &claims.to_string())
    }

    /// The same, of texts that need not be JSON.
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Key::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// What an issuer publishes of it (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Secret(secret) => json!({ "kty": "oct", "k": encode(secret) }),
            Key::Rsa(pair) => {
                let (n, e) = parts(pair.public_key().as_ref());
                json!({ "kty": "RSA", "n": encode(n), "e": encode(e) })
            }
            Key::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Key::Ed25519(pair) => {
                let x = encode(pair.public_key());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
        };
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.alg().into();
        jwk
    }

    /// The public key, as most tools write it.
    pub(crate) fn pem(&self) -> String {
        let der = match &self.key {
            Key::Secret(_) => panic!("it has no public key"),
            Key::Rsa(pair) => pair.public_key().as_der().unwrap(),
            Key::P256(pair) => pair.public_key().as_der().unwrap(),
            Key::Ed25519(pair) => pair.public_key().as_der().unwrap(),
        };
        pem("PUBLIC KEY", der.as_ref())
    }

    /// An RSA key as PKCS#1 has it.
    pub(crate) fn pkcs1_pem(&self) -> String {
        match &self.key {
            Key::Rsa(pair) => pem("RSA PUBLIC KEY", pair.public_key().as_ref()),
            _ => panic!("it is no RSA key"),
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// base64url, as in tokens.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What base64url says.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Modulus and exponent of an RSA key in PKCS#1: a sequence of two integers.
fn parts(der: &[u8]) -> (&[u8], &[u8]) {
    let (inside, _) = value(der);
    let (n, rest) = value(inside);
    let (e, _) = value(rest);
    // The sign of the number.
    (n.strip_prefix(&[0]).unwrap_or(n), e)
}

/// The value that DER begins with, and the rest.
fn value(der: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::from(der[1]);
    let (length, at) = match length {
        0..0x80 => (length, 2),
        _ => {
            let bytes = &der[2..2 + (length & 0x7f)];
            let length = bytes
                .iter()
                .fold(0, |all, byte| all << 8 | usize::from(*byte));
            (length, 2 + bytes.len())
        }
    };
    der[at..].split_at(length)
}
