//! Mappers that say what it means when a field holds nothing.

use std::marker::PhantomData;

use super::{Grade, IsEmpty, MapError, ProtobufMapper, ViolationKind};

/// A field with presence that must be set.
#[derive(Debug)]
pub struct Required<M>(PhantomData<fn() -> M>);

/// A field with presence that may be set.
#[derive(Debug)]
pub struct Optional<M>(PhantomData<fn() -> M>);

/// A field without presence that must not be empty.
#[derive(Debug)]
pub struct NonEmpty<M>(PhantomData<fn() -> M>);

/// A field without presence in which the empty value means that there is none.
///
/// An entity's value that would be empty on the wire is an error: it would come back as none.
#[derive(Debug)]
pub struct AbsentIfEmpty<M>(PhantomData<fn() -> M>);

impl<M: ProtobufMapper> ProtobufMapper for Required<M> {
    type Entity = M::Entity;
    type Proto = Option<M::Proto>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::to_proto(entity).map(Some)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::into_proto(entity).map(Some)
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        M::from_proto(proto.ok_or_else(MapError::missing)?)
    }
}

impl<M: ProtobufMapper> ProtobufMapper for Optional<M> {
    type Entity = Option<M::Entity>;
    type Proto = Option<M::Proto>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        entity.as_ref().map(M::to_proto).transpose()
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        entity.map(M::into_proto).transpose()
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        proto.map(M::from_proto).transpose()
    }
}

impl<M: ProtobufMapper<Proto: IsEmpty>> ProtobufMapper for NonEmpty<M> {
    type Entity = M::Entity;
    type Proto = M::Proto;
    type EncodeError = MapError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, MapError> {
        not_empty(M::to_proto(entity).map_err(Into::into)?)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, MapError> {
        not_empty(M::into_proto(entity).map_err(Into::into)?)
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        M::from_proto(not_empty(proto)?)
    }
}

#[inline]
fn not_empty<P: IsEmpty>(proto: P) -> Result<P, MapError> {
    if proto.is_empty() {
        Err(MapError::missing())
    } else {
        Ok(proto)
    }
}

impl<M: ProtobufMapper<Proto: IsEmpty + Default>> ProtobufMapper for AbsentIfEmpty<M> {
    type Entity = Option<M::Entity>;
    type Proto = M::Proto;
    type EncodeError = MapError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, MapError> {
        match entity {
            Some(entity) => present(M::to_proto(entity).map_err(Into::into)?),
            None => Ok(M::Proto::default()),
        }
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, MapError> {
        match entity {
            Some(entity) => present(M::into_proto(entity).map_err(Into::into)?),
            None => Ok(M::Proto::default()),
        }
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        if proto.is_empty() {
            Ok(None)
        } else {
            M::from_proto(proto).map(Some)
        }
    }
}

#[inline]
fn present<P: IsEmpty>(proto: P) -> Result<P, MapError> {
    if proto.is_empty() {
        Err(MapError::new(
            ViolationKind::NotAllowed,
            "must not be empty: that would mean none",
        ))
    } else {
        Ok(proto)
    }
}
