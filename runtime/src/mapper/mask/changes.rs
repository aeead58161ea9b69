//! What becomes of each field of an entity, from a message and its mask.
//!
//! A value is mapped only where it is taken: a field that the mask doesn't name may hold anything.

use super::super::{
    Change, Fields, MapError, NestedChange, ProtobufMapper, Unmappable, ViolationKind,
};
use super::{Mask, Selection};

/// What is done with a field that has a value, or that has none.
#[derive(Clone, Copy, PartialEq)]
enum Take {
    /// Whatever is there, it stays.
    Nothing,
    /// A value is taken, and none is no change.
    Value,
    /// A value is taken, and none clears.
    Whole,
}

impl From<Selection<'_>> for Take {
    fn from(selection: Selection<'_>) -> Self {
        match selection {
            Selection::Populated => Self::Value,
            Selection::Replace | Selection::Named => Self::Whole,
            // Paths into a field that has no patch of its own are an error of `check`.
            Selection::Nested(_) | Selection::None => Self::Nothing,
        }
    }
}

impl Fields {
    /// The change of a field without presence. It is never cleared: its default is a value.
    #[inline]
    pub fn change<M>(
        &mut self,
        mask: &Mask<'_>,
        field: &'static str,
        proto: M::Proto,
    ) -> Option<Change<M::Entity>>
    where
        M: ProtobufMapper<Proto: Default + PartialEq>,
    {
        match mask.field(field).into() {
            Take::Nothing => Some(Change::Keep),
            Take::Value if proto == M::Proto::default() => Some(Change::Keep),
            Take::Value | Take::Whole => self.map::<M>(field, proto).map(Change::Set),
        }
    }

    /// The change of a field without presence whose empty value means that there is none.
    #[inline]
    pub fn change_absent_if_empty<M>(
        &mut self,
        mask: &Mask<'_>,
        field: &'static str,
        proto: M::Proto,
    ) -> Option<Change<M::Entity>>
    where
        M: ProtobufMapper<Proto: Default + PartialEq>,
    {
        let proto = (proto != M::Proto::default()).then_some(proto);
        self.change_optional::<M>(mask, field, proto)
    }

    /// The change of a field with presence that may be unset.
    #[inline]
    pub fn change_optional<M: ProtobufMapper>(
        &mut self,
        mask: &Mask<'_>,
        field: &'static str,
        proto: Option<M::Proto>,
    ) -> Option<Change<M::Entity>> {
        match (mask.field(field).into(), proto) {
            (Take::Nothing, _) | (Take::Value, None) => Some(Change::Keep),
            (Take::Whole, None) => Some(Change::Clear),
            (_, Some(proto)) => self.map::<M>(field, proto).map(Change::Set),
        }
    }

    /// The change of a field with presence that must be set: to clear it is an error.
    #[inline]
    pub fn change_required<M: ProtobufMapper>(
        &mut self,
        mask: &Mask<'_>,
        field: &'static str,
        proto: Option<M::Proto>,
    ) -> Option<Change<M::Entity>> {
        let change = self.change_optional::<M>(mask, field, proto)?;
        self.not_cleared(field, change)
    }

    /// The change of a oneof that may be unset. `M` maps what is set, and `fields` are the names of
    /// the oneof's fields: one of them that is named stands for all.
    #[inline]
    pub fn change_oneof<M: ProtobufMapper>(
        &mut self,
        mask: &Mask<'_>,
        oneof: &'static str,
        fields: &[&'static str],
        proto: Option<M::Proto>,
    ) -> Option<Change<M::Entity>> {
        match (mask.oneof(fields).into(), proto) {
            (Take::Nothing, _) | (Take::Value, None) => Some(Change::Keep),
            (Take::Whole, None) => Some(Change::Clear),
            (_, Some(proto)) => self.oneof::<M>(oneof, proto).map(Change::Set),
        }
    }

    /// The change of a oneof that must be set: to clear it is an error.
    #[inline]
    pub fn change_oneof_required<M: ProtobufMapper>(
        &mut self,
        mask: &Mask<'_>,
        oneof: &'static str,
        fields: &[&'static str],
        proto: Option<M::Proto>,
    ) -> Option<Change<M::Entity>> {
        let change = self.change_oneof::<M>(mask, oneof, fields, proto)?;
        self.not_cleared(oneof, change)
    }

    /// A field that never changes: to name it is an error. Where the mask doesn't, whatever the
    /// message has is ignored.
    #[inline]
    pub fn keep_immutable(&mut self, mask: &Mask<'_>, field: &'static str) {
        if matches!(mask.field(field), Selection::Named | Selection::Nested(_)) {
            let description = "never changes, so no mask may name it";
            self.note(MapError::new(ViolationKind::NotAllowed, description).at(field));
        }
    }

    /// The change of an entity that has a patch of its own and may be unset. `patch` makes one of
    /// the message and of what the mask says about its fields: `AddressPatch::from_fields`.
    ///
    /// Without a mask its populated fields change, as those of the entity around it.
    #[inline]
    pub fn change_nested<M, P>(
        &mut self,
        mask: &Mask<'_>,
        field: &'static str,
        proto: Option<M::Proto>,
        patch: impl FnOnce(M::Proto, &Mask<'_>) -> Result<P, MapError>,
    ) -> Option<NestedChange<M::Entity, P>>
    where
        M: ProtobufMapper<Proto: Default>,
    {
        let change = match (mask.field(field), proto) {
            (Selection::None, _) | (Selection::Populated, None) => Ok(NestedChange::Keep),
            (Selection::Replace | Selection::Named, None) => Ok(NestedChange::Clear),
            (Selection::Replace | Selection::Named, Some(proto)) => {
                M::from_proto(proto).map(NestedChange::Set)
            }
            (Selection::Populated, Some(proto)) => {
                patch(proto, &mask.inside()).map(NestedChange::Patch)
            }
            (Selection::Nested(inside), proto) => {
                patch(proto.unwrap_or_default(), &inside).map(NestedChange::Patch)
            }
        };
        match change {
            Ok(change) => Some(change),
            Err(error) => {
                self.note(error.at(field));
                None
            }
        }
    }

    /// The same for one that must be set: to clear it is an error.
    #[inline]
    pub fn change_nested_required<M, P>(
        &mut self,
        mask: &Mask<'_>,
        field: &'static str,
        proto: Option<M::Proto>,
        patch: impl FnOnce(M::Proto, &Mask<'_>) -> Result<P, MapError>,
    ) -> Option<NestedChange<M::Entity, P>>
    where
        M: ProtobufMapper<Proto: Default>,
    {
        match self.change_nested::<M, P>(mask, field, proto, patch)? {
            NestedChange::Clear => {
                self.note(MapError::missing().at(field));
                None
            }
            change => Some(change),
        }
    }

    fn not_cleared<T>(&mut self, field: &'static str, change: Change<T>) -> Option<Change<T>> {
        if change.is_clear() {
            self.note(MapError::missing().at(field));
            return None;
        }
        Some(change)
    }
}
