use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::{Map, Value, json};

use super::{wrong, wrong_itself};
use crate::mapper::{JsonList, JsonStruct, JsonText, JsonValue, ProtobufMapper, ViolationKind};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("no object: {other}"),
    }
}

fn number(value: f64) -> ProtoValue {
    ProtoValue {
        kind: Some(Kind::NumberValue(value)),
    }
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

#[test]
fn text_is_read_and_written_as_json() {
    let value = JsonText::from_proto(r#" {"b": [1, 1.0, null], "a": "ä"} "#.to_owned()).unwrap();
    assert_eq!(value, json!({"a": "ä", "b": [1, 1.0, null]}));
    assert_eq!(JsonText::to_proto(&json!([1, 1.0])).unwrap(), "[1,1.0]");
    let refused = JsonText::from_proto("{".to_owned());
    assert_eq!(
        wrong_itself(refused),
        (ViolationKind::Malformed, "is not JSON".to_owned())
    );
}

#[test]
fn numbers_in_text_come_back_to_the_last_bit() {
    for float in [0.1 + 0.2, 5e-324, f64::MAX, f64::MIN_POSITIVE] {
        let text = JsonText::into_proto(json!(float)).unwrap();
        assert_eq!(JsonText::from_proto(text).unwrap(), json!(float));
    }
}

#[test]
fn text_that_nobody_could_read_is_not_written() {
    let text = JsonText::to_proto(&nested(127)).unwrap();
    assert_eq!(JsonText::from_proto(text).unwrap(), nested(127));
    let expected = (ViolationKind::OutOfRange, "is nested too deep".to_owned());
    assert_eq!(wrong_itself(JsonText::to_proto(&nested(128))), expected);
    assert_eq!(wrong_itself(JsonText::into_proto(nested(128))), expected);
}

#[test]
fn a_struct_is_an_object() {
    let fields = object(json!({"a": null, "b": [true, "x", {"c": -1.5}]}));
    let proto = JsonStruct::to_proto(&fields).unwrap();
    assert_eq!(proto.fields.len(), 2);
    assert_eq!(JsonStruct::into_proto(fields.clone()).unwrap(), proto);
    assert_eq!(JsonStruct::from_proto(proto).unwrap(), fields);
}

#[test]
fn a_number_without_a_fraction_is_an_integer() {
    assert_eq!(JsonValue::from_proto(number(5.0)).unwrap(), json!(5));
    assert_eq!(JsonValue::from_proto(number(-5.0)).unwrap(), json!(-5));
    assert_eq!(JsonValue::from_proto(number(-0.0)).unwrap(), json!(0));
    assert_eq!(JsonValue::from_proto(number(0.5)).unwrap(), json!(0.5));
    assert_eq!(JsonValue::from_proto(number(1e300)).unwrap(), json!(1e300));
    let greatest = JsonValue::from_proto(number(2_f64.powi(64))).unwrap();
    assert_eq!(
        greatest,
        json!(2_f64.powi(64)),
        "one more than 64 bits have"
    );
}

#[test]
fn an_integer_that_no_double_is_cannot_be_sent() {
    let exact = 1_i64 << 53;
    assert_eq!(
        JsonValue::to_proto(&json!(exact)).unwrap(),
        number(exact as f64)
    );
    for integer in [
        json!(exact + 1),
        json!(-exact - 1),
        json!(i64::MAX),
        json!(u64::MAX),
    ] {
        let (kind, _) = wrong_itself(JsonValue::to_proto(&integer));
        assert_eq!(kind, ViolationKind::OutOfRange);
    }
    assert!(JsonValue::to_proto(&json!(i64::MIN)).is_ok());
}

#[test]
fn what_json_does_not_have_is_an_error() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (kind, _) = wrong_itself(JsonValue::from_proto(number(float)));
        assert_eq!(kind, ViolationKind::OutOfRange);
    }
    let (kind, _) = wrong_itself(JsonValue::from_proto(ProtoValue { kind: None }));
    assert_eq!(kind, ViolationKind::Missing);
    let null = Some(Kind::NullValue(1));
    let (kind, _) = wrong_itself(JsonValue::from_proto(ProtoValue { kind: null }));
    assert_eq!(kind, ViolationKind::UnknownEnumValue);
}

#[test]
fn everything_wrong_in_a_tree_is_said_with_its_place() {
    let list = ListValue {
        values: vec![number(1.0), number(f64::NAN), ProtoValue { kind: None }],
    };
    let fields = [(
        "a".to_owned(),
        ProtoValue {
            kind: Some(Kind::ListValue(list)),
        },
    )];
    let mapped = JsonStruct::from_proto(Struct {
        fields: fields.into(),
    });
    let paths: Vec<_> = wrong(mapped).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(paths, [r#"["a"][1]"#, r#"["a"][2]"#]);
    let unsendable = object(json!({"a": [0, {"b": u64::MAX}]}));
    assert_eq!(
        wrong(JsonStruct::to_proto(&unsendable))[0].0,
        r#"["a"][1]["b"]"#
    );
    assert_eq!(
        wrong(JsonStruct::into_proto(unsendable))[0].0,
        r#"["a"][1]["b"]"#
    );
}

#[test]
fn a_tree_that_nobody_could_decode_is_not_sent() {
    use prost::Message;
    let deepest = JsonValue::to_proto(&nested(45)).unwrap();
    let decoded = ProtoValue::decode(deepest.encode_to_vec().as_slice()).unwrap();
    assert_eq!(JsonValue::from_proto(decoded).unwrap(), nested(45));
    let mapped = wrong(JsonValue::to_proto(&nested(46)));
    assert_eq!(mapped[0].1, ViolationKind::OutOfRange);
    let objects = (0..30).fold(json!(null), |inner, _| json!({"a": inner}));
    let deepest = JsonValue::to_proto(&objects).unwrap();
    assert!(ProtoValue::decode(deepest.encode_to_vec().as_slice()).is_ok());
    assert!(JsonValue::to_proto(&json!({"a": objects})).is_err());
}

#[test]
fn a_list_is_an_array() {
    let list = vec![json!(1), json!("a")];
    let proto = JsonList::to_proto(&list).unwrap();
    assert_eq!(JsonList::into_proto(list.clone()).unwrap(), proto);
    assert_eq!(JsonList::from_proto(proto).unwrap(), list);
}
