//! What is read of options, whichever compiler wrote them and however they are written.

use std::path::Path;
use std::process::Command;

use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use prost_types::Duration;
use protox::Compiler;
use protox::file::{ChainFileResolver, GoogleFileResolver, IncludeFileResolver};

use super::super::*;
use crate::descriptors::Descriptors;

const SHOP: &str = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/api/field_behavior.proto";
import "buf/validate/validate.proto";
option (apibase.v1.file).entities = true;
service Items {
  option (apibase.v1.service) = { errors: "shop.Item.Error" deadline: { seconds: 3 } };
  option (apibase.v1.service).retry_throttle.max_tokens = 10;
  option (apibase.v1.service).retry_throttle.token_ratio = 0.1;
  rpc Get(Item) returns (Item) {
    option (apibase.v1.method).retry.max_attempts = 3;
    option (apibase.v1.method).retry.codes = UNAVAILABLE;
    option (apibase.v1.method).retry.codes = ABORTED;
    option (apibase.v1.method).errors = "GONE";
    option (apibase.v1.method).errors = "LOST";
    option (apibase.v1.method).deadline.seconds = 1;
    option (apibase.v1.method).deadline.nanos = 5;
  }
  rpc Put(Item) returns (Item) {
    option (apibase.v1.method) = { errors: ["GONE", "LOST"] detached: true };
  }
}
message Item {
  option (apibase.v1.entity) = { name: "Thing" };
  string id = 1 [(apibase.v1.field).format = UUID, (apibase.v1.field).rename = "key"];
  string text = 7 [(apibase.v1.field) = { required: false sensitive: true }];
  oneof kind {
    option (apibase.v1.oneof).required = true;
    string a = 3;
  }
  message Part { option (apibase.v1.entity).skip = true; }
  enum Error {
    option (apibase.v1.errors) = { domain: "shop.example.com" };
    ERROR_UNSPECIFIED = 0;
    ERROR_GONE = 1 [(apibase.v1.error) = { code: NOT_FOUND metadata: "id" metadata: "sku" }];
  }
  string one = 4 [(google.api.field_behavior) = REQUIRED, (google.api.field_behavior) = IMMUTABLE];
  string two = 5 [(google.api.field_behavior) = OUTPUT_ONLY];
  string three = 6 [(google.api.field_behavior) = IDENTIFIER, (buf.validate.field).required = true];
  string four = 8 [(buf.validate.field).required = false];
}
"#;

const BEHAVIOR: &str = r#"syntax = "proto3";
package google.api;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions {
  repeated google.api.FieldBehavior field_behavior = 1052 [packed = false];
}
enum FieldBehavior {
  FIELD_BEHAVIOR_UNSPECIFIED = 0; OPTIONAL = 1; REQUIRED = 2; OUTPUT_ONLY = 3; INPUT_ONLY = 4;
  IMMUTABLE = 5; UNORDERED_LIST = 6; NON_EMPTY_DEFAULT = 7; IDENTIFIER = 8;
}
"#;

const VALIDATE: &str = r#"syntax = "proto2";
package buf.validate;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { optional FieldRules field = 1159; }
message FieldRules { optional bool required = 25; }
"#;

