//! What an issuer publishes: a set of keys (RFC 7517, section 5).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::keys::{Algorithm, Key};
use super::object::Object;

/// How many keys are read of a set. An issuer has two or three.
const MAX_KEYS: usize = 100;

/// The keys of a set that can be used here. What can't is left out, and said.
///
/// # Errors
///
/// When it is no set of keys.
pub(super) fn read(json: &[u8]) -> Result<Vec<Arc<Key>>, String> {
    let set = Object::read(json).ok_or("it is no JSON object")?;
    let Some(Value::Array(keys)) = set.get("keys") else {
        return Err("it has no list `keys`".to_owned());
    };
    if keys.len() > MAX_KEYS {
        return Err(format!("it has {} keys, more than {MAX_KEYS}", keys.len()));
    }
    let mut usable = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        match read_key(key) {
            Ok(key) => usable.push(Arc::new(key)),
            Err(problem) => tracing::debug!(index, problem, "a key of the issuer is left out"),
        }
    }
    Ok(usable)
}

fn read_key(jwk: &Value) -> Result<Key, String> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let part = |name| {
        let part = text(name).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        part.ok_or_else(|| format!("`{name}` is missing, or is no base64url"))
    };
    if jwk.get("use").is_some_and(|of| of != "sig") {
        return Err("its `use` is not `sig`".to_owned());
    }
    if let Some(operations) = jwk.get("key_ops") {
        let operations = operations.as_array().map(Vec::as_slice).unwrap_or_default();
        if !operations.iter().any(|operation| operation == "verify") {
            return Err("its `key_ops` don't have `verify`".to_owned());
        }
    }
    if jwk.get("d").is_some() {
        return Err("it is a private key, and was published".to_owned());
    }
    let key = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => Key::rsa(&part("n")?, &part("e")?)?,
        (Some("EC"), Some("P-256")) => Key::p256(&part("x")?, &part("y")?)?,
        (Some("OKP"), Some("Ed25519")) => Key::ed25519(&part("x")?)?,
        // Who can read a secret that is published can sign with it.
        (Some("oct"), _) => return Err("it is a secret, and was published".to_owned()),
        (kty, crv) => return Err(format!("keys of {kty:?} and {crv:?} are not known")),
    };
    if let Some(of) = jwk.get("alg") {
        let of = of.as_str().and_then(Algorithm::named);
        if of != Some(key.algorithm()) {
            return Err(format!("its `alg` is not {}", key.algorithm().name()));
        }
    }
    Ok(match jwk.get("kid") {
        None => key,
        Some(Value::String(kid)) => key.named(kid),
        Some(_) => return Err("its `kid` is no text".to_owned()),
    })
}
