//! Which packages are needed: those asked for, and those whose types they have in them. A package
//! that is only imported for its options isn't.

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::build::Groups;
use crate::descriptors::File;

/// The packages of `groups` that those with a file for which `is_asked` holds lead to, themselves
/// included.
pub(super) fn packages<'a>(
    groups: &Groups<'a>,
    is_asked: impl Fn(&File) -> bool,
) -> BTreeSet<&'a str> {
    let asked = groups
        .iter()
        .filter(|(_, files)| files.iter().any(|file| is_asked(file)));
    let mut open: Vec<&'a str> = asked.map(|(package, _)| *package).collect();
    let mut needed = BTreeSet::new();
    while let Some(package) = open.pop() {
        if !needed.insert(package) {
            continue;
        }
        for file in groups.get(package).into_iter().flatten() {
            let mut types = BTreeSet::new();
            types_of(&file.proto, is_asked(file), &mut types);
            open.extend(types.into_iter().filter_map(|ty| package_of(groups, ty)));
        }
    }
    needed
}

/// The full names, with a leading dot, of the types in a file; those of its services on request.
fn types_of<'a>(file: &'a FileDescriptorProto, services: bool, types: &mut BTreeSet<&'a str>) {
    for message in &file.message_type {
        types_of_message(message, types);
    }
    if services {
        for method in file.service.iter().flat_map(|service| &service.method) {
            types.extend([method.input_type(), method.output_type()]);
        }
    }
}

fn types_of_message<'a>(message: &'a DescriptorProto, types: &mut BTreeSet<&'a str>) {
    types.extend(message.field.iter().map(FieldDescriptorProto::type_name));
    for nested in &message.nested_type {
        types_of_message(nested, types);
    }
}

/// The package with the longest name that a type is below.
fn package_of<'a>(groups: &Groups<'a>, ty: &str) -> Option<&'a str> {
    let mut name = ty.strip_prefix('.')?;
    loop {
        name = match name.rsplit_once('.') {
            Some((parent, _)) => parent,
            None => "",
        };
        if let Some((package, _)) = groups.get_key_value(name) {
            return Some(package);
        }
        if name.is_empty() {
            return None;
        }
    }
}