#[test]
fn every_rule_is_found_by_its_name() {
    let descriptors = by_protox(&[("shop.proto", SHOP)]);
    let rules = descriptors.rules();
    assert!(rules.problems("shop.proto").is_empty());
    assert!(rules.file("shop.proto").unwrap().entities);
    let service = rules.service("shop.Items").unwrap();
    assert_eq!(service.errors, "shop.Item.Error");
    assert_eq!(service.retry_throttle.as_ref().unwrap().token_ratio, 0.1);
    assert_eq!(rules.entity("shop.Item").unwrap().name, "Thing");
    assert!(rules.entity("shop.Item.Part").unwrap().skip);
    let id = rules.field("shop.Item", 1).unwrap();
    assert_eq!((id.format(), id.rename.as_str()), (Format::Uuid, "key"));
    let text = rules.field("shop.Item", 7).unwrap();
    assert_eq!((text.required, text.sensitive), (Some(false), true));
    assert!(rules.oneof("shop.Item", "kind").unwrap().required);
    assert_eq!(
        rules.errors("shop.Item.Error").unwrap().domain,
        "shop.example.com"
    );
    let gone = rules.error("shop.Item.Error", "ERROR_GONE").unwrap();
    assert_eq!((gone.code(), gone.metadata.len()), (Code::NotFound, 2));
    assert_eq!(rules.error("shop.Item.Error", "ERROR_UNSPECIFIED"), None);
    assert_eq!(rules.entity("shop.Items"), None);
    assert_eq!(rules.field("shop.Item", 2), None);
}

#[test]
fn the_pieces_of_an_option_are_one() {
    let descriptors = by_protox(&[("shop.proto", SHOP)]);
    let get = descriptors.rules().method("shop.Items", "Get").unwrap();
    let put = descriptors.rules().method("shop.Items", "Put").unwrap();
    assert_eq!(get.errors, put.errors);
    let retry = get.retry.as_ref().unwrap();
    assert_eq!(
        retry.codes,
        [Code::Unavailable as i32, Code::Aborted as i32]
    );
    assert_eq!(
        get.deadline,
        Some(Duration {
            seconds: 1,
            nanos: 5
        })
    );
}

#[test]
fn options_of_others_are_inherited() {
    let descriptors = by_protox(&[("shop.proto", SHOP)]);
    let rules = descriptors.rules();
    let behavior = |number| rules.behavior("shop.Item", number);
    assert_eq!((behavior(4).required, behavior(4).immutable), (true, true));
    assert!(behavior(5).output_only && !behavior(5).required);
    assert!(behavior(6).identifier);
    assert_eq!(behavior(1), Behavior::default());
    let required = [4, 6, 8].map(|number| rules.validate_required("shop.Item", number));
    assert_eq!(required, [false, true, false]);
}

#[test]
fn all_compilers_give_the_same_rules_and_places() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "shop.proto", SHOP);
    write(dir.path(), "google/api/field_behavior.proto", BEHAVIOR);
    write(dir.path(), "buf/validate/validate.proto", VALIDATE);
    write(dir.path(), OPTIONS_FILE, OPTIONS_SOURCE);
    let expected = by_protox(&[("shop.proto", SHOP)]);
    let mut others = vec![by_protoc(dir.path())];
    others.extend(by_buf(dir.path()));
    for other in others {
        assert_eq!(other.rules(), expected.rules());
        let (file, expected) = (other.file("shop.proto"), expected.file("shop.proto"));
        let line = |file: Option<&File>, path: &[i32], field: &str| {
            let diagnostic = file.unwrap().diagnostic_at_rule("", path, field);
            diagnostic.position().map(|(line, _)| line)
        };
        for (path, field, at) in PLACES {
            assert_eq!(line(expected, path, field), Some(*at), "{field}");
            assert_eq!(line(file, path, field), Some(*at), "{field}");
        }
    }
}

/// A path, a field of its rule, and the line it is on.
const PLACES: &[(&[i32], &str, u32)] = &[
    (&[], "entities", 6),
    (&[6, 0], "", 8),
    (&[6, 0], "retry_throttle.token_ratio", 8),
    (&[6, 0, 2, 0], "retry", 12),
    (&[6, 0, 2, 0], "retry.codes.1", 14),
    (&[6, 0, 2, 0], "errors.1", 16),
    (&[6, 0, 2, 0], "deadline", 17),
    (&[6, 0, 2, 1], "errors.1", 21),
    (&[4, 0], "name", 25),
    (&[4, 0, 2, 0], "rename", 26),
    (&[4, 0, 2, 1], "sensitive", 27),
    (&[4, 0, 8, 0], "required", 29),
    (&[4, 0, 3, 0], "skip", 32),
    (&[4, 0, 4, 0], "domain", 34),
    (&[4, 0, 4, 0, 2, 1], "metadata.1", 36),
    (&[4, 0, 4, 0, 2, 0], "code", 35),
    (&[4, 0, 2, 3], "", 38),
];

