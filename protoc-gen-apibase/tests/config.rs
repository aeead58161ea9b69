//! `apibase.toml`: all three ways in read it, and say where it is wrong.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use prost::Message as _;
use prost_types::FileDescriptorProto;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use protoc_gen_apibase::configure;

const A: &str = "syntax = \"proto3\";\npackage a;\nmessage M { bytes b = 1; }\n";

/// A folder with `a.proto` and the file.
fn project(toml: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.proto"), A).unwrap();
    fs::write(dir.path().join("apibase.toml"), toml).unwrap();
    dir
}

/// `generate`, run in `dir`: whether it worked, and stderr.
fn generate(dir: &Path, more: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
        .args(["generate", "-I", ".", "--out", "gen", "a.proto"])
        .args(more)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), stderr)
}

/// The plugin, run in `dir` for a file with one message.
fn plugin(dir: &Path, parameter: &str) -> CodeGeneratorResponse {
    let file = FileDescriptorProto {
        name: Some("a.proto".to_owned()),
        package: Some("a".to_owned()),
        syntax: Some("proto3".to_owned()),
        ..Default::default()
    };
    let request = CodeGeneratorRequest {
        file_to_generate: vec!["a.proto".to_owned()],
        parameter: Some(parameter.to_owned()),
        proto_file: vec![file],
        compiler_version: None,
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = request.encode_to_vec();
    child.stdin.take().unwrap().write_all(&request).unwrap();
    let output = child.wait_with_output().unwrap();
    CodeGeneratorResponse::decode(output.stdout.as_slice()).unwrap()
}

/// What `generate` says of a wrong file.
fn refusal(toml: &str) -> String {
    let dir = project(toml);
    let (worked, stderr) = generate(dir.path(), &[]);
    assert!(!worked && !dir.path().join("gen").exists(), "{stderr}");
    stderr
}

#[test]
fn the_command_reads_it() {
    let dir = project("include_file = \"lib.rs\"\nbytes = \".\"\n");
    assert!(generate(dir.path(), &[]).0);
    assert!(dir.path().join("gen/lib.rs").exists());
    let messages = fs::read_to_string(dir.path().join("gen/a.rs")).unwrap();
    assert!(messages.contains("Bytes"), "{messages}");
}

#[test]
fn a_parameter_beats_it() {
    let dir = project("include_file = \"lib.rs\"\n");
    assert!(generate(dir.path(), &["--opt", "include_file=mod.rs"]).0);
    assert!(dir.path().join("gen/mod.rs").exists());
    assert!(!dir.path().join("gen/lib.rs").exists());
}

#[test]
fn the_plugin_reads_it() {
    let dir = project("include_file = \"lib.rs\"\n");
    fs::write(dir.path().join("own.toml"), "include_file = \"own.rs\"\n").unwrap();
    for (parameter, tree) in [
        ("", "lib.rs"),
        ("include_file=mod.rs", "mod.rs"),
        ("config=own.toml", "own.rs"),
    ] {
        let response = plugin(dir.path(), parameter);
        assert_eq!(response.error, None);
        assert!(response.file.iter().any(|file| file.name() == tree));
    }
}

#[test]
fn the_plugin_says_what_is_wrong_in_its_response() {
    let dir = project("\ntime = \"clock\"\n");
    let error = plugin(dir.path(), "").error.unwrap();
    assert!(error.starts_with("apibase.toml:2:8: "), "{error}");
    let error = plugin(dir.path(), "config=none.toml").error.unwrap();
    assert!(error.contains("there is no file `none.toml`"), "{error}");
}

#[test]
fn the_builder_reads_it() {
    let dir = project("include_file = \"lib.rs\"\n");
    let builder = configure().config(dir.path().join("apibase.toml"));
    let trees = |builder: &protoc_gen_apibase::Builder| {
        let output = builder.generate(&["a.proto"], &[dir.path()]).unwrap();
        let names = output.files.into_iter().map(|file| file.name);
        names
            .filter(|name| ["mod.rs", "lib.rs", "own.rs"].contains(&name.as_str()))
            .collect::<Vec<_>>()
    };
    // `mod.rs` is a build script's default, and gives way.
    assert_eq!(trees(&builder), ["lib.rs"]);
    assert_eq!(trees(&builder.include_file("own.rs")), ["own.rs"]);
    assert_eq!(trees(&configure()), ["mod.rs"]);
}

#[test]
fn the_builder_wants_the_file_that_it_names() {
    let builder = configure().config("no/such.toml");
    let error = builder.generate(&["a.proto"], &["."]).unwrap_err();
    insta::assert_snapshot!(error);
}

#[test]
fn a_key_that_is_none_is_refused() {
    insta::assert_snapshot!(refusal(
        "tonik = true\n[entities]\n\"a.M\" = \"crate::M\"\n"
    ));
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    insta::assert_snapshot!(refusal(
        r#"
tonic = 3
laws = "true"
time = true
bytes = { a = 1 }
ordered = [".a", 4]
entity = ["a.M=crate::M"]
templates = 2026-01-01
config = "other.toml"

[kind]
item-id = ["crate::Id"]

[type_attribute]
"." = 1.5

[extra]
"a.M" = "cache"
"#
    ));
}

#[test]
fn a_name_without_its_quotes_is_refused() {
    insta::assert_snapshot!(refusal(
        "[entity]\na.M = \"crate::M\"\n[extra.a.M]\ncache = \"1\"\n"
    ));
}

#[test]
fn a_bad_value_is_refused_at_its_place() {
    insta::assert_snapshot!(refusal(
        r##"
include_file = "src/mod.rs"
bytes = [".a", ""]
emit = ["rust", "html"]

[entity]
"a.M" = "M"
 "ä.M" = "crate::M"

[extra."a.M"]
cache = "1 +"

[entity_attribute]
".a" = [
    "#[one]", "ä", "two"
]
"##
    ));
}

#[test]
fn a_name_given_twice_is_refused_at_both_places() {
    insta::assert_snapshot!(refusal(
        r#"
[entity]
"a.M" = "crate::M"
".a.M" = "crate::N"

[extra."a.M"]
cache = "1"

[extra.".a.M"]
cache = "2"
"#
    ));
}

#[test]
fn what_is_no_toml_is_refused() {
    insta::assert_snapshot!(refusal("tonic = yes\n[entity\nlaws = true\nlaws = true\n"));
}
