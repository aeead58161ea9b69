//! A patch as it is generated, from a message and its mask, and back.

use super::super::{
    Change, Fields, Grade, MapError, NestedChange, ProtobufMapper, Same, Unmappable as _,
    Violation, ViolationKind,
};
use super::*;

#[derive(Clone, Debug, Default, PartialEq)]
struct AddressMessage {
    street: String,
    city: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct PersonMessage {
    name: String,
    note: String,
    age: Option<i32>,
    born: Option<i64>,
    address: Option<AddressMessage>,
    contact: Option<Contact>,
}

#[derive(Clone, Debug, PartialEq)]
enum Contact {
    Mail(String),
}

struct AddressMapper;

/// An address with a city; the entity is the message itself.
impl ProtobufMapper for AddressMapper {
    type Entity = AddressMessage;
    type Proto = AddressMessage;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &AddressMessage) -> Result<AddressMessage, MapError> {
        Ok(entity.clone())
    }

    fn into_proto(entity: AddressMessage) -> Result<AddressMessage, MapError> {
        Ok(entity)
    }

    fn from_proto(proto: AddressMessage) -> Result<AddressMessage, MapError> {
        if proto.city.is_empty() {
            return Err(MapError::missing().at("city"));
        }
        Ok(proto)
    }
}

static ADDRESS: [MaskField; 2] = [MaskField::leaf("street"), MaskField::leaf("city")];

static PERSON: [MaskField; 9] = [
    MaskField::leaf("id"),
    MaskField::leaf("name"),
    MaskField::leaf("note"),
    MaskField::leaf("age"),
    MaskField::leaf("born_at"),
    MaskField::message("address", &ADDRESS),
    MaskField::message("parent", &PERSON),
    MaskField::leaf("mail"),
    MaskField::leaf("seen"),
];

#[derive(Clone, Debug, Default, PartialEq)]
struct AddressPatch {
    street: Change<String>,
    city: Change<String>,
}

impl AddressPatch {
    fn from_fields(proto: AddressMessage, mask: &Mask<'_>) -> Result<Self, MapError> {
        let AddressMessage { street, city } = proto;
        let mut fields = Fields::new();
        let street = fields.change::<Same<String>>(mask, "street", street);
        let city = fields.change::<Same<String>>(mask, "city", city);
        let (Some(street), Some(city)) = (street, city) else {
            return Err(fields.into_error());
        };
        Ok(Self { street, city })
    }

