//! Mappers of integer fields to integers of another width or sign.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::{Grade, MapError, ProtobufMapper, ViolationKind};

/// An integer field `P` as an integer `T` that always fits into it: an `i16` in an `int32`.
#[derive(Debug)]
pub struct Narrow<P, T>(PhantomData<fn() -> (P, T)>);

/// An integer field `P` as an integer `T` of which not all values fit into it: a `usize` in an
/// `int32`.
#[derive(Debug)]
pub struct Integer<P, T>(PhantomData<fn() -> (P, T)>);

/// The types of integers.
pub trait AnyInteger: Copy {
    /// The least value.
    const MIN: i128;
    /// The greatest value.
    const MAX: i128;
    /// Whether these are the same on every machine.
    const FIXED: bool;
}

macro_rules! any_integer {
    ($fixed:literal: $($integer:ty),*) => {$(
        impl AnyInteger for $integer {
            const MIN: i128 = <$integer>::MIN as i128;
            const MAX: i128 = <$integer>::MAX as i128;
            const FIXED: bool = $fixed;
        }
    )*};
}

any_integer!(true: i8, i16, i32, i64, u8, u16, u32, u64);
any_integer!(false: isize, usize);

impl<P, T> ProtobufMapper for Narrow<P, T>
where
    P: AnyInteger + From<T>,
    T: AnyInteger + TryFrom<P>,
{
    type Entity = T;
    type Proto = P;
    type EncodeError = Infallible;
    const GRADE: Grade = grade::<P, T>();

    #[inline]
    fn to_proto(entity: &T) -> Result<P, Infallible> {
        Ok(P::from(*entity))
    }

    #[inline]
    fn into_proto(entity: T) -> Result<P, Infallible> {
        Ok(P::from(entity))
    }

    #[inline]
    fn from_proto(proto: P) -> Result<T, MapError> {
        T::try_from(proto).map_err(|_| out_of_range::<P, T>())
    }
}

impl<P, T> ProtobufMapper for Integer<P, T>
where
    P: AnyInteger + TryFrom<T>,
    T: AnyInteger + TryFrom<P>,
{
    type Entity = T;
    type Proto = P;
    type EncodeError = MapError;
    const GRADE: Grade = grade::<P, T>();

    #[inline]
    fn to_proto(entity: &T) -> Result<P, MapError> {
        Self::into_proto(*entity)
    }

    #[inline]
    fn into_proto(entity: T) -> Result<P, MapError> {
        P::try_from(entity).map_err(|_| out_of_range::<P, T>())
    }

    #[inline]
    fn from_proto(proto: P) -> Result<T, MapError> {
        T::try_from(proto).map_err(|_| out_of_range::<P, T>())
    }
}

/// Iso where every number of the field is one of the entity's, on every machine.
const fn grade<P: AnyInteger, T: AnyInteger>() -> Grade {
    if T::FIXED && T::MIN <= P::MIN && P::MAX <= T::MAX {
        Grade::Iso
    } else {
        Grade::Injective
    }
}

#[cold]
fn out_of_range<P: AnyInteger, T: AnyInteger>() -> MapError {
    let (least, greatest) = (P::MIN.max(T::MIN), P::MAX.min(T::MAX));
    MapError::new(
        ViolationKind::OutOfRange,
        format!("must be from {least} to {greatest}"),
    )
}
