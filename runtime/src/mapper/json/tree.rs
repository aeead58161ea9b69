//! The way through a JSON value and its message.

use prost_types::value::Kind;
use prost_types::{ListValue, NullValue, Struct, Value as ProtoValue};
use serde_json::{Map, Number, Value};

use super::super::{MapError, Unmappable, ViolationKind, lists, maps};
use super::too_deep;

/// How many messages may still stand in one another.
#[derive(Clone, Copy)]
pub(super) struct Room(u8);

impl Room {
    /// Readers of protobuf go 100 deep (prost, C++ and Java alike). Ten are left for the messages
    /// around the field.
    pub(super) const fn new() -> Self {
        Self(90)
    }

    /// The room inside of so many messages.
    fn inside(self, messages: u8) -> Result<Self, MapError> {
        self.0.checked_sub(messages).map(Self).ok_or_else(too_deep)
    }
}

/// A value's own message, and the list inside of it.
const LIST: u8 = 2;
/// A value's own message, the struct inside of it, and the entry of its map.
const OBJECT: u8 = 3;

pub(super) fn value_to(value: &Value, room: Room) -> Result<ProtoValue, MapError> {
    let kind = match value {
        Value::Null => Kind::NullValue(NullValue::NullValue.into()),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(number) => Kind::NumberValue(number_to(number)?),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(values) => Kind::ListValue(list_to(values, room)?),
        Value::Object(fields) => Kind::StructValue(object_to(fields, room)?),
    };
    Ok(ProtoValue { kind: Some(kind) })
}

pub(super) fn value_into(value: Value, room: Room) -> Result<ProtoValue, MapError> {
    let kind = match value {
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => Kind::ListValue(list_into(values, room)?),
        Value::Object(fields) => Kind::StructValue(object_into(fields, room)?),
        small => return value_to(&small, room),
    };
    Ok(ProtoValue { kind: Some(kind) })
}

pub(super) fn value_from(value: ProtoValue, room: Room) -> Result<Value, MapError> {
    match value.kind.ok_or_else(MapError::missing)? {
        Kind::NullValue(0) => Ok(Value::Null),
        Kind::NullValue(_) => Err(MapError::new(
            ViolationKind::UnknownEnumValue,
            "is not a known value",
        )),
        Kind::BoolValue(value) => Ok(Value::Bool(value)),
        Kind::NumberValue(number) => number_from(number).map(Value::Number),
        Kind::StringValue(text) => Ok(Value::String(text)),
        Kind::ListValue(list) => list_from(list, room).map(Value::Array),
        Kind::StructValue(fields) => object_from(fields, room).map(Value::Object),
    }
}

pub(super) fn list_to(values: &[Value], room: Room) -> Result<ListValue, MapError> {
    let room = room.inside(LIST)?;
    let mut list = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        list.push(value_to(value, room).map_err(|error| error.at(lists::Index(index)))?);
    }
    Ok(ListValue { values: list })
}

pub(super) fn list_into(values: Vec<Value>, room: Room) -> Result<ListValue, MapError> {
    let room = room.inside(LIST)?;
    let mut list = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        list.push(value_into(value, room).map_err(|error| error.at(lists::Index(index)))?);
    }
    Ok(ListValue { values: list })
}

pub(super) fn list_from(list: ListValue, room: Room) -> Result<Vec<Value>, MapError> {
    let room = room.inside(LIST)?;
    let mut wrong = lists::Gathered::new(None);
    let mut values = Vec::with_capacity(list.values.len());
    for (index, value) in list.values.into_iter().enumerate() {
        match value_from(value, room) {
            Ok(value) => values.push(value),
            Err(error) => lists::note(&mut wrong, lists::Index(index), error),
        }
    }
    lists::Gathered::into_inner(wrong).map_or(Ok(values), Err)
}

pub(super) fn object_to(fields: &Map<String, Value>, room: Room) -> Result<Struct, MapError> {
    let room = room.inside(OBJECT)?;
    let fields = fields.iter().map(|(key, value)| {
        let value = value_to(value, room).map_err(|error| error.at(maps::text_segment(key)))?;
        Ok((key.clone(), value))
    });
    Ok(Struct {
        fields: fields.collect::<Result<_, MapError>>()?,
    })
}

pub(super) fn object_into(fields: Map<String, Value>, room: Room) -> Result<Struct, MapError> {
    let room = room.inside(OBJECT)?;
    let fields = fields
        .into_iter()
        .map(|(key, value)| match value_into(value, room) {
            Ok(value) => Ok((key, value)),
            Err(error) => Err(error.at(maps::text_segment(&key))),
        });
    Ok(Struct {
        fields: fields.collect::<Result<_, MapError>>()?,
    })
}

pub(super) fn object_from(object: Struct, room: Room) -> Result<Map<String, Value>, MapError> {
    let room = room.inside(OBJECT)?;
    let mut wrong = lists::Gathered::new(None);
    let mut fields = Map::new();
    for (key, value) in object.fields {
        match value_from(value, room) {
            Ok(value) => drop(fields.insert(key, value)),
            Err(error) => lists::note(&mut wrong, maps::text_segment(&key), error),
        }
    }
    lists::Gathered::into_inner(wrong).map_or(Ok(fields), Err)
}

/// The double that is the number.
fn number_to(number: &Number) -> Result<f64, MapError> {
    let inexact = || {
        MapError::new(
            ViolationKind::OutOfRange,
            "is an integer that no double is: beyond 2^53 they have gaps",
        )
    };
    let double = number.as_f64().ok_or_else(inexact)?;
    let integer = number
        .as_u64()
        .map(i128::from)
        .or_else(|| number.as_i64().map(i128::from));
    match integer {
        // Every double of an integer of 64 bits is one of 128.
        Some(integer) if double as i128 != integer => Err(inexact()),
        _ => Ok(double),
    }
}

/// The number that is the double: an integer where it is one.
fn number_from(double: f64) -> Result<Number, MapError> {
    if double.fract() == 0.0 {
        let integer = double as i128;
        if let Ok(integer) = u64::try_from(integer) {
            return Ok(integer.into());
        }
        if let Ok(integer) = i64::try_from(integer) {
            return Ok(integer.into());
        }
    }
    Number::from_f64(double).ok_or_else(|| {
        MapError::new(
            ViolationKind::OutOfRange,
            "must be a finite number: JSON has no other",
        )
    })
}

/// Whether arrays and objects stand in one another more than `limit` deep.
pub(super) fn depth_is_over(value: &Value, limit: usize) -> bool {
    let below = limit.checked_sub(1);
    let over = |value: &Value| below.is_none_or(|limit| depth_is_over(value, limit));
    match value {
        Value::Array(values) => below.is_none() || values.iter().any(over),
        Value::Object(fields) => below.is_none() || fields.values().any(over),
        _ => false,
    }
}
