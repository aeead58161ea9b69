//! Mappers of text fields.

use std::convert::Infallible;
use std::net::IpAddr;

use super::{Grade, MapError, ProtobufMapper, ViolationKind};
use crate::BoxError;

/// An IPv4 or IPv6 address as text.
#[derive(Debug)]
pub struct IpText;

/// A UUID as text: written with hyphens and in lower case, read also without hyphens, in braces, as
/// a URN and in upper case.
#[cfg(feature = "uuid")]
#[derive(Debug)]
pub struct UuidText;

/// A decimal number as text: its digits with at most one point, `-12.50`. The number of digits after
/// the point is kept; what has more digits than a [`Decimal`](rust_decimal::Decimal) is an error.
#[cfg(feature = "decimal")]
#[derive(Debug)]
pub struct DecimalText;

/// An absolute URL as text, read and written as the [URL standard](https://url.spec.whatwg.org) has
/// it.
#[cfg(feature = "url")]
#[derive(Debug)]
pub struct UrlText;

impl ProtobufMapper for IpText {
    type Entity = IpAddr;
    type Proto = String;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &IpAddr) -> Result<String, Infallible> {
        Ok(entity.to_string())
    }

    #[inline]
    fn into_proto(entity: IpAddr) -> Result<String, Infallible> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: String) -> Result<IpAddr, MapError> {
        proto
            .parse()
            .map_err(|error| malformed("is not an IP address", error))
    }
}

#[cfg(feature = "uuid")]
impl ProtobufMapper for UuidText {
    type Entity = uuid::Uuid;
    type Proto = String;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &uuid::Uuid) -> Result<String, Infallible> {
        let mut text = uuid::Uuid::encode_buffer();
        Ok(String::from(entity.hyphenated().encode_lower(&mut text)))
    }

    #[inline]
    fn into_proto(entity: uuid::Uuid) -> Result<String, Infallible> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: String) -> Result<uuid::Uuid, MapError> {
        uuid::Uuid::try_parse(&proto).map_err(|error| malformed("is not a UUID", error))
    }
}

#[cfg(feature = "decimal")]
impl ProtobufMapper for DecimalText {
    type Entity = rust_decimal::Decimal;
    type Proto = String;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &rust_decimal::Decimal) -> Result<String, Infallible> {
        Ok(entity.to_string())
    }

    #[inline]
    fn into_proto(entity: rust_decimal::Decimal) -> Result<String, Infallible> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: String) -> Result<rust_decimal::Decimal, MapError> {
        decimal(&proto)
    }
}

/// The number that a text says exactly. The crate would read `1_0` too, which no other language's
/// does.
#[cfg(feature = "decimal")]
pub(super) fn decimal(text: &str) -> Result<rust_decimal::Decimal, MapError> {
    const WRONG: &str = "is not a decimal number";
    if text.contains('_') {
        return Err(MapError::new(ViolationKind::Malformed, WRONG));
    }
    rust_decimal::Decimal::from_str_exact(text).map_err(|error| malformed(WRONG, error))
}

#[cfg(feature = "url")]
impl ProtobufMapper for UrlText {
    type Entity = url::Url;
    type Proto = String;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &url::Url) -> Result<String, Infallible> {
        Ok(String::from(entity.as_str()))
    }

    #[inline]
    fn into_proto(entity: url::Url) -> Result<String, Infallible> {
        Ok(entity.into())
    }

    #[inline]
    fn from_proto(proto: String) -> Result<url::Url, MapError> {
        url::Url::parse(&proto).map_err(|error| malformed("is not an absolute URL", error))
    }
}

#[cold]
pub(super) fn malformed(description: &str, error: impl Into<BoxError>) -> MapError {
    MapError::new(ViolationKind::Malformed, description).with_source(error)
}
