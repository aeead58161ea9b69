//! Shapes of entities: oneofs, lists, sets, maps, and entities inside entities.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use apibase::ViolationKind::{Malformed, Missing, OutOfRange};
use apibase::codegen::map::Infallible;
use apibase::prost::Message;
use apibase::{Grade, ProtobufMapper, Violation};
use apibase_tests::entity_collections::entity_collections as shelves;
use apibase_tests::entity_nested::entity_nested as houses;
use apibase_tests::entity_nested::other;
use apibase_tests::entity_oneofs::entity_oneofs as letters;
use houses::api::{
    Drawer, Folder, FolderMapper, FolderTarget, House, HouseMapper, Room, RoomMapper, RoomWindow,
    RoomWindowPane, Window,
};
use letters::api::{Letter, LetterContent, LetterMapper, LetterWay, Lock, LockMapper, Person};
use mapping::{message, refused, survives, unsayable};
use other::api::{Deed, Owner};
use shelves::api::{Book, Shelf, ShelfMapper, Sorted, SortedMapper, Tree, TreeMapper};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x1234_5678);

fn letter() -> Letter {
    Letter {
        way: LetterWay::Stamps(0),
        content: None,
        lock: None,
    }
}

fn person() -> Person {
    Person {
        name: "Ada".to_owned(),
        id: ID,
    }
}

#[test]
#[allow(deprecated, reason = "the value still maps")]
fn every_member_of_a_oneof_survives() {
    for way in [
        LetterWay::Stamps(7),
        LetterWay::Courier(person()),
        LetterWay::Fax(String::new()),
    ] {
        survives::<LetterMapper>(&Letter { way, ..letter() });
    }
    for content in [
        LetterContent::Note(letters::Note::default()),
        LetterContent::Enclosed(Box::new(letter())),
        LetterContent::Picture(Vec::new()),
        LetterContent::Small(255),
        LetterContent::Blank(letters::letter::Blank {}),
        LetterContent::Empty(()),
    ] {
        survives::<LetterMapper>(&Letter {
            content: Some(content),
            ..letter()
        });
    }
    for lock in [
        Lock::Password("x".to_owned()),
        Lock::KeyId(ID),
        Lock::ByHand(false),
    ] {
        let lock = Some(lock);
        survives::<LetterMapper>(&Letter { lock, ..letter() });
    }
}

#[test]
fn an_empty_member_is_a_member() {
    let proto = message::<LetterMapper>(&letter());
    assert_eq!(proto.way, Some(letters::letter::Way::Stamps(0)));
    assert_eq!(LetterMapper::from_proto(proto).unwrap(), letter());
}

#[test]
fn a_required_oneof_that_is_not_set_is_missing_by_its_own_name() {
    refused::<LetterMapper>(letters::Letter::default(), &[("way", Missing)]);
}

