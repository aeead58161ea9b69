//! What the canonical form depends on, of a field or an extension.

use prost::Message as _;
use prost_reflect::{
    DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
};

use crate::descriptors::wire::{self, Value};

pub(super) struct Schema {
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    /// Whether a zero says more than nothing.
    pub(super) presence: bool,
    /// Whether this is one of descriptor.proto's own options.
    pub(super) options: bool,
    /// Whether it is for the source only: protoc and buf leave it out, protox doesn't.
    pub(super) source_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Singular,
    List,
    Packed,
    Map,
}

impl Schema {
    pub(super) fn of(message: &MessageDescriptor, number: u32) -> Option<Self> {
        if let Some(field) = message.get_field(number) {
            return Some(Self::of_field(message, &field));
        }
        let extension = message.get_extension(number)?;
        Some(Self::of_extension(&extension))
    }

    fn of_field(message: &MessageDescriptor, field: &FieldDescriptor) -> Self {
        let own = message.package_name() == "google.protobuf";
        Self {
            kind: field.kind(),
            shape: match () {
                () if field.is_map() => Shape::Map,
                () if field.is_list() && field.is_packed() => Shape::Packed,
                () if field.is_list() => Shape::List,
                () => Shape::Singular,
            },
            // A map entry without its key has the zero for a key.
            presence: field.supports_presence() && !message.is_map_entry(),
            options: own && field.name() == "options",
            source_only: if own {
                is_source_only_in_descriptors(message.name(), field.name())
            } else {
                is_source_only(&field.options())
            },
        }
    }

    fn of_extension(extension: &ExtensionDescriptor) -> Self {
        Self {
            kind: extension.kind(),
            shape: match () {
                () if extension.is_list() && extension.is_packed() => Shape::Packed,
                () if extension.is_list() => Shape::List,
                () => Shape::Singular,
            },
            presence: true,
            options: false,
            source_only: is_source_only(&extension.options()),
        }
    }
}

/// Whether a field's options have `retention = RETENTION_SOURCE`. Read on the wire, since the
/// descriptor.proto at hand may be older than the option.
fn is_source_only(options: &DynamicMessage) -> bool {
    const RETENTION: u32 = 17;
    const RETENTION_SOURCE: u64 = 2;
    let bytes = options.encode_to_vec();
    wire::fields(&bytes).is_ok_and(|fields| {
        fields.iter().any(|field| {
            field.number == RETENTION && field.value == Value::Varint(RETENTION_SOURCE)
        })
    })
}

/// The same for descriptor.proto itself, whose versions differ in saying so.
fn is_source_only_in_descriptors(message: &str, field: &str) -> bool {
    message == "ExtensionRangeOptions" && matches!(field, "declaration" | "verification")
}
