//! Messages and enums as the docs show them.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumOptions, EnumValueOptions, FieldDescriptorProto,
    FieldOptions, MessageOptions,
};

use super::conflicts::{is_in_oneof, is_map_entry};
use super::{Enum, EnumValue, Field, Message, Oneof};
use crate::descriptors::{File, tag};

/// All messages and enums of a file.
pub(super) fn of_file(file: &File) -> (Vec<Message>, Vec<Enum>) {
    let mut catalogue = Catalogue {
        file,
        messages: Vec::new(),
        enums: Vec::new(),
    };
    let package = file.proto.package();
    for (index, message) in (0i32..).zip(&file.proto.message_type) {
        catalogue.message(message, package, &[tag::FILE_MESSAGE, index]);
    }
    for (index, descriptor) in (0i32..).zip(&file.proto.enum_type) {
        catalogue.enumeration(descriptor, package, &[tag::FILE_ENUM, index]);
    }
    (catalogue.messages, catalogue.enums)
}

struct Catalogue<'a> {
    file: &'a File,
    messages: Vec<Message>,
    enums: Vec<Enum>,
}

impl Catalogue<'_> {
    fn message(&mut self, message: &DescriptorProto, parent: &str, path: &[i32]) {
        let full_name = join(parent, message.name());
        let fields = (0i32..)
            .zip(&message.field)
            .map(|(index, field)| {
                self.field(
                    message,
                    field,
                    &[path, &[tag::MESSAGE_FIELD, index]].concat(),
                )
            })
            .collect();
        self.messages.push(Message {
            full_name: full_name.clone(),
            comment: self.file.source.comment(path),
            deprecated: message
                .options
                .as_ref()
                .is_some_and(MessageOptions::deprecated),
            fields,
            oneofs: self.oneofs(message, path),
        });
        for (index, nested) in (0i32..).zip(&message.nested_type) {
            if !is_map_entry(nested) {
                let path = [path, &[tag::MESSAGE_NESTED, index]].concat();
                self.message(nested, &full_name, &path);
            }
        }
        for (index, nested) in (0i32..).zip(&message.enum_type) {
            let path = [path, &[tag::MESSAGE_ENUM, index]].concat();
            self.enumeration(nested, &full_name, &path);
        }
    }

    fn field(
        &self,
        message: &DescriptorProto,
        field: &FieldDescriptorProto,
        path: &[i32],
    ) -> Field {
        let entry = map_entry(message, field);
        let oneof = usize::try_from(field.oneof_index())
            .ok()
            .and_then(|index| message.oneof_decl.get(index))
            .filter(|_| is_in_oneof(field));
        Field {
            name: field.name().to_owned(),
            number: field.number(),
            ty: match entry {
                Some((key, value)) => format!("map<{}, {}>", type_text(key), type_text(value)),
                None => type_text(field),
            },
            label: match (oneof, field.label()) {
                (Some(oneof), _) => format!("oneof {}", oneof.name()),
                (None, _) if entry.is_some() => String::new(),
                (None, Label::Repeated) => "repeated".to_owned(),
                (None, Label::Required) => "required".to_owned(),
                (None, Label::Optional) if self.is_optional(field) => "optional".to_owned(),
                (None, Label::Optional) => String::new(),
            },
            comment: self.file.source.comment(path),
            deprecated: field.options.as_ref().is_some_and(FieldOptions::deprecated),
        }
    }

    /// Whether the proto says `optional`.
    fn is_optional(&self, field: &FieldDescriptorProto) -> bool {
        field.proto3_optional() || self.file.proto.syntax() != "proto3"
    }

    fn oneofs(&self, message: &DescriptorProto, path: &[i32]) -> Vec<Oneof> {
        (0i32..)
            .zip(&message.oneof_decl)
            .map(|(index, oneof)| Oneof {
                name: oneof.name().to_owned(),
                comment: self
                    .file
                    .source
                    .comment(&[path, &[tag::MESSAGE_ONEOF, index]].concat()),
                fields: message
                    .field
                    .iter()
                    .filter(|field| is_in_oneof(field) && field.oneof_index() == index)
                    .map(|field| field.name().to_owned())
                    .collect(),
            })
            .filter(|oneof| !oneof.fields.is_empty())
            .collect()
    }

    fn enumeration(&mut self, descriptor: &EnumDescriptorProto, parent: &str, path: &[i32]) {
        let values = (0i32..)
            .zip(&descriptor.value)
            .map(|(index, value)| EnumValue {
                name: value.name().to_owned(),
                number: value.number(),
                comment: self
                    .file
                    .source
                    .comment(&[path, &[tag::ENUM_VALUE, index]].concat()),
                deprecated: value
                    .options
                    .as_ref()
                    .is_some_and(EnumValueOptions::deprecated),
            })
            .collect();
        self.enums.push(Enum {
            full_name: join(parent, descriptor.name()),
            comment: self.file.source.comment(path),
            deprecated: descriptor
                .options
                .as_ref()
                .is_some_and(EnumOptions::deprecated),
            values,
        });
    }
}

/// The key and the value of a map field.
fn map_entry<'a>(
    message: &'a DescriptorProto,
    field: &FieldDescriptorProto,
) -> Option<(&'a FieldDescriptorProto, &'a FieldDescriptorProto)> {
    if field.label() != Label::Repeated || field.r#type() != Type::Message {
        return None;
    }
    let (_, name) = field.type_name().rsplit_once('.')?;
    let entry = message
        .nested_type
        .iter()
        .find(|nested| nested.name() == name && is_map_entry(nested))?;
    match entry.field.as_slice() {
        [key, value] => Some((key, value)),
        _ => None,
    }
}

fn type_text(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Group | Type::Enum => {
            field.type_name().trim_start_matches('.').to_owned()
        }
        scalar => scalar
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_ascii_lowercase(),
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}
