use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use super::wrong;
use crate::mapper::{
    BTreeSetOf, Grade, HashSetOf, Integer, IpText, MapKey, MapOf, Narrow, Newtype, Optional,
    ProtobufMapper, Repeated, Same,
};

fn paths<T: std::fmt::Debug>(mapped: Result<T, crate::MapError>) -> Vec<String> {
    wrong(mapped).into_iter().map(|(path, ..)| path).collect()
}

#[test]
fn a_list_keeps_its_order() {
    type Mapper = Repeated<Narrow<i64, u8>>;
    let entities = vec![3, 1, 2, 1];
    let Ok(protos) = Mapper::to_proto(&entities);
    assert_eq!(protos, [3, 1, 2, 1]);
    assert_eq!(Mapper::into_proto(entities.clone()), Ok(protos.clone()));
    assert_eq!(Mapper::from_proto(protos).unwrap(), entities);
    assert_eq!(Mapper::from_proto(Vec::new()).unwrap(), [0_u8; 0]);
}

#[test]
fn everything_wrong_in_a_list_is_said() {
    type Mapper = Repeated<Narrow<i32, u8>>;
    assert_eq!(
        paths(Mapper::from_proto(vec![1, -1, 2, 256, 0])),
        ["[1]", "[3]"]
    );
    type Lists = Repeated<Optional<Repeated<Narrow<i32, u8>>>>;
    let nested = vec![Some(vec![0, 300]), None, Some(vec![-1, 0, -1])];
    assert_eq!(
        paths(Lists::from_proto(nested)),
        ["[0][1]", "[2][0]", "[2][2]"]
    );
}

#[test]
fn of_a_list_that_cannot_be_sent_the_first_element_is_said() {
    type Mapper = Repeated<Integer<i32, usize>>;
    let entities = vec![1, usize::MAX, usize::MAX];
    assert_eq!(paths(Mapper::to_proto(&entities)), ["[1]"]);
    assert_eq!(paths(Mapper::into_proto(entities)), ["[1]"]);
    // As wide on both sides: one list is written over the other.
    type SameWidth = Repeated<Integer<i64, u64>>;
    assert_eq!(paths(SameWidth::into_proto(vec![1, 2, u64::MAX])), ["[2]"]);
    assert_eq!(
        paths(SameWidth::from_proto(vec![-1, 2, -1])),
        ["[0]", "[2]"]
    );
}

#[test]
fn a_list_of_things_as_large_is_not_allocated_again() {
    type Mapper = Repeated<Newtype<Same<String>, super::shapes::Name>>;
    let texts = vec!["a".to_owned(), "b".to_owned()];
    let place = texts.as_ptr().addr();
    let names = Mapper::from_proto(texts).unwrap();
    assert_eq!(names.as_ptr().addr(), place);
    let Ok(texts) = Mapper::into_proto(names);
    assert_eq!(texts.as_ptr().addr(), place);
}

#[test]
fn a_list_of_other_things_is_allocated_once() {
    type Mapper = Repeated<Narrow<i64, u8>>;
    let Ok(protos) = Mapper::into_proto(vec![1; 100]);
    assert_eq!(protos.capacity(), 100);
    let entities = Mapper::from_proto(protos).unwrap();
    assert_eq!(entities.capacity(), 100);
    let Ok(protos) = Mapper::to_proto(&entities);
    assert_eq!(protos.capacity(), 100);
}

#[test]
fn a_hundred_violations_are_kept_and_the_rest_counted() {
    type Mapper = Repeated<Narrow<i32, u8>>;
    let error = Mapper::from_proto(vec![-1; 1000]).unwrap_err();
    assert_eq!(error.violations().len(), 100);
    assert_eq!(error.more(), 900);
}

#[test]
fn doubles_in_a_set_merge() {
    type Hashed = HashSetOf<Narrow<i32, u8>>;
    type Ordered = BTreeSetOf<Narrow<i32, u8>>;
    assert_eq!(
        Hashed::from_proto(vec![2, 1, 2]).unwrap(),
        HashSet::from([1, 2])
    );
    let set = Ordered::from_proto(vec![2, 1, 2]).unwrap();
    assert_eq!(set, BTreeSet::from([1, 2]));
    assert_eq!(
        Ordered::to_proto(&set),
        Ok(vec![1, 2]),
        "it is sent in order"
    );
    assert_eq!(Ordered::into_proto(set), Ok(vec![1, 2]));
    assert_eq!(BTreeSetOf::<Same<i32>>::GRADE, Grade::Injective);
    assert_eq!(paths(Hashed::from_proto(vec![1, 256])), ["[1]"]);
    assert_eq!(paths(Ordered::from_proto(vec![256, 256])), ["[0]", "[1]"]);
}

#[test]
fn a_map_may_be_of_any_two_types() {
    type Mapper = MapOf<String, Narrow<i32, u8>, HashMap<String, i32>, BTreeMap<String, u8>>;
    let entity = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let Ok(proto) = Mapper::to_proto(&entity);
    assert_eq!(
        proto,
        HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)])
    );
    assert_eq!(Mapper::into_proto(entity.clone()), Ok(proto.clone()));
    assert_eq!(Mapper::from_proto(proto).unwrap(), entity);
}

#[test]
fn everything_wrong_in_a_map_is_said_with_its_key() {
    type Mapper = MapOf<String, IpText, BTreeMap<String, String>, HashMap<String, IpAddr>>;
    let proto = BTreeMap::from([
        ("a".to_owned(), "x".to_owned()),
        ("b".to_owned(), "::1".to_owned()),
        ("c\"]".to_owned(), "y".to_owned()),
    ]);
    assert_eq!(
        paths(Mapper::from_proto(proto)),
        [r#"["a"]"#, r#"["c\"]"]"#]
    );
}

#[test]
fn a_map_that_cannot_be_sent_says_the_key() {
    type Mapper = MapOf<i32, Integer<i32, usize>, HashMap<i32, i32>, BTreeMap<i32, usize>>;
    let entity = BTreeMap::from([(-3, usize::MAX)]);
    assert_eq!(paths(Mapper::to_proto(&entity)), ["[-3]"]);
    assert_eq!(paths(Mapper::into_proto(entity)), ["[-3]"]);
}

#[test]
fn keys_stand_in_paths() {
    assert_eq!("a".to_owned().segment(), r#"["a"]"#);
    assert_eq!(true.segment(), "[true]");
    assert_eq!(7_u64.segment(), "[7]");
    assert_eq!(
        "é".repeat(64).segment(),
        format!("[\"{}\"]", "é".repeat(64))
    );
    assert_eq!(
        "é".repeat(65).segment(),
        format!("[\"{}\"…]", "é".repeat(64))
    );
}
