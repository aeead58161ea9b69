use super::{Color, ColorMapper, wrong_itself};
use crate::mapper::{
    Fallback, Keep, Open, OptionalEnum, ProstEnum, ProtobufMapper, ViolationKind, ZeroIsNone,
};

#[test]
fn an_unknown_number_is_kept() {
    type Mapper = Keep<ColorMapper>;
    assert_eq!(Mapper::from_proto(1).unwrap(), Open::Known(Color::Red));
    for number in [3, -1, i32::MIN, i32::MAX] {
        assert_eq!(Mapper::from_proto(number).unwrap(), Open::Unknown(number));
        assert_eq!(Mapper::to_proto(&Open::Unknown(number)).unwrap(), number);
        assert_eq!(Mapper::into_proto(Open::Unknown(number)).unwrap(), number);
    }
    assert_eq!(Mapper::into_proto(Color::Blue.into()).unwrap(), 2);
}

#[test]
fn only_unknown_numbers_are_kept() {
    let (kind, _) = wrong_itself(Keep::<ColorMapper>::from_proto(0));
    assert_eq!(kind, ViolationKind::Missing, "unspecified is still missing");
}

#[test]
fn an_unknown_number_falls_back() {
    type Mapper = Fallback<ColorMapper, 2>;
    assert_eq!(Mapper::from_proto(1).unwrap(), Color::Red);
    assert_eq!(Mapper::from_proto(99).unwrap(), Color::Blue);
    let (kind, _) = wrong_itself(Mapper::from_proto(0));
    assert_eq!(kind, ViolationKind::Missing);
    assert_eq!(Mapper::to_proto(&Color::Red), Ok(1));
    assert_eq!(Mapper::into_proto(Color::Red), Ok(1));
}

#[test]
fn a_fallback_that_is_unknown_itself_is_an_error() {
    let (kind, _) = wrong_itself(Fallback::<ColorMapper, 98>::from_proto(99));
    assert_eq!(kind, ViolationKind::UnknownEnumValue);
}

#[test]
fn unspecified_is_none() {
    type Mapper = ZeroIsNone<ColorMapper>;
    assert_eq!(Mapper::from_proto(0).unwrap(), None);
    assert_eq!(Mapper::from_proto(2).unwrap(), Some(Color::Blue));
    assert_eq!(Mapper::to_proto(&None), Ok(0));
    assert_eq!(Mapper::to_proto(&Some(Color::Red)), Ok(1));
    assert_eq!(Mapper::into_proto(None), Ok(0));
    let (kind, _) = wrong_itself(Mapper::from_proto(3));
    assert_eq!(kind, ViolationKind::UnknownEnumValue);
}

#[test]
fn unspecified_that_is_there_is_absent() {
    type Mapper = OptionalEnum<ColorMapper>;
    assert_eq!(Mapper::from_proto(None).unwrap(), None);
    assert_eq!(Mapper::from_proto(Some(0)).unwrap(), None);
    assert_eq!(Mapper::from_proto(Some(1)).unwrap(), Some(Color::Red));
    assert_eq!(Mapper::to_proto(&None), Ok(None));
    assert_eq!(Mapper::into_proto(Some(Color::Red)), Ok(Some(1)));
    let (kind, _) = wrong_itself(Mapper::from_proto(Some(-1)));
    assert_eq!(kind, ViolationKind::UnknownEnumValue);
}

#[test]
fn an_enum_of_prost_is_itself() {
    use prost_types::NullValue;
    type Mapper = ProstEnum<NullValue>;
    assert_eq!(Mapper::from_proto(0).unwrap(), NullValue::NullValue);
    assert_eq!(Mapper::to_proto(&NullValue::NullValue), Ok(0));
    assert_eq!(
        wrong_itself(Mapper::from_proto(1)),
        (
            ViolationKind::UnknownEnumValue,
            "is a number that the enum does not have".to_owned()
        )
    );
}

#[test]
fn an_open_value_may_be_known() {
    let red = Open::from(Color::Red);
    assert!(red.is_known());
    assert_eq!(red.known(), Some(Color::Red));
    assert_eq!(red.as_ref().known(), Some(&Color::Red));
    let other = Open::<Color>::Unknown(9);
    assert!(!other.is_known());
    assert_eq!(other.known(), None);
    assert_eq!(other.as_ref(), Open::Unknown(9));
}
