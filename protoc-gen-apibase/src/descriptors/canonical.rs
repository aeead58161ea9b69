//! One form for the bytes of a file's descriptor, whichever compiler wrote them.
//!
//! protoc, buf and protox give the same descriptors but for: the order of fields in options,
//! the pieces in which an option's message arrives, the order of maps, zeroes where nothing means
//! the same, options that are present but empty, options that are only for the source, the way
//! floats are written in defaults, and the source information. Each of these is made equal here,
//! on the wire: the fields are sorted and merged as their descriptors say, and what no descriptor
//! knows stays as it came.

mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use self::schema::{Schema, Shape};
use super::wire::{self, Malformed, Packed, Value};
use crate::names;

const FILE: &str = "google.protobuf.FileDescriptorProto";
const FIELD: &str = "google.protobuf.FieldDescriptorProto";
const FILE_SOURCE_CODE_INFO: u32 = 9;
const FIELD_NAME: u32 = 1;
const FIELD_TYPE: u32 = 5;
const FIELD_DEFAULT_VALUE: u32 = 7;
const FIELD_JSON_NAME: u32 = 10;

/// Options nested deeper than this are taken as they came; protobuf's own parsers stop at 100.
const MAX_DEPTH: usize = 100;

/// The canonical bytes of an encoded `FileDescriptorProto`, without source information.
pub(super) fn file(pool: &DescriptorPool, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    // The set's own descriptor.proto knows the set's extensions of options.
    let descriptor = pool
        .get_message_by_name(FILE)
        .or_else(|| DescriptorPool::global().get_message_by_name(FILE));
    match descriptor {
        Some(descriptor) => message(&descriptor, bytes, 0),
        None => Ok(bytes.to_vec()),
    }
}

/// A field's default as protoc writes it; `kind` is the number of its `Type`. Compilers differ
/// in how they write floats.
pub(super) fn default_value(kind: u64, text: &str) -> String {
    const DOUBLE: u64 = 1;
    const FLOAT: u64 = 2;
    let number = match kind {
        DOUBLE => text.parse::<f64>().ok().map(|value| format!("{value:?}")),
        FLOAT => text.parse::<f32>().ok().map(|value| format!("{value:?}")),
        _ => None,
    };
    match number.as_deref() {
        None => text.to_owned(),
        Some("NaN") => "nan".to_owned(),
        Some(number) => number.strip_suffix(".0").unwrap_or(number).to_owned(),
    }
}

fn message(
    descriptor: &MessageDescriptor,
    bytes: &[u8],
    depth: usize,
) -> Result<Vec<u8>, Malformed> {
    let mut fields: BTreeMap<u32, Vec<Value<'_>>> = BTreeMap::new();
    for field in wire::fields(bytes)? {
        fields.entry(field.number).or_default().push(field.value);
    }
    let adapted = adapt(descriptor.full_name(), &mut fields);
    for (number, text) in &adapted {
        fields.insert(*number, vec![Value::Bytes(text.as_bytes())]);
    }
    let mut out = Vec::with_capacity(bytes.len());
    for (number, values) in &fields {
        match Schema::of(descriptor, *number) {
            Some(schema) if depth < MAX_DEPTH => {
                put_known(&mut out, *number, &schema, values, depth)?;
            }
            _ => values
                .iter()
                .for_each(|value| wire::put(&mut out, *number, value)),
        }
    }
    Ok(out)
}

