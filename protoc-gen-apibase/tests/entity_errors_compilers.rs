//! What is wrong with entities is said alike whichever compiler read the schema, and what a compiler
//! refuses by itself has its place too.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use std::path::Path;
use std::process::{Command, Output};

use entities::{OPTIONS, with_options};
use protoc_gen_apibase::Request;
use schema::{Sources, refusal, write};

const BINARY: &str = env!("CARGO_BIN_EXE_protoc-gen-apibase");

/// One error of each kind: at a rule, at a part of a rule, at a rule over several lines, at a name.
const WRONG: &str = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/protobuf/struct.proto";
message Item {
  option (apibase.v1.entity) = { name: "an item" };
  string id = 1;
}
message Order {
  option (apibase.v1.entity).lossless = true;
  // A comment.
  bool late = 1 [(apibase.v1.field).format = UUID];
  repeated string sizes = 2 [deprecated = true, (apibase.v1.field) = {
    ignore: true
    required: true
  }];
  oneof payment {
    option (apibase.v1.oneof) = { rename: "late" };
    string card = 3 [(apibase.v1.field).sensitive = true, (apibase.v1.field).required = true];
  }
  google.protobuf.Value note = 4 [(apibase.v1.field).format = JSON];
  optional int32 count = 5 [json_name = "n", (apibase.v1.field).empty_is_absent = true];
  message Line {
    option (apibase.v1.entity) = { name: "Order" };
    map<string, bool> marks = 1 [(apibase.v1.field).set = true];
  }
}
message Plain {
  string id = 1 [(apibase.v1.field).format = UUID];
  oneof kind { option (apibase.v1.oneof).required = true; string a = 2; }
}
"#;

fn folder(shop: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let files: Sources<'_> = &[("shop.proto", shop), ("apibase/v1/options.proto", OPTIONS)];
    write(dir.path(), files);
    dir
}

fn protoc(dir: &Path, arguments: &[&str]) -> Output {
    let own = protoc_bin_vendored::include_path().unwrap();
    Command::new(protoc_bin_vendored::protoc_bin_path().unwrap())
        .current_dir(dir)
        .arg("-I.")
        .arg(format!("-I{}", own.display()))
        .args(arguments)
        .arg("shop.proto")
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn protoc_and_protox_give_the_same_places() {
    let dir = folder(WRONG);
    let set = [
        "--include_imports",
        "--include_source_info",
        "--descriptor_set_out=set.binpb",
    ];
    let output = protoc(dir.path(), &set);
    assert!(output.status.success(), "{}", stderr(&output));
    let by_protox = with_options(&[("shop.proto", WRONG)]);
    let by_protoc = Request {
        descriptor_set: std::fs::read(dir.path().join("set.binpb")).unwrap(),
        ..by_protox.clone()
    };
    let said = refusal(&by_protox);
    assert_eq!(refusal(&by_protoc), said);
    insta::assert_snapshot!(said);
}

#[test]
fn protoc_shows_all_errors_of_the_plugin() {
    let dir = folder(WRONG);
    let plugin = format!("--plugin=protoc-gen-apibase={BINARY}");
    let output = protoc(dir.path(), &[&plugin, "--apibase_out=."]);
    assert!(!output.status.success());
    let said = refusal(&with_options(&[("shop.proto", WRONG)]));
    let shown = stderr(&output);
    assert!(shown.contains(&said), "{shown}");
}

#[test]
fn protoc_shows_what_is_wrong_with_the_configuration() {
    let dir = folder("syntax = \"proto3\";\npackage shop;\nmessage Item { string id = 1; }\n");
    let plugin = format!("--plugin=protoc-gen-apibase={BINARY}");
    let parameter = "--apibase_opt=entity=shop.Itme=crate::Item";
    let output = protoc(dir.path(), &[&plugin, "--apibase_out=.", parameter]);
    assert!(!output.status.success());
    insta::assert_snapshot!(stderr(&output));
}

#[test]
fn a_format_that_is_none_is_refused_by_the_compiler() {
    let shop = "syntax = \"proto3\";\npackage shop;\nimport \"apibase/v1/options.proto\";\n\
                message Item {\n  option (apibase.v1.entity) = {};\n  \
                string id = 1 [(apibase.v1.field).format = UIUD];\n}\n";
    let dir = folder(shop);
    let by_protoc = protoc(dir.path(), &["--descriptor_set_out=set.binpb"]);
    let by_generate = Command::new(BINARY)
        .current_dir(dir.path())
        .args(["generate", "-I", ".", "--out", "gen", "shop.proto"])
        .output()
        .unwrap();
    assert!(!by_protoc.status.success() && !by_generate.status.success());
    let said = format!("{}\n{}", stderr(&by_protoc), stderr(&by_generate));
    insta::assert_snapshot!(said);
}
