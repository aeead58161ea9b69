use std::fmt::Debug;

use proptest::collection::{btree_map, vec};
use proptest::prelude::{any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::{Map, Number, Value as Json};

use super::super::parts::{any_of, inside, itself};
use super::super::{Lawful, Located, Value};
use crate::mapper::{JsonList, JsonStruct, JsonText, JsonValue};

/// How deep the values go, how many there are in all, and how many in one.
const SIZE: (u32, u32, u32) = (3, 16, 3);

/// JSON values with these numbers.
fn values(numbers: BoxedStrategy<Number>) -> BoxedStrategy<Json> {
    let leaves = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        numbers.prop_map(Json::Number),
        String::values().prop_map(Json::String),
    ];
    let (depth, size, each) = SIZE;
    let tree = leaves.prop_recursive(depth, size, each, move |inner| {
        let most = each as usize;
        prop_oneof![
            vec(inner.clone(), 0..=most).prop_map(Json::Array),
            btree_map(String::values(), inner, 0..=most)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    });
    tree.boxed()
}

fn floats() -> impl Strategy<Value = Number> {
    f64::values().prop_filter_map("is finite", Number::from_f64)
}

/// All numbers that there are.
fn any_numbers() -> BoxedStrategy<Number> {
    prop_oneof![
        floats(),
        i64::values().prop_map(Number::from),
        u64::values().prop_map(Number::from),
    ]
    .boxed()
}

/// All numbers that are doubles.
fn doubles() -> BoxedStrategy<Number> {
    let edges = [
        Number::from(1_i64 << 53),
        Number::from(-(1_i64 << 53)),
        Number::from(i64::MIN),
        Number::from(1_u64 << 63),
    ];
    prop_oneof![
        floats(),
        i32::values().prop_map(Number::from),
        select(edges.to_vec())
    ]
    .boxed()
}

/// An array in an array, so many times, and the path of the innermost.
fn nested(levels: usize) -> Json {
    (1..levels).fold(Json::Array(Vec::new()), |inner, _| Json::Array(vec![inner]))
}

impl Lawful for JsonText {
    fn entities(_depth: u32) -> BoxedStrategy<Json> {
        prop_oneof![30 => values(any_numbers()), 1 => Just(nested(127))].boxed()
    }

    fn unmappable(_depth: u32) -> Option<Located<Json>> {
        Some(itself(Just(nested(128)).boxed()))
    }

    fn protos(depth: u32) -> BoxedStrategy<String> {
        let spellings = [" { \"b\" : [ 1.0e0 , -0.0 ], \"a\": \"\\u00e4\" }\n", "-0"];
        prop_oneof![
            3 => Self::entities(depth).prop_map(|value| value.to_string()),
            1 => select(spellings.to_vec()).prop_map(String::from),
        ]
        .boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<String>> {
        let texts = [
            "",
            " ",
            "{",
            "nul",
            "1 2",
            "NaN",
            "1e999",
            "{a: 1}",
            "\"\\ud800\"",
        ];
        let wrong = select(texts.to_vec()).prop_map(String::from);
        let too_deep = Just("[".repeat(128) + &"]".repeat(128));
        Some(itself(prop_oneof![wrong, too_deep].boxed()))
    }

    fn same(a: &Json, b: &Json) -> bool {
        a == b
    }

    fn same_proto(a: &String, b: &String) -> bool {
        a == b
    }
}

impl Lawful for JsonValue {
    fn entities(_depth: u32) -> BoxedStrategy<Json> {
        prop_oneof![30 => values(doubles()), 1 => Just(nested(45))].boxed()
    }

    fn unmappable(_depth: u32) -> Option<Located<Json>> {
        Some(inside(JsonList::wrong_entities(), Json::Array))
    }

    fn protos(depth: u32) -> BoxedStrategy<ProtoValue> {
        message_of::<Self>(depth)
    }

    fn corrupted(depth: u32) -> Option<Located<ProtoValue>> {
        let in_list = JsonList::corrupted(depth)
            .map(|wrong| inside(wrong, |list| wrap(Kind::ListValue(list))));
        let in_struct = JsonStruct::corrupted(depth)
            .map(|wrong| inside(wrong, |fields| wrap(Kind::StructValue(fields))));
        any_of([Some(wrong_values()), in_list, in_struct])
    }

    fn same(a: &Json, b: &Json) -> bool {
        same(a, b)
    }

    fn same_proto(a: &ProtoValue, b: &ProtoValue) -> bool {
        a == b
    }
}

impl Lawful for JsonList {
    fn entities(_depth: u32) -> BoxedStrategy<Vec<Json>> {
        vec(values(doubles()), 0..3).boxed()
    }

    fn unmappable(_depth: u32) -> Option<Located<Vec<Json>>> {
        Some(Self::wrong_entities())
    }

    fn protos(depth: u32) -> BoxedStrategy<ListValue> {
        message_of::<Self>(depth)
    }

    fn corrupted(depth: u32) -> Option<Located<ListValue>> {
        let wrong = (Self::protos(depth), wrong_values()).prop_map(|(mut list, (wrong, _))| {
            let path = format!("[{}]", list.values.len());
            list.values.push(wrong);
            (list, path)
        });
        Some(wrong.boxed())
    }

    fn same(a: &Vec<Json>, b: &Vec<Json>) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
    }

    fn same_proto(a: &ListValue, b: &ListValue) -> bool {
        a == b
    }
}

impl JsonList {
    /// Integers that no double is, and lists that are too deep.
    fn wrong_entities() -> Located<Vec<Json>> {
        let gaps = [
            Number::from((1_i64 << 53) + 1),
            Number::from(-(1_i64 << 53) - 1),
            Number::from(i64::MAX),
            Number::from(u64::MAX),
        ];
        let number =
            (vec(values(doubles()), 0..3), select(gaps.to_vec())).prop_map(|(mut list, number)| {
                let path = format!("[{}]", list.len());
                list.push(Json::Number(number));
                (list, path)
            });
        let too_deep = Just((vec![nested(45)], "[0]".repeat(45)));
        prop_oneof![7 => number, 1 => too_deep].boxed()
    }
}

impl Lawful for JsonStruct {
    fn entities(_depth: u32) -> BoxedStrategy<Map<String, Json>> {
        btree_map(String::values(), values(doubles()), 0..3)
            .prop_map(|fields| fields.into_iter().collect())
            .boxed()
    }

    fn unmappable(_depth: u32) -> Option<Located<Map<String, Json>>> {
        let wrong = JsonList::wrong_entities().prop_filter_map("fits", |(list, path)| {
            // A struct takes one message more than a list.
            let path = format!("[\"key\"]{path}");
            (path.len() < 40).then(|| (Map::from_iter([("key".to_owned(), list.into())]), path))
        });
        Some(wrong.boxed())
    }

    fn protos(depth: u32) -> BoxedStrategy<Struct> {
        message_of::<Self>(depth)
    }

    fn corrupted(depth: u32) -> Option<Located<Struct>> {
        let wrong = (Self::protos(depth), wrong_values()).prop_map(|(mut object, (wrong, _))| {
            object.fields.insert("a key".to_owned(), wrong);
            (object, "[\"a key\"]".to_owned())
        });
        Some(wrong.boxed())
    }

    fn same(a: &Map<String, Json>, b: &Map<String, Json>) -> bool {
        same_fields(a, b)
    }

    fn same_proto(a: &Struct, b: &Struct) -> bool {
        a == b
    }
}

/// The messages of entities.
fn message_of<M>(depth: u32) -> BoxedStrategy<M::Proto>
where
    M: Lawful<Proto: Debug>,
{
    M::entities(depth)
        .prop_filter_map("maps", |entity| M::into_proto(entity).ok())
        .boxed()
}

/// Values that JSON doesn't have.
fn wrong_values() -> Located<ProtoValue> {
    let kinds = [
        Kind::NumberValue(f64::NAN),
        Kind::NumberValue(f64::INFINITY),
        Kind::NumberValue(f64::NEG_INFINITY),
        Kind::NullValue(1),
    ];
    let wrong = select(kinds.to_vec()).prop_map(wrap);
    itself(prop_oneof![wrong, Just(ProtoValue { kind: None })].boxed())
}

fn wrap(kind: Kind) -> ProtoValue {
    ProtoValue { kind: Some(kind) }
}

/// Equal, where a number is its value: 5.0 is 5.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => JsonList::same(a, b),
        (Json::Object(a), Json::Object(b)) => same_fields(a, b),
        _ => a == b,
    }
}

fn same_fields(a: &Map<String, Json>, b: &Map<String, Json>) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
}
