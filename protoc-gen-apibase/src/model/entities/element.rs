//! How one value of a field is mapped, whatever the field's label.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::Type;

use super::super::entity::{Grade, GradeOf, Mapping, Same};
use super::Site;
use super::index::covered;
use super::sense::check_type;
use crate::descriptors::rules::{FieldRule, Format};
use crate::options::{DurationLibrary, Time};

/// A problem of a field: what is wrong and how to mend it. The caller knows where.
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) fix: String,
    /// The number of the rule's field that is at fault.
    pub(super) rule: i32,
}

/// Numbers of `FieldRule`'s fields, for the places of errors.
pub(super) mod tags {
    pub(in crate::model::entities) const FORMAT: i32 = 1;
    pub(in crate::model::entities) const REQUIRED: i32 = 2;
    pub(in crate::model::entities) const RENAME: i32 = 3;
    pub(in crate::model::entities) const IGNORE: i32 = 4;
    pub(in crate::model::entities) const SENSITIVE: i32 = 5;
    pub(in crate::model::entities) const LOSSY_OK: i32 = 6;
    pub(in crate::model::entities) const KIND: i32 = 7;
    pub(in crate::model::entities) const EMPTY_IS_ABSENT: i32 = 8;
    pub(in crate::model::entities) const UNKNOWN: i32 = 9;
    pub(in crate::model::entities) const FALLBACK: i32 = 10;
    pub(in crate::model::entities) const NONZERO: i32 = 11;
    pub(in crate::model::entities) const LENGTH: i32 = 12;
    pub(in crate::model::entities) const SET: i32 = 13;
    pub(in crate::model::entities) const FLATTEN: i32 = 14;
    pub(in crate::model::entities) const MASK: i32 = 15;
    pub(in crate::model::entities) const OUTPUT_ONLY: i32 = 16;
    pub(in crate::model::entities) const IMMUTABLE: i32 = 17;
    pub(in crate::model::entities) const IDENTIFIER: i32 = 18;
}

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

/// A value that is neither a message nor an enum; `shared` where prost's bytes are `Bytes`.
fn scalar(ty: Type, rule: &FieldRule, shared: bool) -> Result<Mapping, Refusal> {
    check_type(rule, ty, wire_name(ty))?;
    match ty {
        Type::String => text(rule),
        Type::Bytes => bytes(rule, shared),
        Type::Double => unformatted(rule, "double", same("f64", Same::Copy)).map(float),
        Type::Float => unformatted(rule, "float", same("f32", Same::Copy)).map(float),
        Type::Bool => unformatted(rule, "bool", same("bool", Same::Copy)),
        integer => integers(integer, rule),
    }
}

fn bytes(rule: &FieldRule, shared: bool) -> Result<Mapping, Refusal> {
    let (proto, parameter) = if shared {
        ("rt::Bytes", ", rt::Bytes")
    } else {
        ("Vec<u8>", "")
    };
    let own = Mapping {
        has_empty: true,
        ..same(proto, Same::Clone)
    };
    if rule.length > 0 {
        if rule.format() != Format::Unspecified {
            return Err(Refusal {
                what: "`length` and `format` are both given".to_owned(),
                fix: "remove one of the two: with `length` the bytes are an array, and a UUID has \
                      16 bytes anyway"
                    .to_owned(),
                rule: tags::LENGTH,
            });
        }
        let length = rule.length;
        return Ok(value(
            own,
            &format!("[u8; {length}]"),
            &format!("map::ByteArray<{length}{parameter}>"),
        ));
    }
    match rule.format() {
        Format::Unspecified => Ok(own),
        Format::Uuid => {
            let mapper = if shared {
                "map::UuidBytes<rt::Bytes>"
            } else {
                "map::UuidBytes"
            };
            Ok(value(own, "rt::Uuid", mapper))
        }
        Format::Buffer if shared => Ok(own),
        Format::Buffer => Ok(Mapping {
            grade: GradeOf::ISO,
            ..value(own, "rt::Bytes", "map::BytesBuffer")
        }),
        other => Err(wrong_format(other, "bytes")),
    }
}

