//! Mappers of enum fields: what becomes of a number without a name, and of zero.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::{Grade, MapError, ProtobufMapper, ViolationKind, unknown_enum_value};

/// A value of an enum to which its owner may add more: one that is known here, or the number of
/// one that isn't.
///
/// ```
/// use apibase::Open;
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Color { Red }
///
/// let color: Open<Color> = Color::Red.into();
/// assert_eq!(color.known(), Some(Color::Red));
/// assert_eq!(Open::<Color>::Unknown(7).known(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Open<T> {
    /// A value that this build has a name for.
    Known(T),
    /// The number of a value that it has none for. A number that has a name is that name once it
    /// was sent.
    Unknown(i32),
}

impl<T> Open<T> {
    /// The value, if it is known.
    #[must_use]
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Whether this build has a name for the value.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// The same, lent.
    #[must_use]
    pub const fn as_ref(&self) -> Open<&T> {
        match self {
            Self::Known(value) => Open::Known(value),
            Self::Unknown(number) => Open::Unknown(*number),
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

/// An enum of prost's as it is, its value 0 too.
#[derive(Debug)]
pub struct ProstEnum<E>(PhantomData<fn() -> E>);

/// An enum whose unknown numbers are kept.
#[derive(Debug)]
pub struct Keep<M>(PhantomData<fn() -> M>);

/// An enum whose unknown numbers are read as its value with the number `N`.
#[derive(Debug)]
pub struct Fallback<M, const N: i32>(PhantomData<fn() -> M>);

/// An enum without presence whose value 0, the unspecified one, means that there is none.
#[derive(Debug)]
pub struct ZeroIsNone<M>(PhantomData<fn() -> M>);

/// An enum with presence that may be unset, and whose value 0, the unspecified one, means the same.
#[derive(Debug)]
pub struct OptionalEnum<M>(PhantomData<fn() -> M>);

impl<E: Copy + Into<i32> + TryFrom<i32>> ProtobufMapper for ProstEnum<E> {
    type Entity = E;
    type Proto = i32;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &E) -> Result<i32, Infallible> {
        Ok((*entity).into())
    }

    #[inline]
    fn into_proto(entity: E) -> Result<i32, Infallible> {
        Ok(entity.into())
    }

    #[inline]
    fn from_proto(proto: i32) -> Result<E, MapError> {
        E::try_from(proto).map_err(|_| unknown_enum_value())
    }
}

impl<M: ProtobufMapper<Proto = i32>> ProtobufMapper for Keep<M> {
    type Entity = Open<M::Entity>;
    type Proto = i32;
    /// The number that stands for no value is none that can be kept.
    type EncodeError = MapError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<i32, MapError> {
        match entity {
            Open::Known(value) => M::to_proto(value).map_err(Into::into),
            Open::Unknown(number) => kept::<M>(*number),
        }
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<i32, MapError> {
        match entity {
            Open::Known(value) => M::into_proto(value).map_err(Into::into),
            Open::Unknown(number) => kept::<M>(number),
        }
    }

    #[inline]
    fn from_proto(proto: i32) -> Result<Self::Entity, MapError> {
        match M::from_proto(proto) {
            Ok(value) => Ok(Open::Known(value)),
            Err(error) if is_unknown(&error) => Ok(Open::Unknown(proto)),
            Err(error) => Err(error),
        }
    }
}

/// The number of a value without a name, or of one that has a name after all.
fn kept<M: ProtobufMapper<Proto = i32>>(number: i32) -> Result<i32, MapError> {
    match M::from_proto(number) {
        Err(error) if !is_unknown(&error) => Err(MapError::new(
            ViolationKind::NotAllowed,
            "must not be the number that stands for no value",
        )),
        _ => Ok(number),
    }
}

impl<M: ProtobufMapper<Proto = i32>, const N: i32> ProtobufMapper for Fallback<M, N> {
    type Entity = M::Entity;
    type Proto = i32;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<i32, Self::EncodeError> {
        M::to_proto(entity)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<i32, Self::EncodeError> {
        M::into_proto(entity)
    }

    #[inline]
    fn from_proto(proto: i32) -> Result<Self::Entity, MapError> {
        match M::from_proto(proto) {
            Err(error) if is_unknown(&error) => M::from_proto(N),
            mapped => mapped,
        }
    }
}

/// Whether all that is wrong is that the number has no name.
#[cold]
pub(crate) fn is_unknown(error: &MapError) -> bool {
    error
        .violations()
        .iter()
        .all(|violation| violation.kind() == ViolationKind::UnknownEnumValue)
}

impl<M: ProtobufMapper<Proto = i32>> ProtobufMapper for ZeroIsNone<M> {
    type Entity = Option<M::Entity>;
    type Proto = i32;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<i32, Self::EncodeError> {
        entity.as_ref().map_or(Ok(0), M::to_proto)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<i32, Self::EncodeError> {
        entity.map_or(Ok(0), M::into_proto)
    }

    #[inline]
    fn from_proto(proto: i32) -> Result<Self::Entity, MapError> {
        match proto {
            0 => Ok(None),
            number => M::from_proto(number).map(Some),
        }
    }
}

impl<M: ProtobufMapper<Proto = i32>> ProtobufMapper for OptionalEnum<M> {
    type Entity = Option<M::Entity>;
    type Proto = Option<i32>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Option<i32>, Self::EncodeError> {
        entity.as_ref().map(M::to_proto).transpose()
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Option<i32>, Self::EncodeError> {
        entity.map(M::into_proto).transpose()
    }

    #[inline]
    fn from_proto(proto: Option<i32>) -> Result<Self::Entity, MapError> {
        ZeroIsNone::<M>::from_proto(proto.unwrap_or(0))
    }
}
