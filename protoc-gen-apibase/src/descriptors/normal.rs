//! Descriptors in the one form that prost-build understands the way protoc means them.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::canonical;

pub(super) fn file(proto: &FileDescriptorProto) -> FileDescriptorProto {
    let mut file = proto.clone();
    file.source_code_info = None;
    // prost-build takes an empty package for a package with an empty name.
    file.package = file.package.filter(|package| !package.is_empty());
    let proto3 = file.syntax() == "proto3";
    for message in &mut file.message_type {
        normalise_message(message, proto3);
    }
    for extension in &mut file.extension {
        normalise_field(extension, proto3);
    }
    file
}

fn normalise_message(message: &mut DescriptorProto, proto3: bool) {
    for field in message.field.iter_mut().chain(&mut message.extension) {
        normalise_field(field, proto3);
    }
    for nested in &mut message.nested_type {
        normalise_message(nested, proto3);
    }
}

fn normalise_field(field: &mut FieldDescriptorProto, proto3: bool) {
    let (label, kind) = (field.label(), field.r#type());
    // prost-build 0.14.4 reads options without `packed` as `packed = false`, in proto3 too.
    if let Some(options) = &mut field.options
        && proto3
        && label == Label::Repeated
        && is_packable(kind)
    {
        options.packed.get_or_insert(true);
    }
    if let Some(default) = &mut field.default_value {
        *default = canonical::default_value(kind as u64, default);
    }
}

fn is_packable(kind: Type) -> bool {
    !matches!(
        kind,
        Type::String | Type::Bytes | Type::Message | Type::Group
    )
}
