//! Whichever compiler wrote the descriptors, the generated files are the same, byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod schema;

use std::path::Path;
use std::process::Command;

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protoc_gen_apibase::{Imports, Options, Request};
use schema::{Sources, compile, files, write};

const OPTIONS: &str = r#"
syntax = "proto3";
package shop.options;
import "google/protobuf/descriptor.proto";
import "google/protobuf/duration.proto";
message Rule {
  int32 a = 1;
  int32 b = 2;
  string text = 3;
  map<string, int32> numbers = 4;
  repeated int32 packed = 5;
  Rule child = 6;
  google.protobuf.Duration wait = 7;
  Kind kind = 8;
  double ratio = 10;
  bytes raw = 11;
  oneof choice { int32 x = 12; string y = 13; }
  bool flag = 14;
  map<int32, Rule> rules = 15;
  optional int32 present = 16;
  repeated Kind kinds = 17;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_ONE = 1; }
message Kept { int32 kept = 1; int32 dropped = 2 [retention = RETENTION_SOURCE]; Kept child = 3; }
extend google.protobuf.FileOptions { Rule file = 50713; }
extend google.protobuf.MessageOptions { Rule message = 50713; }
extend google.protobuf.FieldOptions { Rule field = 50713; repeated int32 nums = 50714; }
extend google.protobuf.OneofOptions { Rule oneof = 50713; }
extend google.protobuf.EnumValueOptions { Rule value = 50713; }
extend google.protobuf.ServiceOptions { Rule service = 50713; repeated Rule services = 50714; int32 zero = 50715; }
extend google.protobuf.MethodOptions {
  Rule method = 50713;
  int32 source_only = 50714 [retention = RETENTION_SOURCE];
  Kept kept = 50715;
}
"#;

const SHOP: &str = r#"
// The license.

/* Before the syntax. */
syntax = "proto3"; // Behind the syntax.

// Before the package.
package shop;

import "options.proto";
import public "google/protobuf/timestamp.proto";

option (shop.options.file).a = 1;
option java_package = "com.example.shop";
option (shop.options.file).child = { b: 3 a: 2 };
option (shop.options.file).child.child.text = "x";
option (shop.options.file).b = 0;

// Detached.

// The service.   
//   Indented.
//
// After a blank line.
service Items { // Behind the brace.
  option (shop.options.service).numbers = { key: "z" value: 1 };
  option (shop.options.service).numbers = { key: "a" value: 2 };
  option (shop.options.service).packed = 1;
  option (shop.options.service).packed = 2;
  option (shop.options.services) = { a: 1 };
  option (shop.options.services) = { b: 1 packed: [3, 4] kinds: [KIND_ONE, KIND_UNSPECIFIED] };
  option (shop.options.zero) = 0;

  /** Starred.
   *
   *   code here
   * end */
  rpc Get(Item) returns (Item) {
    // Inside.
    option (shop.options.method).a = 1;
    option idempotency_level = IDEMPOTENT;
    option (shop.options.method).b = 2;
    option (shop.options.method).wait.seconds = 3;
    option (shop.options.method).wait.nanos = 4;
    option deprecated = true;
  } // Behind the closing brace.
  // Before Put.
  rpc Put(stream Item) returns (stream Item); // Behind Put.
  rpc Empty(Item) returns (Item) {} // Behind an empty body.
  rpc Other(Item) returns (Item) {
    // Inside an empty body.
  }
  rpc Next(Item) returns (Item) { option (shop.options.source_only) = 3; }
  rpc Kept(Item) returns (Item) {
    option (shop.options.kept) = { kept: 1 dropped: 2 child { dropped: 3 } };
  }
  rpc Following(Item) returns (Item);
  // On the next line.

  rpc Last(.shop.Item) returns (.google.protobuf.Timestamp);
}

/* A block
 * with stars
    and without.
 */
message Item { // Behind the message's brace.
  // Before the id.
  string id = 1; // Behind the id.
  optional int32 count = 2 [deprecated = true, (shop.options.field).a = 5,
    (shop.options.field).rules = { key: 2 value { a: 1 } },
    (shop.options.field).rules = { key: 1 value { rules { key: 9 } } }];
  repeated int32 nums = 3 [(shop.options.nums) = 3, (shop.options.nums) = 1, json_name = "NUMS"];
  repeated int32 loose = 4 [packed = false];
  map<string, Item> things = 5; /* Behind the map. */
  // Before the oneof.
  oneof kind { // Behind the oneof's brace.
    option (shop.options.oneof).a = 1;
    // Before x.
    int32 x_value = 6; // Behind x.
    string Y_value = 7;
  }
  message Nested { Nested nested = 1; } // Behind the nested.
  enum State {
    STATE_ZERO = 0; // Behind zero.
    // Before one.
    STATE_ONE = 1 [(shop.options.value).text = "\x01é\"q", deprecated = true];
    option deprecated = true;
  }
  reserved 20 to 30, 99;
  reserved "foo", "bar";
  string rule = 8 [(shop.options.field) = { x: 3 ratio: -0.5 raw: "\000\xff" flag: false present: 0 }];
  State state = 10;
}
//No blank.
//	A tab.
message Second {
  option (shop.options.message) = { kind: KIND_ONE };
  string __odd_Name__x2 = 2;
  string camelCase = 3;
}
"#;