#[test]
fn the_number_in_another_house_is_not_ours() {
    const OTHER: &str = r#"syntax = "proto3";
package house;
import "google/protobuf/descriptor.proto";
message Rule { string name = 1; string what = 99; }
extend google.protobuf.MessageOptions { Rule entity = 50713; }
message Item { option (house.entity) = { name: "x" what: "y" }; }
"#;
    let descriptors = by_protox(&[("house.proto", OTHER)]);
    assert_eq!(*descriptors.rules(), Rules::default());
}

#[test]
fn a_schema_without_options_has_no_rules() {
    let descriptors = by_protox(&[("a.proto", "syntax = \"proto3\"; message A {}")]);
    assert_eq!(*descriptors.rules(), Rules::default());
}

#[test]
fn an_older_options_file_is_fine() {
    let older = OPTIONS_SOURCE
        .replace("  bool patch = 4;\n", "")
        .replace("    IP = 4;\n", "");
    assert_ne!(older, OPTIONS_SOURCE);
    let descriptors = by_protox(&[(OPTIONS_FILE, &older), ("shop.proto", SHOP)]);
    assert!(descriptors.rules().problems("shop.proto").is_empty());
    assert_eq!(
        descriptors.rules().entity("shop.Item").unwrap().name,
        "Thing"
    );
}

#[test]
fn what_a_newer_options_file_has_is_refused_with_its_place() {
    let newer = OPTIONS_SOURCE
        .replace(
            "  bool patch = 4;\n",
            "  bool patch = 4;\n  Retry later = 99;\n",
        )
        .replace("    IP = 4;\n", "    IP = 4;\n    IBAN = 77;\n")
        .replace(
            "  uint32 max_attempts = 1;\n",
            "  uint32 max_attempts = 1;\n  bool jitter = 9;\n",
        );
    const NEWER: &str = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
message Item {
  option (apibase.v1.entity) = { later: { max_attempts: 2 } };
  string id = 1 [(apibase.v1.field).format = IBAN];
}
service Items {
  rpc Get(Item) returns (Item) { option (apibase.v1.method).retry.jitter = true; }
}
"#;
    let descriptors = by_protox(&[(OPTIONS_FILE, &newer), ("shop.proto", NEWER)]);
    let problems = descriptors.rules().problems("shop.proto");
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    shop.proto:5:3: `(apibase.v1.entity)` has `later`, which is not known
      help: it is written for a newer apibase: update protoc-gen-apibase, or use what the options file of this version has, which `protoc-gen-apibase protos --out DIR` writes
    shop.proto:6:18: `(apibase.v1.field)` has `format: IBAN`, which is not known
      help: it is written for a newer apibase: update protoc-gen-apibase, or use what the options file of this version has, which `protoc-gen-apibase protos --out DIR` writes
    shop.proto:9:34: `(apibase.v1.method)` has `jitter`, which is not known
      help: it is written for a newer apibase: update protoc-gen-apibase, or use what the options file of this version has, which `protoc-gen-apibase protos --out DIR` writes
    ");
}

