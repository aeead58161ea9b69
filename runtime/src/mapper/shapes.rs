//! Mappers that are made of a type or of another mapper: as it is, in a box, as a type of the
//! user's own, as a secret.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::{Grade, MapError, ProtobufMapper, Unmappable, ViolationKind};
use crate::BoxError;

/// A value as it is.
#[derive(Debug)]
pub struct Same<T>(PhantomData<fn() -> T>);

/// What `M` maps, in a box on both sides: a message inside of itself.
#[derive(Debug)]
pub struct Boxed<M>(PhantomData<fn() -> M>);

/// What `M` maps, as the type `T` of the user's own: `TryFrom` (or `From`) what `M` makes, and
/// `Into` that.
///
/// The two conversions of `T` must be inverse to each other. What `T` refuses is
/// [`Malformed`](ViolationKind::Malformed), with `T`'s error as the source.
#[derive(Debug)]
pub struct Newtype<M, T>(PhantomData<fn() -> (M, T)>);

/// As [`Newtype`], for an integer type that lacks zero alone.
#[derive(Debug)]
pub struct NotZero<M, T>(PhantomData<fn() -> (M, T)>);

/// What `M` maps, and a secret: its errors say what is wrong and where, and nothing of the value.
/// Errors behind them are dropped, and paths end before the key of a map.
#[derive(Debug)]
pub struct Sensitive<M>(PhantomData<fn() -> M>);

impl<T: Clone> ProtobufMapper for Same<T> {
    type Entity = T;
    type Proto = T;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Iso;

    #[inline]
    fn to_proto(entity: &T) -> Result<T, Infallible> {
        Ok(entity.clone())
    }

    #[inline]
    fn into_proto(entity: T) -> Result<T, Infallible> {
        Ok(entity)
    }

    #[inline]
    fn from_proto(proto: T) -> Result<T, MapError> {
        Ok(proto)
    }
}

impl<M: ProtobufMapper> ProtobufMapper for Boxed<M> {
    type Entity = Box<M::Entity>;
    type Proto = Box<M::Proto>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::to_proto(entity).map(Box::new)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::into_proto(*entity).map(Box::new)
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        M::from_proto(*proto).map(Box::new)
    }
}

impl<M, T> ProtobufMapper for Newtype<M, T>
where
    M: ProtobufMapper,
    M::Entity: From<T>,
    T: Clone + TryFrom<M::Entity, Error: Into<BoxError>>,
{
    type Entity = T;
    type Proto = M::Proto;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &T) -> Result<Self::Proto, Self::EncodeError> {
        Self::into_proto(entity.clone())
    }

    #[inline]
    fn into_proto(entity: T) -> Result<Self::Proto, Self::EncodeError> {
        M::into_proto(M::Entity::from(entity))
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<T, MapError> {
        T::try_from(M::from_proto(proto)?).map_err(|error| {
            MapError::new(ViolationKind::Malformed, "is not valid").with_source(error)
        })
    }
}

impl<M, T> ProtobufMapper for NotZero<M, T>
where
    M: ProtobufMapper,
    M::Entity: From<T>,
    T: Clone + TryFrom<M::Entity, Error: Into<BoxError>>,
{
    type Entity = T;
    type Proto = M::Proto;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &T) -> Result<Self::Proto, Self::EncodeError> {
        Self::into_proto(entity.clone())
    }

    #[inline]
    fn into_proto(entity: T) -> Result<Self::Proto, Self::EncodeError> {
        M::into_proto(M::Entity::from(entity))
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<T, MapError> {
        T::try_from(M::from_proto(proto)?)
            .map_err(|_| MapError::new(ViolationKind::OutOfRange, "must not be zero"))
    }
}

impl<M: ProtobufMapper> ProtobufMapper for Sensitive<M> {
    type Entity = M::Entity;
    type Proto = M::Proto;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::to_proto(entity).map_err(Unmappable::of_a_secret)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::into_proto(entity).map_err(Unmappable::of_a_secret)
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        M::from_proto(proto).map_err(Unmappable::of_a_secret)
    }
}
