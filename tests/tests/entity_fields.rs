//! Fields of entities: renamed, ignored, flattened, secret, deprecated, required, and named like what
//! Rust or the layer has.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::collections::{HashMap, HashSet};

use apibase::ViolationKind::{Malformed, Missing, OutOfRange, UnknownEnumValue};
use apibase::{Grade, ProtobufMapper};
use apibase_tests::entity_fields::entity_fields as fields;
use apibase_tests::entity_file::entity_file as file;
use apibase_tests::entity_names::entity_names as names;
use apibase_tests::entity_required::entity_required as required;
use fields::api::{
    Account, AccountMapper, AccountOrigin, Hidden, HiddenMapper, Nothing, NothingMapper,
    OldAccount, Parcel, ParcelMapper, ParcelOrigin, Words, WordsLoop, WordsMapper,
};
use mapping::{message, refused, survives, unsayable};
use required::api::{
    BehavesMapper, Color, Ours, OursChoice, OursMapper, Part, PrecedenceMapper, ValidatedMapper,
};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x1234_5678);

#[allow(deprecated, reason = "the field still maps")]
fn account() -> Account {
    Account {
        number: "12".to_owned(),
        password: "hunter2".to_owned(),
        secret_id: ID,
        iban: "AT12".to_owned(),
        author: "Ada".to_owned(),
        revision: 3,
        origin: Some(AccountOrigin::Key(ID)),
        motto: "So be it".to_owned(),
    }
}

#[test]
fn renamed_and_flattened_fields_survive() {
    let proto = survives::<AccountMapper>(&account());
    assert_eq!(proto.acct_no, "12");
    let stamp = proto.stamp.unwrap();
    assert_eq!((stamp.author.as_str(), stamp.revision), ("Ada", 3));
    assert_eq!(stamp.seal.unwrap().motto, "So be it");
}

#[test]
fn an_ignored_field_is_not_read_and_is_sent_unset() {
    let mut proto = message::<AccountMapper>(&account());
    proto.cursor = vec![1, 2, 3];
    let read = AccountMapper::from_proto(proto).unwrap();
    assert_eq!(read, account());
    assert!(message::<AccountMapper>(&read).cursor.is_empty());
    let token = "x".to_owned();
    let hidden = HiddenMapper::from_proto(fields::Hidden { token }).unwrap();
    assert_eq!(hidden, Hidden {});
    assert_eq!(HiddenMapper::GRADE, Grade::Injective);
}

#[test]
fn what_is_wrong_in_a_flattened_message_is_at_its_own_path() {
    let mut proto = message::<AccountMapper>(&account());
    proto.stamp = Some(fields::Stamp {
        author: String::new(),
        revision: 256,
        origin: Some(fields::stamp::Origin::Key("no".to_owned())),
        seal: None,
    });
    refused::<AccountMapper>(
        proto,
        &[
            ("stamp.author", Missing),
            ("stamp.revision", OutOfRange),
            ("stamp.key", Malformed),
        ],
    );
    let author = String::new();
    let nobody = Account {
        author,
        ..account()
    };
    unsayable::<AccountMapper>(&nobody, "stamp.author", Missing);
}

#[test]
fn a_flattened_message_that_is_not_there_is_an_empty_one() {
    let mut proto = message::<AccountMapper>(&account());
    proto.stamp = None;
    refused::<AccountMapper>(proto, &[("stamp.author", Missing)]);
    let parcel = fields::Parcel {
        stamp: Some(fields::Stamp {
            author: "Ada".to_owned(),
            ..fields::Stamp::default()
        }),
        ..fields::Parcel::default()
    };
    let parcel = ParcelMapper::from_proto(parcel).unwrap();
    assert_eq!((parcel.motto.as_str(), parcel.heat), ("", 0));
    assert_eq!(
        message::<ParcelMapper>(&parcel).seal,
        Some(fields::Wax::default())
    );
}

