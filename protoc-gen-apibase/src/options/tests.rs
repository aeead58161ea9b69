//! A parameter that one place knows, all know; where the file is looked for, and what beats it.

use std::fs;
use std::path::{Path, PathBuf};

use super::given::Given;
use super::parameters::PARAMETERS;
use super::{DurationLibrary, Emit, Options, Time, config};

/// All parameters but `config`, none with its default.
const PAIRS: &[&str] = &[
    "emit=rust",
    "emit=docs",
    "emit=fakes",
    "emit=service_config",
    "include_file=mod.rs",
    "tonic",
    "extern_path=.google.type=::google_types",
    "bytes=.a",
    "bytes=.b",
    "btree_map=.",
    "type_attribute=.=#[derive(Eq, Hash)]",
    "type_attribute=.=#[one]",
    "field_attribute=.shop.Item.id=#[cfg(all())]",
    "templates=my/templates",
    "entity=shop.Order=crate::domain::Order",
    "entity=.shop.Item=crate::domain::Item",
    "with=shop.Item.price=crate::domain::PriceMapper",
    "newtype=shop.Item.sku=crate::domain::Sku",
    "kind=item-id=crate::domain::ItemId",
    "extra=.shop.Item=cache=Vec::from([1, 2])",
    "extra=shop.Item=fresh=1 == 1",
    "time=jiff",
    "duration=std",
    "ordered=.shop",
    "laws",
    "entity_attribute=.shop.Item=#[derive(Hash)]",
    "service_config=shop.json",
    "service_config=my/other.json",
];

/// The same in TOML.
const TOML: &str = r##"
emit = ["rust", "docs", "fakes", "service_config"]
include_file = "mod.rs"
tonic = true
bytes = [".a", ".b"]
btree_map = "."
templates = "my/templates"
time = "jiff"
duration = "std"
ordered = [".shop"]
laws = true
service_config = ["shop.json", "my/other.json"]

[extern_path]
".google.type" = "::google_types"

[type_attribute]
"." = ["#[derive(Eq, Hash)]", "#[one]"]

[field_attribute]
".shop.Item.id" = "#[cfg(all())]"

[entity]
"shop.Order" = "crate::domain::Order"
".shop.Item" = "crate::domain::Item"

[with]
"shop.Item.price" = "crate::domain::PriceMapper"

[newtype]
"shop.Item.sku" = "crate::domain::Sku"

[kind]
item-id = "crate::domain::ItemId"

[extra.".shop.Item"]
cache = "Vec::from([1, 2])"
fresh = "1 == 1"

[entity_attribute]
".shop.Item" = "#[derive(Hash)]"
"##;

fn given(pairs: &[&str]) -> Options {
    Given::from_pairs(pairs.iter().copied()).finish().unwrap()
}

fn folder(toml: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("apibase.toml"), toml).unwrap();
    dir
}

/// What comes of `pairs` where `apibase.toml` says `toml`.
fn complete(pairs: &[&str], toml: &str) -> Options {
    let given = Given::from_pairs(pairs.iter().copied());
    given.complete(folder(toml).path()).result.unwrap()
}

#[test]
fn the_samples_have_every_parameter() {
    for parameter in PARAMETERS.iter().filter(|p| p.name != "config") {
        let samples: Vec<&str> = PAIRS
            .iter()
            .copied()
            .filter(|pair| pair.split('=').next() == Some(parameter.name))
            .collect();
        assert_ne!(given(&samples), Options::default(), "{}", parameter.name);
    }
}

#[test]
fn toml_says_the_same_as_pairs() {
    assert_eq!(
        config::read(TOML, "apibase.toml").finish().unwrap(),
        given(PAIRS)
    );
}

#[test]
fn everything_in_the_file_arrives() {
    assert_eq!(complete(&[], TOML), given(PAIRS));
}

