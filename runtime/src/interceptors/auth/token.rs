//! [`Unverified`]: a token as it came, taken apart and not believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keys::{Algorithm, Key};
use super::object::Object;
use crate::Refusal;

/// A signed token (RFC 7515, compact form), of which nothing is known to be true.
pub(super) struct Unverified<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// What the signature is of: header and claims as they came.
    signed: &'a [u8],
    claims: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    ///
    /// It has a header, claims and a signature; what is encrypted has five parts. Each is base64url
    /// without padding, in the one way to write it. All the same, who has a token by ES256 can make a second
    /// one of it, as (r, n - s) is as good as (r, s): nothing may take a token for the only one of its
    /// claims.
    pub(super) fn read(token: &'a [u8]) -> Result<Self, Refusal> {
        let malformed = Refusal::TokenMalformed;
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed);
        };
        let signed = token
            .get(..header.len() + 1 + claims.len())
            .ok_or(malformed)?;
        let header = decode(header).and_then(|json| Object::read(&json));
        let (algorithm, kid) = read_header(&header.ok_or(malformed)?)?;
        Ok(Self {
            algorithm,
            kid,
            signed,
            claims,
            signature: decode(signature).ok_or(malformed)?,
        })
    }

    /// The claims, as JSON, if `key` has signed them.
    pub(super) fn verify(&self, key: &Key) -> Result<Vec<u8>, Refusal> {
        if key.algorithm() != self.algorithm {
            return Err(Refusal::TokenAlgorithm);
        }
        if !key.has_signed(self.signed, &self.signature) {
            return Err(Refusal::TokenSignature);
        }
        decode(self.claims).ok_or(Refusal::TokenMalformed)
    }
}

/// Which algorithm and which key a header names.
fn read_header(header: &Object) -> Result<(Algorithm, Option<String>), Refusal> {
    // What is critical is not understood here, whatever it is; and no key is taken, nor fetched, because
    // a token says so (RFC 8725, sections 3.1 and 3.10).
    if ["crit", "jku", "x5u", "jwk"]
        .iter()
        .any(|name| header.has(name))
    {
        return Err(Refusal::TokenMalformed);
    }
    let text = |name| header.text(name).map_err(|_| Refusal::TokenMalformed);
    if text("typ")?.is_some_and(|typ| !is_access_token(typ)) {
        return Err(Refusal::TokenMalformed);
    }
    // Names of algorithms have one spelling: `none`, `None` and `nOnE` are all unknown.
    let algorithm = text("alg")?.and_then(Algorithm::named);
    let kid = text("kid")?.map(ToOwned::to_owned);
    Ok((algorithm.ok_or(Refusal::TokenAlgorithm)?, kid))
}

/// Whether tokens of this type let callers in. One that was made for a logout, say, has the same issuer
/// and key, and its type tells it apart (RFC 8725, section 3.11).
fn is_access_token(typ: &str) -> bool {
    let typ = match typ.split_at_checked("application/".len()) {
        Some((media, rest)) if media.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("at+jwt")
}

fn decode(part: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}
