//! [`Allowed`]: the metadata that log lines may have.

use tonic::metadata::MetadataMap;

use super::json;
use crate::MetadataError;

/// The metadata that log lines may have, by an allow-list: there is no telling what the rest holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(Vec<Name>);

#[derive(Clone, Debug)]
struct Name {
    name: http::HeaderName,
    /// The name as a key of JSON: `"x-tenant":`.
    key: Vec<u8>,
}

/// What a name has in it whose values are secrets.
const SECRETS: [&str; 10] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "credential",
    "api-key",
    "apikey",
    "jwt",
    "signature",
];

impl Allowed {
    /// Allows one more.
    ///
    /// # Errors
    ///
    /// When its values are secrets, or no text.
    pub(super) fn allow(&mut self, name: &str) -> Result<(), MetadataError> {
        let lower = name.to_ascii_lowercase();
        if lower.ends_with("-bin") {
            return Err(MetadataError::not_logged_binary(name));
        }
        if SECRETS.iter().any(|secret| lower.contains(secret)) {
            return Err(MetadataError::not_logged_secret(name));
        }
        let parsed = http::HeaderName::try_from(&lower);
        let parsed = parsed.map_err(|_| MetadataError::no_text_key(name))?;
        if self.0.iter().all(|known| known.name != parsed) {
            let mut key = Vec::new();
            json::string(&mut key, lower.as_bytes());
            key.push(b':');
            self.0.push(Name { name: parsed, key });
        }
        Ok(())
    }

    /// Writes what of it is in `metadata` as an object; nothing if that is none.
    pub(super) fn write(&self, line: &mut Vec<u8>, prefix: &[u8], metadata: &MetadataMap) {
        let headers = metadata.as_ref();
        let mut is_first = true;
        for Name { name, key } in &self.0 {
            let Some(value) = headers.get(name) else {
                continue;
            };
            match is_first {
                true => line.extend_from_slice(prefix),
                false => line.push(b','),
            }
            is_first = false;
            line.extend_from_slice(key);
            json::string(line, json::cut(value.as_bytes()));
        }
        if !is_first {
            line.push(b'}');
        }
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
