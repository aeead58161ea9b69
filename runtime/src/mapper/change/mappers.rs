//! Mappers of fields that say what becomes of a value.

use std::marker::PhantomData;

use super::super::{Grade, IsEmpty, MapError, ProtobufMapper, ViolationKind};
use super::Change;

/// A field with presence as a change: unset it keeps the value, set it sets it.
///
/// The field can't say that the value is cleared: that is an error.
#[derive(Debug)]
pub struct Changed<M>(PhantomData<fn() -> M>);

/// A field with presence as a change: unset it keeps the value, empty it clears it, else it sets it.
///
/// A new value that would be empty on the wire is an error: it would come back as
/// [`Change::Clear`].
#[derive(Debug)]
pub struct Clearable<M>(PhantomData<fn() -> M>);

impl<M: ProtobufMapper> ProtobufMapper for Changed<M> {
    type Entity = Change<M::Entity>;
    type Proto = Option<M::Proto>;
    type EncodeError = MapError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, MapError> {
        match entity {
            Change::Keep => Ok(None),
            Change::Clear => Err(cannot_clear()),
            Change::Set(value) => M::to_proto(value).map(Some).map_err(Into::into),
        }
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, MapError> {
        match entity {
            Change::Keep => Ok(None),
            Change::Clear => Err(cannot_clear()),
            Change::Set(value) => M::into_proto(value).map(Some).map_err(Into::into),
        }
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        proto.map_or(Ok(Change::Keep), |value| {
            M::from_proto(value).map(Change::Set)
        })
    }
}

impl<M: ProtobufMapper<Proto: IsEmpty + Default>> ProtobufMapper for Clearable<M> {
    type Entity = Change<M::Entity>;
    type Proto = Option<M::Proto>;
    type EncodeError = MapError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, MapError> {
        match entity {
            Change::Keep => Ok(None),
            Change::Clear => Ok(Some(M::Proto::default())),
            Change::Set(value) => not_empty(M::to_proto(value).map_err(Into::into)?),
        }
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, MapError> {
        match entity {
            Change::Keep => Ok(None),
            Change::Clear => Ok(Some(M::Proto::default())),
            Change::Set(value) => not_empty(M::into_proto(value).map_err(Into::into)?),
        }
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        match proto {
            None => Ok(Change::Keep),
            Some(empty) if empty.is_empty() => Ok(Change::Clear),
            Some(value) => M::from_proto(value).map(Change::Set),
        }
    }
}

#[inline]
fn not_empty<P: IsEmpty>(proto: P) -> Result<Option<P>, MapError> {
    if proto.is_empty() {
        Err(would_clear())
    } else {
        Ok(Some(proto))
    }
}

#[cold]
pub(in crate::mapper) fn would_clear() -> MapError {
    MapError::new(
        ViolationKind::NotAllowed,
        "must not be set to an empty value: that would clear it",
    )
}

#[cold]
fn cannot_clear() -> MapError {
    MapError::new(
        ViolationKind::NotAllowed,
        "can't be cleared: the message can only keep or set it",
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::Same;
    use super::*;

    type Text = Same<String>;

    #[test]
    fn an_unset_field_keeps_and_a_set_one_sets() {
        assert_eq!(Changed::<Text>::from_proto(None).unwrap(), Change::Keep);
        let set = Change::Set(String::new());
        assert_eq!(
            Changed::<Text>::from_proto(Some(String::new())).unwrap(),
            set
        );
        assert_eq!(
            Changed::<Text>::to_proto(&set).unwrap(),
            Some(String::new())
        );
        assert_eq!(Changed::<Text>::into_proto(Change::Keep).unwrap(), None);
    }

    #[test]
    fn to_clear_without_a_way_to_say_it_is_refused() {
        let error = Changed::<Text>::to_proto(&Change::Clear).unwrap_err();
        assert_eq!(error.violations()[0].kind(), ViolationKind::NotAllowed);
        assert!(Changed::<Text>::into_proto(Change::Clear).is_err());
    }

    #[test]
    fn an_empty_field_clears() {
        let empty = Some(String::new());
        assert_eq!(
            Clearable::<Text>::from_proto(empty.clone()).unwrap(),
            Change::Clear
        );
        assert_eq!(Clearable::<Text>::to_proto(&Change::Clear).unwrap(), empty);
        assert_eq!(Clearable::<Text>::into_proto(Change::Clear).unwrap(), empty);
    }

    #[test]
    fn to_set_what_reads_as_cleared_is_refused() {
        let set = Change::Set(String::new());
        assert!(Clearable::<Text>::to_proto(&set).is_err());
        assert!(Clearable::<Text>::into_proto(set).is_err());
    }
}