fn text(rule: &FieldRule) -> Result<Mapping, Refusal> {
    let own = Mapping {
        has_empty: true,
        ..same("String", Same::Clone)
    };
    Ok(match rule.format() {
        Format::Unspecified => own,
        Format::Uuid => value(own, "rt::Uuid", "map::UuidText"),
        Format::Decimal => value(own, "rt::Decimal", "map::DecimalText"),
        Format::Uri => value(own, "rt::Url", "map::UrlText"),
        Format::Ip => value(own, "rt::IpAddr", "map::IpText"),
        Format::Json => Mapping {
            // Nested too deep, it couldn't be read again.
            fallible: true,
            hash: false,
            ..value(own, "rt::json::Value", "map::JsonText")
        },
        other => return Err(wrong_format(other, "string")),
    })
}

fn integers(ty: Type, rule: &FieldRule) -> Result<Mapping, Refusal> {
    let wire = match ty {
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => Integer::new("i32", 32, true),
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => Integer::new("i64", 64, true),
        Type::Uint32 | Type::Fixed32 => Integer::new("u32", 32, false),
        _ => Integer::new("u64", 64, false),
    };
    let target = match rule.format() {
        Format::Unspecified => wire,
        Format::Int8 => Integer::new("i8", 8, true),
        Format::Int16 => Integer::new("i16", 16, true),
        Format::Int32 => Integer::new("i32", 32, true),
        Format::Int64 => Integer::new("i64", 64, true),
        Format::Uint8 => Integer::new("u8", 8, false),
        Format::Uint16 => Integer::new("u16", 16, false),
        Format::Uint32 => Integer::new("u32", 32, false),
        Format::Uint64 => Integer::new("u64", 64, false),
        Format::Size => Integer::new("usize", 0, false),
        other => return Err(wrong_format(other, wire_name(ty))),
    };
    let own = same(wire.rust, Same::Copy);
    let mapping = if target.rust == wire.rust {
        own
    } else {
        let fits = target.fits(wire);
        let mapper = if fits { "Narrow" } else { "Integer" };
        Mapping {
            fallible: !fits,
            ..value(
                own,
                target.rust,
                &format!("map::{mapper}<{}, {}>", wire.rust, target.rust),
            )
        }
    };
    Ok(if rule.nonzero {
        let entity = format!("rt::NonZero<{}>", target.rust);
        let mapper = format!("map::NotZero<{}, {entity}>", mapping.mapper);
        Mapping {
            mapper,
            ..newtype(mapping, &entity)
        }
    } else {
        mapping
    })
}

/// An integer type: its name, its bits (0 where that depends), whether it has a sign.
#[derive(Clone, Copy)]
struct Integer {
    rust: &'static str,
    bits: u32,
    signed: bool,
}

impl Integer {
    fn new(rust: &'static str, bits: u32, signed: bool) -> Self {
        Self { rust, bits, signed }
    }

    /// Whether `wide` is `From<Self>`.
    fn fits(self, wide: Self) -> bool {
        let same_sign = self.signed == wide.signed;
        self.bits > 0 && self.bits < wide.bits && (same_sign || !self.signed)
    }
}

fn timestamp(time: Time) -> (&'static str, &'static str) {
    match time {
        Time::Chrono => ("rt::DateTime<rt::Utc>", "ChronoTimestamp"),
        Time::Time => ("rt::OffsetDateTime", "TimeTimestamp"),
        Time::Jiff => ("rt::JiffTimestamp", "JiffTimestamp"),
        Time::System => ("rt::SystemTime", "SystemTimestamp"),
    }
}

fn duration(library: DurationLibrary) -> (&'static str, &'static str) {
    match library {
        DurationLibrary::Std => ("rt::Duration", "StdDuration"),
        DurationLibrary::Chrono => ("rt::TimeDelta", "ChronoDuration"),
        DurationLibrary::Time => ("rt::TimeDuration", "TimeDuration"),
        DurationLibrary::Jiff => ("rt::SignedDuration", "JiffDuration"),
    }
}

fn json(message: &str) -> (&'static str, &'static str) {
    match message {
        "Struct" => ("rt::json::Map<String, rt::json::Value>", "JsonStruct"),
        "ListValue" => ("Vec<rt::json::Value>", "JsonList"),
        _ => ("rt::json::Value", "JsonValue"),
    }
}

fn well_known(message: &str, entity: &str, mapper: &str, fallible: bool) -> Mapping {
    let proto = format!("rt::prost_types::{message}");
    Mapping {
        fallible,
        ..value(same(&proto, Same::Clone), entity, &format!("map::{mapper}"))
    }
}