#[test]
fn another_number_for_our_options_is_refused() {
    let moved = OPTIONS_SOURCE.replace("entity = 50713", "entity = 1999");
    let set = set(&[(OPTIONS_FILE, &moved), ("shop.proto", SHOP)]);
    let error = Descriptors::load(&set.encode_to_vec()).err().unwrap();
    insta::assert_snapshot!(error, @r"
    apibase/v1/options.proto: `(apibase.v1.entity)` has the number 1999 here, and not 50713
      help: it is written for a newer apibase: update protoc-gen-apibase, or use what the options file of this version has, which `protoc-gen-apibase protos --out DIR` writes
    ");
}

#[test]
fn a_number_that_no_options_file_has_is_refused_too() {
    let mut descriptors = set(&[("shop.proto", SHOP)]);
    let file = descriptors.file.last_mut().unwrap();
    let shop = DescriptorPool::global()
        .get_message_by_name("google.protobuf.FileDescriptorProto")
        .unwrap();
    let mut shop = DynamicMessage::decode(shop, file.as_slice()).unwrap();
    let Some(Value::List(messages)) = shop.get_field_by_name_mut("message_type") else {
        panic!("no messages");
    };
    let Some(Value::Message(item)) = messages.first_mut() else {
        panic!("no message");
    };
    let options = item.get_field_by_name_mut("options").unwrap();
    let raw = entity_with_field_1000();
    let descriptor = options.as_message().unwrap().descriptor();
    *options = Value::Message(DynamicMessage::decode(descriptor, raw.as_slice()).unwrap());
    *file = shop.encode_to_vec();
    let descriptors = Descriptors::load(&descriptors.encode_to_vec()).unwrap();
    let problems = descriptors.rules().problems("shop.proto");
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    shop.proto:25:3: `(apibase.v1.entity)` has a field of number 1000, which is not known
      help: it is written for a newer apibase: update protoc-gen-apibase, or use what the options file of this version has, which `protoc-gen-apibase protos --out DIR` writes
    ");
}

/// `MessageOptions` with an `EntityRule` whose field 1000 is 1.
fn entity_with_field_1000() -> Vec<u8> {
    let mut rule = Vec::new();
    prost::encoding::uint32::encode(1000, &1, &mut rule);
    let mut options = Vec::new();
    prost::encoding::bytes::encode(NUMBER.unsigned_abs(), &rule, &mut options);
    options
}

type Set = crate::descriptors::check::SetBytes;

/// Compiles `files`, those above and the embedded options among their imports; the last is the
/// one of interest.
fn set(files: &[(&str, &str)]) -> Set {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "google/api/field_behavior.proto", BEHAVIOR);
    write(dir.path(), "buf/validate/validate.proto", VALIDATE);
    for (name, source) in files {
        write(dir.path(), name, source);
    }
    let (name, _) = files.last().unwrap();
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(dir.path().to_owned()));
    resolver.add(GoogleFileResolver::new());
    resolver.add(EmbeddedOptions);
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file(name).unwrap();
    Set::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

fn by_protox(files: &[(&str, &str)]) -> Descriptors {
    Descriptors::load(&set(files).encode_to_vec()).unwrap()
}

fn by_protoc(dir: &Path) -> Descriptors {
    let out = dir.join("protoc.set");
    let mut command = Command::new(protoc_bin_vendored::protoc_bin_path().unwrap());
    command
        .args(["--include_imports", "--include_source_info"])
        .arg(format!("--descriptor_set_out={}", out.display()))
        .arg(format!("-I{}", dir.display()))
        .arg("shop.proto");
    assert!(command.status().unwrap().success());
    Descriptors::load(&std::fs::read(out).unwrap()).unwrap()
}

/// By the buf that the environment names, where it names one.
fn by_buf(dir: &Path) -> Option<Descriptors> {
    let buf = std::env::var_os("BUF")?;
    let out = dir.join("buf.set.binpb");
    write(dir, "buf.yaml", "version: v2\nmodules:\n  - path: .\n");
    let mut command = Command::new(buf);
    command
        .current_dir(dir)
        .args(["build", "--as-file-descriptor-set", "-o"])
        .arg(&out);
    assert!(command.status().unwrap().success());
    Some(Descriptors::load(&std::fs::read(out).unwrap()).unwrap())
}

fn write(dir: &Path, name: &str, source: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, source).unwrap();
}