const OLD: &str = r#"
// Before the package.
package shop.old;
option optimize_for = SPEED;
message Old {
  required string a = 1 [default = "x\"y\n\001é"];
  optional bytes b = 2 [default = "\001\xff\"z'\\ \? é"];
  optional double c = 3 [default = 1e10];
  optional float d = 4 [default = 0.1];
  optional double e = 5 [default = -inf];
  optional double f = 6 [default = nan];
  optional double g = 7 [default = 123456789.123456789];
  optional float h = 8 [default = 1e-40];
  optional double i = 9 [default = -0.0];
  optional int64 j = 10 [default = -0x10];
  optional uint64 k = 11 [default = 18446744073709551615];
  optional bool l = 12 [default = true];
  optional Kind m = 13 [default = TWO];
  repeated int32 n = 14 [packed = true];
  optional group Part = 15 { optional int32 z = 1; }
  oneof either { group Other = 16 { optional int32 q = 1; } int32 r = 17; }
  extensions 100 to 102, 200 to max;
  extend Old { optional string inner = 100; repeated int32 packed = 101 [packed = true]; }
  reserved 30, 40 to 42;
}
enum Kind {
  option allow_alias = true;
  ONE = 1;
  UNO = 1;
  TWO = 2;
  MINUS = -1;
  reserved -5 to -3, 7, 100 to max;
  reserved "OLD";
}
service OldItems { rpc Get(Old) returns (Old.Part); }
"#;

const WINDOWS: &str = "syntax = \"proto3\";\r\npackage shop.windows;\r\n// One.\r\n// Two. \r\nmessage M {\r\n  // Three.\r\n  string a = 1; // Four.\r\n  /* Five.\r\n   * Six.\r\n   */\r\n  string b = 2; /* Seven.\r\n  Eight. */\r\n}\r\nservice Items { rpc Get(M) returns (M); }\r\n";

const SOURCES: Sources<'_> = &[
    ("options.proto", OPTIONS),
    ("shop.proto", SHOP),
    ("old.proto", OLD),
    ("windows.proto", WINDOWS),
];

fn request(descriptor_set: Vec<u8>) -> Request {
    Request {
        descriptor_set,
        files: SOURCES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        imports: Imports::Generate,
        options: Options::parse("include_file=mod.rs,tonic").unwrap(),
    }
}

fn protoc(dir: &Path) -> Vec<u8> {
    let out = dir.join("set.binpb");
    let status = Command::new(protoc_bin_vendored::protoc_bin_path().unwrap())
        .arg("--include_imports")
        .arg("--include_source_info")
        .arg(format!("--descriptor_set_out={}", out.display()))
        .arg(format!("-I{}", dir.display()))
        .arg(format!(
            "-I{}",
            protoc_bin_vendored::include_path().unwrap().display()
        ))
        .args(SOURCES.iter().map(|(name, _)| name))
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::read(out).unwrap()
}

#[test]
fn protoc_and_protox_give_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), SOURCES);
    let by_protoc = files(&request(protoc(dir.path())));
    let by_protox = files(&request(compile(SOURCES)));
    assert_eq!(
        by_protoc.keys().collect::<Vec<_>>(),
        by_protox.keys().collect::<Vec<_>>()
    );
    for (name, content) in &by_protoc {
        assert_eq!(content, &by_protox[name], "{name}");
    }
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let expected = files(&request(compile(SOURCES)));
    let backwards: Vec<(&str, &str)> = SOURCES.iter().rev().copied().collect();
    let mut set = FileDescriptorSet::decode(compile(&backwards).as_slice()).unwrap();
    let mut request = request(compile(&backwards));
    assert_eq!(files(&request), expected);
    request.files.reverse();
    assert_eq!(files(&request), expected);

    // Every file before its imports; this decoder drops the custom options, so only what they
    // have no part in can be compared.
    set.file.reverse();
    request.descriptor_set = set.encode_to_vec();
    let mut shuffled = files(&request);
    let mut expected = expected;
    shuffled.retain(|name, _| !name.ends_with(".descriptors.rs"));
    expected.retain(|name, _| !name.ends_with(".descriptors.rs"));
    assert_eq!(shuffled, expected);
}

#[test]
fn the_descriptor_set_is_one_without_protobuf_itself_and_in_order() {
    let files = files(&request(compile(SOURCES)));
    let literal = &files["shop.descriptors.rs"];
    let parsed: syn::File = syn::parse_str(literal).unwrap();
    let syn::Item::Const(item) = &parsed.items[0] else {
        panic!("{literal}");
    };
    let syn::Expr::Lit(syn::ExprLit {
        lit: syn::Lit::ByteStr(bytes),
        ..
    }) = &*item.expr
    else {
        panic!("{literal}");
    };
    let set = FileDescriptorSet::decode(bytes.value().as_slice()).unwrap();
    let names: Vec<&str> = set.file.iter().map(FileDescriptorProto::name).collect();
    assert_eq!(names, ["options.proto", "shop.proto"]);
    assert!(set.file.iter().all(|file| file.source_code_info.is_none()));
}