#[test]
fn one_value_given_beats_the_file() {
    let all = [
        "emit=docs",
        "include_file=lib.rs",
        "tonic=false",
        "templates=other",
        "time=chrono",
        "duration=time",
        "laws=false",
    ];
    let options = complete(&all, TOML);
    let docs = Emit {
        rust: false,
        docs: true,
        fakes: false,
        service_config: false,
    };
    assert_eq!(options.emit, docs);
    assert_eq!(options.include_file.as_deref(), Some("lib.rs"));
    assert_eq!(options.templates.as_deref(), Some(Path::new("other")));
    // The default, too, when it is said.
    assert!(!options.tonic && !options.laws);
    assert_eq!(options.time, Time::Chrono);
    assert_eq!(options.duration, Some(DurationLibrary::Time));
}

#[test]
fn lists_given_add_to_the_file() {
    let options = complete(
        &["bytes=.c", "type_attribute=.=#[two]", "ordered=.tree"],
        TOML,
    );
    assert_eq!(options.bytes, [".a", ".b", ".c"]);
    assert_eq!(options.ordered, [".shop", ".tree"]);
    let attributes: Vec<&str> = options
        .type_attributes
        .iter()
        .map(|(_, attribute)| attribute.as_str())
        .collect();
    assert_eq!(attributes, ["#[derive(Eq, Hash)]", "#[one]", "#[two]"]);
}

#[test]
fn a_pair_given_beats_the_file_for_its_name() {
    let options = complete(
        &[
            "entity=.shop.Item=crate::Other",
            "extra=shop.Item=cache=1",
            "extern_path=.google.type=::mine",
        ],
        TOML,
    );
    let pair = |proto: &str, rust: &str| (proto.to_owned(), rust.to_owned());
    assert_eq!(
        options.entities,
        [
            pair("shop.Order", "crate::domain::Order"),
            pair("shop.Item", "crate::Other")
        ]
    );
    let fields: Vec<(&str, &str)> = options
        .extras
        .iter()
        .map(|(_, field, expr)| (field.as_str(), expr.as_str()))
        .collect();
    assert_eq!(fields, [("fresh", "1 == 1"), ("cache", "1")]);
    assert_eq!(options.extern_paths, [pair(".google.type", "::mine")]);
}

#[test]
fn options_that_differ_from_the_default_count_as_given() {
    let options = Options {
        time: Time::System,
        ..Options::default()
    };
    let completed = Given::from(options).complete(folder(TOML).path());
    let options = completed.result.unwrap();
    assert_eq!(options.time, Time::System);
    assert!(options.tonic);
}

#[test]
fn no_file_is_needed_unless_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = Given::default().complete(dir.path());
    assert_eq!(nothing.result.unwrap(), Options::default());
    assert_eq!(nothing.file, dir.path().join("apibase.toml"));
    let named = Given::parse("config=no.toml").complete(dir.path());
    let text = named.result.unwrap_err().to_string();
    assert!(text.contains("there is no file `"), "{text}");
    assert!(text.contains("no.toml`\n  help: "), "{text}");
}

#[test]
fn a_named_file_stands_in_for_the_other() {
    let dir = folder("laws = true");
    fs::write(dir.path().join("own.toml"), "tonic = true").unwrap();
    let completed = Given::parse("config=own.toml").complete(dir.path());
    let options = completed.result.unwrap();
    assert!(options.tonic && !options.laws);
    assert_eq!(options.config, Some(PathBuf::from("own.toml")));
    assert_eq!(completed.file, dir.path().join("own.toml"));
}

#[test]
fn an_empty_file_changes_nothing() {
    assert_eq!(complete(&[], "# nothing yet\n"), Options::default());
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("apibase.toml"), [0xff, 0xfe]).unwrap();
    let error = Given::default().complete(dir.path()).result.unwrap_err();
    assert!(error.is_parameter());
    assert!(error.to_string().contains("in UTF-8"), "{error}");
}

#[test]
fn what_is_wrong_in_both_is_reported_together() {
    let given = Given::parse("tonic=yes,entity=1=2");
    let completed = given.complete(folder("laws = 3\ntime = \"clock\"").path());
    let text = completed.result.unwrap_err().to_string();
    for part in [
        "`yes` is not a switch",
        "`1` is not a full protobuf name",
        "apibase.toml:1:8: ",
        "apibase.toml:2:8: ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
