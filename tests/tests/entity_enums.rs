//! Enums of entities: what zero means, and what becomes of numbers without a name.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::collections::{HashMap, HashSet};

use apibase::ViolationKind::{Missing, UnknownEnumValue};
use apibase::{Grade, MapError, Open, ProtobufMapper};
use apibase_tests::entity_enums::entity_enums as proto;
use mapping::{message, refused, survives};
use proto::api::{
    Parcel, ParcelMapper, ParcelNext, ParcelUrgency, Size, SizeMapper, State, StateMapper,
};

/// A number that none of the enums has.
const UNKNOWN: i32 = 77;

fn parcel() -> Parcel {
    Parcel {
        state: Some(State::Packing),
        due: State::Sent,
        before: Some(State::Sent),
        first: State::Packing,
        reported: Some(Open::Known(State::Sent)),
        confirmed: Open::Known(State::Sent),
        shown: State::Packing,
        size: Size::Huge,
        limit: Some(Size::Small),
        urgency: ParcelUrgency::Express,
        history: vec![State::Packing, State::Sent, State::Packing],
        seen: HashSet::from([State::Packing, State::Sent]),
        raw: vec![Open::Known(State::Other), Open::Unknown(UNKNOWN)],
        parts: HashMap::from([("lid".to_owned(), State::Sent)]),
        next: Some(ParcelNext::Enter(State::Sent)),
        payment: proto::Payment::Cash,
        accepted: vec![proto::Payment::Unspecified, proto::Payment::Cash],
    }
}

fn sent() -> proto::Parcel {
    message::<ParcelMapper>(&parcel())
}

#[track_caller]
fn read(proto: proto::Parcel) -> Parcel {
    ParcelMapper::from_proto(proto).unwrap()
}

#[test]
fn every_value_survives() {
    let proto = survives::<ParcelMapper>(&parcel());
    assert_eq!((proto.state, proto.size, proto.urgency), (1, -1, 1));
    assert_eq!((proto.before, proto.limit), (Some(2), Some(0)));
    assert_eq!(
        (proto.raw.as_slice(), proto.payment),
        ([9, UNKNOWN].as_slice(), 1)
    );
    survives::<ParcelMapper>(&Parcel {
        state: None,
        before: None,
        reported: None,
        limit: None,
        next: None,
        ..parcel()
    });
}

#[test]
fn a_parcel_without_anything_lacks_what_is_required() {
    refused::<ParcelMapper>(
        proto::Parcel::default(),
        &[
            ("due", Missing),
            ("first", Missing),
            ("confirmed", Missing),
            ("shown", Missing),
        ],
    );
}

#[test]
fn unspecified_is_none_with_presence_and_without() {
    let parcel = read(proto::Parcel {
        state: 0,
        before: Some(0),
        reported: 0,
        ..sent()
    });
    assert_eq!((parcel.state, parcel.before), (None, None));
    assert_eq!(parcel.reported, None);
}

#[test]
fn unspecified_is_missing_where_a_value_must_be() {
    let proto = proto::Parcel {
        due: 0,
        first: Some(0),
        confirmed: 0,
        shown: 0,
        history: vec![1, 0],
        seen: vec![0],
        raw: vec![UNKNOWN, 0],
        parts: HashMap::from([("lid".to_owned(), 0)]),
        next: Some(proto::parcel::Next::Enter(0)),
        ..sent()
    };
    refused::<ParcelMapper>(
        proto,
        &[
            ("due", Missing),
            ("first", Missing),
            ("confirmed", Missing),
            ("shown", Missing),
            ("history[1]", Missing),
            ("seen[0]", Missing),
            ("raw[1]", Missing),
            ("parts[\"lid\"]", Missing),
            ("enter", Missing),
        ],
    );
}