    fn into_fields(self, mask: &mut MaskBuilder) -> Result<AddressMessage, MapError> {
        let Self { street, city } = self;
        Ok(AddressMessage {
            street: mask.change::<Same<String>>("street", street)?,
            city: mask.change::<Same<String>>("city", city)?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct PersonPatch {
    name: Change<String>,
    note: Change<String>,
    age: Change<i32>,
    born: Change<i64>,
    address: NestedChange<AddressMessage, AddressPatch>,
    contact: Change<Contact>,
}

impl PersonPatch {
    fn from_mask(proto: PersonMessage, mask: Option<&FieldMask>) -> Result<Self, MapError> {
        let mask = Mask::new(mask);
        let mut fields = Fields::new();
        fields.check_mask("update_mask", &mask, &PERSON);
        fields.keep_immutable(&mask, "id");
        let name = fields.change::<Same<String>>(&mask, "name", proto.name);
        let note = fields.change_absent_if_empty::<Same<String>>(&mask, "note", proto.note);
        let age = fields.change_optional::<Same<i32>>(&mask, "age", proto.age);
        let born = fields.change_required::<Same<i64>>(&mask, "born_at", proto.born);
        let address = fields.change_nested::<AddressMapper, _>(
            &mask,
            "address",
            proto.address,
            AddressPatch::from_fields,
        );
        let contact =
            fields.change_oneof::<Same<Contact>>(&mask, "contact", &["mail"], proto.contact);
        let (Some(name), Some(note), Some(age), Some(born), Some(address), Some(contact)) =
            (name, note, age, born, address, contact)
        else {
            return Err(fields.into_error());
        };
        fields.finish(Ok(Self {
            name,
            note,
            age,
            born,
            address,
            contact,
        }))
    }

    fn into_parts(self) -> Result<(PersonMessage, FieldMask), MapError> {
        let mut mask = MaskBuilder::new();
        let message = PersonMessage {
            name: mask.change::<Same<String>>("name", self.name)?,
            note: mask.change_absent_if_empty::<Same<String>>("note", self.note)?,
            age: mask.change_optional::<Same<i32>>("age", self.age)?,
            born: mask.change_required::<Same<i64>>("born_at", self.born)?,
            address: mask.change_nested::<AddressMapper, _>(
                "address",
                self.address,
                AddressPatch::into_fields,
            )?,
            contact: mask.change_oneof::<Same<Contact>>("contact", "mail", self.contact)?,
        };
        Ok((message, mask.finish()))
    }
}

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask {
        paths: paths.iter().map(|path| String::from(*path)).collect(),
    }
}

fn named(proto: PersonMessage, paths: &[&str]) -> Result<PersonPatch, MapError> {
    PersonPatch::from_mask(proto, Some(&mask(paths)))
}

fn ada() -> PersonMessage {
    PersonMessage {
        name: String::from("Ada"),
        age: Some(0),
        ..PersonMessage::default()
    }
}

fn address(street: &str, city: &str) -> AddressMessage {
    AddressMessage {
        street: String::from(street),
        city: String::from(city),
    }
}

fn street(street: &str) -> NestedChange<AddressMessage, AddressPatch> {
    NestedChange::Patch(AddressPatch {
        street: Change::Set(String::from(street)),
        city: Change::Keep,
    })
}

fn refused(paths: &[&str]) -> String {
    named(ada(), paths).unwrap_err().to_string()
}

#[test]
fn without_a_mask_the_populated_fields_change() {
    let patch = PersonPatch {
        name: Change::Set(String::from("Ada")),
        age: Change::Set(0),
        ..PersonPatch::default()
    };
    assert_eq!(PersonPatch::from_mask(ada(), None).unwrap(), patch);
    assert_eq!(named(ada(), &[]).unwrap(), patch);
    let nothing = PersonPatch::from_mask(PersonMessage::default(), None);
    assert_eq!(nothing.unwrap(), PersonPatch::default());
}

#[test]
fn without_a_mask_the_populated_fields_of_a_message_change() {
    let person = PersonMessage {
        address: Some(address("Main St", "")),
        ..PersonMessage::default()
    };
    let patch = PersonPatch::from_mask(person, None).unwrap();
    assert_eq!(patch.address, street("Main St"));
}

#[test]
fn a_star_replaces_everything() {
    let person = PersonMessage {
        born: Some(1815),
        ..ada()
    };
    let patch = PersonPatch {
        name: Change::Set(String::from("Ada")),
        note: Change::Clear,
        age: Change::Set(0),
        born: Change::Set(1815),
        address: NestedChange::Clear,
        contact: Change::Clear,
    };
    assert_eq!(named(person, &["*"]).unwrap(), patch);
}

#[test]
fn what_is_named_changes_and_nothing_else() {
    let patch = PersonPatch {
        note: Change::Clear,
        age: Change::Set(0),
        ..PersonPatch::default()
    };
    assert_eq!(named(ada(), &["age", "note", "age"]).unwrap(), patch);
}

#[test]
fn a_field_without_presence_is_set_to_its_default() {
    let patch = named(PersonMessage::default(), &["name"]).unwrap();
    assert_eq!(patch.name, Change::Set(String::new()));
}

#[test]
fn a_message_that_is_named_is_replaced_and_not_merged() {
    let person = PersonMessage {
        address: Some(address("", "London")),
        ..PersonMessage::default()
    };
    let patch = named(person, &["address", "address.street"]).unwrap();
    assert_eq!(patch.address, NestedChange::Set(address("", "London")));
    let patch = named(ada(), &["address"]).unwrap();
    assert_eq!(patch.address, NestedChange::Clear);
}

#[test]
fn a_field_of_a_message_is_changed_alone() {
    let person = PersonMessage {
        address: Some(address("Main St", "London")),
        ..PersonMessage::default()
    };
    let patch = named(person, &["address.street"]).unwrap();
    assert_eq!(patch.address, street("Main St"));
    let patch = named(ada(), &["address.street"]).unwrap();
    assert_eq!(patch.address, street(""));
}

#[test]
fn a_oneof_is_named_by_any_of_its_fields() {
    let mail = Contact::Mail(String::from("ada@example.com"));
    let person = PersonMessage {
        contact: Some(mail.clone()),
        ..PersonMessage::default()
    };
    let patch = named(person.clone(), &["mail"]).unwrap();
    assert_eq!(patch.contact, Change::Set(mail));
    assert_eq!(named(ada(), &["mail"]).unwrap().contact, Change::Clear);
    assert!(named(person, &["name"]).unwrap().contact.is_keep());
}

#[test]
fn to_clear_what_is_required_is_refused() {
    assert_eq!(refused(&["born_at"]), "born_at is required");
    assert_eq!(refused(&["*"]), "born_at is required");
}

#[test]
fn to_name_what_never_changes_is_refused() {
    assert_eq!(refused(&["id"]), "id never changes, so no mask may name it");
}

#[test]
fn what_is_known_and_has_no_change_is_ignored() {
    assert_eq!(named(ada(), &["seen"]).unwrap(), PersonPatch::default());
}

#[test]
fn a_wrong_value_counts_only_where_it_is_taken() {
    let person = PersonMessage {
        address: Some(address("Main St", "")),
        ..PersonMessage::default()
    };
    assert!(named(person.clone(), &["name"]).is_ok());
    let error = named(person, &["address"]).unwrap_err();
    assert_eq!(error.to_string(), "address.city is required");
}

#[test]
fn a_wrong_path_is_refused_with_what_there_is() {
    let all = "none of: id, name, note, age, born_at, address, parent, mail, seen";
    for (path, error) in [
        ("colour", format!("has \"colour\", which is {all}")),
        (
            "address.zip",
            String::from("has \"address.zip\", which is none of: street, city"),
        ),
        (
            "parent.parent.zip",
            format!("has \"parent.parent.zip\", which is {all}"),
        ),
        (
            "bornAt",
            String::from("has \"bornAt\", whose name is written \"born_at\" here"),
        ),
        (
            "name.first",
            String::from(
                "has \"name.first\", but the fields of \"name\" can't be named one by one",
            ),
        ),
        ("", String::from("has \"\", where a name is missing")),
        (
            "name.",
            String::from("has \"name.\", where a name is missing"),
        ),
        (
            ".name",
            String::from("has \".name\", where a name is missing"),
        ),
        (
            "address..city",
            String::from("has \"address..city\", where a name is missing"),
        ),
        (
            "address.*",
            String::from("has \"address.*\", which is none of: street, city"),
        ),
    ] {
        let found = named(ada(), &["name", path]).unwrap_err();
        assert_eq!(found.to_string(), format!("update_mask {error}"));
        assert_eq!(found.violations()[0].path(), "update_mask");
        assert_eq!(found.violations()[0].kind(), ViolationKind::NotAllowed);
    }
    assert_eq!(
        refused(&["name", "*"]),
        "update_mask must have no other paths beside \"*\""
    );
}

#[test]
fn each_wrong_path_is_said_beside_what_else_is_wrong() {
    let error = named(ada(), &["x", "id", "y", "born_at"]).unwrap_err();
    let paths: Vec<_> = error.violations().iter().map(Violation::path).collect();
    assert_eq!(paths, ["update_mask", "update_mask", "id", "born_at"]);
}

#[test]
fn a_mask_has_its_limits() {
    let many = vec!["name"; MAX_PATHS];
    assert!(named(ada(), &many).is_ok());
    let many = vec!["name"; MAX_PATHS + 1];
    assert_eq!(
        refused(&many),
        "update_mask must not have more than 1000 paths"
    );

    let deep = vec!["parent"; MAX_DEPTH].join(".");
    assert!(named(ada(), &[&deep]).is_ok());
    let deep = vec!["parent"; MAX_DEPTH + 1].join(".");
    assert!(refused(&[&deep]).ends_with("…\", which goes too deep"));
}

#[test]
fn a_path_of_any_depth_comes_to_an_end() {
    let deep = mask(&[&vec!["parent"; 100_000].join(".")]);
    let mut mask = Mask::new(Some(&deep));
    let mut depth = 0;
    while let Selection::Nested(inside) = mask.field("parent") {
        mask = inside;
        depth += 1;
    }
    assert_eq!(depth, MAX_DEPTH);
}

#[test]
fn a_long_path_is_cut_in_the_error() {
    let long = "é\n".repeat(1_000);
    assert!(refused(&[&long]).len() < 300);
}

#[test]
fn a_patch_comes_back_from_its_message_and_mask() {
    let keep = PersonPatch::default();
    let set = PersonPatch {
        name: Change::Set(String::new()),
        note: Change::Set(String::from("x")),
        age: Change::Set(0),
        born: Change::Set(0),
        address: NestedChange::Set(address("", "London")),
        contact: Change::Set(Contact::Mail(String::new())),
    };
    let clear = PersonPatch {
        note: Change::Clear,
        age: Change::Clear,
        address: NestedChange::Clear,
        contact: Change::Clear,
        ..PersonPatch::default()
    };
    let nested = PersonPatch {
        address: street(""),
        ..PersonPatch::default()
    };
    for patch in [keep, set, clear, nested] {
        let (message, mask) = patch.clone().into_parts().unwrap();
        let back = PersonPatch::from_mask(message, Some(&mask));
        assert_eq!(back.unwrap(), patch, "{mask:?}");
    }
}

#[test]
fn a_mask_names_what_changes() {
    let patch = PersonPatch {
        age: Change::Clear,
        address: street("Main St"),
        ..PersonPatch::default()
    };
    let (message, mask) = patch.into_parts().unwrap();
    assert_eq!(mask.paths, ["age", "address.street"]);
    assert_eq!(message.address, Some(address("Main St", "")));
}

#[test]
fn a_patch_that_no_mask_can_say_is_refused() {
    let clear = PersonPatch {
        born: Change::Clear,
        ..PersonPatch::default()
    };
    let error = clear.into_parts().unwrap_err();
    assert_eq!(
        error.to_string(),
        "born_at is required, so it can't be cleared"
    );
    let empty = PersonPatch {
        note: Change::Set(String::new()),
        ..PersonPatch::default()
    };
    let error = empty.into_parts().unwrap_err();
    assert_eq!(error.violations()[0].path(), "note");
}
