//! Patches: of an entity inside another, and those that a message and a mask beside it are.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::{Label, Type};

use super::super::entity::{Changing, Content, Field, NestedPatch};
use super::Entities;
use super::field::as_it_is;
use super::fields::{Builder, field_docs, is_deprecated_field};
use super::index::MessageRef;
use super::refusal::{Refusal, tags};
use crate::descriptors::rules::FieldRule;
use crate::names;

impl Entities<'_> {
    /// The names of a message's fields that are masks of patches beside them.
    pub(super) fn masks(&self, message: &MessageRef<'_>) -> Vec<String> {
        let fields = &message.message.field;
        fields
            .iter()
            .filter_map(|field| self.rules.field(&message.full_name, field.number()))
            .map(|rule| &rule.mask)
            .filter(|mask| {
                let named = fields.iter().find(|field| field.name() == *mask);
                named.is_some_and(is_mask)
            })
            .cloned()
            .collect()
    }

    /// The patch of the entity that a field holds, if that has one.
    fn patch_of(&self, package: &str, field: &FieldDescriptorProto) -> Option<NestedPatch> {
        if field.r#type() != Type::Message || field.label() == Label::Repeated {
            return None;
        }
        let message = self.index.find(field.type_name())?;
        let rule = self.rules.entity(&message.full_name)?;
        if !rule.patch || !self.is_entity(message) || self.is_mapped_by_user(message) {
            return None;
        }
        let mapped = self.refer(package, message);
        let name = self.entity_name(message);
        let api = self.api_of(package, message.file.proto.package());
        let fields = if api.is_empty() {
            // Statics may refer to themselves, and constants may not.
            format!("&{}", names::patch_fields(&name))
        } else {
            format!("{api}{}::FIELDS", names::beside(&name, "Patch"))
        };
        Some(NestedPatch {
            mapper: mapped.mapper,
            entity: mapped.ty,
            patch: format!("{api}{}", names::beside(&name, "Patch")),
            fields,
            required: false,
            fallible: self.has_nested_patches(message),
        })
    }

    /// Whether some field of a message is an entity with a patch.
    fn has_nested_patches(&self, message: &MessageRef<'_>) -> bool {
        message.message.field.iter().any(|field| {
            !self.index.is_boxed(&message.full_name, field)
                && !super::super::conflicts::is_in_oneof(field)
                && self.patch_of(message.file.proto.package(), field).is_some()
        })
    }
}

impl<'a> Builder<'a, '_> {
    /// The patch of an entity inside this one, where that can be changed field by field.
    pub(super) fn nested_patch(
        &self,
        message: &MessageRef<'a>,
        field: &FieldDescriptorProto,
        change: &Changing,
    ) -> Option<NestedPatch> {
        let (mapper, required) = match change {
            Changing::Optional(mapper) => (mapper, false),
            Changing::Required(mapper) => (mapper, true),
            _ => return None,
        };
        if self.run.index.is_boxed(&message.full_name, field) {
            return None;
        }
        let nested = self.run.patch_of(self.package, field)?;
        (nested.mapper == *mapper).then_some(NestedPatch { required, ..nested })
    }

    /// A message that a mask beside it makes a patch.
    pub(super) fn patched(
        &mut self,
        message: &MessageRef<'a>,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
        path: &[i32],
        prefix: &str,
    ) -> Result<Content, Refusal> {
        let refusal = |what: String, fix: &str| Refusal {
            what,
            fix: fix.to_owned(),
            rule: tags::MASK,
        };
        let mask = message
            .message
            .field
            .iter()
            .find(|other| other.name() == rule.mask);
        let Some(mask) = mask else {
            return Err(refusal(
                format!("the message has no field `{}`", rule.mask),
                "name the `google.protobuf.FieldMask` beside it",
            ));
        };
        if !is_mask(mask) {
            return Err(refusal(
                format!("`{}` is no `google.protobuf.FieldMask`", rule.mask),
                "name the field that is one",
            ));
        }
        if !prefix.is_empty() {
            return Err(refusal(
                "a patch can't be in a flattened message".to_owned(),
                "remove `flatten` from the field of the message around it",
            ));
        }
        let Some(patch) = self.run.patch_of(self.package, field) else {
            return Err(refusal(
                "`mask` is for a field with one message, an entity that has a patch".to_owned(),
                "add `patch: true` to its message: `option (apibase.v1.entity) = { patch: true };`",
            ));
        };
        let name = self.take_field(message, field, rule, path, prefix)?;
        let mut mapping = as_it_is(&patch.patch);
        mapping.same = None;
        mapping.fallible = true;
        Ok(Content::Patched {
            field: Box::new(Field {
                name,
                path: field.name().to_owned(),
                docs: field_docs(message.file, path, field.name()),
                mapping,
                lossless: Vec::new(),
                oneof: false,
                sensitive: rule.sensitive,
                deprecated: is_deprecated_field(field),
                change: Changing::OutputOnly,
            }),
            patch,
            mask: names::snake(mask.name()),
        })
    }
}

fn is_mask(field: &FieldDescriptorProto) -> bool {
    field.type_name() == ".google.protobuf.FieldMask" && field.label() != Label::Repeated
}
