//! Which messages are entities, and how other code names them and their mappers.

use prost_types::field_descriptor_proto::Type;
use prost_types::{EnumValueDescriptorProto, FieldDescriptorProto};

use super::super::entity::{Mapping, Same};
use super::field::as_it_is;
use super::formats::wrong_format;
use super::index::{EnumRef, MessageRef};
use super::mapping::{known, same, value};
use super::refusal::{Refusal, tags};
use super::sense::check_type;
use super::{Entities, Site, google};
use crate::descriptors::File;
use crate::descriptors::rules::{FieldRule, Format, Unknown};
use crate::names;

/// The type that stands for a message in signatures, and its mapper.
pub(in crate::model) struct Mapped {
    /// As written inside `api`.
    pub(in crate::model) ty: String,
    /// The same.
    pub(in crate::model) mapper: String,
}

impl<'a> Entities<'a> {
    /// How an RPC in `package` names the entity of a message, if that is one.
    pub(in crate::model) fn of_rpc(&self, package: &str, message: &str) -> Option<Mapped> {
        let message = self.index.find(message)?;
        self.is_entity(message)
            .then(|| self.refer(package, message))
    }

    /// Whether a message is an entity: the proto says so, or the configuration does.
    pub(super) fn is_entity(&self, message: &MessageRef<'_>) -> bool {
        if super::super::conflicts::is_map_entry(message.message) {
            return false;
        }
        let name = message.full_name.as_str();
        match self.rules.entity(name) {
            Some(rule) => !rule.skip,
            None => {
                self.is_configured(name)
                    || self
                        .rules
                        .file(message.file.proto.name())
                        .is_some_and(|rule| rule.entities)
            }
        }
    }

    /// Whether the user wrote the mapper of a message.
    pub(super) fn is_mapped_by_user(&self, message: &MessageRef<'_>) -> bool {
        lookup(&self.options.with, &message.full_name).is_some()
    }

    /// Whether enums of a file become enums of the domain: something in it is an entity.
    pub(super) fn has_entities(&self, file: &File) -> bool {
        let (messages, _) = self.index.of_file(file);
        messages.iter().any(|message| self.is_entity(message))
            || self
                .rules
                .file(file.proto.name())
                .is_some_and(|rule| rule.entities)
    }

    /// Whether an enum is one of the domain. Catalogues of errors are not, nor is one whose only value
    /// stands for none.
    pub(super) fn is_domain_enum(&self, found: &EnumRef<'_>) -> bool {
        let has_values = found
            .descriptor
            .value
            .iter()
            .any(|value| value.number() != 0)
            || super::enums::unspecified(found.descriptor).is_none();
        has_values
            && self.rules.errors(&found.full_name).is_none()
            && (self.is_configured(&found.full_name) || self.has_entities(found.file))
    }

    /// Whether some message takes the fields of a message for its own.
    pub(super) fn is_flattened_somewhere(&self, message: &MessageRef<'_>) -> bool {
        self.index.messages().any(|other| {
            other.message.field.iter().any(|field| {
                field.type_name().trim_start_matches('.') == message.full_name
                    && self
                        .rules
                        .field(&other.full_name, field.number())
                        .is_some_and(|rule| rule.flatten)
            })
        })
    }

    /// The entity's plain name: what the proto says, or the message's.
    pub(super) fn entity_name(&self, message: &MessageRef<'_>) -> String {
        let own = self
            .rules
            .entity(&message.full_name)
            .map_or("", |rule| rule.name.as_str());
        if own.is_empty() {
            names::domain_type(message.file.proto.package(), &message.full_name)
        } else {
            names::entity(own)
        }
    }

    /// The user's type for a message, an enum or a oneof.
    pub(super) fn users_type(&self, full_name: &str) -> Option<&str> {
        lookup(&self.options.entities, full_name)
    }

    /// A type and its mapper, as `package` names them.
    pub(super) fn refer(&self, package: &str, message: &MessageRef<'_>) -> Mapped {
        let name = self.entity_name(message);
        let api = self.api_of(package, message.file.proto.package());
        let users_mapper = lookup(&self.options.with, &message.full_name);
        let mapper = match users_mapper {
            Some(path) => path.to_owned(),
            None => format!("{api}{}", names::beside(&name, "Mapper")),
        };
        let ty = match (self.users_type(&message.full_name), users_mapper) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => format!("<{path} as rt::map::ProtobufMapper>::Entity"),
            (None, None) => format!("{api}{name}"),
        };
        Mapped { ty, mapper }
    }

    /// The path from `api` of one package to `api` of another, with `::` at its end; empty for the
    /// same.
    pub(in crate::model) fn api_of(&self, from: &str, to: &str) -> String {
        if from == to {
            return String::new();
        }
        let api = self.apis.get(to).map_or("api", String::as_str);
        format!("{}{api}::", self.externs.module(from, to))
    }

    fn is_configured(&self, full_name: &str) -> bool {
        self.users_type(full_name).is_some() || lookup(&self.options.with, full_name).is_some()
    }
}