#[test]
fn an_unknown_number_is_refused_unless_the_proto_says_otherwise() {
    let proto = proto::Parcel {
        state: UNKNOWN,
        due: UNKNOWN,
        before: Some(UNKNOWN),
        first: Some(-UNKNOWN),
        reported: UNKNOWN,
        confirmed: UNKNOWN,
        shown: UNKNOWN,
        size: UNKNOWN,
        limit: Some(UNKNOWN),
        urgency: UNKNOWN,
        history: vec![UNKNOWN, 1, UNKNOWN],
        seen: vec![1, UNKNOWN],
        raw: vec![UNKNOWN],
        parts: HashMap::from([("lid".to_owned(), UNKNOWN)]),
        next: Some(proto::parcel::Next::Grow(UNKNOWN)),
        payment: UNKNOWN,
        accepted: vec![0, UNKNOWN],
    };
    let error = refused::<ParcelMapper>(
        proto,
        &[
            ("state", UnknownEnumValue),
            ("due", UnknownEnumValue),
            ("before", UnknownEnumValue),
            ("first", UnknownEnumValue),
            ("size", UnknownEnumValue),
            ("limit", UnknownEnumValue),
            ("urgency", UnknownEnumValue),
            ("history[0]", UnknownEnumValue),
            ("history[2]", UnknownEnumValue),
            ("seen[1]", UnknownEnumValue),
            ("parts[\"lid\"]", UnknownEnumValue),
            ("grow", UnknownEnumValue),
            ("payment", UnknownEnumValue),
            ("accepted[1]", UnknownEnumValue),
        ],
    );
    assert!(!error.to_string().contains("77"), "{error}");
}

#[test]
fn keep_holds_the_number_and_sends_it_again() {
    let proto = proto::Parcel {
        reported: UNKNOWN,
        confirmed: -1,
        // A set of more comes back in any order.
        seen: vec![1],
        raw: vec![1, UNKNOWN],
        next: Some(proto::parcel::Next::Guess(UNKNOWN)),
        ..sent()
    };
    let parcel = read(proto.clone());
    assert_eq!(parcel.reported, Some(Open::Unknown(UNKNOWN)));
    assert_eq!(parcel.confirmed, Open::Unknown(-1));
    assert_eq!(
        parcel.raw,
        [Open::Known(State::Packing), Open::Unknown(UNKNOWN)]
    );
    assert_eq!(parcel.next, Some(ParcelNext::Guess(Open::Unknown(UNKNOWN))));
    assert_eq!(survives::<ParcelMapper>(&parcel), proto);
}

#[test]
fn a_kept_number_that_has_a_name_comes_back_as_the_name() {
    let parcel = Parcel {
        confirmed: Open::Unknown(2),
        ..parcel()
    };
    let back = read(message::<ParcelMapper>(&parcel));
    assert_eq!(back.confirmed, Open::Known(State::Sent));
}

#[test]
fn fallback_reads_an_unknown_number_as_the_value_it_names() {
    let parcel = read(proto::Parcel {
        shown: UNKNOWN,
        ..sent()
    });
    assert_eq!(parcel.shown, State::Other);
    assert_eq!(message::<ParcelMapper>(&parcel).shown, 9);
}

#[test]
fn zero_is_a_value_where_the_enum_has_a_name_for_it() {
    let parcel = read(proto::Parcel {
        size: 0,
        limit: Some(0),
        urgency: 0,
        payment: 0,
        ..sent()
    });
    assert_eq!(
        (parcel.size, parcel.urgency),
        (Size::Small, ParcelUrgency::Normal)
    );
    assert_eq!(parcel.limit, Some(Size::Small));
    assert_eq!(parcel.payment, proto::Payment::Unspecified);
}

#[test]
fn an_alias_is_the_value_whose_number_it_has() {
    assert_eq!(SizeMapper::from_proto(0).unwrap(), Size::Small);
    assert_eq!(message::<SizeMapper>(&Size::Small), 0);
    assert_eq!(message::<SizeMapper>(&Size::Huge), -1);
}

#[test]
#[allow(deprecated, reason = "the value still maps")]
fn a_deprecated_value_is_mapped_like_any() {
    assert_eq!(StateMapper::from_proto(3).unwrap(), State::Delivered);
    assert_eq!(message::<StateMapper>(&State::Delivered), 3);
}

#[test]
fn a_set_has_no_doubles_and_a_list_keeps_them() {
    let parcel = read(proto::Parcel {
        history: vec![1, 2, 1],
        seen: vec![1, 2, 1],
        ..sent()
    });
    assert_eq!(parcel.history.len(), 3);
    assert_eq!(parcel.seen, HashSet::from([State::Packing, State::Sent]));
}

#[test]
fn all_of_it_is_injective() {
    assert_eq!(ParcelMapper::GRADE, Grade::Injective);
    let proto: proto::Parcel = parcel().try_into().unwrap();
    let back: Result<Parcel, MapError> = proto.try_into();
    assert_eq!(back.unwrap(), parcel());
}
