//! What each mapper does, as facts, and that the laws hold of it.

mod collections;
mod enums;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "testing")]
mod laws;
mod presence;
mod shapes;
mod streams;
mod values;

use std::fmt::Debug;

use super::{MapError, Unmappable, ViolationKind};

/// The paths, kinds and descriptions of what is wrong.
fn wrong<T: Debug>(
    mapped: Result<T, impl Unmappable + Debug>,
) -> Vec<(String, ViolationKind, String)> {
    let error: MapError = mapped.unwrap_err().into();
    let violations = error.violations().iter();
    violations
        .map(|violation| {
            let (path, description) = (violation.path(), violation.description());
            (path.to_owned(), violation.kind(), description.to_owned())
        })
        .collect()
}

/// The one thing that is wrong, with the value itself.
fn wrong_itself<T: Debug>(mapped: Result<T, impl Unmappable + Debug>) -> (ViolationKind, String) {
    match wrong(mapped).as_slice() {
        [(path, kind, description)] if path.is_empty() => (*kind, description.clone()),
        other => panic!("more is wrong, or elsewhere: {other:?}"),
    }
}

/// An enum of a domain, as the generator makes its mapper: 0 is unspecified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Color {
    Red,
    Blue,
}

struct ColorMapper;

impl super::ProtobufMapper for ColorMapper {
    type Entity = Color;
    type Proto = i32;
    type EncodeError = std::convert::Infallible;
    const GRADE: super::Grade = super::Grade::Injective;

    fn to_proto(entity: &Color) -> Result<i32, Self::EncodeError> {
        Self::into_proto(*entity)
    }

    fn into_proto(entity: Color) -> Result<i32, Self::EncodeError> {
        Ok(match entity {
            Color::Red => 1,
            Color::Blue => 2,
        })
    }

    fn from_proto(proto: i32) -> Result<Color, MapError> {
        match proto {
            0 => Err(MapError::missing()),
            1 => Ok(Color::Red),
            2 => Ok(Color::Blue),
            _ => Err(MapError::new(
                ViolationKind::UnknownEnumValue,
                "is not a known value",
            )),
        }
    }
}
