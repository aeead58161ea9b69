//! The structs and `apibase/v1/options.proto` say the same, in both directions.

use std::collections::BTreeMap;
use std::fmt::Debug;

use heck::ToShoutySnakeCase as _;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::super::messages::*;
use super::super::newer::our_message;

#[test]
fn every_message_has_the_fields_of_its_struct() {
    agree::<FileRule>("FileRule");
    agree::<ServiceRule>("ServiceRule");
    agree::<MethodRule>("MethodRule");
    agree::<Retry>("Retry");
    agree::<Hedging>("Hedging");
    agree::<RetryThrottle>("RetryThrottle");
    agree::<Breaker>("Breaker");
    agree::<FailureRate>("FailureRate");
    agree::<Auth>("Auth");
    agree::<RateLimit>("RateLimit");
    agree::<EntityRule>("EntityRule");
    agree::<FieldRule>("FieldRule");
    agree::<OneofRule>("OneofRule");
    agree::<ErrorsRule>("ErrorsRule");
    agree::<ErrorRule>("ErrorRule");
}

#[test]
fn no_message_is_without_a_struct() {
    let file = our_message("apibase.v1.FileRule").unwrap().parent_file();
    assert_eq!(file.messages().len(), 15, "test each of them above");
}

#[test]
fn every_enum_has_the_values_of_its_proto() {
    let values = |message: &str, field: &str| {
        let field = field_of(message, field);
        let Kind::Enum(descriptor) = field.kind() else {
            panic!("{field:?}");
        };
        let values = descriptor.values();
        values
            .map(|value| (value.number(), value.name().to_owned()))
            .collect::<Vec<_>>()
    };
    let all = |name: fn(i32) -> Option<String>| {
        let named = (-1..1000).filter_map(|number| Some((number, name(number)?)));
        named.collect::<Vec<_>>()
    };
    assert_eq!(
        values("FieldRule", "format"),
        all(|number| Format::try_from(number)
            .ok()
            .map(|value| proto_name(&value, "FORMAT_UNSPECIFIED")))
    );
    assert_eq!(
        values("FieldRule", "unknown"),
        all(|number| Unknown::try_from(number)
            .ok()
            .map(|value| proto_name(&value, "UNKNOWN_UNSPECIFIED")))
    );
    assert_eq!(
        values("ErrorRule", "code"),
        all(|number| Code::try_from(number)
            .ok()
            .map(|value| proto_name(&value, "CODE_UNSPECIFIED")))
    );
}

/// The name of a value, whose enum's prefix only the value 0 has.
fn proto_name(value: &dyn Debug, unspecified: &str) -> String {
    let name = format!("{value:?}").to_shouty_snake_case();
    if name == "UNSPECIFIED" {
        unspecified.to_owned()
    } else {
        name
    }
}

/// Each field by itself: what the descriptor writes, the struct reads into the field of the same
/// name and no other, and writes again with the same bytes.
fn agree<T: Message + Debug + Default>(name: &str) {
    let descriptor = our_message(&format!("apibase.v1.{name}")).unwrap();
    let default = parts(&T::default());
    let mut expected: Vec<String> = descriptor
        .fields()
        .map(|field| field.name().to_owned())
        .collect();
    expected.sort();
    assert_eq!(
        default.keys().cloned().collect::<Vec<_>>(),
        expected,
        "{name}"
    );
    for field in descriptor.fields() {
        let what = format!("{name}.{}", field.name());
        let mut message = DynamicMessage::new(descriptor.clone());
        message.set_field(&field, sample(&field));
        let bytes = message.encode_to_vec();
        let read = T::decode(bytes.as_slice()).unwrap();
        assert_eq!(read.encode_to_vec(), bytes, "{what}");
        let read = parts(&read);
        let differing = read
            .iter()
            .filter(|(name, value)| default[*name] != **value);
        let differing: Vec<&String> = differing.map(|(name, _)| name).collect();
        assert_eq!(differing, [field.name()], "{what}");
        assert_eq!(
            default[field.name()] == "None",
            field.supports_presence(),
            "{what}: presence"
        );
    }
}

/// A value that is read in no other way than as what it is.
fn sample(field: &FieldDescriptor) -> Value {
    let one = match field.kind() {
        Kind::Bool => Value::Bool(true),
        Kind::Uint32 => Value::U32(u32::MAX),
        Kind::Double => Value::F64(1.5),
        Kind::String => Value::String(field.name().to_owned()),
        Kind::Enum(_) => Value::EnumNumber(2),
        Kind::Message(message) => Value::Message(filled(&message)),
        other => panic!("{other:?} has no sample"),
    };
    if field.is_list() {
        // Two of them: a field that isn't repeated would keep one.
        Value::List(vec![one.clone(), one])
    } else {
        one
    }
}

fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == "google.protobuf.Duration" {
        message.set_field_by_name("seconds", Value::I64(3));
    } else {
        for field in descriptor.fields() {
            message.set_field(&field, sample(&field));
        }
    }
    message
}

/// The fields of a struct and how they print, by name.
fn parts(value: &dyn Debug) -> BTreeMap<String, String> {
    let text = format!("{value:?}");
    let inside = text
        .split_once(" { ")
        .and_then(|(_, rest)| rest.strip_suffix(" }"))
        .unwrap_or_default();
    let mut parts = BTreeMap::new();
    let (mut depth, mut start, mut quoted) = (0, 0, false);
    let mut add = |part: &str| {
        let (name, value) = part.trim().split_once(": ").unwrap();
        parts.insert(name.to_owned(), value.to_owned());
    };
    for (at, char) in inside.char_indices() {
        match char {
            '"' => quoted = !quoted,
            '{' | '[' | '(' if !quoted => depth += 1,
            '}' | ']' | ')' if !quoted => depth -= 1,
            ',' if depth == 0 && !quoted => {
                add(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inside.is_empty() {
        add(&inside[start..]);
    }
    parts
}

fn field_of(message: &str, field: &str) -> FieldDescriptor {
    let message = our_message(&format!("apibase.v1.{message}")).unwrap();
    message.get_field_by_name(field).unwrap()
}
