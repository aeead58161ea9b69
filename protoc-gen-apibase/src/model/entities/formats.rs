//! What a scalar is in an entity, by its format; and what the well-known messages are.

use prost_types::field_descriptor_proto::Type;

use super::super::entity::{GradeOf, Mapping, Same};
use super::mapping::{newtype, same, value};
use super::refusal::{Refusal, tags};
use super::sense::check_type;
use crate::descriptors::rules::{FieldRule, Format};
use crate::options::{DurationLibrary, Time};

const INTEGER_FORMATS: &str = "INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 or SIZE";

/// A value that is neither a message nor an enum; `shared` where prost's bytes are `Bytes`.
pub(super) fn scalar(ty: Type, rule: &FieldRule, shared: bool) -> Result<Mapping, Refusal> {
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
        let mapper = format!("map::{mapper}<{}, {}>", wire.rust, target.rust);
        let mapped = value(own, target.rust, &mapper);
        Mapping {
            fallible: !fits,
            // Where every number of the field is one of the entity's.
            grade: if wire.fits(target) {
                GradeOf::ISO
            } else {
                mapped.grade.clone()
            },
            ..mapped
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

pub(super) fn timestamp(time: Time) -> (&'static str, &'static str) {
    match time {
        Time::Chrono => ("rt::DateTime<rt::Utc>", "ChronoTimestamp"),
        Time::Time => ("rt::OffsetDateTime", "TimeTimestamp"),
        Time::Jiff => ("rt::JiffTimestamp", "JiffTimestamp"),
        Time::System => ("rt::SystemTime", "SystemTimestamp"),
    }
}

pub(super) fn duration(library: DurationLibrary) -> (&'static str, &'static str) {
    match library {
        DurationLibrary::Std => ("rt::Duration", "StdDuration"),
        DurationLibrary::Chrono => ("rt::TimeDelta", "ChronoDuration"),
        DurationLibrary::Time => ("rt::TimeDuration", "TimeDuration"),
        DurationLibrary::Jiff => ("rt::SignedDuration", "JiffDuration"),
    }
}

pub(super) fn json(message: &str) -> (&'static str, &'static str) {
    match message {
        "Struct" => ("rt::json::Map<String, rt::json::Value>", "JsonStruct"),
        "ListValue" => ("Vec<rt::json::Value>", "JsonList"),
        _ => ("rt::json::Value", "JsonValue"),
    }
}

pub(super) fn well_known(message: &str, entity: &str, mapper: &str, fallible: bool) -> Mapping {
    let proto = format!("rt::prost_types::{message}");
    Mapping {
        fallible,
        ..value(same(&proto, Same::Clone), entity, &format!("map::{mapper}"))
    }
}

fn float(mapping: Mapping) -> Mapping {
    Mapping {
        hash: false,
        ..mapping
    }
}

pub(super) fn unformatted(
    rule: &FieldRule,
    ty: &str,
    mapping: Mapping,
) -> Result<Mapping, Refusal> {
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
