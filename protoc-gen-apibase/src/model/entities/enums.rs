//! Enums of the domain, in place of prost's numbers.

use std::collections::BTreeSet;

use prost_types::{EnumDescriptorProto, EnumOptions, EnumValueDescriptorProto, EnumValueOptions};

use super::super::entity::{DomainEnum, EnumVariant};
use super::super::scope::{Claim, Scope};
use super::super::services;
use super::index::{EnumRef, covered};
use super::{Entities, claim_type};
use crate::comments;
use crate::descriptors::tag;
use crate::error::Diagnostics;
use crate::names;

impl<'a> Entities<'a> {
    /// The enum as the domain has it; none for a catalogue of errors.
    pub(super) fn domain_enum(
        &self,
        package: &str,
        found: &EnumRef<'a>,
        api: &mut Scope<'a>,
        problems: &mut Diagnostics,
    ) -> Option<DomainEnum> {
        if !self.is_domain_enum(found) {
            return None;
        }
        let EnumRef {
            file,
            descriptor,
            path,
            full_name,
        } = found;
        let name = names::domain_type(file.proto.package(), full_name);
        let claim = Claim {
            what: format!("enum `{}`", descriptor.name()),
            file,
            path: path.clone(),
        };
        let mapper = claim_type(api, &name, claim, "rename one of the two", problems);
        let users = self.users_type(full_name);
        let options = descriptor.options.as_ref();
        let docs = services::docs(
            &file.source.comment(path),
            || format!("The enum `{full_name}`."),
            options.is_some_and(EnumOptions::deprecated),
        );
        let none = unspecified(descriptor);
        Some(DomainEnum {
            full_name: full_name.clone(),
            source: file.proto.name().to_owned(),
            docs,
            ty: users.unwrap_or(&name).to_owned(),
            generated: users.is_none(),
            attributes: self.attributes(full_name),
            proto: self.externs.resolve(package, &format!(".{full_name}")).rust,
            mapper,
            unspecified: none.map(|value| names::variant(descriptor.name(), value.name())),
            variants: variants(found, none),
            name,
        })
    }

    /// The type and the mapper of an enum, as `package` names them.
    pub(super) fn refer_enum(&self, package: &str, found: &EnumRef<'_>) -> (String, String) {
        let name = names::domain_type(found.file.proto.package(), &found.full_name);
        let api = self.api_of(package, found.file.proto.package());
        let ty = match self.users_type(&found.full_name) {
            Some(path) => path.to_owned(),
            None => format!("{api}{name}"),
        };
        (ty, format!("{api}{}", names::beside(&name, "Mapper")))
    }

    /// The user's attributes for a generated type.
    pub(super) fn attributes(&self, full_name: &str) -> Vec<String> {
        self.options
            .entity_attributes
            .iter()
            .filter(|(path, _)| covered(std::slice::from_ref(path), full_name))
            .map(|(_, attribute)| attribute.clone())
            .collect()
    }
}

/// The value that stands for none: number 0, named `…_UNSPECIFIED`.
pub(super) fn unspecified(descriptor: &EnumDescriptorProto) -> Option<&EnumValueDescriptorProto> {
    descriptor
        .value
        .iter()
        .find(|value| value.number() == 0)
        .filter(|value| value.name().to_ascii_uppercase().ends_with("UNSPECIFIED"))
}

fn variants(found: &EnumRef<'_>, none: Option<&EnumValueDescriptorProto>) -> Vec<EnumVariant> {
    let mut numbers = BTreeSet::new();
    let mut variants = Vec::new();
    for (at, value) in (0i32..).zip(&found.descriptor.value) {
        // prost drops aliases: of equal numbers only the first becomes a variant.
        if !numbers.insert(value.number())
            || none.is_some_and(|none| none.number() == value.number())
        {
            continue;
        }
        let path = [found.path.as_slice(), &[tag::ENUM_VALUE, at]].concat();
        let mut docs = comments::rustdoc(&found.file.source.comment(&path));
        if docs.is_empty() {
            docs.push(format!("`{}`", value.name()));
        }
        variants.push(EnumVariant {
            name: names::variant(found.descriptor.name(), value.name()),
            docs,
            deprecated: value
                .options
                .as_ref()
                .is_some_and(EnumValueOptions::deprecated),
        });
    }
    variants
}
