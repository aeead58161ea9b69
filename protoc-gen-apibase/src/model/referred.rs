//! Which packages are needed: those asked for, and those whose types and errors they have in them. A
//! package that is only imported for its options isn't.

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::build::Groups;
use crate::descriptors::File;
use crate::descriptors::rules::Rules;

/// The packages of `groups` that those with a file for which `is_asked` holds lead to, themselves
/// included.
pub(super) fn packages<'a>(
    groups: &Groups<'a>,
    rules: &'a Rules,
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
            types_of(&file.proto, &mut types);
            if is_asked(file) {
                types_of_services(&file.proto, rules, &mut types);
            }
            open.extend(types.into_iter().filter_map(|ty| package_of(groups, ty)));
        }
    }
    needed
}

/// The full names of the types in a file's messages.
fn types_of<'a>(file: &'a FileDescriptorProto, types: &mut BTreeSet<&'a str>) {
    for message in &file.message_type {
        types_of_message(message, types);
    }
}

/// The full names of what a file's services have in their signatures.
fn types_of_services<'a>(
    file: &'a FileDescriptorProto,
    rules: &'a Rules,
    types: &mut BTreeSet<&'a str>,
) {
    for service in &file.service {
        for method in &service.method {
            types.extend([method.input_type(), method.output_type()]);
        }
        let full_name = format!("{}.{}", file.package(), service.name());
        if let Some(rule) = rules.service(full_name.trim_start_matches('.')) {
            types.insert(&rule.errors);
        }
    }
}

fn types_of_message<'a>(message: &'a DescriptorProto, types: &mut BTreeSet<&'a str>) {
    types.extend(message.field.iter().map(FieldDescriptorProto::type_name));
    for nested in &message.nested_type {
        types_of_message(nested, types);
    }
}

/// The package with the longest name that a type, with or without a leading dot, is below; none for
/// scalars, which have no name.
fn package_of<'a>(groups: &Groups<'a>, ty: &str) -> Option<&'a str> {
    let mut name = ty.trim_start_matches('.');
    if name.is_empty() {
        return None;
    }
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
