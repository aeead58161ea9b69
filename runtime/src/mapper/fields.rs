//! What the mapper of a message does with each of its fields.

use std::fmt;
use std::mem::ManuallyDrop;

use super::{MapError, ProtobufMapper, Unmappable, ViolationKind};

/// Maps the fields of a message and gathers what is wrong with them.
#[derive(Debug, Default)]
pub struct Fields {
    // Whoever notes an error takes it out: that it is dropped nowhere else spares each mapper the
    // code for it. Only a panic in between would leak it.
    error: ManuallyDrop<Option<MapError>>,
}

impl Fields {
    /// Nothing is wrong so far.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self {
            error: ManuallyDrop::new(None),
        }
    }

    /// The field's value; `None` when it is wrong, which is noted.
    #[inline]
    pub fn map<M: ProtobufMapper>(
        &mut self,
        field: &'static str,
        proto: M::Proto,
    ) -> Option<M::Entity> {
        match M::from_proto(proto) {
            Ok(entity) => Some(entity),
            Err(error) => {
                self.wrong(field, error);
                None
            }
        }
    }

    /// The value of a oneof, whose fields know their own names; its own name is for when none is
    /// set.
    #[inline]
    pub fn oneof<M: ProtobufMapper>(
        &mut self,
        oneof: &'static str,
        proto: M::Proto,
    ) -> Option<M::Entity> {
        match M::from_proto(proto) {
            Ok(entity) => Some(entity),
            Err(error) => {
                self.wrong_oneof(oneof, error);
                None
            }
        }
    }

    /// Notes what is wrong.
    #[cold]
    pub fn note(&mut self, error: MapError) {
        match &mut *self.error {
            Some(all) => all.append(error),
            None => *self.error = Some(error),
        }
    }

    /// The patch that a message and its mask are.
    pub fn patch<P, T>(
        &mut self,
        field: &'static str,
        message: Option<P>,
        read: impl FnOnce(P) -> Result<T, MapError>,
    ) -> Option<T> {
        let patch = message.ok_or_else(MapError::missing).and_then(read);
        match patch {
            Ok(patch) => Some(patch),
            Err(error) => {
                self.wrong(field, error);
                None
            }
        }
    }

    /// Notes what is wrong with a field. Out of the way of what is right: a mapper of twenty fields
    /// has this twenty times.
    #[cold]
    #[inline(never)]
    fn wrong(&mut self, field: &'static str, error: MapError) {
        self.note(error.at(field));
    }

    #[cold]
    #[inline(never)]
    fn wrong_oneof(&mut self, oneof: &'static str, error: MapError) {
        let missing = error
            .violations()
            .iter()
            .all(|violation| violation.path().is_empty());
        self.note(if missing { error.at(oneof) } else { error });
    }

    /// `result`, if nothing else was wrong.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    #[inline]
    pub fn finish<T>(mut self, result: Result<T, MapError>) -> Result<T, MapError> {
        match (self.error.is_some(), result) {
            (false, result) => result,
            (true, Ok(_)) => Err(self.into_error()),
            (true, Err(error)) => {
                self.note(error);
                Err(self.into_error())
            }
        }
    }

    /// All that is wrong. Asked only where something is.
    #[cold]
    #[must_use]
    pub fn into_error(self) -> MapError {
        ManuallyDrop::into_inner(self.error).unwrap_or_else(MapError::none)
    }
}

/// The message's field for an entity's that stays.
///
/// # Errors
///
/// When the message can't say the value; with the field in its path.
#[inline]
pub fn to<M: ProtobufMapper>(
    field: &'static str,
    entity: &M::Entity,
) -> Result<M::Proto, M::EncodeError> {
    M::to_proto(entity).map_err(|error| error.at(field))
}

/// The message's field for an entity's that goes.
///
/// # Errors
///
/// As [`to`].
#[inline]
pub fn into<M: ProtobufMapper>(
    field: &'static str,
    entity: M::Entity,
) -> Result<M::Proto, M::EncodeError> {
    M::into_proto(entity).map_err(|error| error.at(field))
}

/// The entity's value of a message's field, for a field that is there by itself.
///
/// # Errors
///
/// When the value is wrong; with the field in its path.
#[inline]
pub fn from<M: ProtobufMapper>(
    field: &'static str,
    proto: M::Proto,
) -> Result<M::Entity, MapError> {
    M::from_proto(proto).map_err(|error| error.at(field))
}

/// What happened inside a field.
///
/// # Errors
///
/// The same, with the field in its path.
#[inline]
pub fn within<T>(field: &'static str, result: Result<T, MapError>) -> Result<T, MapError> {
    result.map_err(|error| error.at(field))
}

/// A number that its enum doesn't have.
#[cold]
#[must_use]
pub fn unknown_enum_value() -> MapError {
    MapError::new(
        ViolationKind::UnknownEnumValue,
        "is a number that the enum does not have",
    )
}

/// What is printed in place of a secret.
#[derive(Clone, Copy)]
pub struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
