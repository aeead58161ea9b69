//! Presence in entities: wrappers, `optional`, and proto2.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use apibase::ViolationKind::{Malformed, Missing, OutOfRange};
use apibase::prost::Message;
use apibase::{Grade, ProtobufMapper};
use apibase_tests::entity_wrappers::entity_wrappers as wrappers;
use mapping::{message, refused, survives, unsayable};
use uuid::Uuid;
use wrappers::api::{Optional, OptionalMapper, Wrapped, WrappedMapper};
use wrappers::older;
use wrappers::older::api::{Record, RecordMapper};

const ID: &str = "01234567-89ab-cdef-fedc-ba9876543210";

fn wrapped() -> Wrapped {
    Wrapped {
        text: None,
        bytes: None,
        flag: None,
        double: None,
        float: None,
        int32: None,
        int64: None,
        uint32: None,
        uint64: None,
        id: None,
        size: 0,
        words: Vec::new(),
    }
}

fn full() -> Wrapped {
    Wrapped {
        text: Some("text".to_owned()),
        bytes: Some(vec![0]),
        flag: Some(true),
        double: Some(f64::MIN_POSITIVE),
        float: Some(f32::MAX),
        int32: Some(i32::MIN),
        int64: Some(i64::MIN),
        uint32: Some(u32::MAX),
        uint64: Some(u64::MAX),
        id: Some(Uuid::max()),
        size: 7,
        words: vec![String::new(), "word".to_owned()],
    }
}

#[test]
fn a_wrapper_tells_none_from_empty() {
    let nothing = survives::<WrappedMapper>(&wrapped());
    let proto = survives::<WrappedMapper>(&Wrapped {
        text: Some(String::new()),
        bytes: Some(Vec::new()),
        flag: Some(false),
        double: Some(0.0),
        float: Some(0.0),
        int32: Some(0),
        int64: Some(0),
        uint32: Some(0),
        uint64: Some(0),
        ..wrapped()
    });
    assert_eq!((nothing.text, proto.text), (None, Some(String::new())));
    assert_eq!((nothing.flag, proto.flag), (None, Some(false)));
    survives::<WrappedMapper>(&full());
    assert_eq!(WrappedMapper::GRADE, Grade::Injective);
}

#[test]
fn a_wrapper_can_have_a_format_and_be_required() {
    let proto = wrappers::Wrapped {
        id: Some("x".to_owned()),
        ..wrappers::Wrapped::default()
    };
    refused::<WrappedMapper>(proto, &[("id", Malformed), ("size", Missing)]);
    let proto = wrappers::Wrapped {
        id: Some(String::new()),
        size: Some(-1),
        ..wrappers::Wrapped::default()
    };
    refused::<WrappedMapper>(proto, &[("id", Malformed), ("size", OutOfRange)]);
    let entity = Wrapped {
        size: usize::MAX,
        ..wrapped()
    };
    unsayable::<WrappedMapper>(&entity, "size", OutOfRange);
}

/// The entity as it comes back from the bytes of its message.
fn through_bytes(entity: &Wrapped) -> Wrapped {
    let bytes = message_of(entity).encode_to_vec();
    WrappedMapper::from_proto(wrappers::Wrapped::decode(bytes.as_slice()).unwrap()).unwrap()
}

fn message_of(entity: &Wrapped) -> wrappers::Wrapped {
    WrappedMapper::to_proto(entity).unwrap()
}

#[test]
fn nan_keeps_its_bits() {
    let quiet = f64::from_bits(0xfff8_0000_0000_1234);
    let entity = Wrapped {
        double: Some(quiet),
        float: Some(f32::from_bits(0x7fc0_0042)),
        ..wrapped()
    };
    let back = through_bytes(&entity);
    assert_eq!(back.double.unwrap().to_bits(), 0xfff8_0000_0000_1234);
    assert_eq!(back.float.unwrap().to_bits(), 0x7fc0_0042);
}

#[test]
fn minus_zero_is_zero_in_a_wrapper_and_stays_in_an_optional() {
    let entity = Wrapped {
        double: Some(-0.0),
        ..wrapped()
    };
    // Equal, as the normal form says, but for its sign.
    let back = through_bytes(&entity);
    assert_eq!(back, entity);
    assert!(back.double.unwrap().is_sign_positive());

    let entity = Optional {
        double: Some(-0.0),
        ..optional()
    };
    let bytes = message::<OptionalMapper>(&entity).encode_to_vec();
    let proto = wrappers::Optional::decode(bytes.as_slice()).unwrap();
    let back = OptionalMapper::from_proto(proto).unwrap();
    assert!(back.double.unwrap().is_sign_negative());
}

fn optional() -> Optional {
    Optional {
        text: None,
        bytes: None,
        flag: None,
        double: None,
        number: None,
        note: String::new(),
    }
}

#[test]
fn an_optional_tells_none_from_empty() {
    let nothing = survives::<OptionalMapper>(&optional());
    let proto = survives::<OptionalMapper>(&Optional {
        text: Some(String::new()),
        bytes: Some(Vec::new()),
        flag: Some(false),
        double: Some(0.0),
        number: Some(0),
        ..optional()
    });
    assert_eq!((nothing.text, proto.text), (None, Some(String::new())));
    assert_eq!((nothing.number, proto.number), (None, Some(0)));
    // It is required, and empty is something.
    assert_eq!(nothing.note, Some(String::new()));
    let error = refused::<OptionalMapper>(wrappers::Optional::default(), &[("note", Missing)]);
    assert_eq!(error.to_string(), "note is required");
}

fn record() -> Record {
    Record {
        name: String::new(),
        id: Uuid::nil(),
        count: None,
        size: None,
        key: Vec::new(),
        tags: Vec::new(),
        inner: None,
    }
}

#[test]
fn a_required_field_of_proto2_is_no_option() {
    let entity = Record {
        count: Some(0),
        size: Some(7),
        tags: vec![String::new()],
        inner: Some(Box::new(record())),
        ..record()
    };
    let proto = survives::<RecordMapper>(&entity);
    let name: String = proto.name;
    assert_eq!((name.as_str(), proto.key), ("", Some(Vec::new())));
}

#[test]
fn a_default_of_proto2_is_no_value() {
    let proto = message::<RecordMapper>(&record());
    assert_eq!((proto.size, proto.size()), (None, 7));
    assert_eq!(RecordMapper::from_proto(proto).unwrap().size, None);
}

#[test]
fn what_is_wrong_inside_has_its_path() {
    let inner = older::Record {
        id: "x".to_owned(),
        ..older::Record::default()
    };
    let proto = older::Record {
        id: ID.to_owned(),
        key: Some(Vec::new()),
        inner: Some(Box::new(older::Record {
            inner: Some(Box::new(inner)),
            ..older::Record::default()
        })),
        ..older::Record::default()
    };
    refused::<RecordMapper>(
        proto,
        &[
            ("inner.id", Malformed),
            ("inner.key", Missing),
            ("inner.inner.id", Malformed),
            ("inner.inner.key", Missing),
        ],
    );
}
