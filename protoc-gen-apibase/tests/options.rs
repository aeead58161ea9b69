//! Parameters: what is understood, and what is said about the rest.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::Path;

use protoc_gen_apibase::{Diagnostic, Diagnostics, Emit, Error, Options};

fn parse(parameter: &str) -> Options {
    Options::parse(parameter).unwrap()
}

fn refusal(parameter: &str) -> String {
    let error = Options::parse(parameter).unwrap_err();
    assert!(error.is_parameter());
    error.to_string()
}

#[test]
fn nothing_gives_the_defaults() {
    assert_eq!(parse(""), Options::default());
    assert_eq!(parse(" , "), Options::default());
    assert!(parse("").emit.rust && !parse("").emit.docs);
}

#[test]
fn every_parameter_is_understood() {
    let options = parse(
        "include_file=mod.rs, tonic=true,extern_path=.google.type=::google_types,bytes=.,\
         btree_map=.shop.Item,type_attribute=.shop=#[derive(Eq)],\
         field_attribute=.shop.Item.id=#[cfg(feature = \"id\")],templates=my/templates",
    );
    assert_eq!(options.include_file.as_deref(), Some("mod.rs"));
    assert!(options.tonic);
    let path = (".google.type".to_owned(), "::google_types".to_owned());
    assert_eq!(options.extern_paths, [path]);
    assert_eq!(options.bytes, ["."]);
    assert_eq!(options.btree_map, [".shop.Item"]);
    let attribute = (".shop".to_owned(), "#[derive(Eq)]".to_owned());
    assert_eq!(options.type_attributes, [attribute]);
    // A value keeps its own equals signs.
    let attribute = (
        ".shop.Item.id".to_owned(),
        "#[cfg(feature = \"id\")]".to_owned(),
    );
    assert_eq!(options.field_attributes, [attribute]);
    assert_eq!(
        options.templates.as_deref(),
        Some(Path::new("my/templates"))
    );
}

#[test]
fn bare_switch_is_on() {
    assert!(parse("tonic").tonic);
    assert!(!parse("tonic=false").tonic);
}

#[test]
fn emit_names_all_outputs() {
    let emit = |rust, docs| Emit { rust, docs };
    assert_eq!(parse("emit=docs").emit, emit(false, true));
    assert_eq!(parse("emit=rust,emit=docs").emit, emit(true, true));
}

#[test]
fn escaped_comma_belongs_to_the_value() {
    let options = parse(r"type_attribute=.=#[derive(Eq\, Hash)],tonic");
    assert_eq!(options.type_attributes[0].1, "#[derive(Eq, Hash)]");
    assert!(options.tonic);
}

#[test]
fn single_pairs_need_no_escape() {
    let options = Options::from_pairs(["type_attribute=.=#[derive(Eq, Hash)]"]).unwrap();
    assert_eq!(options.type_attributes[0].1, "#[derive(Eq, Hash)]");
}

#[test]
fn unknown_parameter_is_refused_with_the_known_ones() {
    assert_eq!(
        refusal("inclde_file=mod.rs"),
        "unknown parameter `inclde_file`\n  \
         note: the known ones are: emit, include_file, tonic, extern_path, bytes, btree_map, \
         type_attribute, field_attribute, templates\n  \
         help: did you mean `include_file`?"
    );
    assert!(refusal("include-file=x").contains("did you mean `include_file`?"));
    assert!(refusal("Tonic").contains("did you mean `tonic`?"));
    let nothing_alike = refusal("serde");
    assert!(!nothing_alike.contains("did you mean"), "{nothing_alike}");
    assert!(
        nothing_alike.contains("the known ones are"),
        "{nothing_alike}"
    );
}

#[test]
fn everything_wrong_is_reported_together() {
    let text = refusal("tonic=yes,emit=html,include_file=,extern_path=google,nope");
    for part in [
        "`yes` is not a switch",
        "`html` is not",
        "plain name",
        "second part",
        "`nope`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn bad_values_say_what_is_allowed() {
    for (parameter, part) in [
        ("tonic=1", "use `true` or `false`"),
        ("emit=html", "use `rust` or `docs`"),
        ("include_file", "write it as `include_file=FILE`"),
        (
            "include_file=src/mod.rs",
            "is not the plain name of a Rust file",
        ),
        ("include_file=mod", "is not the plain name of a Rust file"),
        ("tonic,tonic", "`tonic` is given twice"),
        ("extern_path=google.type=::x", "is not a full protobuf path"),
        ("extern_path=.google.type=not a path", "is not a Rust path"),
        ("type_attribute=.=derive(Eq)", "is not an attribute"),
        ("field_attribute=.", "lacks its second part"),
        ("bytes=", "is empty"),
    ] {
        let text = refusal(parameter);
        assert!(text.contains(part), "{parameter}: {text}");
    }
}

#[test]
fn help_lists_every_parameter() {
    let help = Options::help();
    assert_eq!(help.lines().count(), 9);
    assert!(help.contains("  include_file=FILE  "));
}

#[test]
fn diagnostic_prints_place_notes_and_help() {
    let diagnostic = Diagnostic::new("two RPCs are called `get_item` in Rust")
        .at("a.proto", 12, 3)
        .note_at("b.proto", 4, 5, "the other one")
        .help("rename one of them");
    assert_eq!(
        diagnostic.to_string(),
        "a.proto:12:3: two RPCs are called `get_item` in Rust\n  \
         note: b.proto:4:5: the other one\n  \
         help: rename one of them"
    );
    assert_eq!(diagnostic.position(), Some((12, 3)));
    assert_eq!(diagnostic.file(), Some("a.proto"));
}

#[test]
fn diagnostics_are_sorted_and_said_once() {
    let mut all = Diagnostics::new();
    all.push(Diagnostic::new("third").at("b.proto", 1, 1));
    all.push(Diagnostic::new("second").at("a.proto", 10, 1));
    all.push(Diagnostic::new("first").at("a.proto", 9, 7));
    all.push(Diagnostic::new("first").at("a.proto", 9, 7));
    let error = all.finish().unwrap_err();
    assert!(error.is_schema());
    let text = "a.proto:9:7: first\na.proto:10:1: second\nb.proto:1:1: third";
    assert_eq!(error.to_string(), text);
    // What `fn main() -> Result<(), Error>` prints.
    assert_eq!(format!("{error:?}"), text);
    assert!(Diagnostics::new().finish().is_ok());
}

#[test]
fn io_error_has_its_source() {
    let error = Error::io("writing gen/mod.rs", std::io::Error::other("disk full"));
    assert!(error.is_io());
    assert_eq!(error.to_string(), "writing gen/mod.rs: disk full");
    assert!(std::error::Error::source(&error).is_some());
}
