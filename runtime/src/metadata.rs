//! Metadata with types: [`TypedMetadata`] reads and writes values of the user's.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use prost::Message;
use tonic::metadata::{
    AsciiMetadataKey, AsciiMetadataValue, BinaryMetadataKey, BinaryMetadataValue, MetadataMap,
};

use crate::wire::headers::is_reserved;

/// Typed access to a [`MetadataMap`]: text by [`FromStr`] and [`fmt::Display`], binary values
/// (keys that end in `-bin`) as protobuf messages.
///
/// ```
/// use apibase::{MetadataMap, TypedMetadata};
///
/// let mut metadata = MetadataMap::new();
/// metadata.set_text("x-page-size", 50)?;
/// assert_eq!(metadata.text::<u32>("x-page-size")?, Some(50));
/// assert_eq!(metadata.text::<u32>("x-absent")?, None);
/// assert!(metadata.text::<bool>("x-page-size").is_err());
/// # Ok::<(), apibase::MetadataError>(())
/// ```
pub trait TypedMetadata {
    /// The first value of `key`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the value is not visible ASCII or is no `T`.
    fn text<T: FromStr>(&self, key: &str) -> Result<Option<T>, MetadataError>;

    /// The first value of `key`, which ends in `-bin`, decoded as an `M`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the value is not base64 or is no `M`.
    fn message<M: Message + Default>(&self, key: &str) -> Result<Option<M>, MetadataError>;

    /// Sets `key` to `value`, in place of what was there.
    ///
    /// # Errors
    ///
    /// When `key` is not a valid name, ends in `-bin` or is the protocol's own (`grpc-…`, `te`,
    /// `content-type`, `user-agent`, `content-length` and the like), or when `value` is not visible
    /// ASCII.
    fn set_text(&mut self, key: &str, value: impl fmt::Display) -> Result<(), MetadataError>;

    /// Adds `value` to what `key` has. Peers see the values of a key in the order they were added in.
    ///
    /// # Errors
    ///
    /// Those of [`set_text`](Self::set_text).
    fn append_text(&mut self, key: &str, value: impl fmt::Display) -> Result<(), MetadataError>;

    /// Sets `key`, which ends in `-bin`, to `message`, in place of what was there.
    ///
    /// # Errors
    ///
    /// When `key` is not a valid name, doesn't end in `-bin` or is the protocol's own.
    fn set_message<M: Message>(&mut self, key: &str, message: &M) -> Result<(), MetadataError>;
}

/// A metadata key or value that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    key: String,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    TextKey,
    BinaryKey,
    Reserved,
    Value,
    NotAscii,
    NotBase64,
    NotMessage,
    NotLoggedBinary,
    NotLoggedSecret,
}

impl MetadataError {
    /// The key it is about.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// It is no key for text.
    pub(crate) fn no_text_key(key: &str) -> Self {
        Self::new(key, Problem::TextKey)
    }

    /// It is binary, and not for a log.
    pub(crate) fn not_logged_binary(key: &str) -> Self {
        Self::new(key, Problem::NotLoggedBinary)
    }

    /// It is a secret, and not for a log.
    pub(crate) fn not_logged_secret(key: &str) -> Self {
        Self::new(key, Problem::NotLoggedSecret)
    }

    fn new(key: &str, problem: Problem) -> Self {
        Self {
            key: key.to_owned(),
            problem,
        }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            Problem::TextKey => {
                "is no key for text: it takes a-z, 0-9, `-`, `_` and `.`, and no `-bin` at the end"
            }
            Problem::BinaryKey => {
                "is no key for a binary value: it takes a-z, 0-9, `-`, `_` and `.`, and `-bin` at the end"
            }
            Problem::Reserved => "is a name of the protocol's own, and can't be set",
            Problem::Value => "has a value of the wrong type",
            Problem::NotAscii => "has a value that is not visible ASCII",
            Problem::NotBase64 => "has a value that is not base64",
            Problem::NotLoggedBinary => {
                "is binary, and nobody knows what is in it: it is never logged"
            }
            Problem::NotLoggedSecret => {
                "is a secret by its name, and whoever reads the log could use it: it is never logged"
            }
            Problem::NotMessage => "has a value that doesn't decode as the message it should be",
        };
        write!(f, "metadata `{}` {what}", self.key)
    }
}