#[test]
fn what_is_wrong_in_a_member_is_at_the_members_path() {
    let inner = letters::Letter {
        way: Some(letters::letter::Way::Courier(letters::Person::default())),
        content: Some(letters::letter::Content::Small(256)),
        seal: None,
    };
    let proto = letters::Letter {
        way: None,
        content: Some(letters::letter::Content::Enclosed(Box::new(inner))),
        seal: Some(letters::letter::Seal::KeyId("hunter2".to_owned())),
    };
    let error = refused::<LetterMapper>(
        proto,
        &[
            ("way", Missing),
            ("enclosed.courier.id", Malformed),
            ("enclosed.small", OutOfRange),
            ("key_id", Malformed),
        ],
    );
    let secret = error.violations().last().unwrap();
    assert!(secret.source().is_none(), "the error of a secret is kept");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_sensitive_member_is_not_printed() {
    let password = Lock::Password("hunter2".to_owned());
    assert_eq!(format!("{password:?}"), "Password([redacted])");
    let letter = Letter {
        lock: Some(Lock::KeyId(ID)),
        ..letter()
    };
    let printed = format!("{letter:?}");
    assert!(
        printed.contains("lock: Some(KeyId([redacted]))"),
        "{printed}"
    );
    assert_eq!(format!("{:?}", Lock::ByHand(true)), "ByHand(true)");
}

#[test]
fn a_oneof_has_a_mapper_of_its_own() {
    let proto = message::<LockMapper>(&Lock::ByHand(true));
    assert_eq!(proto, letters::letter::Seal::ByHand(true));
    assert_eq!(LockMapper::GRADE, Grade::Injective);
}

fn book(number: u128) -> Book {
    Book {
        id: Uuid::from_u128(number),
    }
}

fn wrong_book() -> shelves::Book {
    shelves::Book {
        id: "no".to_owned(),
    }
}

#[test]
fn lists_sets_and_maps_survive() {
    let proto = survives::<ShelfMapper>(&Shelf {
        books: vec![book(2), book(1), book(2)],
        topics: HashSet::from(["art".to_owned(), String::new()]),
        readers: HashSet::from([ID]),
        heights: vec![1.5, 0.0],
        labels: HashMap::from([(String::new(), String::new())]),
        places: HashMap::from([(0, book(3)), (u32::MAX, book(4))]),
        lent: HashMap::from([("x".to_owned(), 255)]),
        signs: HashMap::from([(true, "open".to_owned()), (false, "closed".to_owned())]),
    });
    assert_eq!((proto.topics.len(), proto.lent["x"]), (2, 255));
    assert_eq!(proto.readers, [ID.to_string()]);
    survives::<ShelfMapper>(&ShelfMapper::from_proto(shelves::Shelf::default()).unwrap());
}

#[test]
fn what_is_wrong_in_a_collection_is_at_its_index_or_key() {
    let text = |text: &str| text.to_owned();
    let error = refused::<ShelfMapper>(
        shelves::Shelf {
            books: vec![
                wrong_book(),
                shelves::Book { id: ID.to_string() },
                wrong_book(),
            ],
            readers: vec![ID.to_string(), text("no")],
            places: HashMap::from([(4, wrong_book())]),
            lent: HashMap::from([(text("a \"b\""), 256)]),
            ..shelves::Shelf::default()
        },
        &[
            ("books[0].id", Malformed),
            ("books[2].id", Malformed),
            ("readers[1]", Malformed),
            ("places[4].id", Malformed),
            ("lent[\"a \\\"b\\\"\"]", OutOfRange),
        ],
    );
    assert!(
        error.to_string().starts_with("books[0].id is not "),
        "{error}"
    );
}

#[test]
fn ordered_collections_are_sorted_and_written_in_order() {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let sorted = Sorted {
        books: vec![book(2), book(1)],
        topics: texts(&["b", "a"]).into_iter().collect::<BTreeSet<_>>(),
        labels: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        places: BTreeMap::from([(i64::MIN, book(3)), (-1, book(4))]),
    };
    let proto = survives::<SortedMapper>(&sorted);
    assert_eq!(proto.topics, texts(&["a", "b"]));
    let wire: &HashMap<i64, shelves::Book> = &proto.places;
    assert_eq!(wire.len(), 2);
    let errors = HashMap::from([(7, wrong_book()), (-7, wrong_book())]);
    let proto = shelves::Sorted {
        places: errors,
        ..proto
    };
    let error = SortedMapper::from_proto(proto).unwrap_err();
    let mut paths: Vec<_> = error.violations().iter().map(Violation::path).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["places[-7].id", "places[7].id"]);
}

#[test]
fn a_map_that_prost_orders_is_ordered_in_the_entity_too() {
    let labels = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    let places = BTreeMap::from([(2, book(2)), (-1, book(1))]);
    let proto = survives::<TreeMapper>(&Tree { labels, places });
    assert!(proto.places.keys().eq(&[-1, 2]));
    let places = BTreeMap::from([(2, wrong_book()), (-1, wrong_book())]);
    refused::<TreeMapper>(
        shelves::Tree { places, ..proto },
        &[("places[-1].id", Malformed), ("places[2].id", Malformed)],
    );
}

fn room(number: u128) -> Room {
    Room {
        id: Uuid::from_u128(number),
        windows: vec![RoomWindow {
            at: Some(houses::Point { x: 1.0, y: 2.0 }),
            panes: vec![RoomWindowPane { thickness: 3 }],
        }],
    }
}

fn owner(name: &str) -> Owner {
    Owner {
        name: name.to_owned(),
    }
}

fn house() -> House {
    House {
        hall: room(1),
        kitchen: Some(room(2)),
        rooms: vec![room(3), room(4)],
        named: HashMap::from([("study".to_owned(), room(5))]),
        roof: Some(Window { lean: 45 }),
        at: Some(houses::Point { x: 1.0, y: 2.0 }),
        origin: houses::Point::default(),
        trees: vec![houses::Point { x: 3.0, y: 4.0 }],
        owner: owner("Ada"),
        owners: vec![owner("Bob"), owner("Eve")],
        deed: Some(Deed::Bought),
        inhabited: Some(()),
        numbered: (),
    }
}

#[test]
fn entities_inside_entities_survive() {
    survives::<HouseMapper>(&house());
    survives::<HouseMapper>(&House {
        kitchen: None,
        roof: None,
        at: None,
        deed: None,
        inhabited: None,
        ..house()
    });
}

