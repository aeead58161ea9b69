//! How one value of a field is mapped, whatever the field's label.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::Type;

use super::super::entity::{Grade, GradeOf, Mapping};
use super::Site;
use super::formats::{duration, json, scalar, timestamp, unformatted, well_known};
use super::index::covered;
use super::mapping::{known, newtype};
use super::refusal::{Refusal, tags};
use super::sense::check_type;
use crate::descriptors::rules::{FieldRule, Format};

impl Site<'_> {
    /// The value's mapping, with the field's format and the user's types.
    pub(super) fn element(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
    ) -> Result<Mapping, Refusal> {
        if let Some(path) = self.configured(&self.run.options.with) {
            return Ok(self.by_users_mapper(field, path));
        }
        let mapping = match field.r#type() {
            Type::Message | Type::Group => self.message(field, rule)?,
            Type::Enum => self.enumeration(field, rule)?,
            _ => self.scalar_field(field, rule)?,
        };
        let mapping = self.users_newtype(mapping, rule)?;
        Ok(if rule.sensitive {
            without_sources(mapping)
        } else {
            mapping
        })
    }

    fn configured<'b>(&self, pairs: &'b [(String, String)]) -> Option<&'b str> {
        let found = pairs.iter().find(|(path, _)| *path == self.full_name);
        found.map(|(_, rust)| rust.as_str())
    }

    /// A mapper that the user wrote: of what it does only its type is known.
    fn by_users_mapper(&self, field: &FieldDescriptorProto, path: &str) -> Mapping {
        Mapping {
            entity: format!("<{path} as rt::map::ProtobufMapper>::Entity"),
            proto: self.proto_type(field),
            mapper: path.to_owned(),
            same: None,
            fallible: true,
            grade: GradeOf {
                known: Grade::Iso,
                and: vec![path.to_owned()],
            },
            nested: Vec::new(),
            hash: true,
            has_empty: matches!(field.r#type(), Type::String | Type::Bytes),
        }
    }

    fn users_newtype(&self, mapping: Mapping, rule: &FieldRule) -> Result<Mapping, Refusal> {
        let options = self.run.options;
        let own = self.configured(&options.newtypes);
        let kind = options
            .kinds
            .iter()
            .find(|(name, _)| *name == rule.kind)
            .map(|(_, rust)| rust.as_str());
        if !rule.kind.is_empty() && kind.is_none() && own.is_none() {
            let known: Vec<&str> = options
                .kinds
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            let known = match known.as_slice() {
                [] => String::new(),
                known => format!(" (the known ones are: {})", known.join(", ")),
            };
            return Err(Refusal {
                what: format!("no type is configured for the kind `{}`{known}", rule.kind),
                fix: format!(
                    "name one: `.kind(\"{kind}\", \"crate::…\")` in build.rs, the parameter \
                     `kind={kind}=crate::…`, or `[kind]` in apibase.toml",
                    kind = rule.kind
                ),
                rule: tags::KIND,
            });
        }
        Ok(match own.or(kind) {
            Some(path) => newtype(mapping, path),
            None => mapping,
        })
    }

    /// A field that is neither a message nor an enum.
    pub(super) fn scalar_field(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
    ) -> Result<Mapping, Refusal> {
        scalar(field.r#type(), rule, self.has_buffers(field))
    }

    /// Whether prost's field is `Bytes`. Of a map's values it asks as if they were a field `value`
    /// of the message around.
    fn has_buffers(&self, field: &FieldDescriptorProto) -> bool {
        let path = format!("{}.{}", self.message.full_name, field.name());
        covered(&self.run.options.bytes, &path)
    }

    /// What `google.protobuf` has Rust types for elsewhere.
    pub(super) fn well_known(
        &self,
        name: &str,
        rule: &FieldRule,
    ) -> Option<Result<Mapping, Refusal>> {
        let options = self.run.options;
        let full_name = format!("google.protobuf.{name}");
        let message = |mapping| {
            check_type(rule, Type::Message, &full_name)?;
            unformatted(rule, &full_name, mapping)
        };
        Some(match name {
            "Timestamp" => {
                let (entity, mapper) = timestamp(options.time);
                message(well_known("Timestamp", entity, mapper, true))
            }
            "Duration" => {
                let (entity, mapper) = duration(options.duration_library());
                message(well_known("Duration", entity, mapper, true))
            }
            "Struct" | "Value" | "ListValue" if rule.format() == Format::Json => {
                let (entity, mapper) = json(name);
                check_type(rule, Type::Message, &full_name).map(|()| Mapping {
                    grade: known(Grade::Lossy),
                    hash: false,
                    ..well_known(name, entity, mapper, true)
                })
            }
            "StringValue" => scalar(Type::String, rule, false),
            // `Vec<u8>`, whatever `bytes` says.
            "BytesValue" => scalar(Type::Bytes, rule, false),
            "BoolValue" => scalar(Type::Bool, rule, false),
            "DoubleValue" => scalar(Type::Double, rule, false),
            "FloatValue" => scalar(Type::Float, rule, false),
            "Int32Value" => scalar(Type::Int32, rule, false),
            "Int64Value" => scalar(Type::Int64, rule, false),
            "UInt32Value" => scalar(Type::Uint32, rule, false),
            "UInt64Value" => scalar(Type::Uint64, rule, false),
            _ => return None,
        })
    }
}

fn without_sources(mapping: Mapping) -> Mapping {
    // Where nothing can be wrong, nothing is said.
    if mapping.same.is_some() {
        return mapping;
    }
    Mapping {
        mapper: format!("map::Sensitive<{}>", mapping.mapper),
        ..mapping
    }
}
