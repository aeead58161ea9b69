//! Names of messages and enums that are two in protobuf and one in Rust. prost-build writes
//! such code, or panics; both are worse than an error that names the places.

use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, MessageOptions};

use super::scope::{Claim, Scope};
use super::types::Externs;
use crate::descriptors::{File, tag};
use crate::error::Diagnostics;
use crate::names;

const RENAME: &str = "rename one of the two";

/// Takes the names that a file's messages and enums have in their package's module, and checks
/// everything inside of them.
pub(super) fn check_file<'a>(
    file: &'a File,
    externs: &Externs,
    package: &mut Scope<'a>,
    problems: &mut Diagnostics,
) {
    let mut checker = Checker {
        file,
        externs,
        problems,
    };
    let parent = match file.proto.package() {
        "" => String::new(),
        name => format!(".{name}"),
    };
    for (index, message) in (0i32..).zip(&file.proto.message_type) {
        checker.message(message, &parent, &[tag::FILE_MESSAGE, index], package);
    }
    for (index, descriptor) in (0i32..).zip(&file.proto.enum_type) {
        checker.enumeration(descriptor, &parent, vec![tag::FILE_ENUM, index], package);
    }
}

/// Whether prost makes a module for the types inside a message.
pub(super) fn has_module(message: &DescriptorProto) -> bool {
    !message.enum_type.is_empty()
        || message
            .nested_type
            .iter()
            .any(|nested| !is_map_entry(nested))
        || message.field.iter().any(is_in_oneof)
}

pub(super) fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry)
}

/// Whether a field is in a oneof that the proto declares; `optional` fields of proto3 are in
/// one that nobody wrote.
pub(super) fn is_in_oneof(field: &FieldDescriptorProto) -> bool {
    field.oneof_index.is_some() && !field.proto3_optional()
}

struct Checker<'a, 'p> {
    file: &'a File,
    /// What they cover is not written, so that it can't clash.
    externs: &'p Externs,
    problems: &'p mut Diagnostics,
}

impl<'a> Checker<'a, '_> {
    /// `parent` is the full name, with a leading dot, of what the message is in.
    fn message(
        &mut self,
        message: &DescriptorProto,
        parent: &str,
        path: &[i32],
        scope: &mut Scope<'a>,
    ) {
        let full_name = format!("{parent}.{}", message.name());
        if self.externs.cover_type(&full_name) {
            return;
        }
        let what = format!("message `{}`", message.name());
        let claim = self.claim(what, path.to_vec());
        let name = names::upper_camel(message.name());
        scope.take(&name, claim, "the type", RENAME, self.problems);
        if has_module(message) {
            let what = format!("message `{}` with the types inside it", message.name());
            let claim = self.claim(what, path.to_vec());
            let module = names::snake(message.name());
            scope.take(&module, claim, "the module", RENAME, self.problems);
        }
        self.fields(message, path);
        self.inner_types(message, &full_name, path);
    }

    fn inner_types(&mut self, message: &DescriptorProto, full_name: &str, path: &[i32]) {
        let mut inner = Scope::default();
        for (index, nested) in (0i32..).zip(&message.nested_type) {
            if !is_map_entry(nested) {
                let path = [path, &[tag::MESSAGE_NESTED, index]].concat();
                self.message(nested, full_name, &path, &mut inner);
            }
        }
        for (index, nested) in (0i32..).zip(&message.enum_type) {
            let path = [path, &[tag::MESSAGE_ENUM, index]].concat();
            self.enumeration(nested, full_name, path, &mut inner);
        }
        for (index, oneof) in (0i32..).zip(&message.oneof_decl) {
            let members: Vec<usize> = message
                .field
                .iter()
                .enumerate()
                .filter(|(_, field)| is_in_oneof(field) && field.oneof_index() == index)
                .map(|(position, _)| position)
                .collect();
            if members.is_empty() {
                continue;
            }
            let nested = message.nested_type.iter().map(DescriptorProto::name);
            let nested = nested.chain(message.enum_type.iter().map(EnumDescriptorProto::name));
            let name = names::oneof_type(oneof.name(), nested);
            let claim = self.claim(
                format!("oneof `{}`", oneof.name()),
                [path, &[tag::MESSAGE_ONEOF, index]].concat(),
            );
            inner.take(&name, claim, "the type", RENAME, self.problems);
            self.oneof_variants(message, &members, path);
        }
    }

    fn oneof_variants(&mut self, message: &DescriptorProto, members: &[usize], path: &[i32]) {
        let mut variants = Scope::default();
        for (position, field) in (0i32..).zip(&message.field) {
            if usize::try_from(position).is_ok_and(|position| members.contains(&position)) {
                let claim = self.field_claim(field, path, position);
                let name = names::upper_camel(field.name());
                variants.take(&name, claim, "the variant", RENAME, self.problems);
            }
        }
    }

    /// The fields of the struct: those of a oneof are one field with the oneof's name.
    fn fields(&mut self, message: &DescriptorProto, path: &[i32]) {
        let mut fields = Scope::default();
        for (index, field) in (0i32..).zip(&message.field) {
            if !is_in_oneof(field) {
                let claim = self.field_claim(field, path, index);
                let name = names::snake(field.name());
                fields.take(&name, claim, "the field", RENAME, self.problems);
            }
        }
        for (index, oneof) in (0i32..).zip(&message.oneof_decl) {
            let in_use =
                |field: &FieldDescriptorProto| is_in_oneof(field) && field.oneof_index() == index;
            if message.field.iter().any(in_use) {
                let claim = self.claim(
                    format!("oneof `{}`", oneof.name()),
                    [path, &[tag::MESSAGE_ONEOF, index]].concat(),
                );
                let name = names::snake(oneof.name());
                fields.take(&name, claim, "the field", RENAME, self.problems);
            }
        }
    }

    fn enumeration(
        &mut self,
        descriptor: &EnumDescriptorProto,
        parent: &str,
        path: Vec<i32>,
        scope: &mut Scope<'a>,
    ) {
        let full_name = format!("{parent}.{}", descriptor.name());
        if self.externs.cover_type(&full_name) {
            return;
        }
        let mut variants = Scope::default();
        let mut numbers = std::collections::BTreeSet::new();
        for (index, value) in (0i32..).zip(&descriptor.value) {
            // prost drops aliases: of equal numbers only the first becomes a variant.
            if !numbers.insert(value.number()) {
                continue;
            }
            let claim = self.claim(
                format!("value `{}`", value.name()),
                [path.as_slice(), &[tag::ENUM_VALUE, index]].concat(),
            );
            let name = names::variant(descriptor.name(), value.name());
            variants.take(&name, claim, "the variant", RENAME, self.problems);
        }
        let claim = self.claim(format!("enum `{}`", descriptor.name()), path);
        let name = names::upper_camel(descriptor.name());
        scope.take(&name, claim, "the type", RENAME, self.problems);
    }

    fn field_claim(&self, field: &FieldDescriptorProto, path: &[i32], index: i32) -> Claim<'a> {
        let path = [path, &[tag::MESSAGE_FIELD, index]].concat();
        self.claim(format!("field `{}`", field.name()), path)
    }

    fn claim(&self, what: String, path: Vec<i32>) -> Claim<'a> {
        Claim {
            what,
            file: self.file,
            path,
        }
    }
}
