//! Integers in entities: of other widths and signs than their fields, and never zero.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::collections::HashSet;
use std::num::NonZero;

use apibase::ProtobufMapper;
use apibase::ViolationKind::OutOfRange;
use apibase_tests::entity_integers::entity_integers as integers;
use integers::api::{Narrow, NarrowMapper, Shapes, ShapesMapper, Wide, WideMapper};
use mapping::{message, refused, survives, unsayable};

#[test]
fn narrow_integers_survive_from_end_to_end() {
    let least = Narrow {
        i8: i8::MIN,
        i16: i16::MIN,
        i32: i32::MIN,
        i64: i64::MIN,
        u8: u8::MIN,
        u16: u16::MIN,
        u32: u32::MIN,
        u64: u64::MIN,
        unsigned: u16::MIN,
    };
    let greatest = Narrow {
        i8: i8::MAX,
        i16: i16::MAX,
        i32: i32::MAX,
        i64: i64::MAX,
        u8: u8::MAX,
        u16: u16::MAX,
        u32: u32::MAX,
        u64: u64::MAX,
        unsigned: u16::MAX,
    };
    survives::<NarrowMapper>(&least);
    survives::<NarrowMapper>(&greatest);
    // Each of them fits, so that no question is left.
    assert_eq!(integers::Narrow::from(greatest).u32, u64::from(u32::MAX));
}

#[test]
fn what_a_narrow_integer_can_not_hold_is_refused() {
    let proto = integers::Narrow {
        i8: 128,
        i16: -32_769,
        i32: i32::MIN,
        i64: i64::MIN,
        u8: 256,
        u16: u32::MAX,
        u32: 1 << 32,
        u64: u64::MAX,
        unsigned: -1,
    };
    let error = refused::<NarrowMapper>(
        proto,
        &[
            ("i8", OutOfRange),
            ("i16", OutOfRange),
            ("u8", OutOfRange),
            ("u16", OutOfRange),
            ("u32", OutOfRange),
            ("unsigned", OutOfRange),
        ],
    );
    let first = error.violations()[0].to_string();
    assert_eq!(first, "i8 must be from -128 to 127");
}

#[test]
fn what_a_field_can_not_say_is_no_message() {
    let fits = Wide {
        i64: i32::MIN.into(),
        u64: i64::MAX.unsigned_abs(),
        i32: i32::MAX,
        size: usize::try_from(i64::MAX).unwrap_or(usize::MAX),
        count: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
    };
    survives::<WideMapper>(&fits);
    let with = |change: fn(&mut Wide)| {
        let mut entity = fits.clone();
        change(&mut entity);
        entity
    };
    let wrong = |entity, path| unsayable::<WideMapper>(&entity, path, OutOfRange).to_string();
    assert_eq!(
        wrong(with(|wide| wide.i64 = i64::MIN), "i64"),
        "i64 must be from -2147483648 to 2147483647"
    );
    assert_eq!(
        wrong(with(|wide| wide.u64 = u64::MAX), "u64"),
        "u64 must be from 0 to 9223372036854775807"
    );
    assert_eq!(
        wrong(with(|wide| wide.i32 = -1), "i32"),
        "i32 must be from 0 to 2147483647"
    );
    wrong(with(|wide| wide.size = usize::MAX), "size");
    wrong(with(|wide| wide.count = usize::MAX), "count");
    let proto = integers::Wide {
        i64: 0,
        u64: i64::MIN,
        i32: u32::MAX,
        size: -1,
        count: u32::MAX,
    };
    refused::<WideMapper>(
        proto,
        &[
            ("u64", OutOfRange),
            ("i32", OutOfRange),
            ("size", OutOfRange),
        ],
    );
}

fn shapes() -> Shapes {
    Shapes {
        version: NonZero::<i32>::MIN,
        floor: NonZero::<u8>::MAX,
        limit: None,
        offset: None,
        levels: Vec::new(),
        sizes: [].into(),
        ports: HashSet::new(),
    }
}

#[test]
fn integers_stand_in_every_kind_of_field() {
    survives::<ShapesMapper>(&shapes());
    let entity = Shapes {
        limit: NonZero::new(u64::MAX),
        offset: Some(0),
        levels: vec![0, u8::MAX],
        sizes: [(String::new(), 0)].into(),
        ports: [80, 443].into_iter().filter_map(NonZero::new).collect(),
        ..shapes()
    };
    let proto = survives::<ShapesMapper>(&entity);
    assert_eq!((proto.limit, proto.offset), (u64::MAX, Some(0)));
}

#[test]
fn doubles_of_a_set_merge() {
    let proto = integers::Shapes {
        ports: vec![80, 443, 80],
        ..message::<ShapesMapper>(&shapes())
    };
    let entity = ShapesMapper::from_proto(proto).unwrap();
    assert_eq!(entity.ports.len(), 2);
}

#[test]
fn a_zero_is_refused_where_it_means_nothing_and_is_none_where_that_is_said() {
    let proto = integers::Shapes {
        limit: 0,
        levels: vec![0, 256],
        sizes: [("a".to_owned(), -1)].into(),
        ports: vec![80, 0, 65_536],
        ..integers::Shapes::default()
    };
    refused::<ShapesMapper>(
        proto,
        &[
            ("version", OutOfRange),
            ("floor", OutOfRange),
            ("levels[1]", OutOfRange),
            (r#"sizes["a"]"#, OutOfRange),
            ("ports[1]", OutOfRange),
            ("ports[2]", OutOfRange),
        ],
    );
    let entity = ShapesMapper::from_proto(message::<ShapesMapper>(&shapes())).unwrap();
    assert_eq!(entity.limit, None);
}
