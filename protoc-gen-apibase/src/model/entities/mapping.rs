//! What mappings are made of.

use super::super::entity::{Grade, GradeOf, Mapping, Same};

/// The same on both sides.
pub(super) fn same(rust: &str, how: Same) -> Mapping {
    Mapping {
        entity: rust.to_owned(),
        proto: rust.to_owned(),
        mapper: format!("map::Same<{rust}>"),
        same: Some(how),
        fallible: false,
        grade: GradeOf::ISO,
        nested: Vec::new(),
        hash: true,
        has_empty: false,
    }
}

/// Another type for what is on the wire, which says every value of it.
pub(super) fn value(wire: Mapping, entity: &str, mapper: &str) -> Mapping {
    Mapping {
        entity: entity.to_owned(),
        mapper: mapper.to_owned(),
        same: None,
        grade: known(Grade::Injective),
        ..wire
    }
}

pub(super) fn known(grade: Grade) -> GradeOf {
    GradeOf {
        known: grade,
        and: Vec::new(),
    }
}

pub(super) fn newtype(mapping: Mapping, path: &str) -> Mapping {
    let mut grade = mapping.grade.clone();
    grade.lower(&known(Grade::Injective));
    Mapping {
        entity: path.to_owned(),
        mapper: format!("map::Newtype<{}, {path}>", mapping.mapper),
        same: None,
        grade,
        ..mapping
    }
}