#[test]
fn several_messages_are_flattened_into_one_entity() {
    survives::<ParcelMapper>(&Parcel {
        flattened_stamp: "own".to_owned(),
        author: "Ada".to_owned(),
        revision: 255,
        origin: Some(ParcelOrigin::Place("here".to_owned())),
        motto: "So be it".to_owned(),
        heat: 99,
    });
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!("{:?}", account());
    assert!(
        !printed.contains("hunter2") && !printed.contains("5678-"),
        "{printed}"
    );
    for part in [
        "Account { number: \"12\", password: [redacted], secret_id: [redacted], iban: \"AT12\"",
        "origin: Some(Key(00000000-0000-0000-0000-000012345678)), motto: \"So be it\" }",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
    let old = OldAccount::try_from(fields::OldAccount::default()).unwrap();
    assert_eq!(
        format!("{old:?}"),
        "OldAccount { number: \"\", password: [redacted] }"
    );
}

#[test]
fn the_errors_of_a_secret_say_nothing_of_it() {
    let mut proto = message::<AccountMapper>(&account());
    proto.secret_id = "hunter2".to_owned();
    let error = refused::<AccountMapper>(proto, &[("secret_id", Malformed)]);
    assert!(error.violations()[0].source().is_none());
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn names_that_rust_or_the_mapper_uses_are_names_of_fields_too() {
    let text = || "x".to_owned();
    let proto = survives::<WordsMapper>(&Words {
        r#type: ID,
        self_: text(),
        fields: ID,
        proto: ID,
        entity: text(),
        map: text(),
        rt: text(),
        camel_case: text(),
        r#match: text(),
        r#loop: Some(WordsLoop::While(text())),
    });
    assert_eq!(proto.plain, "x");
    refused::<WordsMapper>(
        fields::Words::default(),
        &[
            ("type", Malformed),
            ("fields", Malformed),
            ("proto", Malformed),
        ],
    );
}

#[test]
fn an_entity_may_have_no_fields() {
    assert_eq!(survives::<NothingMapper>(&Nothing {}), fields::Nothing {});
    assert_eq!(NothingMapper::GRADE, Grade::Iso);
}

#[test]
fn names_of_the_prelude_get_an_underscore_and_their_mappers_none() {
    use names::api::{
        Box_, BoxMapper, BoxSome, Clone_, CloneMapper, Default_, From_, Option_, Result_,
        ResultMapper, String_, Vec_, VecMapper,
    };
    let text = || String_ {
        value: "x".to_owned(),
    };
    let option = Option_ {
        text: Some(text()),
        r#box: None,
    };
    let result = Result_ {
        ok: Box::new(option),
    };
    survives::<ResultMapper>(&result);
    survives::<BoxMapper>(&Box_ {
        inner: Some(Box::new(Box_ {
            inner: None,
            from: None,
            some: Some(BoxSome::Ok(text())),
        })),
        from: Some(From_ { place: ID }),
        some: Some(BoxSome::Err(Box::new(result))),
    });
    survives::<VecMapper>(&Vec_ {
        items: vec![text()],
        names: HashSet::from(["a".to_owned()]),
    });
    survives::<CloneMapper>(&Clone_ {
        default: Default_::Some,
    });
    refused::<ResultMapper>(names::Result::default(), &[("ok", Missing)]);
}

#[test]
fn a_files_option_makes_entities_of_all_but_those_that_skip() {
    use file::api::{Role, User, UserAddress, UserMapper};
    let raw = file::Raw {
        data: vec![1],
        role: 77,
    };
    let user = User {
        id: ID,
        raw: Some(raw),
        role: Some(Role::Author),
        names: HashMap::from([("en".to_owned(), "Ada".to_owned())]),
        address: Some(UserAddress {
            street: "Long Lane".to_owned(),
        }),
    };
    let mut proto = survives::<UserMapper>(&user);
    proto.role = 77;
    refused::<UserMapper>(proto, &[("role", UnknownEnumValue)]);
}

fn part() -> Part {
    Part {
        name: "x".to_owned(),
    }
}

#[test]
fn our_option_requires_whatever_can_be_missing() {
    let ours = Ours {
        text: "x".to_owned(),
        data: vec![0],
        id: ID,
        note: String::new(),
        count: 0,
        part: part(),
        color: Color::Red,
        parts: vec![part()],
        tags: HashSet::from([String::new()]),
        named: HashMap::from([(String::new(), part())]),
        choice: OursChoice::No(false),
    };
    survives::<OursMapper>(&ours);
    let missing = [
        "text", "data", "id", "note", "count", "part", "color", "parts", "tags", "named", "choice",
    ];
    refused::<OursMapper>(
        required::Ours::default(),
        &missing.map(|path| (path, Missing)),
    );
    let parts = Vec::new();
    unsayable::<OursMapper>(
        &Ours {
            parts,
            ..ours.clone()
        },
        "parts",
        Missing,
    );
    let tags = HashSet::new();
    unsayable::<OursMapper>(
        &Ours {
            tags,
            ..ours.clone()
        },
        "tags",
        Missing,
    );
    let named = HashMap::new();
    unsayable::<OursMapper>(&Ours { named, ..ours }, "named", Missing);
}

#[test]
fn googles_behaviour_requires_what_can_be_missing() {
    refused::<BehavesMapper>(
        required::Behaves::default(),
        &["text", "part", "color", "tags"].map(|path| (path, Missing)),
    );
}

#[test]
fn the_rules_of_protovalidate_require_too() {
    refused::<ValidatedMapper>(
        required::Validated::default(),
        &["text", "part", "color"].map(|path| (path, Missing)),
    );
}

#[test]
fn our_option_is_heard_before_the_others() {
    refused::<PrecedenceMapper>(
        required::Precedence::default(),
        &["behavior", "rules", "alone"].map(|path| (path, Missing)),
    );
}
