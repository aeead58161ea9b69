//! Mappers of bytes fields.

use std::convert::Infallible;
use std::marker::PhantomData;

use bytes::Bytes;

use super::{Grade, MapError, ProtobufMapper, ViolationKind};

/// Bytes as a shared buffer. Neither way copies them, unless the buffer is shared.
#[derive(Debug)]
pub struct BytesBuffer;

/// Exactly `N` bytes. `B` is the field's type, `Vec<u8>` or `Bytes`.
#[derive(Debug)]
pub struct ByteArray<const N: usize, B = Vec<u8>>(PhantomData<fn() -> B>);

/// A UUID as its 16 bytes in network order (RFC 9562). `B` is the field's type, `Vec<u8>` or
/// `Bytes`.
#[cfg(feature = "uuid")]
#[derive(Debug)]
pub struct UuidBytes<B = Vec<u8>>(PhantomData<fn() -> B>);

impl ProtobufMapper for BytesBuffer {
    type Entity = Bytes;
    type Proto = Vec<u8>;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Iso;

    #[inline]
    fn to_proto(entity: &Bytes) -> Result<Vec<u8>, Infallible> {
        Ok(entity.to_vec())
    }

    #[inline]
    fn into_proto(entity: Bytes) -> Result<Vec<u8>, Infallible> {
        Ok(entity.into())
    }

    #[inline]
    fn from_proto(proto: Vec<u8>) -> Result<Bytes, MapError> {
        Ok(proto.into())
    }
}

impl<const N: usize, B: AsRef<[u8]> + From<Vec<u8>>> ProtobufMapper for ByteArray<N, B> {
    type Entity = [u8; N];
    type Proto = B;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &[u8; N]) -> Result<B, Infallible> {
        Ok(entity.to_vec().into())
    }

    #[inline]
    fn into_proto(entity: [u8; N]) -> Result<B, Infallible> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: B) -> Result<[u8; N], MapError> {
        <[u8; N]>::try_from(proto.as_ref()).map_err(|_| wrong_length(N))
    }
}

#[cold]
fn wrong_length(length: usize) -> MapError {
    let bytes = if length == 1 { "byte" } else { "bytes" };
    MapError::new(
        ViolationKind::Malformed,
        format!("must be {length} {bytes} long"),
    )
}

#[cfg(feature = "uuid")]
impl<B: AsRef<[u8]> + From<Vec<u8>>> ProtobufMapper for UuidBytes<B> {
    type Entity = uuid::Uuid;
    type Proto = B;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &uuid::Uuid) -> Result<B, Infallible> {
        ByteArray::to_proto(entity.as_bytes())
    }

    #[inline]
    fn into_proto(entity: uuid::Uuid) -> Result<B, Infallible> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: B) -> Result<uuid::Uuid, MapError> {
        ByteArray::from_proto(proto).map(uuid::Uuid::from_bytes)
    }
}
