//! What a file declares, by full name.

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    ServiceDescriptorProto,
};

/// All that can be asked for of one file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Declared {
    /// Full names: messages, fields, oneofs, enums, their values, extensions, services, methods.
    pub(super) symbols: Vec<String>,
    /// The full names of what is extended, and the extensions' numbers.
    pub(super) extensions: Vec<(String, i32)>,
}

impl Declared {
    pub(super) fn by(file: &FileDescriptorProto) -> Self {
        let mut declared = Self::default();
        let package = file.package();
        for message in &file.message_type {
            declared.message(package, message);
        }
        for declaration in &file.enum_type {
            declared.enumeration(package, declaration);
        }
        for extension in &file.extension {
            declared.extension(package, extension);
        }
        for service in &file.service {
            declared.service(package, service);
        }
        declared
    }

    /// Nested as deep as prost decodes, which is 100 levels at most.
    fn message(&mut self, scope: &str, message: &DescriptorProto) {
        let name = self.symbol(scope, message.name());
        for field in &message.field {
            self.symbol(&name, field.name());
        }
        for oneof in &message.oneof_decl {
            self.symbol(&name, oneof.name());
        }
        for nested in &message.nested_type {
            self.message(&name, nested);
        }
        for nested in &message.enum_type {
            self.enumeration(&name, nested);
        }
        for extension in &message.extension {
            self.extension(&name, extension);
        }
    }

    /// As in C++, a value stands beside its enum and not in it.
    fn enumeration(&mut self, scope: &str, declaration: &EnumDescriptorProto) {
        self.symbol(scope, declaration.name());
        for value in &declaration.value {
            self.symbol(scope, value.name());
        }
    }

    fn extension(&mut self, scope: &str, extension: &FieldDescriptorProto) {
        self.symbol(scope, extension.name());
        let extendee = extension.extendee();
        let extendee = extendee.strip_prefix('.').unwrap_or(extendee);
        self.extensions
            .push((extendee.to_owned(), extension.number()));
    }

    fn service(&mut self, package: &str, service: &ServiceDescriptorProto) {
        let name = self.symbol(package, service.name());
        for method in &service.method {
            self.symbol(&name, method.name());
        }
    }

    /// Takes note of a name, and gives its full form.
    fn symbol(&mut self, scope: &str, name: &str) -> String {
        let full = match scope {
            "" => name.to_owned(),
            _ => format!("{scope}.{name}"),
        };
        self.symbols.push(full.clone());
        full
    }
}
