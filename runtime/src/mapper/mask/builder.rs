//! [`MaskBuilder`]: the message and the mask of a patch, for a client.

use prost_types::FieldMask;

use super::super::change::would_clear;
use super::super::{Change, MapError, NestedChange, ProtobufMapper, Unmappable, ViolationKind};

/// Makes the message of a patch and the mask that says what of it is meant.
///
/// Each field that changes is named, so that one set to its default, or cleared, changes too.
#[derive(Debug, Default)]
pub struct MaskBuilder {
    paths: Vec<String>,
    /// The path of the message, with a dot at its end.
    within: String,
}

impl MaskBuilder {
    /// Nothing changes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            paths: Vec::new(),
            within: String::new(),
        }
    }

    /// The mask. It is empty where nothing changes, and then the message is too.
    #[must_use]
    pub fn finish(self) -> FieldMask {
        FieldMask { paths: self.paths }
    }

    /// A field without presence. Cleared it is its default.
    ///
    /// # Errors
    ///
    /// When the message can't say the value; at the field. As with the other methods.
    pub fn change<M>(
        &mut self,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<M::Proto, MapError>
    where
        M: ProtobufMapper<Proto: Default>,
    {
        let value = self.change_optional::<M>(field, change)?;
        Ok(value.unwrap_or_default())
    }

    /// A field without presence whose empty value means that there is none.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change), and when it is set to what is empty on the wire.
    pub fn change_absent_if_empty<M>(
        &mut self,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<M::Proto, MapError>
    where
        M: ProtobufMapper<Proto: Default + PartialEq>,
    {
        let empty = M::Proto::default();
        match self.change_optional::<M>(field, change)? {
            Some(value) if value == empty => Err(would_clear().at(field)),
            value => Ok(value.unwrap_or(empty)),
        }
    }

    /// A field with presence that may be unset.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub fn change_optional<M: ProtobufMapper>(
        &mut self,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<Option<M::Proto>, MapError> {
        self.oneof::<M>(field, field, change)
    }

    /// A field with presence that must be set: it can't be cleared.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change), and when it is cleared.
    pub fn change_required<M: ProtobufMapper>(
        &mut self,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<Option<M::Proto>, MapError> {
        if change.is_clear() {
            return Err(required().at(field));
        }
        self.change_optional::<M>(field, change)
    }

    /// A oneof that may be unset; `field` is any of its fields, which stands for all in the mask.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub fn change_oneof<M: ProtobufMapper>(
        &mut self,
        oneof: &'static str,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<Option<M::Proto>, MapError> {
        self.oneof::<M>(oneof, field, change)
    }

    /// A oneof that must be set: it can't be cleared.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change), and when it is cleared.
    pub fn change_oneof_required<M: ProtobufMapper>(
        &mut self,
        oneof: &'static str,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<Option<M::Proto>, MapError> {
        if change.is_clear() {
            return Err(required().at(oneof));
        }
        self.oneof::<M>(oneof, field, change)
    }

    /// An entity with a patch of its own, that may be unset. `patch` makes a message of the patch:
    /// `AddressPatch::into_fields`.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub fn change_nested<M: ProtobufMapper, P>(
        &mut self,
        field: &'static str,
        change: NestedChange<M::Entity, P>,
        patch: impl FnOnce(P, &mut Self) -> Result<M::Proto, MapError>,
    ) -> Result<Option<M::Proto>, MapError> {
        let change = match change {
            NestedChange::Patch(change) => return self.inside(field, |mask| patch(change, mask)),
            NestedChange::Keep => Change::Keep,
            NestedChange::Clear => Change::Clear,
            NestedChange::Set(entity) => Change::Set(entity),
        };
        self.change_optional::<M>(field, change)
    }

    /// The same for one that must be set: it can't be cleared.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change), and when it is cleared.
    pub fn change_nested_required<M: ProtobufMapper, P>(
        &mut self,
        field: &'static str,
        change: NestedChange<M::Entity, P>,
        patch: impl FnOnce(P, &mut Self) -> Result<M::Proto, MapError>,
    ) -> Result<Option<M::Proto>, MapError> {
        if let NestedChange::Clear = change {
            return Err(required().at(field));
        }
        self.change_nested::<M, P>(field, change, patch)
    }

    fn oneof<M: ProtobufMapper>(
        &mut self,
        oneof: &'static str,
        field: &'static str,
        change: Change<M::Entity>,
    ) -> Result<Option<M::Proto>, MapError> {
        let value = change
            .try_map(M::into_proto)
            .map_err(|error| error.at(oneof).into())?;
        if !value.is_keep() {
            self.paths.push(format!("{}{field}", self.within));
        }
        Ok(value.set())
    }

    /// The message that `make` makes, if any of its fields changes.
    fn inside<P>(
        &mut self,
        field: &'static str,
        make: impl FnOnce(&mut Self) -> Result<P, MapError>,
    ) -> Result<Option<P>, MapError> {
        let (outside, before) = (self.within.len(), self.paths.len());
        self.within.push_str(field);
        self.within.push('.');
        let made = make(self);
        self.within.truncate(outside);
        let message = made.map_err(|error| error.at(field))?;
        Ok((self.paths.len() > before).then_some(message))
    }
}

#[cold]
fn required() -> MapError {
    let description = "is required, so it can't be cleared";
    MapError::new(ViolationKind::NotAllowed, description)
}
