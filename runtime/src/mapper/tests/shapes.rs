use super::{wrong, wrong_itself};
use crate::mapper::{
    Boxed, Grade, Integer, IpText, MapOf, Narrow, Newtype, Optional, ProtobufMapper, Repeated,
    Same, Sensitive, ViolationKind,
};

/// A type of a user's own: text that isn't blank.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err(format!("{text:?} is blank"));
        }
        Ok(Self(text))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[test]
fn the_same_goes_through() {
    let Ok(proto) = Same::<String>::to_proto(&"a".to_owned());
    assert_eq!(proto, "a");
    let text = "b".to_owned();
    let place = text.as_ptr();
    let Ok(proto) = Same::<String>::into_proto(text);
    assert_eq!(proto.as_ptr(), place, "by value nothing is copied");
    let entity = Same::<String>::from_proto(proto).unwrap();
    assert_eq!(entity.as_ptr(), place);
    assert_eq!(Same::<String>::GRADE, Grade::Iso);
}

#[test]
fn a_box_holds_what_its_mapper_maps() {
    let Ok(proto) = Boxed::<Narrow<i32, u8>>::to_proto(&Box::new(7));
    assert_eq!(*proto, 7);
    let Ok(proto) = Boxed::<Narrow<i32, u8>>::into_proto(Box::new(7));
    assert_eq!(*Boxed::<Narrow<i32, u8>>::from_proto(proto).unwrap(), 7);
    let (kind, _) = wrong_itself(Boxed::<Narrow<i32, u8>>::from_proto(Box::new(256)));
    assert_eq!(kind, ViolationKind::OutOfRange);
}

type NameMapper = Newtype<Same<String>, Name>;

#[test]
fn a_newtype_is_made_of_what_is_inside() {
    let name = NameMapper::from_proto("a".to_owned()).unwrap();
    assert_eq!(name, Name("a".to_owned()));
    let Ok(proto) = NameMapper::to_proto(&name);
    assert_eq!(proto, "a");
    let Ok(proto) = NameMapper::into_proto(name);
    assert_eq!(proto, "a");
    assert_eq!(NameMapper::GRADE, Grade::Injective);
}

#[test]
fn what_a_newtype_refuses_is_malformed_with_its_reason() {
    let refused = NameMapper::from_proto(" ".to_owned());
    let error = refused.clone().unwrap_err();
    assert_eq!(
        wrong_itself(refused),
        (ViolationKind::Malformed, "is not valid".to_owned())
    );
    let source = error.violations()[0].source().unwrap();
    assert_eq!(source.to_string(), "\" \" is blank");
}

#[test]
fn zero_is_no_non_zero() {
    type NonZeroMapper = Newtype<Same<i32>, std::num::NonZero<i32>>;
    let (kind, _) = wrong_itself(NonZeroMapper::from_proto(0));
    assert_eq!(kind, ViolationKind::Malformed);
    assert_eq!(NonZeroMapper::from_proto(-3).unwrap().get(), -3);
}

#[test]
fn a_secret_shows_up_in_no_error() {
    let mapped = Sensitive::<NameMapper>::from_proto(" ".to_owned());
    let error = mapped.unwrap_err();
    assert_eq!(error.to_string(), "is not valid");
    assert!(error.violations()[0].source().is_none());
    assert!(std::error::Error::source(&error).is_none());
}

#[test]
fn the_keys_of_a_secret_map_are_secret() {
    use std::collections::HashMap;
    type Tokens = Sensitive<
        MapOf<String, IpText, HashMap<String, String>, HashMap<String, std::net::IpAddr>>,
    >;
    let tokens = HashMap::from([("secret".to_owned(), "x".to_owned())]);
    let error = Tokens::from_proto(tokens).unwrap_err();
    assert_eq!(error.to_string(), "is not an IP address");

    type Sizes =
        Sensitive<MapOf<String, Integer<i32, usize>, HashMap<String, i32>, HashMap<String, usize>>>;
    let sizes = HashMap::from([("secret".to_owned(), usize::MAX)]);
    assert!(
        !Sizes::to_proto(&sizes)
            .unwrap_err()
            .to_string()
            .contains("secret")
    );
    assert!(
        !Sizes::into_proto(sizes)
            .unwrap_err()
            .to_string()
            .contains("secret")
    );
}

#[test]
fn the_places_in_a_secret_list_are_known() {
    let list = vec!["::1".to_owned(), "x".to_owned()];
    let wrong = wrong(Sensitive::<Repeated<IpText>>::from_proto(list));
    assert_eq!(wrong[0].0, "[1]");
}

#[test]
fn grades_compose() {
    assert_eq!(Optional::<Same<i32>>::GRADE, Grade::Iso);
    assert_eq!(Repeated::<Same<i32>>::GRADE, Grade::Iso);
    assert_eq!(Repeated::<Optional<IpText>>::GRADE, Grade::Injective);
    assert_eq!(Boxed::<Narrow<i32, i32>>::GRADE, Grade::Iso);
    assert_eq!(Boxed::<Narrow<i32, i8>>::GRADE, Grade::Injective);
}
