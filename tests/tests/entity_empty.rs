//! What it means that a field without presence is empty: nothing, none, or an error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use apibase::ViolationKind::{Malformed, Missing, NotAllowed};
use apibase::{Grade, ProtobufMapper};
use apibase_tests::entity_empty::entity_empty as empty;
use empty::api::{Free, FreeMapper, Loose, LooseMapper, Strict, StrictMapper};
use mapping::{refused, survives, unsayable};
use uuid::Uuid;

fn loose() -> Loose {
    Loose {
        text: None,
        id: None,
        bytes: None,
        hash: None,
        numbers: None,
        labels: None,
    }
}

#[test]
fn empty_is_none_where_that_is_said() {
    let proto = survives::<LooseMapper>(&loose());
    assert_eq!(proto, empty::Loose::default());
    survives::<LooseMapper>(&Loose {
        text: Some("a".to_owned()),
        id: Some(Uuid::nil()),
        bytes: Some(vec![0]),
        hash: Some([0, 0]),
        numbers: Some(vec![0]),
        labels: Some([(String::new(), String::new())].into()),
    });
}

#[test]
fn something_empty_is_no_message_where_empty_is_none() {
    let error = unsayable::<LooseMapper>(
        &Loose {
            text: Some(String::new()),
            ..loose()
        },
        "text",
        NotAllowed,
    );
    assert_eq!(
        error.to_string(),
        "text must not be empty: that would mean none"
    );
    let entity = Loose {
        bytes: Some(Vec::new()),
        ..loose()
    };
    unsayable::<LooseMapper>(&entity, "bytes", NotAllowed);
    let entity = Loose {
        numbers: Some(Vec::new()),
        ..loose()
    };
    unsayable::<LooseMapper>(&entity, "numbers", NotAllowed);
    let entity = Loose {
        labels: Some([].into()),
        ..loose()
    };
    unsayable::<LooseMapper>(&entity, "labels", NotAllowed);
}

#[test]
fn what_is_there_has_to_be_right_also_where_empty_is_none() {
    let proto = empty::Loose {
        id: "x".to_owned(),
        hash: vec![0],
        ..empty::Loose::default()
    };
    refused::<LooseMapper>(proto, &[("id", Malformed), ("hash", Malformed)]);
}

fn strict() -> Strict {
    Strict {
        text: "a".to_owned(),
        id: Uuid::nil(),
        bytes: vec![0],
        hash: [0, 0],
        numbers: vec![0],
        words: [String::new()].into(),
        labels: [(String::new(), String::new())].into(),
    }
}

#[test]
fn empty_is_missing_where_something_is_required() {
    survives::<StrictMapper>(&strict());
    let error = refused::<StrictMapper>(
        empty::Strict::default(),
        &["text", "id", "bytes", "hash", "numbers", "words", "labels"].map(|path| (path, Missing)),
    );
    let first = error.violations()[0].to_string();
    assert_eq!(first, "text is required");
    assert_eq!(StrictMapper::GRADE, Grade::Injective);
}

#[test]
fn an_empty_value_is_no_message_where_something_is_required() {
    let with = |change: fn(&mut Strict)| {
        let mut entity = strict();
        change(&mut entity);
        entity
    };
    for (path, entity) in [
        ("text", with(|strict| strict.text.clear())),
        ("bytes", with(|strict| strict.bytes.clear())),
        ("numbers", with(|strict| strict.numbers.clear())),
        ("words", with(|strict| strict.words.clear())),
        ("labels", with(|strict| strict.labels.clear())),
    ] {
        unsayable::<StrictMapper>(&entity, path, Missing);
    }
}

#[test]
fn empty_is_empty_where_nothing_is_said() {
    let nothing = Free {
        text: String::new(),
        numbers: Vec::new(),
    };
    assert_eq!(survives::<FreeMapper>(&nothing), empty::Free::default());
    assert_eq!(FreeMapper::GRADE, Grade::Iso);
}
