//! What compilers check and descriptor sets written by others may lack: names that are names,
//! and map entries that are map entries.

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, MessageOptions, MethodDescriptorProto, OneofDescriptorProto,
};

use crate::error::Diagnostic;

/// The first thing in a file that can't become code.
pub(super) fn check(file: &FileDescriptorProto) -> Option<Diagnostic> {
    let package = file
        .package()
        .split('.')
        .filter(|_| !file.package().is_empty());
    let names = package
        .chain(file.message_type.iter().flat_map(message))
        .chain(file.enum_type.iter().flat_map(enumeration))
        .chain(file.extension.iter().map(FieldDescriptorProto::name))
        .chain(file.service.iter().flat_map(|service| {
            let methods = service.method.iter().map(MethodDescriptorProto::name);
            std::iter::once(service.name()).chain(methods)
        }));
    let mut bad = names.filter(|name| !is_identifier(name));
    let message = match bad.next() {
        Some(name) => format!("{name:?} is no name"),
        None if !file.message_type.iter().all(has_sound_maps) => {
            "a map's entry is not made of a key and a value".to_owned()
        }
        None if file.name().contains(char::is_control) => {
            "the file's name has a control character in it".to_owned()
        }
        None => return None,
    };
    Some(
        Diagnostic::new(message)
            .in_file(file.name().escape_debug().to_string())
            .help("write the descriptor set with protoc, buf or protox"),
    )
}

fn message(message: &DescriptorProto) -> Vec<&str> {
    // A list, since an iterator of this recursion would have an infinite type.
    let mut names = vec![message.name()];
    names.extend(message.field.iter().map(FieldDescriptorProto::name));
    names.extend(message.extension.iter().map(FieldDescriptorProto::name));
    names.extend(message.oneof_decl.iter().map(OneofDescriptorProto::name));
    names.extend(message.enum_type.iter().flat_map(enumeration));
    names.extend(message.nested_type.iter().flat_map(self::message));
    names
}

fn enumeration(descriptor: &EnumDescriptorProto) -> Vec<&str> {
    let values = descriptor.value.iter().map(EnumValueDescriptorProto::name);
    std::iter::once(descriptor.name()).chain(values).collect()
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn has_sound_maps(message: &DescriptorProto) -> bool {
    let is_entry = message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry);
    let names = message.field.iter().map(FieldDescriptorProto::name);
    (!is_entry || names.eq(["key", "value"])) && message.nested_type.iter().all(has_sound_maps)
}
