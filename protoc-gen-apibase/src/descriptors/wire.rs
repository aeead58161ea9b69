//! The protobuf wire format, as far as bytes can be taken apart without a schema.

use std::fmt;

/// One field as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Value<'a>,
}

/// A value and the wire type it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(&'a [u8]),
    /// What stands between the two tags of a group.
    Group(&'a [u8]),
}

/// The bytes are no protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is cut off or no protobuf message")
    }
}

impl Value<'_> {
    /// Whether this is the zero, or the empty value, of its type.
    pub(super) fn is_default(&self) -> bool {
        match self {
            Value::Varint(value) => *value == 0,
            Value::Fixed64(bytes) => bytes.iter().all(|byte| *byte == 0),
            Value::Fixed32(bytes) => bytes.iter().all(|byte| *byte == 0),
            Value::Bytes(bytes) | Value::Group(bytes) => bytes.is_empty(),
        }
    }
}

/// Takes a message apart, in the order of the wire.
pub(super) fn fields(mut bytes: &[u8]) -> Result<Vec<Field<'_>>, Malformed> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (number, wire_type) = tag(&mut bytes)?;
        let value = value(&mut bytes, number, wire_type)?;
        fields.push(Field { number, value });
    }
    Ok(fields)
}

/// Takes the values of a packed field apart; `like` says which wire type they have.
pub(super) fn unpack<'a>(mut bytes: &'a [u8], like: Packed) -> Result<Vec<Value<'a>>, Malformed> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(value(&mut bytes, 0, like as u8)?);
    }
    Ok(values)
}

/// The wire types that can be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    Varint = 0,
    Fixed64 = 1,
    Fixed32 = 5,
}

/// Appends a field.
pub(super) fn put(out: &mut Vec<u8>, number: u32, value: &Value<'_>) {
    let tag = u64::from(number) << 3;
    match value {
        Value::Varint(_) => put_varint(out, tag),
        Value::Fixed64(_) => put_varint(out, tag | 1),
        Value::Bytes(bytes) => {
            put_varint(out, tag | 2);
            put_varint(out, bytes.len() as u64);
        }
        Value::Group(_) => put_varint(out, tag | 3),
        Value::Fixed32(_) => put_varint(out, tag | 5),
    }
    put_value(out, value);
    if matches!(value, Value::Group(_)) {
        put_varint(out, tag | 4);
    }
}

/// Appends a value without its tag and length, as it stands in a packed field.
pub(super) fn put_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Varint(value) => put_varint(out, *value),
        Value::Fixed64(bytes) => out.extend(bytes),
        Value::Fixed32(bytes) => out.extend(bytes),
        Value::Bytes(bytes) | Value::Group(bytes) => out.extend(*bytes),
    }
}

fn put_varint(out: &mut Vec<u8>, value: u64) {
    prost::encoding::encode_varint(value, out);
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    prost::encoding::decode_varint(bytes).map_err(|_| Malformed)
}

fn tag(bytes: &mut &[u8]) -> Result<(u32, u8), Malformed> {
    let tag = varint(bytes)?;
    let number = u32::try_from(tag >> 3).map_err(|_| Malformed)?;
    Ok((number, (tag & 7) as u8))
}

fn value<'a>(bytes: &mut &'a [u8], number: u32, wire_type: u8) -> Result<Value<'a>, Malformed> {
    match wire_type {
        0 => Ok(Value::Varint(varint(bytes)?)),
        1 => Ok(Value::Fixed64(array(bytes)?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| Malformed)?;
            Ok(Value::Bytes(take(bytes, length)?))
        }
        3 => group(bytes, number),
        5 => Ok(Value::Fixed32(array(bytes)?)),
        _ => Err(Malformed),
    }
}

/// Reads up to the end tag of group `number`, over the groups inside it.
fn group<'a>(bytes: &mut &'a [u8], number: u32) -> Result<Value<'a>, Malformed> {
    let start = *bytes;
    let mut open = vec![number];
    loop {
        let length = start.len() - bytes.len();
        let (number, wire_type) = tag(bytes)?;
        match wire_type {
            3 => open.push(number),
            4 if open.pop() != Some(number) => return Err(Malformed),
            4 if open.is_empty() => return Ok(Value::Group(take(&mut &*start, length)?)),
            4 => {}
            _ => {
                value(bytes, number, wire_type)?;
            }
        }
    }
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    take(bytes, N)?.try_into().map_err(|_| Malformed)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    Ok(taken)
}