#[test]
fn what_is_wrong_deep_inside_has_the_whole_path() {
    let wrong = houses::Room {
        id: "no".to_owned(),
        windows: Vec::new(),
    };
    refused::<HouseMapper>(
        houses::House {
            hall: None,
            kitchen: Some(wrong.clone()),
            rooms: vec![message::<RoomMapper>(&room(1)), wrong.clone()],
            named: HashMap::from([("study".to_owned(), wrong)]),
            roof: Some(houses::Window { lean: 256 }),
            origin: None,
            owner: None,
            owners: vec![other::Owner::default()],
            numbered: None,
            ..message::<HouseMapper>(&house())
        },
        &[
            ("hall", Missing),
            ("kitchen.id", Malformed),
            ("rooms[1].id", Malformed),
            ("named[\"study\"].id", Malformed),
            ("roof.lean", OutOfRange),
            ("origin", Missing),
            ("owner", Missing),
            ("owners[0].name", Missing),
            ("numbered", Missing),
        ],
    );
}

#[test]
fn what_no_message_can_say_deep_inside_has_the_whole_path() {
    let mut wrong = house();
    wrong.owner.name.clear();
    unsayable::<HouseMapper>(&wrong, "owner.name", Missing);
    let mut wrong = house();
    wrong.owners[1].name.clear();
    unsayable::<HouseMapper>(&wrong, "owners[1].name", Missing);
}

fn folder(name: &str) -> Folder {
    Folder {
        name: name.to_owned(),
        parent: None,
        folders: Vec::new(),
        target: None,
        drawer: None,
    }
}

#[test]
fn an_entity_inside_itself_survives() {
    let proto = survives::<FolderMapper>(&Folder {
        parent: Some(Box::new(folder("up"))),
        folders: vec![folder("a"), folder("b")],
        target: Some(FolderTarget::Folder(Box::new(folder("there")))),
        drawer: Some(Box::new(Drawer {
            content: Box::new(folder("inside")),
        })),
        ..folder("here")
    });
    assert_eq!(proto.folders.len(), 2);
}

#[test]
fn what_is_wrong_in_an_entity_inside_itself_has_the_whole_path() {
    let wrong = houses::Folder {
        target: Some(houses::folder::Target::Url("no".to_owned())),
        ..houses::Folder::default()
    };
    let drawer = houses::Drawer {
        content: Some(Box::new(wrong.clone())),
    };
    let link = houses::folder::Target::Folder(Box::new(wrong.clone()));
    refused::<FolderMapper>(
        houses::Folder {
            parent: Some(Box::new(houses::Folder {
                drawer: Some(Box::default()),
                ..houses::Folder::default()
            })),
            folders: vec![houses::Folder::default(), wrong],
            target: Some(link),
            drawer: Some(Box::new(drawer)),
            ..houses::Folder::default()
        },
        &[
            ("parent.drawer.content", Missing),
            ("folders[1].url", Malformed),
            ("folder.url", Malformed),
            ("drawer.content.url", Malformed),
        ],
    );
}

#[test]
fn as_deep_as_prost_reads_it_is_mapped() {
    let mut deep = folder("deepest");
    for _ in 0..100 {
        deep = Folder {
            parent: Some(Box::new(deep)),
            ..folder("")
        };
    }
    survives::<FolderMapper>(&deep);
    let deeper = message::<FolderMapper>(&Folder {
        parent: Some(Box::new(deep)),
        ..folder("")
    });
    assert!(houses::Folder::decode(deeper.encode_to_vec().as_slice()).is_err());
}

#[test]
fn whether_a_mapper_can_fail_is_known_from_all_that_is_inside() {
    fn never_fails<M: ProtobufMapper<EncodeError = Infallible>>() {}
    never_fails::<LetterMapper>();
    never_fails::<ShelfMapper>();
    never_fails::<RoomMapper>();
    never_fails::<FolderMapper>();
    let house: Result<houses::House, _> = house().try_into();
    assert!(
        house.is_ok(),
        "a house has an owner, whose name is required"
    );
}

#[test]
fn grades_are_the_lowest_of_what_is_inside() {
    use houses::api::{DrawerMapper, RoomWindowMapper, RoomWindowPaneMapper};
    assert_eq!(RoomWindowPaneMapper::GRADE, Grade::Iso);
    assert_eq!(RoomWindowMapper::GRADE, Grade::Iso);
    assert_eq!(RoomMapper::GRADE, Grade::Injective);
    assert_eq!(HouseMapper::GRADE, Grade::Injective);
    assert_eq!(DrawerMapper::GRADE, Grade::Injective);
}