/// The same on both sides.
pub(super) fn same(rust: &str, how: Same) -> Mapping {
    Mapping {
        entity: rust.to_owned(),
        proto: rust.to_owned(),
        mapper: format!("map::Same<{rust}>"),
        same: Some(how),
        fallible: false,
        grade: GradeOf::ISO,
        nested: Vec::new(),
        hash: true,
        has_empty: false,
    }
}

/// Another type for what is on the wire, which says every value of it.
pub(super) fn value(wire: Mapping, entity: &str, mapper: &str) -> Mapping {
    Mapping {
        entity: entity.to_owned(),
        mapper: mapper.to_owned(),
        same: None,
        grade: known(Grade::Injective),
        ..wire
    }
}

pub(super) fn known(grade: Grade) -> GradeOf {
    GradeOf {
        known: grade,
        and: Vec::new(),
    }
}

fn newtype(mapping: Mapping, path: &str) -> Mapping {
    let mut grade = mapping.grade.clone();
    grade.lower(&known(Grade::Injective));
    Mapping {
        entity: path.to_owned(),
        mapper: format!("map::Newtype<{}, {path}>", mapping.mapper),
        same: None,
        grade,
        ..mapping
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

fn float(mapping: Mapping) -> Mapping {
    Mapping {
        hash: false,
        ..mapping
    }
}

fn unformatted(rule: &FieldRule, ty: &str, mapping: Mapping) -> Result<Mapping, Refusal> {
    match rule.format() {
        Format::Unspecified => Ok(mapping),
        other => Err(wrong_format(other, ty)),
    }
}

/// A format on a type that it isn't for.
pub(super) fn wrong_format(format: Format, ty: &str) -> Refusal {
    let (name, home) = match format {
        Format::Unspecified => ("FORMAT_UNSPECIFIED", "any type"),
        Format::Uuid => ("UUID", "`string` and `bytes`"),
        Format::Decimal => ("DECIMAL", "`string`"),
        Format::Uri => ("URI", "`string`"),
        Format::Ip => ("IP", "`string`"),
        Format::Json => (
            "JSON",
            "`string`, `google.protobuf.Struct`, `Value` and `ListValue`",
        ),
        Format::Buffer => ("BUFFER", "`bytes`"),
        Format::Int8 => ("INT8", "integers"),
        Format::Int16 => ("INT16", "integers"),
        Format::Int32 => ("INT32", "integers"),
        Format::Int64 => ("INT64", "integers"),
        Format::Uint8 => ("UINT8", "integers"),
        Format::Uint16 => ("UINT16", "integers"),
        Format::Uint32 => ("UINT32", "integers"),
        Format::Uint64 => ("UINT64", "integers"),
        Format::Size => ("SIZE", "integers"),
    };
    let fix = match formats_of(ty) {
        "" => "remove the format".to_owned(),
        formats => format!("remove the format, or use one for `{ty}`: {formats}"),
    };
    Refusal {
        what: format!("format {name} is for {home}, and this is `{ty}`"),
        fix,
        rule: tags::FORMAT,
    }
}

/// The formats that a type can have; none for most messages.
fn formats_of(ty: &str) -> &'static str {
    match ty {
        "string" => "UUID, DECIMAL, URI, IP or JSON",
        "bytes" => "UUID or BUFFER",
        "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" => "JSON",
        "bool" | "double" | "float" => "",
        integer if !integer.contains('.') && integer.contains("int") => INTEGER_FORMATS,
        "fixed32" | "fixed64" | "sfixed32" | "sfixed64" => INTEGER_FORMATS,
        _ => "",
    }
}

const INTEGER_FORMATS: &str = "INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 or SIZE";

pub(super) fn wire_name(ty: Type) -> &'static str {
    match ty {
        Type::Double => "double",
        Type::Float => "float",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Fixed64 => "fixed64",
        Type::Fixed32 => "fixed32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Group => "group",
        Type::Message => "message",
        Type::Bytes => "bytes",
        Type::Uint32 => "uint32",
        Type::Enum => "enum",
        Type::Sfixed32 => "sfixed32",
        Type::Sfixed64 => "sfixed64",
        Type::Sint32 => "sint32",
        Type::Sint64 => "sint64",
    }
}