/// What descriptors have beyond the rules of the wire; gives the fields to set.
fn adapt(message: &str, fields: &mut BTreeMap<u32, Vec<Value<'_>>>) -> Vec<(u32, String)> {
    let mut set = Vec::new();
    if message == FILE {
        fields.remove(&FILE_SOURCE_CODE_INFO);
    }
    if message == FIELD {
        let text = |number: u32| match fields.get(&number).and_then(|values| values.last()) {
            Some(Value::Bytes(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        let kind = match fields.get(&FIELD_TYPE).and_then(|values| values.last()) {
            Some(Value::Varint(kind)) => *kind,
            _ => 0,
        };
        if let Some(default) = text(FIELD_DEFAULT_VALUE) {
            set.push((FIELD_DEFAULT_VALUE, default_value(kind, default)));
        }
        if let (Some(name), None) = (text(FIELD_NAME), text(FIELD_JSON_NAME)) {
            set.push((FIELD_JSON_NAME, names::json(name)));
        }
    }
    set
}

fn put_known(
    out: &mut Vec<u8>,
    number: u32,
    schema: &Schema,
    values: &[Value<'_>],
    depth: usize,
) -> Result<(), Malformed> {
    if schema.source_only {
        return Ok(());
    }
    match (schema.shape, &schema.kind) {
        (Shape::Map, Kind::Message(entry)) => put_map(out, number, entry, values, depth),
        (Shape::Singular, Kind::Message(inner)) => {
            put_merged(out, number, schema, inner, values, depth)
        }
        (_, Kind::Message(inner)) => {
            for value in values {
                put_message(
                    out,
                    number,
                    value,
                    &message(inner, content(value)?, depth + 1)?,
                );
            }
            Ok(())
        }
        (Shape::Singular, _) => {
            let last = values
                .last()
                .filter(|value| schema.presence || !value.is_default());
            last.into_iter()
                .for_each(|value| wire::put(out, number, value));
            Ok(())
        }
        (shape, kind) => put_list(out, number, shape, kind, values),
    }
}

/// A message that came in pieces: the pieces are one message, by the rules of the wire.
fn put_merged(
    out: &mut Vec<u8>,
    number: u32,
    schema: &Schema,
    inner: &MessageDescriptor,
    values: &[Value<'_>],
    depth: usize,
) -> Result<(), Malformed> {
    let mut pieces = Vec::new();
    for value in values {
        pieces.extend(content(value)?);
    }
    let merged = message(inner, &pieces, depth + 1)?;
    if merged.is_empty() && (schema.options || !schema.presence) {
        return Ok(());
    }
    if let Some(first) = values.first() {
        put_message(out, number, first, &merged);
    }
    Ok(())
}

/// A map: sorted by key, of equal keys the last.
fn put_map(
    out: &mut Vec<u8>,
    number: u32,
    entry: &MessageDescriptor,
    values: &[Value<'_>],
    depth: usize,
) -> Result<(), Malformed> {
    const KEY: u32 = 1;
    let mut entries = BTreeMap::new();
    for value in values {
        let bytes = message(entry, content(value)?, depth + 1)?;
        let mut key = Vec::new();
        for field in wire::fields(&bytes)? {
            if field.number == KEY {
                wire::put(&mut key, KEY, &field.value);
            }
        }
        entries.insert(key, bytes);
    }
    for bytes in entries.values() {
        wire::put(out, number, &Value::Bytes(bytes));
    }
    Ok(())
}

/// A list of scalars, packed or not as its field says, however it came.
fn put_list(
    out: &mut Vec<u8>,
    number: u32,
    shape: Shape,
    kind: &Kind,
    values: &[Value<'_>],
) -> Result<(), Malformed> {
    let mut elements = Vec::new();
    for value in values {
        match (value, packing(kind)) {
            (Value::Bytes(bytes), Some(packing)) => elements.extend(wire::unpack(bytes, packing)?),
            (value, _) => elements.push(value.clone()),
        }
    }
    if shape == Shape::Packed && packing(kind).is_some() {
        let mut packed = Vec::new();
        elements
            .iter()
            .for_each(|value| wire::put_value(&mut packed, value));
        wire::put(out, number, &Value::Bytes(&packed));
    } else {
        elements
            .iter()
            .for_each(|value| wire::put(out, number, value));
    }
    Ok(())
}

fn packing(kind: &Kind) -> Option<Packed> {
    match kind {
        Kind::String | Kind::Bytes | Kind::Message(_) => None,
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Some(Packed::Fixed64),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Some(Packed::Fixed32),
        _ => Some(Packed::Varint),
    }
}

/// Writes a message as a group where it came as one.
fn put_message(out: &mut Vec<u8>, number: u32, like: &Value<'_>, bytes: &[u8]) {
    match like {
        Value::Group(_) => wire::put(out, number, &Value::Group(bytes)),
        _ => wire::put(out, number, &Value::Bytes(bytes)),
    }
}

fn content<'a>(value: &Value<'a>) -> Result<&'a [u8], Malformed> {
    match value {
        Value::Bytes(bytes) | Value::Group(bytes) => Ok(bytes),
        Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32(_) => Err(Malformed),
    }
}
