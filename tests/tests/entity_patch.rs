//! Partial updates: what a field mask says to change (AIP-134), and what a request has.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use apibase::codegen::{DateTime, Url, Utc, Uuid};
use apibase::prost_types::{FieldMask, Timestamp};
use apibase::{Change, MapError, NestedChange, ProtobufMapper, ViolationKind};
use apibase_tests::entity_patch::entity_patch as proto;
use apibase_tests::entity_patch::entity_patch::api::{
    Address, AddressPatch, Mood, Person, PersonContact, PersonPatch, Rank, RenamePersonRequest,
    RenamePersonRequestMapper, Telephone, UpdatePersonRequest, UpdatePersonRequestMapper,
};

const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask {
        paths: paths.iter().map(ToString::to_string).collect(),
    }
}

/// What a request says that has `person` and names `paths`.
fn patch(person: proto::Person, paths: &[&str]) -> Result<PersonPatch, MapError> {
    let mask = mask(paths);
    PersonPatch::from_mask(Some(person), Some(&mask))
}

fn identified() -> proto::Person {
    proto::Person {
        id: ID.to_owned(),
        ..proto::Person::default()
    }
}

fn kept() -> PersonPatch {
    PersonPatch {
        id: ID.parse().unwrap(),
        ..PersonPatch::default()
    }
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn address(town: &str) -> Address {
    Address {
        street: "Main Street 1".to_owned(),
        town: town.to_owned(),
    }
}

fn person() -> Person {
    Person {
        id: ID.parse().unwrap(),
        name: "Ada".to_owned(),
        stairs: Some(12),
        born_at: time(0),
        seen_at: None,
        home: address("London"),
        work: None,
        contact: Some(PersonContact::Mail("ada@example.com".to_owned())),
        page: Some("https://example.com/ada".parse::<Url>().unwrap()),
        mood: Some(Mood::Good),
        likes: vec!["numbers".to_owned()],
        guardian: None,
        married_at: Some(time(1)),
        rank: Rank::First,
        pin: "1234".to_owned(),
    }
}

/// The paths and kinds of what is wrong.
fn wrong(error: &MapError) -> Vec<(&str, ViolationKind)> {
    let violations = error.violations().iter();
    violations
        .map(|violation| (violation.path(), violation.kind()))
        .collect()
}

#[test]
fn without_a_mask_the_populated_fields_change() {
    let message = proto::Person {
        name: "Ada Lovelace".to_owned(),
        stairs: Some(0),
        mood: proto::Mood::Bad as i32,
        ..identified()
    };
    let expected = PersonPatch {
        name: Change::Set("Ada Lovelace".to_owned()),
        stairs: Change::Set(0),
        mood: Change::Set(Mood::Bad),
        ..kept()
    };
    let none = PersonPatch::from_mask(Some(message.clone()), None).unwrap();
    assert_eq!(none, expected);
    assert_eq!(patch(message, &[]).unwrap(), expected);
}

#[test]
fn a_mask_changes_what_it_names_and_clears_what_is_not_there() {
    let message = proto::Person {
        name: "not named".to_owned(),
        ..identified()
    };
    let paths = [
        "stairs",
        "page",
        "mood",
        "likes",
        "work",
        "mail",
        "married_at",
    ];
    let patch = patch(message, &paths).unwrap();
    let expected = PersonPatch {
        stairs: Change::Clear,
        page: Change::Clear,
        mood: Change::Clear,
        likes: Change::Set(Vec::new()),
        work: NestedChange::Clear,
        contact: Change::Clear,
        married_at: Change::Clear,
        ..kept()
    };
    assert_eq!(patch, expected);

    let mut changed = person();
    patch.apply(&mut changed).unwrap();
    let expected = Person {
        stairs: None,
        page: None,
        mood: None,
        likes: Vec::new(),
        contact: None,
        married_at: None,
        ..person()
    };
    assert_eq!(changed, expected);
}

#[test]
fn a_star_replaces_all_that_can_change() {
    let message = proto::Person {
        name: "Grace".to_owned(),
        born_at: Some(Timestamp {
            seconds: 99,
            nanos: 0,
        }),
        seen_at: Some(Timestamp {
            seconds: 99,
            nanos: 0,
        }),
        home: Some(proto::Address {
            street: String::new(),
            town: "New York".to_owned(),
        }),
        contact: Some(proto::person::Contact::Telephone(proto::Telephone {
            number: "1".to_owned(),
        })),
        rank: proto::Rank::Last as i32,
        ..identified()
    };
    let mut changed = person();
    patch(message, &["*"]).unwrap().apply(&mut changed).unwrap();
    let expected = Person {
        name: "Grace".to_owned(),
        stairs: None,
        home: Address {
            street: String::new(),
            town: "New York".to_owned(),
        },
        contact: Some(PersonContact::Telephone(Telephone {
            number: "1".to_owned(),
        })),
        page: None,
        mood: None,
        likes: Vec::new(),
        married_at: None,
        rank: Rank::Last,
        pin: String::new(),
        // Neither what never changes nor what the service sets.
        ..person()
    };
    assert_eq!(changed, expected);
}

#[test]
fn what_is_required_can_not_be_cleared() {
    let error = patch(identified(), &["*"]).unwrap_err();
    assert_eq!(
        wrong(&error),
        [
            ("home", ViolationKind::Missing),
            ("rank", ViolationKind::Missing)
        ]
    );
}

#[test]
fn fields_of_an_entity_inside_change_one_by_one() {
    let message = proto::Person {
        home: Some(proto::Address {
            street: "Side Street 2".to_owned(),
            town: "not named".to_owned(),
        }),
        ..identified()
    };
    let patch = patch(message, &["home.street"]).unwrap();
    let expected = NestedChange::Patch(AddressPatch {
        street: Change::Set("Side Street 2".to_owned()),
        ..AddressPatch::default()
    });
    assert_eq!(patch.home, expected);
    let mut changed = person();
    patch.apply(&mut changed).unwrap();
    assert_eq!(changed.home.street, "Side Street 2");
    assert_eq!(changed.home.town, "London");
}

#[test]
fn an_entity_that_is_not_there_must_be_set_as_a_whole() {
    let message = proto::Person {
        work: Some(proto::Address {
            street: "Side Street 2".to_owned(),
            town: "Paris".to_owned(),
        }),
        ..identified()
    };
    let patched = patch(message.clone(), &["work.street"]).unwrap();
    let error = patched.apply(&mut person()).unwrap_err();
    assert_eq!(wrong(&error), [("work", ViolationKind::NotAllowed)]);

    let mut changed = person();
    patch(message, &["work"])
        .unwrap()
        .apply(&mut changed)
        .unwrap();
    assert_eq!(changed.work.unwrap().town, "Paris");
}

#[test]
fn paths_that_are_none_and_fields_that_never_change_are_errors() {
    let paths = ["nmae", "home.zip", "name.first", "id", "born_at", "*"];
    let error = patch(identified(), &paths).unwrap_err();
    let expected = [
        "id",
        "born_at",
        "update_mask",
        "update_mask",
        "update_mask",
        "update_mask",
    ];
    let mut found: Vec<_> = wrong(&error).iter().map(|(path, _)| *path).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(
        error
            .violations()
            .iter()
            .all(|v| v.kind() == ViolationKind::NotAllowed)
    );
}

#[test]
fn what_the_service_sets_may_be_named_and_is_ignored() {
    let message = proto::Person {
        seen_at: Some(Timestamp {
            seconds: -1,
            nanos: -1,
        }),
        ..identified()
    };
    assert_eq!(patch(message, &["seen_at"]).unwrap(), kept());
}

#[test]
fn a_value_that_no_mask_names_is_not_looked_at() {
    let message = proto::Person {
        page: "no page".to_owned(),
        mood: 77,
        ..identified()
    };
    assert_eq!(
        patch(message.clone(), &["name"]).unwrap().page,
        Change::Keep
    );
    let error = patch(message, &["page", "mood"]).unwrap_err();
    let expected = [
        ("page", ViolationKind::Malformed),
        ("mood", ViolationKind::UnknownEnumValue),
    ];
    assert_eq!(wrong(&error), expected);
}

#[test]
fn a_patch_goes_to_the_wire_and_comes_back() {
    let request = UpdatePersonRequest {
        person: PersonPatch {
            name: Change::Set(String::new()),
            stairs: Change::Clear,
            home: NestedChange::Patch(AddressPatch {
                town: Change::Set("Paris".to_owned()),
                ..AddressPatch::default()
            }),
            work: NestedChange::Set(address("Rome")),
            contact: Change::Clear,
            guardian: Change::Set(Box::new(person())),
            rank: Change::Set(Rank::Last),
            ..kept()
        },
        validate_only: true,
    };
    let message = UpdatePersonRequestMapper::into_proto(request.clone()).unwrap();
    let paths = &message.update_mask.as_ref().unwrap().paths;
    let expected = [
        "name",
        "stairs",
        "home.town",
        "work",
        "mail",
        "guardian",
        "rank",
    ];
    let (mut found, mut expected) = (paths.clone(), expected.map(str::to_owned).to_vec());
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(
        UpdatePersonRequestMapper::to_proto(&request).unwrap(),
        message
    );
    assert_eq!(
        UpdatePersonRequestMapper::from_proto(message).unwrap(),
        request
    );
}

#[test]
fn what_is_wrong_with_a_request_is_found_at_its_path() {
    let message = proto::UpdatePersonRequest {
        person: Some(proto::Person {
            id: "nobody".to_owned(),
            page: "no page".to_owned(),
            home: Some(proto::Address::default()),
            ..proto::Person::default()
        }),
        update_mask: Some(mask(&["page", "home", "nmae"])),
        validate_only: false,
    };
    let error = UpdatePersonRequestMapper::from_proto(message).unwrap_err();
    let mut found = wrong(&error);
    found.sort_unstable_by_key(|(path, _)| path.to_owned());
    assert_eq!(
        found,
        [
            ("person.home.town", ViolationKind::Missing),
            ("person.id", ViolationKind::Malformed),
            ("person.page", ViolationKind::Malformed),
            ("update_mask", ViolationKind::NotAllowed),
        ]
    );
    let nothing = UpdatePersonRequestMapper::from_proto(proto::UpdatePersonRequest::default());
    assert_eq!(
        wrong(&nothing.unwrap_err()),
        [("person", ViolationKind::Missing)]
    );
}

#[test]
fn a_request_changes_what_it_has() {
    let message = proto::RenamePersonRequest {
        id: ID.to_owned(),
        name: Some(String::new()),
        page: Some(String::new()),
        stairs: None,
        home: None,
    };
    let request = RenamePersonRequestMapper::from_proto(message.clone()).unwrap();
    let expected = RenamePersonRequest {
        id: ID.parse::<Uuid>().unwrap(),
        name: Change::Set(String::new()),
        page: Change::Clear,
        stairs: Change::Keep,
        home: Change::Keep,
    };
    assert_eq!(request, expected);
    assert_eq!(
        RenamePersonRequestMapper::into_proto(request).unwrap(),
        message
    );
}

#[test]
fn a_change_that_the_wire_can_not_say_is_an_error() {
    let request = RenamePersonRequest {
        id: ID.parse().unwrap(),
        name: Change::Clear,
        page: Change::Keep,
        stairs: Change::Keep,
        home: Change::Keep,
    };
    let error = RenamePersonRequestMapper::to_proto(&request).unwrap_err();
    assert_eq!(wrong(&error), [("name", ViolationKind::NotAllowed)]);
}

#[test]
fn a_secret_is_not_printed() {
    let patch = PersonPatch {
        name: Change::Set("Ada".to_owned()),
        pin: Change::Set("5678".to_owned()),
        ..kept()
    };
    let printed = format!("{patch:?}");
    assert!(printed.contains("pin: [redacted]"), "{printed}");
    assert!(printed.contains("name: Set(\"Ada\")"), "{printed}");
    let printed = format!("{:?}", person());
    assert!(printed.contains("pin: [redacted]"), "{printed}");
}
