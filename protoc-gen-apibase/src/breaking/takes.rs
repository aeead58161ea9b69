//! What a field of an entity takes, as `model/entities` maps it. What it doesn't take is refused when
//! the message is read.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::{Label, Type};

use super::contract::Site;
use super::entities::{Entities, Message, is_map_entry};
use crate::descriptors::rules::{FieldRule, Format, Unknown};

/// A field of a message, and what it takes.
pub(super) struct Field<'a> {
    pub(super) proto: &'a FieldDescriptorProto,
    pub(super) site: Site<'a>,
    pub(super) rule: FieldRule,
    pub(super) presence: Presence,
    /// Whether a value must be there, whoever says so.
    pub(super) required: bool,
    /// Whose option says that a value must be there, beside ours.
    pub(super) inherited: Option<&'static str>,
    /// A message in which the field is not set.
    pub(super) unset: bool,
    /// The empty value, or the value 0, where it isn't the same as none.
    pub(super) empty: bool,
    pub(super) values: Values,
    /// A number that its enum doesn't have.
    pub(super) unknown: bool,
    /// A mask that names it.
    pub(super) mask: bool,
}

/// The values that a field takes, but for the empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    All,
    /// Those of a format in text or of a message.
    Of(Format),
    /// So many bytes.
    Bytes(u32),
    /// Integers from one to another.
    Range(i128, i128),
}

/// How a field says that it has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// By its empty value, or by having no elements.
    Implicit,
    /// By not being there.
    Explicit,
    /// It is one of a oneof, or `required` of proto2.
    Other,
}

impl Values {
    /// Whether these are all that `other` has.
    pub(super) fn cover(self, other: Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Range(least, most), Self::Range(from, to)) => least <= from && to <= most,
            (some, other) => some == other,
        }
    }

    /// Those that `other` has too, of two ranges.
    fn within(self, other: Self) -> Self {
        match (self, other) {
            (Self::Range(least, most), Self::Range(from, to)) => {
                Self::Range(least.max(from), most.min(to))
            }
            (some, _) => some,
        }
    }
}

impl<'a> Field<'a> {
    /// Reads what is said about a field, which is in `message`.
    pub(super) fn of(
        entities: &Entities<'a>,
        message: &Message<'a>,
        proto: &'a FieldDescriptorProto,
        site: Site<'a>,
    ) -> Self {
        let rules = entities.contract.rules;
        let (owner, number) = (message.full_name, proto.number());
        let rule = rules.field(owner, number).cloned().unwrap_or_default();
        let behavior = rules.behavior(owner, number);
        let inherited = if behavior.required {
            Some("google.api.field_behavior")
        } else {
            let required = rules.validate_required(owner, number);
            required.then_some("buf.validate.field")
        };
        let element = Element::of(entities, proto);
        let mut field = Self {
            presence: presence(message, proto),
            required: rule.required.unwrap_or(inherited.is_some()),
            inherited,
            unset: true,
            empty: true,
            values: element.all_values(),
            unknown: true,
            mask: true,
            proto,
            site,
            rule,
        };
        if !message.is_read || message.is_mask(proto) || !field.rule.mask.is_empty() {
            return field;
        }
        // A patch has the fields of the entity; what is output only may be named, for nothing.
        let kept = field.rule.immutable || behavior.immutable;
        let output = field.rule.output_only || behavior.output_only;
        let identifier = field.rule.identifier || behavior.identifier;
        field.mask = !(identifier || kept && !output || field.rule.ignore);
        if field.rule.ignore {
            return field;
        }
        if field.rule.flatten {
            field.unset = entities.may_be_empty(proto.type_name());
            return field;
        }
        field.values = element.values(&field.rule);
        field.unknown =
            !element.is_enum || matches!(field.rule.unknown(), Unknown::Keep | Unknown::Fallback);
        field.take_empty(&element);
        field
    }

    /// Whether it is a list or a map.
    pub(super) fn is_list(&self) -> bool {
        self.proto.label() == Label::Repeated
    }

    fn take_empty(&mut self, element: &Element) {
        let refused = element.refuses_empty(&self.rule);
        (self.unset, self.empty) = match self.presence {
            Presence::Implicit if self.is_list() => (!self.required, !refused),
            Presence::Implicit if element.has_empty && self.required => (false, false),
            Presence::Implicit if element.has_unspecified => (!self.required, !self.required),
            Presence::Implicit => {
                let taken = self.rule.empty_is_absent || !refused;
                (taken, taken)
            }
            Presence::Explicit if element.has_unspecified => (!self.required, !self.required),
            Presence::Explicit => (!self.required, self.rule.empty_is_absent || !refused),
            Presence::Other => (true, !refused),
        };
    }
}