impl Site<'_> {
    /// A message inside an entity.
    pub(super) fn message(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
    ) -> Result<Mapping, Refusal> {
        let name = field.type_name().trim_start_matches('.');
        if let Some(well_known) = name.strip_prefix("google.protobuf.")
            && !self.run.externs.is_redirected(name)
            && lookup(&self.run.options.with, name).is_none()
            && let Some(mapping) = self.well_known(well_known, rule)
        {
            return mapping;
        }
        refuse_scalar_rules(rule, Type::Message, name)?;
        let proto = self.proto_type(field);
        let Some(message) = self.run.index.find(name) else {
            return Ok(as_it_is(&proto));
        };
        if self.run.is_entity(message) {
            let mapped = self.run.refer(self.package, message);
            let mut mapping = value(as_it_is(&proto), &mapped.ty, &mapped.mapper);
            mapping.grade = known(super::super::entity::Grade::Iso);
            if self.run.is_mapped_by_user(message) {
                mapping.fallible = true;
                mapping.grade.and.push(mapped.mapper);
            } else {
                mapping.nested.push(message.full_name.clone());
            }
            return Ok(mapping);
        }
        if let Some(mapping) = google::mapping(name, &proto, self.run.options) {
            return Ok(mapping);
        }
        Ok(as_it_is(&proto))
    }

    /// An enum inside an entity.
    pub(super) fn enumeration(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
    ) -> Result<Mapping, Refusal> {
        refuse_scalar_rules(rule, Type::Enum, field.type_name().trim_start_matches('.'))?;
        let Some(found) = self.run.index.find_enum(field.type_name()) else {
            return Ok(same("i32", Same::Copy));
        };
        let (ty, mapper) = if self.run.is_domain_enum(found) {
            self.run.refer_enum(self.package, found)
        } else {
            let prost = self
                .run
                .externs
                .resolve(self.package, field.type_name())
                .rust;
            (prost.clone(), format!("map::ProstEnum<{prost}>"))
        };
        let mapping = value(same("i32", Same::Copy), &ty, &mapper);
        match rule.unknown() {
            Unknown::Unspecified | Unknown::Reject => {
                if rule.fallback.is_empty() {
                    return Ok(mapping);
                }
                Err(Refusal {
                    what: "`fallback` does nothing without `unknown: FALLBACK`".to_owned(),
                    fix: "add `unknown: FALLBACK`, or remove `fallback`".to_owned(),
                    rule: tags::FALLBACK,
                })
            }
            Unknown::Keep if !rule.fallback.is_empty() => Err(Refusal {
                what: "`fallback` does nothing with `unknown: KEEP`, which keeps the number"
                    .to_owned(),
                fix: "say `unknown: FALLBACK`, or remove `fallback`".to_owned(),
                rule: tags::FALLBACK,
            }),
            Unknown::Keep => Ok(Mapping {
                entity: format!("rt::Open<{}>", mapping.entity),
                mapper: format!("map::Keep<{}>", mapping.mapper),
                // The number that stands for no value can't be kept.
                fallible: true,
                ..mapping
            }),
            Unknown::Fallback => {
                let number = fallback(found, rule)?;
                Ok(Mapping {
                    mapper: format!("map::Fallback<{}, {number}>", mapping.mapper),
                    ..mapping
                })
            }
        }
    }

    /// Whether the field's enum is one of the domain.
    pub(super) fn is_domain_enum(&self, field: &FieldDescriptorProto) -> bool {
        self.run
            .index
            .find_enum(field.type_name())
            .is_some_and(|found| self.run.is_domain_enum(found))
    }

    /// Whether the field's enum has a value that stands for none.
    pub(super) fn has_unspecified(&self, field: &FieldDescriptorProto) -> bool {
        self.run
            .index
            .find_enum(field.type_name())
            .is_some_and(|found| super::enums::unspecified(found.descriptor).is_some())
    }

    /// prost's type of the value, as written inside `api`.
    pub(super) fn proto_type(&self, field: &FieldDescriptorProto) -> String {
        match field.r#type() {
            Type::Message | Type::Group => {
                self.run
                    .externs
                    .resolve(self.package, field.type_name())
                    .rust
            }
            Type::Enum => "i32".to_owned(),
            _ => self
                .scalar_field(field, &FieldRule::default())
                .map(|mapping| mapping.proto)
                .unwrap_or_default(),
        }
    }
}

fn lookup<'b>(pairs: &'b [(String, String)], name: &str) -> Option<&'b str> {
    let found = pairs.iter().find(|(proto, _)| proto == name);
    found.map(|(_, rust)| rust.as_str())
}

fn fallback(found: &EnumRef<'_>, rule: &FieldRule) -> Result<i32, Refusal> {
    let none = super::enums::unspecified(found.descriptor).map(EnumValueDescriptorProto::number);
    let mut values = found.descriptor.value.iter();
    let number = values
        .find(|value| value.name() == rule.fallback)
        .map(EnumValueDescriptorProto::number);
    if let Some(number) = number
        && none != Some(number)
    {
        return Ok(number);
    }
    let what = match number {
        Some(_) => format!(
            "`{}` stands for no value, so nothing can fall back to it",
            rule.fallback
        ),
        None if rule.fallback.is_empty() => {
            "`unknown: FALLBACK` needs the name of a value in `fallback`".to_owned()
        }
        None => format!(
            "enum `{}` has no value `{}`",
            found.full_name, rule.fallback
        ),
    };
    let values = found.descriptor.value.iter();
    let known: Vec<String> = values
        .filter(|value| Some(value.number()) != none)
        .map(|value| format!("`{}`", value.name()))
        .collect();
    Err(Refusal {
        what,
        fix: format!("name one of {} in `fallback`", known.join(", ")),
        rule: if rule.fallback.is_empty() {
            tags::UNKNOWN
        } else {
            tags::FALLBACK
        },
    })
}

/// Rules that are for scalars alone.
fn refuse_scalar_rules(rule: &FieldRule, ty: Type, name: &str) -> Result<(), Refusal> {
    if rule.format() != Format::Unspecified {
        return Err(wrong_format(rule.format(), name));
    }
    check_type(rule, ty, name)
}
