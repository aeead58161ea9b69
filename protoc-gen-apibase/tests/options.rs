//! Parameters: what is understood, and what is said about the rest.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::Path;

use protoc_gen_apibase::{
    Diagnostic, Diagnostics, DurationLibrary, Emit, Error, Options, Time, configure,
};

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

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn entities_have_parameters() {
    let options = parse(
        "entity=examples.Item=crate::domain::Item,with=examples.Item.price=::money::PriceMapper,\
         newtype=examples.Item.code=[u8; 4],kind=item-id=crate::domain::ItemId,\
         extra=examples.Item=cache=Default::default(),time=jiff,duration=std,\
         ordered=.examples,laws,entity_attribute=.=#[derive(Hash)],config=my.toml",
    );
    let item = pair("examples.Item", "crate::domain::Item");
    assert_eq!(options.entities, [item]);
    let price = pair("examples.Item.price", "::money::PriceMapper");
    assert_eq!(options.with, [price]);
    assert_eq!(options.newtypes, [pair("examples.Item.code", "[u8; 4]")]);
    assert_eq!(options.kinds, [pair("item-id", "crate::domain::ItemId")]);
    let (message, cache) = pair("examples.Item", "cache");
    let extra = (message, cache, "Default::default()".to_owned());
    assert_eq!(options.extras, [extra]);
    assert_eq!(options.time, Time::Jiff);
    assert_eq!(options.duration, Some(DurationLibrary::Std));
    assert_eq!(options.ordered, [".examples"]);
    assert!(options.laws);
    assert_eq!(options.entity_attributes, [pair(".", "#[derive(Hash)]")]);
    assert_eq!(options.config.as_deref(), Some(Path::new("my.toml")));
}

#[test]
fn names_of_entities_lose_their_leading_dot() {
    for parameter in [
        "entity=.a.B=crate::B",
        "with=.a.B=crate::B",
        "newtype=.a.B=crate::B",
        "extra=.a.B=c=1",
    ] {
        assert_eq!(parse(parameter), parse(&parameter.replacen("=.", "=", 1)));
    }
}

#[test]
fn an_expression_keeps_its_equals_signs_and_commas() {
    let options = parse(r"extra=a.B=c=f(1\, 2) == g()");
    assert_eq!(options.extras[0].2, "f(1, 2) == g()");
}

#[test]
fn durations_are_of_the_library_of_timestamps_unless_said() {
    for (parameter, library) in [
        ("", DurationLibrary::Chrono),
        ("time=chrono", DurationLibrary::Chrono),
        ("time=time", DurationLibrary::Time),
        ("time=jiff", DurationLibrary::Jiff),
        ("time=system", DurationLibrary::Std),
        ("time=system,duration=jiff", DurationLibrary::Jiff),
        ("duration=chrono,time=jiff", DurationLibrary::Chrono),
        ("duration=time", DurationLibrary::Time),
    ] {
        assert_eq!(parse(parameter).duration_library(), library, "{parameter}");
    }
}

#[test]
fn wrong_entities_are_refused() {
    let wrong = [
        "entity=.=crate::Item",
        "entity=shop..Item=crate::Item",
        "entity=shop.Item=crate::Item<u8>",
        "entity=shop.Item=domain Item",
        "entity=shop.Item=Item",
        "entity=shop.Item=super::Item",
        "entity=shop.Item",
        "with=shop.2=crate::M",
        "with=shop.Item=&M",
        "with=shop.Item=M",
        "newtype=shop.Item.id=impl Id",
        "newtype=shop.Item.id=",
        "kind==crate::Id",
        "kind=item-id=_",
        "extra=shop.Item=Default::default()",
        "extra=shop.Item=fn=1",
        "extra=shop.Item=cache=let x",
        "entity_attribute=.=Hash",
        "entity_attribute==#[x]",
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|parameter| format!("{parameter}\n{}\n", refusal(parameter)))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn wrong_settings_of_entities_are_refused() {
    let wrong = [
        "time=std",
        "time=",
        "duration=system",
        "time=jiff,time=jiff",
        "laws=maybe",
        "laws,laws",
        "ordered=",
        "config=",
        "config",
        "durations=std",
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|parameter| format!("{parameter}\n{}\n", refusal(parameter)))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn one_name_has_one_type() {
    let wrong = [
        "entity=a.B=crate::X,entity=.a.B=crate::Y",
        "with=a.B=crate::X,with=a.B=crate::X",
        "newtype=a.B.c=X,newtype=a.B.c=Y",
        "kind=id=X,kind=id=Y",
        "extra=a.B=c=1,extra=a.B=c=2",
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|parameter| format!("{parameter}\n{}\n", refusal(parameter)))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_builder_is_checked_alike() {
    let error = configure()
        .entity(".shop.Item", "Item")
        .with("shop.Item.price", "")
        .newtype("", "crate::Id")
        .kind("id", "1")
        .extra("shop.Item", "a b", ")")
        .ordered("")
        .entity_attribute(".", "derive")
        .generate(&["no.proto"], &["."])
        .unwrap_err();
    assert!(error.is_parameter());
    insta::assert_snapshot!(error);
}

#[test]
fn bare_switch_is_on() {
    assert!(parse("tonic").tonic);
    assert!(!parse("tonic=false").tonic);
}

#[test]
fn emit_names_all_outputs() {
    let emit = |rust, docs| Emit {
        rust,
        docs,
        ..Emit::default()
    };
    assert_eq!(parse("emit=docs").emit, emit(false, true));
    assert_eq!(parse("emit=rust,emit=docs").emit, emit(true, true));
    let all = parse("emit=rust,emit=docs,emit=service_config").emit;
    assert!(all.rust && all.docs && all.service_config);
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
         type_attribute, field_attribute, templates, entity, with, newtype, kind, extra, time, \
         duration, ordered, laws, entity_attribute, service_config, config\n  \
         note: a comma inside a value is written `\\,`\n  \
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
        (
            "emit=html",
            "use `rust`, `docs`, `fakes` or `service_config`",
        ),
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
        ("service_config=", "is empty"),
    ] {
        let text = refusal(parameter);
        assert!(text.contains(part), "{parameter}: {text}");
    }
}

#[test]
fn help_lists_every_parameter() {
    let help = Options::help();
    assert_eq!(help.lines().count(), 21);
    assert!(help.contains("  include_file=FILE  "));
    insta::assert_snapshot!(help);
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