fn presence(message: &Message<'_>, field: &FieldDescriptorProto) -> Presence {
    let proto3 = message.site.file.proto.syntax() == "proto3";
    let member = field.oneof_index.is_some() && !field.proto3_optional();
    let is_message = matches!(field.r#type(), Type::Message | Type::Group);
    match field.label() {
        Label::Repeated => Presence::Implicit,
        Label::Required => Presence::Other,
        Label::Optional if member => Presence::Other,
        Label::Optional if is_message || field.proto3_optional() || !proto3 => Presence::Explicit,
        Label::Optional => Presence::Implicit,
    }
}

/// One value of a field: of a list its element, of a map its value, of a wrapper what it wraps.
struct Element {
    ty: Type,
    is_enum: bool,
    /// An enum that is one of the domain and has a value for none.
    has_unspecified: bool,
    /// Text and bytes.
    has_empty: bool,
}

impl Element {
    fn of(entities: &Entities<'_>, field: &FieldDescriptorProto) -> Self {
        let entry = entities.contract.find_message(field.type_name());
        let field = entry
            .filter(|entry| is_map_entry(entry.proto))
            .and_then(|entry| entry.proto.field.iter().find(|inner| inner.number() == 2))
            .unwrap_or(field);
        let ty = match field.type_name() {
            ".google.protobuf.StringValue" => Type::String,
            ".google.protobuf.BytesValue" => Type::Bytes,
            ".google.protobuf.Int32Value" => Type::Int32,
            ".google.protobuf.Int64Value" => Type::Int64,
            ".google.protobuf.UInt32Value" => Type::Uint32,
            ".google.protobuf.UInt64Value" => Type::Uint64,
            _ => field.r#type(),
        };
        let is_enum = ty == Type::Enum;
        Self {
            ty,
            is_enum,
            has_unspecified: is_enum && entities.has_unspecified(field.type_name()),
            has_empty: matches!(ty, Type::String | Type::Bytes),
        }
    }

    /// What it takes where nothing is said.
    fn all_values(&self) -> Values {
        const fn signed(bits: u32) -> Values {
            Values::Range(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        }
        const fn unsigned(bits: u32) -> Values {
            Values::Range(0, (1 << bits) - 1)
        }
        match self.ty {
            Type::Int32 | Type::Sint32 | Type::Sfixed32 => signed(32),
            Type::Int64 | Type::Sint64 | Type::Sfixed64 => signed(64),
            Type::Uint32 | Type::Fixed32 => unsigned(32),
            Type::Uint64 | Type::Fixed64 => unsigned(64),
            _ => Values::All,
        }
    }

    fn values(&self, rule: &FieldRule) -> Values {
        let range = match rule.format() {
            Format::Int8 => Values::Range(i8::MIN.into(), i8::MAX.into()),
            Format::Int16 => Values::Range(i16::MIN.into(), i16::MAX.into()),
            Format::Int32 => Values::Range(i32::MIN.into(), i32::MAX.into()),
            Format::Int64 => Values::Range(i64::MIN.into(), i64::MAX.into()),
            Format::Uint8 => Values::Range(0, u8::MAX.into()),
            Format::Uint16 => Values::Range(0, u16::MAX.into()),
            Format::Uint32 => Values::Range(0, u32::MAX.into()),
            // An address has 64 bits where services run.
            Format::Uint64 | Format::Size => Values::Range(0, u64::MAX.into()),
            Format::Unspecified | Format::Buffer if rule.length > 0 => {
                return Values::Bytes(rule.length);
            }
            Format::Unspecified | Format::Buffer => return self.all_values(),
            Format::Uuid if self.ty == Type::Bytes => return Values::Bytes(16),
            other => return Values::Of(other),
        };
        range.within(self.all_values())
    }

    /// Whether the value that an unset field has is refused as a value.
    fn refuses_empty(&self, rule: &FieldRule) -> bool {
        match self.values(rule) {
            // Of a message the format is about its values, and it always has some.
            Values::Of(_) => self.has_empty,
            Values::Bytes(_) => true,
            Values::All | Values::Range(..) => rule.nonzero,
        }
    }
}
