//! Where the messages and enums of a schema are, and what of prost's types follows from that.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto};

use crate::descriptors::{Descriptors, File, tag};

/// The messages and enums of a schema by their full names, without a leading dot.
pub(super) struct Index<'a> {
    messages: BTreeMap<String, MessageRef<'a>>,
    enums: BTreeMap<String, EnumRef<'a>>,
}

/// A message and where it is.
#[derive(Clone)]
pub(super) struct MessageRef<'a> {
    pub(super) file: &'a File,
    pub(super) message: &'a DescriptorProto,
    pub(super) path: Vec<i32>,
    pub(super) full_name: String,
}

/// An enum and where it is.
#[derive(Clone)]
pub(super) struct EnumRef<'a> {
    pub(super) file: &'a File,
    pub(super) descriptor: &'a EnumDescriptorProto,
    pub(super) path: Vec<i32>,
    pub(super) full_name: String,
}

impl<'a> Index<'a> {
    pub(super) fn new(descriptors: &'a Descriptors) -> Self {
        let mut index = Self {
            messages: BTreeMap::new(),
            enums: BTreeMap::new(),
        };
        for file in descriptors.files() {
            let package = file.proto.package();
            for (at, message) in (0i32..).zip(&file.proto.message_type) {
                index.message(file, message, package, vec![tag::FILE_MESSAGE, at]);
            }
            for (at, descriptor) in (0i32..).zip(&file.proto.enum_type) {
                index.enumeration(file, descriptor, package, vec![tag::FILE_ENUM, at]);
            }
        }
        index
    }

    /// The message with this full name, with or without a leading dot.
    pub(super) fn find(&self, full_name: &str) -> Option<&MessageRef<'a>> {
        self.messages.get(full_name.trim_start_matches('.'))
    }

    /// All messages, by their full names.
    pub(super) fn messages(&self) -> impl Iterator<Item = &MessageRef<'a>> {
        self.messages.values()
    }

    /// All enums, by their full names.
    pub(super) fn enums(&self) -> impl Iterator<Item = &EnumRef<'a>> {
        self.enums.values()
    }

    /// The enum with this full name, with or without a leading dot.
    pub(super) fn find_enum(&self, full_name: &str) -> Option<&EnumRef<'a>> {
        self.enums.get(full_name.trim_start_matches('.'))
    }

    /// The messages and enums of a file, in the order of the proto.
    pub(super) fn of_file(&self, file: &File) -> (Vec<&MessageRef<'a>>, Vec<&EnumRef<'a>>) {
        let name = file.proto.name();
        let mut messages: Vec<_> = self
            .messages
            .values()
            .filter(|message| message.file.proto.name() == name)
            .collect();
        messages.sort_by(|a, b| a.path.cmp(&b.path));
        let mut enums: Vec<_> = self
            .enums
            .values()
            .filter(|found| found.file.proto.name() == name)
            .collect();
        enums.sort_by(|a, b| a.path.cmp(&b.path));
        (messages, enums)
    }

    /// The key and the value of a map field.
    pub(super) fn map_entry(
        &self,
        field: &FieldDescriptorProto,
    ) -> Option<(&'a FieldDescriptorProto, &'a FieldDescriptorProto)> {
        if field.label() != Label::Repeated || field.r#type() != Type::Message {
            return None;
        }
        let entry = self.find(field.type_name())?.message;
        if !super::super::conflicts::is_map_entry(entry) {
            return None;
        }
        match entry.field.as_slice() {
            [key, value] => Some((key, value)),
            _ => None,
        }
    }

    /// Whether a field's value can have a message in it, through any fields.
    pub(super) fn reaches(&self, field: &FieldDescriptorProto, message: &str) -> bool {
        self.leads_to(field, message, |_| true)
    }

    /// Whether prost boxes a field: its message can hold the one that the field is in.
    pub(super) fn is_boxed(&self, message: &str, field: &FieldDescriptorProto) -> bool {
        if field.label() == Label::Repeated || !is_message(field) {
            return false;
        }
        // Groups are no edges of prost's graph.
        self.leads_to(field, message, |inner| {
            inner.r#type() == Type::Message && inner.label() != Label::Repeated
        })
    }

    /// Whether a field's message is another one, or has it in fields that `follow` lets through.
    fn leads_to(
        &self,
        field: &FieldDescriptorProto,
        message: &str,
        follow: impl Fn(&FieldDescriptorProto) -> bool,
    ) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![field.type_name().trim_start_matches('.')];
        while let Some(name) = open.pop() {
            if name == message {
                return true;
            }
            if let Some(found) = self.messages.get(name)
                && seen.insert(name)
            {
                let inside = found.message.field.iter().filter(|inner| follow(inner));
                open.extend(inside.map(|inner| inner.type_name().trim_start_matches('.')));
            }
        }
        false
    }

    fn message(
        &mut self,
        file: &'a File,
        message: &'a DescriptorProto,
        parent: &str,
        path: Vec<i32>,
    ) {
        let full_name = join(parent, message.name());
        for (at, nested) in (0i32..).zip(&message.nested_type) {
            let path = [path.as_slice(), &[tag::MESSAGE_NESTED, at]].concat();
            self.message(file, nested, &full_name, path);
        }
        for (at, nested) in (0i32..).zip(&message.enum_type) {
            let path = [path.as_slice(), &[tag::MESSAGE_ENUM, at]].concat();
            self.enumeration(file, nested, &full_name, path);
        }
        let found = MessageRef {
            file,
            message,
            path,
            full_name: full_name.clone(),
        };
        self.messages.insert(full_name, found);
    }

    fn enumeration(
        &mut self,
        file: &'a File,
        descriptor: &'a EnumDescriptorProto,
        parent: &str,
        path: Vec<i32>,
    ) {
        let full_name = join(parent, descriptor.name());
        let found = EnumRef {
            file,
            descriptor,
            path,
            full_name: full_name.clone(),
        };
        self.enums.insert(full_name, found);
    }
}

/// Whether a field holds a message; groups are such.
pub(super) fn is_message(field: &FieldDescriptorProto) -> bool {
    matches!(field.r#type(), Type::Message | Type::Group)
}

/// Whether one of prost's path patterns covers a field or type, given by its full name.
///
/// A pattern is `.` for everything, a full name with a leading dot for what is at or below it, or the
/// end of a name.
pub(super) fn covered(patterns: &[String], full_name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_prefix('.') {
            Some("") => true,
            Some(prefix) => full_name
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            None => full_name
                .strip_suffix(pattern.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        })
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}
