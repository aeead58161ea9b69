use std::num::NonZero;

use bytes::Bytes;

use super::wrong_itself;
use crate::mapper::{
    AbsentIfEmpty, Grade, IpText, IsEmpty, Narrow, Newtype, NonEmpty, Optional, ProtobufMapper,
    Repeated, Required, Same, ViolationKind,
};

fn missing() -> (ViolationKind, String) {
    (ViolationKind::Missing, "is required".to_owned())
}

#[test]
fn a_required_value_must_be_there() {
    type Mapper = Required<Narrow<i32, u8>>;
    assert_eq!(Mapper::from_proto(Some(0)).unwrap(), 0, "zero is a value");
    assert_eq!(Mapper::to_proto(&3), Ok(Some(3)));
    assert_eq!(Mapper::into_proto(3), Ok(Some(3)));
    assert_eq!(wrong_itself(Mapper::from_proto(None)), missing());
    let (kind, _) = wrong_itself(Mapper::from_proto(Some(-1)));
    assert_eq!(kind, ViolationKind::OutOfRange);
}

#[test]
fn an_optional_value_may_be_there() {
    type Mapper = Optional<Narrow<i32, u8>>;
    for entity in [None, Some(0), Some(255)] {
        let Ok(proto) = Mapper::to_proto(&entity);
        assert_eq!(proto, entity.map(i32::from));
        assert_eq!(Mapper::into_proto(entity), Ok(proto));
        assert_eq!(Mapper::from_proto(proto).unwrap(), entity);
    }
    let (kind, _) = wrong_itself(Mapper::from_proto(Some(256)));
    assert_eq!(kind, ViolationKind::OutOfRange);
}

#[test]
fn what_must_not_be_empty_is_missing_when_it_is() {
    type Texts = NonEmpty<Same<String>>;
    assert_eq!(Texts::from_proto("a".to_owned()).unwrap(), "a");
    assert_eq!(Texts::to_proto(&"a".to_owned()).unwrap(), "a");
    assert_eq!(wrong_itself(Texts::from_proto(String::new())), missing());
    assert_eq!(
        wrong_itself(NonEmpty::<IpText>::from_proto(String::new())),
        missing()
    );
    type Lists = NonEmpty<Repeated<Same<i32>>>;
    assert_eq!(wrong_itself(Lists::from_proto(Vec::new())), missing());
}

#[test]
fn an_empty_value_is_not_sent_where_none_may_be() {
    type Texts = NonEmpty<Same<String>>;
    assert_eq!(wrong_itself(Texts::to_proto(&String::new())), missing());
    assert_eq!(wrong_itself(Texts::into_proto(String::new())), missing());
}

#[test]
fn an_empty_field_is_none_where_it_says_so() {
    type Texts = AbsentIfEmpty<Same<String>>;
    assert_eq!(Texts::from_proto(String::new()).unwrap(), None);
    assert_eq!(Texts::from_proto("a".to_owned()).unwrap().unwrap(), "a");
    assert_eq!(Texts::to_proto(&None).unwrap(), "");
    assert_eq!(Texts::into_proto(None).unwrap(), "");
    assert_eq!(Texts::into_proto(Some("a".to_owned())).unwrap(), "a");
    assert_eq!(Texts::GRADE, Grade::Iso);
}

#[test]
fn an_empty_value_is_an_error_where_it_would_come_back_as_none() {
    type Texts = AbsentIfEmpty<Same<String>>;
    let expected = (
        ViolationKind::NotAllowed,
        "must not be empty: that would mean none".to_owned(),
    );
    assert_eq!(
        wrong_itself(Texts::to_proto(&Some(String::new()))),
        expected
    );
    assert_eq!(
        wrong_itself(Texts::into_proto(Some(String::new()))),
        expected
    );
}

#[test]
fn zero_is_none_where_the_number_is_never_zero() {
    type Mapper = AbsentIfEmpty<Newtype<Same<i64>, NonZero<i64>>>;
    assert_eq!(Mapper::from_proto(0).unwrap(), None);
    assert_eq!(Mapper::from_proto(-7).unwrap(), NonZero::new(-7));
    assert_eq!(Mapper::into_proto(None).unwrap(), 0);
}

#[test]
fn emptiness_is_that_of_the_wire() {
    assert!(IsEmpty::is_empty(&String::new()));
    assert!(IsEmpty::is_empty(&Bytes::new()));
    assert!(IsEmpty::is_empty(&Vec::<u8>::new()));
    assert!(IsEmpty::is_empty(
        &std::collections::HashMap::<i32, i32>::new()
    ));
    assert!(IsEmpty::is_empty(
        &std::collections::BTreeMap::<i32, i32>::new()
    ));
    assert!(IsEmpty::is_empty(&0_u64));
    assert!(!IsEmpty::is_empty(&" ".to_owned()));
    assert!(!IsEmpty::is_empty(&vec![String::new()]));
    assert!(!IsEmpty::is_empty(&-1_i32));
}