impl Error for MetadataError {}

impl TypedMetadata for MetadataMap {
    fn text<T: FromStr>(&self, key: &str) -> Result<Option<T>, MetadataError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let text = value
            .to_str()
            .map_err(|_| MetadataError::new(key, Problem::NotAscii))?;
        text.parse()
            .map(Some)
            .map_err(|_| MetadataError::new(key, Problem::Value))
    }

    fn message<M: Message + Default>(&self, key: &str) -> Result<Option<M>, MetadataError> {
        let Some(value) = self.get_bin(key) else {
            return Ok(None);
        };
        let bytes = value
            .to_bytes()
            .map_err(|_| MetadataError::new(key, Problem::NotBase64))?;
        M::decode(bytes)
            .map(Some)
            .map_err(|_| MetadataError::new(key, Problem::NotMessage))
    }

    fn set_text(&mut self, key: &str, value: impl fmt::Display) -> Result<(), MetadataError> {
        let (name, value) = text(key, &value)?;
        self.insert(name, value);
        Ok(())
    }

    fn append_text(&mut self, key: &str, value: impl fmt::Display) -> Result<(), MetadataError> {
        let (name, value) = text(key, &value)?;
        self.append(name, value);
        Ok(())
    }

    fn set_message<M: Message>(&mut self, key: &str, message: &M) -> Result<(), MetadataError> {
        let name = BinaryMetadataKey::from_bytes(key.as_bytes())
            .map_err(|_| MetadataError::new(key, Problem::BinaryKey))?;
        if is_reserved(name.as_str()) {
            return Err(MetadataError::new(key, Problem::Reserved));
        }
        self.insert_bin(
            name,
            BinaryMetadataValue::from_bytes(&message.encode_to_vec()),
        );
        Ok(())
    }
}

/// A key and a value that can be sent.
fn text(
    key: &str,
    value: &dyn fmt::Display,
) -> Result<(AsciiMetadataKey, AsciiMetadataValue), MetadataError> {
    let name = AsciiMetadataKey::from_bytes(key.as_bytes())
        .map_err(|_| MetadataError::new(key, Problem::TextKey))?;
    if is_reserved(name.as_str()) {
        return Err(MetadataError::new(key, Problem::Reserved));
    }
    let value = value.to_string();
    if !value.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err(MetadataError::new(key, Problem::NotAscii));
    }
    let value = AsciiMetadataValue::try_from(value)
        .map_err(|_| MetadataError::new(key, Problem::NotAscii))?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_in_place_of_others_or_appended_to_them() {
        let mut metadata = MetadataMap::new();
        let all = |metadata: &MetadataMap| -> Vec<String> {
            let values = metadata.get_all("x-tag").iter();
            values
                .map(|value| value.to_str().unwrap().to_owned())
                .collect()
        };
        metadata.append_text("x-tag", "a").unwrap();
        metadata.append_text("x-tag", "b").unwrap();
        assert_eq!(all(&metadata), ["a", "b"]);
        metadata.set_text("x-tag", "c").unwrap();
        assert_eq!(all(&metadata), ["c"]);
    }

    #[test]
    fn a_binary_value_is_a_message() {
        let mut metadata = MetadataMap::new();
        let sent = prost_types::Duration {
            seconds: 3,
            nanos: 4,
        };
        metadata.set_message("x-delay-bin", &sent).unwrap();
        assert_eq!(metadata.message("x-delay-bin"), Ok(Some(sent)));
    }

    #[test]
    fn wrong_keys_and_values_are_named() {
        let mut metadata = MetadataMap::new();
        let cases = [
            (metadata.set_text("x bad", 1), "is no key for text"),
            (metadata.set_text("x-bin", 1), "is no key for text"),
            (metadata.set_text("grpc-status", 1), "protocol's own"),
            (metadata.append_text("grpc-status", 1), "protocol's own"),
            (metadata.set_text("x", "ä"), "not visible ASCII"),
            (
                metadata.set_message("x", &()),
                "is no key for a binary value",
            ),
        ];
        for (result, words) in cases {
            assert!(result.unwrap_err().to_string().contains(words), "{words}");
        }
        assert!(metadata.is_empty());
    }
}
