//! The generated code as a reviewer sees it: the very files that `src/lib.rs` compiles.
//!
//! `INSTA_UPDATE=always cargo test -p apibase-tests --test snapshots` accepts what has changed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Fixtures whose messages are snapshots too: elsewhere prost's output says nothing new.
const WITH_MESSAGES: &[&str] = &[
    "comments",
    "corners",
    "custom_options",
    "deprecated",
    "enums",
    "extern_path",
    "keywords",
    "no_package",
    "parameters",
    "prelude",
    "proto2",
    "shapes",
    "well_known",
];

/// tonic-build's output is long. One small service shows how ours hands it over.
const TONIC: &str = "tonic_names.other.tonic.rs";

/// The property tests of entities are long too, and much alike.
const LAWS: &str = "entity_wrappers.older.laws.rs";

/// Fakes are much alike too: one of all kinds of methods with errors of their own, and the tree of
/// several packages.
const FAKES: &str = "errors_calls.fakes.rs";
const TREE_OF_FAKES: (&str, &str) = ("versions", "fakes.rs");

macro_rules! snapshots {
    (
        with_snapshots { $($(#[$with_doc:meta])* $with:ident,)* }
        without_snapshots { $($(#[$without_doc:meta])* $without:ident,)* }
        $($other:tt)*
    ) => {
        const WITH_SNAPSHOTS: &[&str] = &[$(stringify!($with)),*];
        const WITHOUT_SNAPSHOTS: &[&str] = &[$(stringify!($without)),*];

        $(
            #[test]
            fn $with() {
                compare(stringify!($with));
            }
        )*
    };
}

apibase_tests::fixtures!(snapshots);

#[test]
fn every_fixture_has_its_snapshots() {
    let fixtures = names_in(Path::new("fixtures"));
    let known = WITH_SNAPSHOTS.iter().chain(WITHOUT_SNAPSHOTS);
    assert_eq!(fixtures, known.map(ToString::to_string).collect());
}

#[test]
fn no_snapshot_is_left_over() {
    let folders: BTreeSet<String> = WITH_SNAPSHOTS.iter().map(ToString::to_string).collect();
    let mut found = names_in(&snapshot_folder(""));
    found.retain(|name| snapshot_folder(name).is_dir());
    assert_eq!(found, folders);
    for fixture in WITH_SNAPSHOTS {
        let expected = snapshotted(fixture)
            .map(|name| format!("{name}.snap"))
            .collect();
        assert_eq!(names_in(&snapshot_folder(fixture)), expected, "{fixture}");
    }
}

#[test]
fn no_line_ends_in_a_blank() {
    for fixture in names_in(Path::new("fixtures")) {
        for name in names_in(&out_folder(&fixture)) {
            let content = read(&fixture, &name);
            for (index, line) in content.lines().enumerate() {
                assert_eq!(line, line.trim_end(), "{fixture}/{name}:{}", index + 1);
            }
            assert!(
                content.ends_with('\n') && !content.ends_with("\n\n"),
                "{name}"
            );
            assert!(!content.contains("\n\n\n"), "{name} has two blank lines");
        }
    }
}

/// Trait, dispatch, client, constant and docs; what a service has whatever its methods is not
/// counted, and is measured on one that has none. Errors and entities are not counted either.
#[test]
fn a_unary_method_takes_at_most_40_lines() {
    let of_no_method = read("services_only", "services_only.nothing.api.rs")
        .lines()
        .count();
    let mut checked = 0;
    for fixture in names_in(Path::new("fixtures")) {
        for name in names_in(&out_folder(&fixture)) {
            let content = read(&fixture, &name);
            let count = |text: &str| content.matches(text).count();
            let methods = count("= Method::unary(");
            let streams = count("= Method::") - methods;
            if !name.ends_with(".api.rs") || streams > 0 || methods == 0 {
                continue;
            }
            let services = count("// === Service ");
            let others = ["Errors", "Entities", "Mappers"].map(|what| format!("// === {what} ==="));
            let ends = others.iter().filter_map(|banner| content.find(banner));
            let layer = &content[..ends.min().unwrap_or(content.len())];
            let lines = layer.lines().count() - services * of_no_method;
            assert!(
                lines <= 40 * methods,
                "{name}: {lines} lines for {methods} methods"
            );
            checked += 1;
        }
    }
    assert!(checked > 5, "{checked} files with unary methods alone");
}

fn compare(fixture: &str) {
    for name in snapshotted(fixture) {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(snapshot_folder(fixture));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name.as_str(), read(fixture, &name)));
    }
}

/// The names of a fixture's generated files that are snapshots.
fn snapshotted(fixture: &str) -> impl Iterator<Item = String> + '_ {
    let messages = WITH_MESSAGES.contains(&fixture);
    names_in(&out_folder(fixture))
        .into_iter()
        .filter(move |name| {
            let named = [TONIC, LAWS, FAKES, "mod.rs"].contains(&name.as_str());
            let tree = TREE_OF_FAKES == (fixture, name.as_str());
            let ours = named || tree || [".api.rs", ".json"].iter().any(|end| name.ends_with(end));
            let others = [".descriptors.rs", ".tonic.rs", ".laws.rs", "fakes.rs"]
                .iter()
                .any(|end| name.ends_with(end));
            ours || (messages && !others)
        })
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".snap.new"))
        .collect()
}

fn read(fixture: &str, name: &str) -> String {
    fs::read_to_string(out_folder(fixture).join(name)).unwrap()
}

fn out_folder(fixture: &str) -> PathBuf {
    Path::new(env!("OUT_DIR")).join(fixture)
}

fn snapshot_folder(fixture: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(fixture)
}
